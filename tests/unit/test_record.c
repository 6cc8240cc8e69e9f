/* Recordings: what is written is read, whatever happens to the file in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "engine/fact.abi.h"
#include "probe/func/fact.abi.h"
#include "probe/func/func.abi.h"
#include "probe/syscall/syscall.abi.h"
#include "probe/task/task.abi.h"
#include "record/crc32c.h"
#include "record/format.h"
#include "record/layout.h"
#include "record/reader.h"
#include "record/writer.h"

static const struct {
	uint16_t type;
	uint32_t size;
} record_types[] = {
	{ TASK_FORK, sizeof(struct task_rec) },
	{ TASK_EXEC, sizeof(struct task_rec) },
	{ TASK_EXIT, sizeof(struct task_rec) },
	{ TASK_MAP, sizeof(struct task_rec) },
	{ RUN_TICK, sizeof(struct rec_head) },
	{ RUN_LOSS, sizeof(struct run_loss_rec) },
	{ RUN_CLOCK, sizeof(struct run_clock_rec) },
	{ RUN_PROCESS, sizeof(struct run_process_rec) },
	{ RUN_PROCESS_END, sizeof(struct rec_head) },
	{ RUN_NOTE, sizeof(struct run_note_rec) },
	{ RUN_ACCOUNT, sizeof(struct run_account_rec) },
	{ RUN_THREAD, sizeof(struct run_thread_rec) },
	{ FUNC_CALL, sizeof(struct func_call_rec) },
	{ FUNC_POINT, sizeof(struct func_point_rec) },
	{ FUNC_PROBE_FACT, sizeof(struct func_probe_fact) },
	{ REC_SYSCALL_CALL, sizeof(struct syscall_rec) },
};

/* --- records that are told apart by their number --- */

