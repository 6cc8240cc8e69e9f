/* Recordings: what is written is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "numbered.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "engine/fact.abi.h"
#include "record/crc32c.h"

static void crc32c_gives_the_sums_of_rfc_3720(void **state)
{
	static const unsigned char read_command[48] = {
		0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
		0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	unsigned char zeros[32] = {}, ones[32], up[32], down[32];
	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 32; i++) {
		up[i] = (unsigned char)i;
		down[i] = (unsigned char)(31 - i);
	}
	const struct {
		const void *bytes;
		size_t len;
		uint32_t sum;
	} vectors[] = {
		{ zeros, 32, 0x8a9136aa }, { ones, 32, 0x62a8ab43 }, { up, 32, 0x46dd794e }, { down, 32, 0x113fdb5c },
		{ read_command, 48, 0xd9963a56 }, { "123456789", 9, 0xe3069283 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		assert_int_equal(crc32c(vectors[i].bytes, vectors[i].len), vectors[i].sum);
		assert_int_equal(crc32c_by_table(vectors[i].bytes, vectors[i].len), vectors[i].sum);
	}
}

static void what_is_written_is_read_in_order(void **state)
{
	_cleanup_(free) char *path = path_of("plain");
	write_recording(path, 20000);
	assert_holds(path, 0, 20000);
}

static void the_file_is_for_its_owner_alone(void **state)
{
	_cleanup_(free) char *path = path_of("mine");
	_cleanup_(fd_close) int fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_int_equal(write(fd, "old", 3), 3);
	write_recording(path, 1);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_holds(path, 0, 1);
}

static void what_cannot_be_created_is_told_at_once(void **state)
{
	static const char *const paths[] = { "/no/such/folder/r", "/dev/null", "/", "/no/such/folder/" };
	for (size_t i = 0; i < 2 * ARRAY_SIZE(paths); i++) {
		struct record_writer *w = NULL;
		struct reason why = {};
		struct record_writer_settings s = { .path = paths[i / 2], .ring_bytes = i % 2 ? 1 << 20 : 0 };
		if (streq(s.path, "/dev/null") && s.ring_bytes)
			continue; /* a ring sees it when it is saved */
		if (i == 5)
			continue; /* the same for a folder */
		assert_true(record_writer_open(&w, &s, &why) < 0);
		assert_non_null(strstr(why.text, s.path));
	}
}

static void writer_tells_what_it_wrote(void **state)
{
	_cleanup_(free) char *path = path_of("told");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
	add_records(w, 0, 100);
	struct record_written written;
	struct stat st;
	assert_int_equal(record_writer_close(w, &written), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(written.records, 100);
	assert_int_equal(written.bytes, st.st_size);
	assert_int_equal(written.files, 1);
}

static void rotation_by_size_loses_nothing(void **state)
{
	_cleanup_(free) char *path = path_of("rotated");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .rotate_bytes = 300000 });
	add_records(w, 0, 20000);
	struct record_written written;
	assert_int_equal(record_writer_close(w, &written), 0);
	assert_in_range(written.files, 3, 40);
	assert_int_equal(written.records, 20000);
	assert_holds(path, 0, 20000);
}

static void rotation_by_time_loses_nothing(void **state)
{
	_cleanup_(free) char *path = path_of("by-time");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .rotate_ns = 60 * NSEC_PER_SEC });
	for (uint32_t i = 0; i < 5; i++) {
		add_records(w, i * 10, (i + 1) * 10);
		record_writer_tick(w, clock_monotonic_ns() + 61 * NSEC_PER_SEC);
		record_writer_tick(w, clock_monotonic_ns() + 61 * NSEC_PER_SEC);
	}
	struct record_written written;
	assert_int_equal(record_writer_close(w, &written), 0);
	assert_int_equal(written.files, 5);
	assert_holds(path, 0, 50);
}

static void a_file_of_a_rotated_recording_begins_with_state(void **state)
{
	_cleanup_(free) char *path = path_of("rotated.1");
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	assert_int_equal(record_reader_next(r, &rec, NULL), 1);
	assert_true(is_state(rec));
	uint32_t first = (uint32_t)((const struct run_clock_rec *)rec)->realtime_offset_ns;
	assert_true(first > 0);
	assert_int_equal(record_reader_next(r, &rec, NULL), 1);
	assert_is_record(rec, first);
}

