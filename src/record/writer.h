/*
 * writer: makes a recording. Records are gathered into chunks here and compressed, written and synced by a thread of its
 * own behind a bounded queue; when that is full the caller waits, and what then finds the ring full is counted as ever.
 *
 * A chunk reaches the file at the latest a second after its first record (record_writer_tick()). Files are synced every
 * RECORD_SYNC_NS, at rotation and at the end: that much a power cut can take; kill -9 takes the chunk being gathered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"
#include "bpf/record.abi.h"

#define RECORD_SYNC_NS 5000000000ull
#define RECORD_RING_BYTES (256ull << 20) /* what a ring holds that is bounded by time alone */

struct record_writer;

struct record_writer_settings {
	bool tentative;         /* nothing is called PATH, and what is stays, until record_writer_keep() */
	const char *path;       /* a rotated recording goes on in PATH.1, PATH.2 ...; a ring's later savings too */
	struct slice meta;      /* JSON */
	struct slice layout;    /* BTF, see layout.h */
	uint64_t rotate_bytes, rotate_ns; /* begin another file when this one is so large, so old; 0: never */
	/* Keep so much in memory (compressed bytes; time) and write nothing until saved; both 0: no ring, ring_bytes 0: RECORD_RING_BYTES. */
	uint64_t ring_bytes, ring_ns;
};

/*
 * Creates the file, mode 0600, an old one is overwritten; a ring creates none before it is saved. -errno and @why: it cannot
 * be written.
 */
int record_writer_open(struct record_writer **ret, const struct record_writer_settings *settings, struct reason *why);

/* The run has come about: the file takes its name. -errno: it cannot. Nothing to do for a ring. */
int record_writer_keep(struct record_writer *w);
/* Instead of record_writer_close(), when the run has not come about: leaves nothing behind. */
void record_writer_drop(struct record_writer *w);

/* Copies one record into the current chunk. After a failure (full disk): does nothing. */
void record_writer_add(struct record_writer *w, const struct rec_head *rec);

/*
 * True when the next chunk has to be a STATE chunk: at the beginning, and when a file, or a piece of the ring, is full. The
 * caller then calls begin_state(), adds the facts that hold, and calls end_state(). Asked between records, often: cheap.
 */
bool record_writer_wants_state(struct record_writer *w);
void record_writer_begin_state(struct record_writer *w);
void record_writer_end_state(struct record_writer *w);

/* A few times a second: hands over a chunk that is a second old. */
void record_writer_tick(struct record_writer *w, uint64_t now_ns);

/*
 * Of a ring: what it holds goes to a file now, in the background, as a recording of its own; the ring begins anew and wants
 * state. Not between begin_state() and end_state().
 */
void record_writer_save(struct record_writer *w);

/* -errno of the first write that failed, once there is one; the file then ends at its last whole chunk. 0: none. */
int record_writer_error(const struct record_writer *w);

struct record_written {
	uint64_t records, bytes; /* in files: records without those of STATE, stored bytes */
	uint32_t files;
};

/* Writes what is left, index and footer; syncs; frees. Returns as record_writer_error(). @ret_written may be NULL. */
int record_writer_close(struct record_writer *w, struct record_written *ret_written);
