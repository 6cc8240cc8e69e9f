/* The files of a recording as a whole: which there are, and which chunks lie where, from their indexes or by walking. */
#include "record/reader_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "record/chunk.h"

struct segment *reader_new_segment(struct record_reader *r)
{
	GROW(r->segments, r->n_segments, r->cap_segments);
	return &r->segments[r->n_segments];
}

/* Another recording's file, and one that was just created, end ours; so does one whose beginning is damaged, which is counted. */
int reader_segment(struct record_reader *r, uint32_t n, struct reason *why)
{
	if (n < r->n_segments)
		return 1;
	struct reason none = {};
	_cleanup_(free) char *path = xasprintf("%s.%u", r->path, n);
	_cleanup_(segment_done) struct segment s = { .fd = -1 };
	int e = segment_open(&s, path, &none);
	if (e == -ENOENT || e == -ENODATA || e == -EBADMSG) {
		r->damage.chunks += e == -EBADMSG;
		return 0;
	}
	if (e < 0)
		return reason_set(why, e, "%s", none.text);
	const struct record_file_header *first = &r->segments[0].head;
	if (memcmp(s.head.id, first->id, sizeof(first->id)) != 0 || s.head.segment != first->segment + n)
		return 0;
	*reader_new_segment(r) = s;
	s.fd = -1;
	r->n_segments++;
	return 1;
}

/* --- chunks of all files --- */

typedef void chunk_fn(void *context, struct place at, const struct record_index_entry *chunk);

static int index_of(struct record_reader *r, struct segment *s, struct strbuf *ret)
{
	_cleanup_(strbuf_done) struct strbuf stored = {};
	struct record_chunk_header h;
	uint64_t at = s->index_offset;
	int e = segment_chunk(s, &at, &h);
	if (e < 0)
		return e;
	if (e == 0 || at != s->index_offset || h.kind != RECORD_INDEX)
		return -EBADMSG;
	e = segment_stored(s, at, &h, &stored);
	return e < 0 ? e : chunk_open(r->zstd, &h, strbuf_slice(&stored), ret);
}

static int walk(struct segment *s, uint32_t number, chunk_fn *f, void *context)
{
	struct record_chunk_header h;
	int e;
	for (uint64_t at = s->head.header_bytes; (e = segment_chunk(s, &at, &h)) == 1; at = chunk_end(at, &h)) {
		struct record_index_entry chunk = { at, h.first_ns, h.last_ns, h.n_records, h.kind, 0, h.flags };
		f(context, (struct place){ number, at }, &chunk);
	}
	return e;
}

static int chunks_of(struct record_reader *r, uint32_t number, chunk_fn *f, void *context)
{
	_cleanup_(strbuf_done) struct strbuf index = {};
	struct segment *s = &r->segments[number];
	if (!s->closed || index_of(r, s, &index) < 0)
		return walk(s, number, f, context);
	const struct record_index_entry *chunks = (const void *)index.data;
	for (size_t i = 0; i < index.len / sizeof(*chunks); i++)
		f(context, (struct place){ number, chunks[i].offset }, &chunks[i]);
	return 0;
}

static int all_chunks(struct record_reader *r, chunk_fn *f, void *context, struct reason *why)
{
	int e = 1;
	for (uint32_t n = 0; e == 1 && (e = reader_segment(r, n, why)) == 1; n++) {
		e = chunks_of(r, n, f, context);
		if (e < 0)
			return reason_set(why, e, "cannot read the recording %s: %s", r->path, strerror(-e));
		e = 1;
	}
	return e;
}

/* --- what is asked of them --- */

struct search {
	const struct record_reader *reader;
	struct place state, end; /* the last STATE before the span; the last chunk of the span, or the first behind it */
	uint8_t last_kind;
	bool found, passed;
};

static void look_for_span(void *context, struct place at, const struct record_index_entry *chunk)
{
	struct search *s = context;
	if (chunk->kind == RECORD_STATE && s->last_kind != RECORD_STATE && !s->found && !s->passed)
		s->state = at;
	bool inside = chunk->kind == RECORD_RECORDS && reader_wants_span(s->reader, chunk->first_ns, chunk->last_ns);
	bool behind = chunk->kind == RECORD_RECORDS && chunk->first_ns >= s->reader->until_ns;
	if (inside || (behind && !s->found && !s->passed))
		s->end = at;
	s->found |= inside;
	s->passed |= behind;
	s->last_kind = chunk->kind;
}

int reader_go(struct record_reader *r, struct reason *why)
{
	struct search s = { .reader = r, .state = r->at };
	int e = all_chunks(r, look_for_span, &s, why);
	if (e < 0)
		return e;
	r->number_known = s.state.segment == r->at.segment && s.state.offset == r->at.offset;
	r->cut |= !r->number_known;
	r->at = s.state;
	r->end = s.end;
	r->ends = s.found || s.passed;
	return 0;
}

struct span {
	uint64_t first_ns, last_ns;
};

static void widen(void *context, struct place at, const struct record_index_entry *chunk)
{
	struct span *span = context;
	if (chunk->kind != RECORD_RECORDS || !chunk->last_ns)
		return;
	span->first_ns = span->last_ns ? MIN(span->first_ns, chunk->first_ns) : chunk->first_ns;
	span->last_ns = MAX(span->last_ns, chunk->last_ns);
}

int record_reader_span(struct record_reader *r, uint64_t *ret_first_ns, uint64_t *ret_last_ns)
{
	struct span span = {};
	int e = all_chunks(r, widen, &span, NULL);
	if (e < 0)
		return e;
	if (!span.last_ns)
		return -ENODATA;
	*ret_first_ns = span.first_ns;
	*ret_last_ns = span.last_ns;
	return 0;
}