static void add_large_state(struct record_writer *w, uint32_t facts)
{
	record_writer_begin_state(w);
	for (uint32_t i = 0; i < facts; i++) {
		struct run_clock_rec clock = { .head = { .type = RUN_CLOCK, .length = sizeof(clock) }, .realtime_offset_ns = i };
		record_writer_add(w, &clock.head);
	}
	record_writer_end_state(w);
}

static void state_of_several_chunks_is_read_once_and_whole(void **state)
{
	enum { FACTS = 50000 }; /* 2.8 MB */
	_cleanup_(free) char *path = path_of("large-state");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
	for (uint32_t i = 0; i < 3; i++) {
		add_large_state(w, FACTS);
		union record rec;
		make_record(&rec, i);
		record_writer_add(w, &rec.head);
	}
	struct record_written written;
	assert_int_equal(record_writer_close(w, &written), 0);
	assert_int_equal(written.files, 3);
	assert_holds(path, 0, 3);
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	for (uint32_t i = 0; i < FACTS + 3; i++) {
		assert_int_equal(record_reader_next(r, &rec, NULL), 1);
		if (i < FACTS)
			assert_int_equal(((const struct run_clock_rec *)rec)->realtime_offset_ns, i);
		else
			assert_is_record(rec, i - FACTS);
	}
	assert_int_equal(record_reader_next(r, &rec, NULL), 0);
}

static void another_recordings_file_is_not_a_segment(void **state)
{
	_cleanup_(free) char *path = path_of("one");
	_cleanup_(free) char *other = path_of("one.1");
	write_recording(other, 7);
	write_recording(path, 3);
	assert_holds(path, 0, 3);
}

/* Returns the number of the first record. */
static uint32_t assert_saved(const char *path, uint32_t end)
{
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	assert_int_equal(record_reader_next(r, &rec, NULL), 1);
	assert_true(is_state(rec));
	uint32_t first = (uint32_t)((const struct run_clock_rec *)rec)->realtime_offset_ns;
	assert_holds(path, first, end);
	return first;
}

static void a_ring_saves_the_last_whole_pieces(void **state)
{
	enum { RING = 1 << 20 };
	_cleanup_(free) char *path = path_of("ring");
	_cleanup_(free) char *later = path_of("ring.1");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .ring_bytes = RING });
	add_records(w, 0, 30000);
	assert_int_equal(access(path, F_OK), -1);
	record_writer_save(w);
	add_records(w, 30000, 30100);
	record_writer_save(w);
	struct record_written written;
	assert_int_equal(record_writer_close(w, &written), 0);
	assert_int_equal(written.files, 2);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, RING / 2, RING + RING / 8);
	assert_in_range(assert_saved(path, 30000), 20000, 29999);
	assert_int_equal(assert_saved(later, 30100), 30000);
}

