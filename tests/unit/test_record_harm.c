/* Recordings: whatever happens to the file, its whole chunks are read, and what cannot be read is said. */
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

#include "numbered.h"

#include "base/alloc.h"
#include "base/macro.h"
#include "record/crc32c.h"
#include "record/format.h"

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
	for (uint32_t from = 0; next_record(r, &rec) == 1; n++) {
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
			assert_int_equal(next_record(r, &rec), 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