union record {
	struct rec_head head;
	char bytes[1024];
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Record number @n: any type, random bytes, its number in seq and strand, its time @n + 1 microseconds. */
static void make_record(union record *rec, uint32_t n)
{
	uint64_t random = mix(n + 1);
	size_t tail = 8 * (random >> 32) % 200;
	size_t which = random % ARRAY_SIZE(record_types);
	for (size_t i = 0; i < sizeof(rec->bytes); i += 8) {
		uint64_t word = i % 24 ? mix(random + i) : 7;
		memcpy(rec->bytes + i, &word, sizeof(word));
	}
	rec->head.type = record_types[which].type;
	rec->head.length = (uint16_t)((record_types[which].size + tail) & ~7ull);
	rec->head.time_ns = (n + 1) * 1000ull;
	rec->head.seq = n;
	rec->head.strand = n;
}

static void assert_is_record(const struct rec_head *got, uint32_t n)
{
	union record want;
	make_record(&want, n);
	assert_int_equal(got->seq, n);
	assert_int_equal(got->length, want.head.length);
	assert_memory_equal(got, want.bytes, want.head.length);
}

/* What a STATE chunk holds in these tests: a clock whose offset is the number of records so far. */
static void add_state(struct record_writer *w, uint32_t n)
{
	struct run_clock_rec clock = { .head = { .type = RUN_CLOCK, .length = sizeof(clock) }, .realtime_offset_ns = n };
	record_writer_begin_state(w);
	record_writer_add(w, &clock.head);
	record_writer_end_state(w);
}

static bool is_state(const struct rec_head *rec)
{
	return rec->type == RUN_CLOCK && rec->time_ns == 0;
}

static void add_records(struct record_writer *w, uint32_t first, uint32_t end)
{
	for (uint32_t n = first; n < end; n++) {
		union record rec;
		if (record_writer_wants_state(w))
			add_state(w, n);
		make_record(&rec, n);
		record_writer_add(w, &rec.head);
	}
}

/* --- files --- */

static char *folder;

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static struct record_writer *open_writer(struct record_writer_settings settings)
{
	struct record_writer *w = NULL;
	struct reason why = {};
	settings.meta = SLICE("{\"of\":\"a test\"}");
	settings.layout = record_layout_own();
	if (record_writer_open(&w, &settings, &why) < 0)
		fail_msg("%s", why.text);
	return w;
}

static struct record_reader *open_reader(const char *path)
{
	struct record_reader *r = NULL;
	struct reason why = {};
	if (record_reader_open(&r, path, &why) < 0)
		fail_msg("%s", why.text);
	return r;
}

static void write_recording(const char *path, uint32_t records)
{
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
	add_records(w, 0, records);
	assert_int_equal(record_writer_close(w, NULL), 0);
}

/* The next record that is not of STATE. */
static int next(struct record_reader *r, const struct rec_head **ret)
{
	struct reason why = {};
	int e;
	do
		e = record_reader_next(r, ret, &why);
	while (e == 1 && is_state(*ret));
	if (e < 0)
		fail_msg("%s", why.text);
	return e;
}

static void assert_holds(const char *path, uint32_t first, uint32_t end)
{
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	for (uint32_t n = first; n < end; n++) {
		assert_int_equal(next(r, &rec), 1);
		assert_is_record(rec, n);
	}
	assert_int_equal(next(r, &rec), 0);
	struct record_damage damage;
	record_reader_damage(r, &damage);
	assert_int_equal(damage.chunks + damage.records + damage.tail_bytes + damage.not_closed, 0);
}

/* --- tests --- */

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

static void chunk_is_a_second_old(struct record_writer *w)
{
	record_writer_tick(w, clock_monotonic_ns() + 2 * NSEC_PER_SEC);
}

/* @chunks chunks of @each records, in files of about @rotate_bytes. */
static void write_chunks(const char *path, uint32_t chunks, uint32_t each, uint64_t rotate_bytes)
{
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .rotate_bytes = rotate_bytes });
	for (uint32_t i = 0; i < chunks; i++) {
		add_records(w, i * each, (i + 1) * each);
		chunk_is_a_second_old(w);
	}
	assert_int_equal(record_writer_close(w, NULL), 0);
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
	while (next(r, &rec) == 1) {
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

/* --- harm --- */

/* Where chunk @n of a file begins. */
static off_t chunk_offset(const char *path, int n)
{
	_cleanup_(fd_close) int fd = open(path, O_RDONLY);
	off_t at = sizeof(struct record_file_header);
	for (struct record_chunk_header h; n; n--, at += sizeof(h) + h.stored_bytes)
		assert_int_equal(pread(fd, &h, sizeof(h), at), sizeof(h));
	return at;
}

/* Reads what there is: whole records, in order, none twice. Returns how many, or -errno when it cannot be opened. */
static int read_damaged(const char *path, uint32_t records, struct record_damage *ret)
{
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	struct reason why = {};
	const struct rec_head *rec;
	int n = 0, e = record_reader_open(&r, path, &why);
	if (e < 0) {
		assert_true(why.text[0]);
		return e;
	}
	for (uint32_t from = 0; next(r, &rec) == 1; n++) {
		assert_in_range(rec->seq, from, records - 1);
		assert_is_record(rec, rec->seq);
		from = rec->seq + 1;
	}
	record_reader_damage(r, ret);
	return n;
}

/* The same when it is cut off somewhere: what is left is the beginning. */
static int read_beginning(const char *path, uint32_t records, struct record_damage *ret)
{
	int n = read_damaged(path, records, ret);
	if (n > 0) {
		_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
		const struct rec_head *rec;
		for (int i = 0; i < n; i++) {
			assert_int_equal(next(r, &rec), 1);
			assert_int_equal(rec->seq, i);
		}
	}
	return n;
}

static void every_flipped_byte_is_noticed(void **state)
{
	enum { RECORDS = 24 };
	_cleanup_(free) char *path = path_of("flipped");
	write_chunks(path, 4, RECORDS / 4, 0);
	_cleanup_(fd_close) int fd = open(path, O_RDWR);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	off_t records_at = chunk_offset(path, 2);
	int refused = 0, short_ones = 0;
	for (off_t at = 0; at < st.st_size; at++) {
		unsigned char byte, flipped;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		flipped = byte ^ (unsigned char)(1 << mix((uint64_t)at) % 8);
		assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
		struct record_damage d = {};
		int n = read_damaged(path, RECORDS, &d);
		if (n < 0)
			assert_in_range(at, refused++, records_at - 1); /* header, META, LAYOUT */
		else if (!d.chunks && !d.not_closed && !d.tail_bytes)
			fail_msg("byte %jd: not noticed", (intmax_t)at);
		else if (n < RECORDS)
			assert_true(n == RECORDS - RECORDS / 4 && ++short_ones);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(refused && short_ones);
	assert_holds(path, 0, RECORDS);
}

static void every_length_leaves_a_beginning(void **state)
{
	enum { RECORDS = 24 };
	_cleanup_(free) char *path = path_of("cut-off");
	write_chunks(path, 4, RECORDS / 4, 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	int before = RECORDS;
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		struct record_damage d = {};
		assert_int_equal(truncate(path, len), 0);
		int n = read_beginning(path, RECORDS, &d);
		assert_true(n <= before);
		before = n;
		if (n < 0)
			assert_int_equal(n, -EBADMSG);
		else
			assert_true(d.not_closed && d.chunks == 0 && n % (RECORDS / 4) == 0);
	}
	assert_int_equal(before, -EBADMSG);
}

/* What a child does that ends in the middle: it writes to @told when more has been handed over than the queue holds. */
static void write_for_ever(const char *path, int told)
{
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .rotate_bytes = 4 << 20 });
	for (uint32_t i = 0;; i++) {
		add_records(w, i * 1000, (i + 1) * 1000);
		if (i == 70 && write(told, "x", 1) != 1)
			_exit(1);
	}
}

