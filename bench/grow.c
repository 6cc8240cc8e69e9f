/*
 * grow IN OUT BYTES: writes the records of a recording again and again, each time moved on in time, until OUT has so many
 * bytes: a large recording of real records, without the hours that it takes to see them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "record/layout.h"
#include "record/reader.h"
#include "record/writer.h"

static uint64_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

/* One pass over IN. Facts are written by the first alone: they hold on. */
static int add_all(struct record_writer *w, const char *path, uint64_t moved_ns)
{
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	const struct rec_head *rec;
	int more, error = record_reader_open(&r, path, NULL);
	if (error < 0)
		return error;
	while ((more = record_reader_next(r, &rec, NULL)) > 0) {
		if (moved_ns && rec_is_fact(rec->type))
			continue;
		if (record_writer_wants_state(w)) {
			record_writer_begin_state(w);
			record_writer_end_state(w);
		}
		struct rec_head *copy = memcpy(malloc(rec->length), rec, rec->length);
		copy->time_ns += moved_ns;
		record_writer_add(w, copy);
		free(copy);
	}
	return more;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	struct reason why = {};
	uint64_t first, last, wanted = strtoull(argv[3], NULL, 0);
	struct record_writer *w;
	if (record_reader_open(&r, argv[1], &why) < 0 || record_reader_span(r, &first, &last) < 0)
		return 1;
	struct record_writer_settings settings = { .path = argv[2], .meta = record_reader_meta(r), .layout = record_layout_own() };
	if (record_writer_open(&w, &settings, &why) < 0) {
		fprintf(stderr, "grow: %s\n", why.text);
		return 1;
	}
	for (uint64_t pass = 0; size_of(argv[2]) < wanted && !record_writer_error(w); pass++)
		if (add_all(w, argv[1], pass * (last - first + NSEC_PER_MSEC)) < 0)
			break;
	return record_writer_close(w, NULL) < 0;
}
