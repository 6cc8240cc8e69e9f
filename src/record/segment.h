/* segment: one file of a recording, read by chunks. Its bytes may be anything, and may be cut off while we read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/strbuf.h"
#include "record/format.h"

struct segment {
	int fd;
	uint64_t size;           /* bytes when it was opened: what is written later is not read */
	struct record_file_header head;
	bool closed;             /* it has a footer ... */
	uint64_t index_offset;   /* ... which tells this */
};

/* -EBADMSG, -ENOTSUP and @why as record_reader_open(); -ENODATA: too short to be anything. */
int segment_open(struct segment *s, const char *path, struct reason *why);
void segment_done(struct segment *s);
DEFINE_CLEANUP_IN_PLACE(struct segment, segment_done)

/*
 * The first whole chunk whose header begins at or behind @at. 1: @ret is set, and @at where it begins; 0: there is none;
 * -errno: cannot be read.
 */
int segment_chunk(struct segment *s, uint64_t *at, struct record_chunk_header *ret);

static inline uint64_t chunk_end(uint64_t at, const struct record_chunk_header *h)
{
	return at + h->header_bytes + h->stored_bytes;
}

/* Replaces @stored by the stored bytes of the chunk at @at. */
int segment_stored(struct segment *s, uint64_t at, const struct record_chunk_header *h, struct strbuf *stored);
/* How many bytes from @at on are no chunks: all but the footer. */
uint64_t segment_tail(const struct segment *s, uint64_t at);