static void a_killed_writer_leaves_a_beginning(void **state)
{
	_cleanup_(free) char *path = path_of("killed");
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0)
		write_for_ever(path, ends[1]);
	close(ends[1]);
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ends[0]);
	struct record_damage d;
	assert_true(read_beginning(path, UINT32_MAX, &d) > 0);
	assert_int_equal(d.chunks + d.records, 0);
}

static void a_writer_that_ends_without_closing_leaves_its_whole_chunks(void **state)
{
	_cleanup_(free) char *path = path_of("left");
	pid_t child = fork();
	if (child == 0) {
		struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
		add_records(w, 0, 100);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	struct record_damage d;
	assert_int_equal(read_beginning(path, 100, &d) % 100, 0);
	assert_true(d.not_closed);
}

static void a_full_disk_leaves_the_last_whole_chunk(void **state)
{
	_cleanup_(free) char *path = path_of("full");
	struct rlimit before, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 3000000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
	add_records(w, 0, 100000); /* nobody is made to wait for ever */
	int error = record_writer_close(w, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(error, -EFBIG);
	struct record_damage d;
	assert_in_range(read_beginning(path, 100000, &d), 1000, 99999);
	assert_true(d.not_closed);
	assert_int_equal(d.tail_bytes + d.chunks + d.records, 0);
}

static void a_missing_segment_ends_the_recording(void **state)
{
	_cleanup_(free) char *path = path_of("gap");
	_cleanup_(free) char *second = path_of("gap.1");
	write_chunks(path, 20, 20, 30000);
	assert_int_equal(unlink(second), 0);
	struct record_damage d;
	assert_in_range(read_beginning(path, 400, &d), 1, 399);
}

static void behind_a_loss_the_next_state_is_read(void **state)
{
	_cleanup_(free) char *path = path_of("restored");
	write_chunks(path, 20, 20, 30000);
	_cleanup_(fd_close) int fd = open(path, O_RDWR);
	off_t at = chunk_offset(path, 3) + (off_t)sizeof(struct record_chunk_header) + 50;
	char byte;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	int states = 0, cuts = 0;
	while (record_reader_next(r, &rec, NULL) == 1) {
		states += is_state(rec);
		cuts += record_reader_after_cut(r);
	}
	assert_int_equal(states, 2);
	assert_int_equal(cuts, 1);
}

/* --- versions --- */

/* Changes one field of a header and makes its checksum right again. */
static void patch(const char *path, off_t at, size_t header_bytes, size_t field, const void *value, size_t len)
{
	_cleanup_(fd_close) int fd = open(path, O_RDWR);
	char header[256];
	assert_int_equal(pread(fd, header, header_bytes, at), header_bytes);
	memcpy(header + field, value, len);
	uint32_t sum = crc32c(header, header_bytes - 4);
	memcpy(header + header_bytes - 4, &sum, 4);
	assert_int_equal(pwrite(fd, header, header_bytes, at), header_bytes);
}

static void a_later_version_is_refused_with_both_numbers(void **state)
{
	_cleanup_(free) char *path = path_of("later");
	write_recording(path, 3);
	uint16_t version = 7;
	patch(path, 0, sizeof(struct record_file_header), offsetof(struct record_file_header, version), &version, 2);
	struct record_reader *r = NULL;
	struct reason why = {};
	assert_int_equal(record_reader_open(&r, path, &why), -ENOTSUP);
	assert_non_null(strstr(why.text, "version 7"));
	assert_non_null(strstr(why.text, "version 1"));
}

static void an_encrypted_chunk_is_refused(void **state)
{
	_cleanup_(free) char *path = path_of("encrypted");
	write_recording(path, 3);
	patch(path, chunk_offset(path, 3), sizeof(struct record_chunk_header), offsetof(struct record_chunk_header, cipher), "\1", 1);
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	struct reason why = {};
	const struct rec_head *rec;
	int e;
	while ((e = record_reader_next(r, &rec, &why)) == 1)
		;
	assert_int_equal(e, -ENOTSUP);
	assert_non_null(strstr(why.text, "encrypted"));
}

static void a_chunk_of_unknown_kind_is_skipped(void **state)
{
	_cleanup_(free) char *path = path_of("unknown");
	write_chunks(path, 3, 10, 0);
	patch(path, chunk_offset(path, 4), sizeof(struct record_chunk_header), offsetof(struct record_chunk_header, kind), "\x63", 1);
	struct record_damage d;
	assert_int_equal(read_damaged(path, 30, &d), 20);
	assert_int_equal(d.chunks + d.records + d.tail_bytes + d.not_closed, 0);
}

static void what_is_no_recording_is_refused(void **state)
{
	_cleanup_(free) char *path = path_of("text");
	static const char *const contents[] = { "", "\x89UTRACE\n", "hello, this is a text that is no recording, of more than 64 bytes in all." };
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		FILE *f = fopen(path, "w");
		fputs(contents[i], f);
		fclose(f);
		struct record_damage d;
		assert_int_equal(read_damaged(path, 1, &d), -EBADMSG);
	}
	struct record_damage d;
	assert_int_equal(read_damaged(folder, 1, &d), -EISDIR);
	assert_int_equal(read_damaged("/no/such/recording", 1, &d), -ENOENT);
}

static int make_folder(void **state)
{
	folder = xstrdup("/tmp/test_record.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	_cleanup_(free) char *command = xasprintf("rm -r %s", folder);
	free(folder);
	return system(command);
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
		cmocka_unit_test(every_flipped_byte_is_noticed),
		cmocka_unit_test(every_length_leaves_a_beginning),
		cmocka_unit_test(a_killed_writer_leaves_a_beginning),
		cmocka_unit_test(a_writer_that_ends_without_closing_leaves_its_whole_chunks),
		cmocka_unit_test(a_full_disk_leaves_the_last_whole_chunk),
		cmocka_unit_test(a_missing_segment_ends_the_recording),
		cmocka_unit_test(behind_a_loss_the_next_state_is_read),
		cmocka_unit_test(a_later_version_is_refused_with_both_numbers),
		cmocka_unit_test(an_encrypted_chunk_is_refused),
		cmocka_unit_test(a_chunk_of_unknown_kind_is_skipped),
		cmocka_unit_test(what_is_no_recording_is_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
