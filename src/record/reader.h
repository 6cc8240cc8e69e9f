/*
 * reader: reads a recording, front to back or a span of time. The bytes may be anything: what does not hold together is
 * left out and counted, never trusted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"
#include "bpf/record.abi.h"

struct record_reader;

/*
 * Opens PATH and, behind it, the segments PATH.1, PATH.2 ... of the same recording. -EBADMSG and @why: not a recording, or
 * its beginning is damaged; -ENOTSUP: of a later version, or encrypted; other -errno: cannot be read.
 */
int record_reader_open(struct record_reader **ret, const char *path, struct reason *why);
void record_reader_free(struct record_reader *r);
DEFINE_CLEANUP(struct record_reader *, record_reader_free)

struct slice record_reader_meta(const struct record_reader *r); /* JSON, borrowed */

/*
 * Reads only what may have happened in [since_ns, until_ns) (CLOCK_MONOTONIC; 0 and UINT64_MAX: all), and before it the facts
 * that hold then. Before the first record_reader_next().
 */
void record_reader_seek(struct record_reader *r, uint64_t since_ns, uint64_t until_ns);

/*
 * The next record, in the layout of this binary, borrowed until the next call. 1: @ret is set; 0: the end; -errno and @why:
 * cannot be read (damage is no error: see below).
 */
int record_reader_next(struct record_reader *r, const struct rec_head **ret, struct reason *why);

/* True for the first record after a cut (chunks skipped, damaged or missing): sequence numbers do not continue from before. */
bool record_reader_after_cut(const struct record_reader *r);

/* First and last time in the recording, from its index or by walking the chunk headers. -ENODATA: no records. */
int record_reader_span(struct record_reader *r, uint64_t *ret_first_ns, uint64_t *ret_last_ns);

struct record_damage {
	uint64_t chunks;      /* whose checksum was wrong, or which are missing in the middle */
	uint64_t tail_bytes;  /* behind the last whole chunk */
	uint64_t records;     /* malformed, or of a type whose layout is not told */
	bool not_closed;      /* no index at the end: the tracer was killed, or still writes */
};
void record_reader_damage(const struct record_reader *r, struct record_damage *ret); /* so far */