static void a_ring_that_is_not_saved_writes_nothing(void **state)
{
	_cleanup_(free) char *path = path_of("silent");
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .ring_ns = NSEC_PER_SEC });
	add_records(w, 0, 3000);
	assert_int_equal(record_writer_close(w, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- a span of time --- */

struct span_case {
	const char *name;
	uint32_t since, until; /* numbers of records */
};

enum { SPAN_CHUNKS = 60, SPAN_EACH = 20, SPAN_RECORDS = SPAN_CHUNKS * SPAN_EACH };

static bool is_fact(uint32_t n)
{
	union record rec;
	make_record(&rec, n);
	return rec_is_fact(rec.head.type);
}

static void assert_span(const char *path, const struct span_case *c)
{
	_cleanup_(free) char *seen = xcalloc(1, SPAN_RECORDS);
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	uint32_t state_at = UINT32_MAX;
	record_reader_seek(r, (c->since + 1) * 1000ull, (c->until + 1) * 1000ull);
	int e;
	for (uint32_t last = 0; (e = record_reader_next(r, &rec, NULL)) == 1;) {
		if (is_state(rec)) {
			assert_int_equal(state_at, UINT32_MAX); /* once */
			state_at = (uint32_t)((const struct run_clock_rec *)rec)->realtime_offset_ns;
			continue;
		}
		assert_in_range(rec->seq, last, SPAN_RECORDS - 1);
		assert_is_record(rec, rec->seq);
		seen[rec->seq] = 1;
		last = rec->seq;
	}
	assert_int_equal(e, 0);
	assert_in_range(state_at, 0, c->since);
	for (uint32_t n = 0; n < SPAN_RECORDS; n++) {
		bool inside = n >= c->since && n < c->until;
		bool near = n + SPAN_EACH > c->since && n < c->until + SPAN_EACH; /* in a chunk with some that are inside */
		if (inside || (is_fact(n) && n >= state_at && n < c->until && c->until > c->since))
			assert_true(seen[n]);
		else if (!near)
			assert_true(!seen[n] || is_fact(n));
	}
	struct record_damage damage;
	record_reader_damage(r, &damage);
	assert_int_equal(damage.chunks + damage.records, 0);
}

static void a_span_has_its_records_and_the_facts_before_it(void **state)
{
	static const struct span_case cases[] = {
		{ "the first", 0, 1 }, { "the beginning", 0, 100 }, { "the middle", 500, 600 }, { "one", 777, 778 },
		{ "the end", 1100, 1200 }, { "behind the end", 1190, 5000 }, { "all", 0, 1200 },
	};
	_cleanup_(free) char *path = path_of("span");
	write_chunks(path, SPAN_CHUNKS, SPAN_EACH, 100000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_span(path, &cases[i]);
}

static void a_span_is_found_without_the_index(void **state)
{
	_cleanup_(free) char *path = path_of("span-open");
	write_chunks(path, SPAN_CHUNKS, SPAN_EACH, 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	assert_span(path, &(struct span_case){ "", 500, 600 });
}

static void the_first_record_of_a_span_is_after_a_cut(void **state)
{
	_cleanup_(free) char *path = path_of("span-open");
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	record_reader_seek(r, 500 * 1000, UINT64_MAX);
	uint32_t last_cut = 0, first_event = 0;
	while (next_record(r, &rec) == 1) {
		if (record_reader_after_cut(r))
			last_cut = rec->seq;
		if (!first_event && !rec_is_fact(rec->type))
			first_event = rec->seq;
	}
	assert_in_range(last_cut, 500 - SPAN_EACH, first_event);
}

static void the_span_of_a_recording_is_that_of_its_events(void **state)
{
	static const char *const names[] = { "span", "span-open" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(free) char *path = path_of(names[i]);
		_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
		uint64_t first, last, want_first = 0, want_last = SPAN_RECORDS - 1;
		assert_int_equal(record_reader_span(r, &first, &last), 0);
		while (is_fact((uint32_t)want_first))
			want_first++;
		while (is_fact((uint32_t)want_last))
			want_last--;
		assert_int_equal(first, (want_first + 1) * 1000);
		assert_int_equal(last, (want_last + 1) * 1000);
	}
}

static void a_recording_without_records_has_no_span(void **state)
{
	_cleanup_(free) char *path = path_of("empty");
	write_recording(path, 0);
	assert_holds(path, 0, 0);
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	uint64_t first, last;
	assert_int_equal(record_reader_span(r, &first, &last), -ENODATA);
	assert_true(slice_eq_str(record_reader_meta(r), "{\"of\":\"a test\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_gives_the_sums_of_rfc_3720),
		cmocka_unit_test(what_is_written_is_read_in_order),
		cmocka_unit_test(the_file_is_for_its_owner_alone),
		cmocka_unit_test(what_cannot_be_created_is_told_at_once),
		cmocka_unit_test(writer_tells_what_it_wrote),
		cmocka_unit_test(rotation_by_size_loses_nothing),
		cmocka_unit_test(rotation_by_time_loses_nothing),
		cmocka_unit_test(a_file_of_a_rotated_recording_begins_with_state),
		cmocka_unit_test(state_of_several_chunks_is_read_once_and_whole),
		cmocka_unit_test(another_recordings_file_is_not_a_segment),
		cmocka_unit_test(a_ring_saves_the_last_whole_pieces),
		cmocka_unit_test(a_ring_that_is_not_saved_writes_nothing),
		cmocka_unit_test(a_span_has_its_records_and_the_facts_before_it),
		cmocka_unit_test(a_span_is_found_without_the_index),
		cmocka_unit_test(the_first_record_of_a_span_is_after_a_cut),
		cmocka_unit_test(the_span_of_a_recording_is_that_of_its_events),
		cmocka_unit_test(a_recording_without_records_has_no_span),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
