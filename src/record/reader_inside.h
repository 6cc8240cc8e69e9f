/* reader_inside: what the files of the reader share. */
#pragma once

#include "base/strbuf.h"
#include "record/reader.h"
#include "record/segment.h"

struct ZSTD_DCtx_s;
struct record_layout;

struct place {
	uint32_t segment;
	uint64_t offset;
};

enum chunk_use { USE_NOT, USE_CHECK /* is it whole? */, USE_FACTS, USE_ALL };

struct record_reader {
	char *path;
	struct segment *segments; /* those opened so far */
	uint32_t n_segments, cap_segments;
	struct strbuf meta;
	struct record_layout *layout;
	struct ZSTD_DCtx_s *zstd;

	uint64_t since_ns, until_ns;
	bool must_seek;      /* the span was set and we are not there yet */
	bool ends;           /* `end` holds */
	struct place at, end; /* the next chunk; the last one that is wanted */

	uint64_t next_number; /* of a chunk */
	bool number_known;
	uint8_t last_kind;    /* of the last chunk */
	bool state_whole;     /* everything since the last STATE that was read has been read */
	enum chunk_use state_use;
	bool cut;             /* something was left out since the last record */
	bool after_cut;       /* ... and before that one */
	struct record_damage damage;

	struct strbuf stored, raw, scratch;
	size_t raw_at;
	enum chunk_use use; /* of the chunk in raw */
};

/* Room for one more at segments[n_segments]. */
struct segment *reader_new_segment(struct record_reader *r);
/* Opens the file of segment @n, counted from the one that was opened first. 1; 0: there is none; -errno. */
int reader_segment(struct record_reader *r, uint32_t n, struct reason *why);

/* Puts the reader where the wanted span begins: at the STATE before it. */
int reader_go(struct record_reader *r, struct reason *why);

static inline bool reader_wants_span(const struct record_reader *r, uint64_t first_ns, uint64_t last_ns)
{
	return last_ns >= r->since_ns && first_ns < r->until_ns;
}

/* True behind the last chunk that is wanted. */
static inline bool reader_is_behind(const struct record_reader *r, struct place p)
{
	return r->ends && (p.segment > r->end.segment || (p.segment == r->end.segment && p.offset > r->end.offset));
}
