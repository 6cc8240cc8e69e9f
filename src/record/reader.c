/*
 * A reader goes from chunk to chunk by their headers, over all files of the recording. What may be read next depends on
 * what came before: STATE only after a beginning or a loss, and outside of the wanted span only facts.
 */
#include "record/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "record/chunk.h"
#include "record/layout.h"
#include "record/reader_inside.h"

static int open_first(struct record_reader *r, struct reason *why)
{
	int e = segment_open(reader_new_segment(r), r->path, why);
	if (e < 0)
		return e == -ENODATA ? -EBADMSG : e;
	r->n_segments = 1;
	r->at.offset = r->segments[0].head.header_bytes;
	r->next_number = 0;
	r->number_known = r->segments[0].head.segment == 0;
	return 0;
}

/* The next whole chunk of any file, and @ret_at where it begins. 1, 0: the end, -errno. */
static int next_chunk(struct record_reader *r, uint64_t *ret_at, struct record_chunk_header *ret, struct reason *why)
{
	for (;;) {
		struct segment *s = &r->segments[r->at.segment];
		*ret_at = r->at.offset;
		int e = segment_chunk(s, ret_at, ret);
		if (e < 0)
			return reason_set(why, e, "cannot read the recording %s: %s", r->path, strerror(-e));
		if (e == 1)
			return 1;
		r->damage.tail_bytes += segment_tail(s, r->at.offset);
		r->damage.not_closed |= !s->closed;
		r->at.offset = s->size;
		e = reader_segment(r, r->at.segment + 1, why);
		if (e <= 0)
			return e;
		r->at = (struct place){ r->at.segment + 1, r->segments[r->at.segment + 1].head.header_bytes };
	}
}

static void lose(struct record_reader *r, uint64_t chunks)
{
	r->damage.chunks += chunks;
	r->cut = true;
	r->state_whole = false;
}

/* Moves behind the chunk at @at, and counts what lay before it that was none. */
static void pass(struct record_reader *r, uint64_t at, const struct record_chunk_header *h)
{
	bool continues = !r->number_known || h->number == r->next_number;
	if (!continues)
		lose(r, h->number > r->next_number ? h->number - r->next_number : 1);
	else if (at != r->at.offset)
		lose(r, 1);
	r->at.offset = chunk_end(at, h);
	r->next_number = h->number + 1;
	r->number_known = true;
}

static int open_chunk(struct record_reader *r, uint64_t at, const struct record_chunk_header *h, struct reason *why)
{
	int e = segment_stored(&r->segments[r->at.segment], at, h, &r->stored);
	if (e < 0)
		return reason_set(why, e, "cannot read the recording %s: %s", r->path, strerror(-e));
	e = chunk_open(r->zstd, h, strbuf_slice(&r->stored), &r->raw);
	if (e == -ENOTSUP)
		return reason_set(why, e, "%s is %s in a way that this utrace does not know: read it with a later one", r->path,
				  h->cipher ? "encrypted" : "compressed");
	return e;
}

/* META and LAYOUT, which every file begins with. */
static int read_beginning(struct record_reader *r, struct reason *why)
{
	while (!r->meta.data || !r->layout) {
		struct record_chunk_header h;
		uint64_t at;
		int e = next_chunk(r, &at, &h, why);
		if (e < 0)
			return e;
		if (e == 0 || r->at.segment > 0 || h.kind == RECORD_STATE || h.kind == RECORD_RECORDS)
			return reason_set(why, -EBADMSG, "%s: its beginning is damaged: it cannot be read", r->path);
		pass(r, at, &h);
		if (h.kind != RECORD_META && h.kind != RECORD_LAYOUT)
			continue;
		e = open_chunk(r, at, &h, why);
		if (e == 0 && h.kind == RECORD_META)
			strbuf_add_slice(&r->meta, strbuf_slice(&r->raw));
		if (e == 0 && h.kind == RECORD_LAYOUT && !r->layout)
			e = record_layout_new(&r->layout, strbuf_slice(&r->raw), why);
		if (e < 0)
			return reason_set(why, e, "%s: its beginning is damaged: it cannot be read", r->path);
	}
	r->damage.chunks = 0;
	r->cut = false;
	strbuf_clear(&r->raw);
	return 0;
}

int record_reader_open(struct record_reader **ret, const char *path, struct reason *why)
{
	_cleanup_(record_reader_free) struct record_reader *r = xcalloc(1, sizeof(*r));
	r->path = xstrdup(path);
	r->until_ns = UINT64_MAX;
	r->zstd = ZSTD_createDCtx();
	if (!r->zstd)
		return -ENOMEM;
	int e = open_first(r, why);
	if (e == 0)
		e = read_beginning(r, why);
	if (e < 0)
		return e;
	*ret = take_ptr(r);
	return 0;
}

void record_reader_free(struct record_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_segments; i++)
		segment_done(&r->segments[i]);
	free(r->segments);
	record_layout_free(r->layout);
	ZSTD_freeDCtx(r->zstd);
	strbuf_done(&r->meta);
	strbuf_done(&r->stored);
	strbuf_done(&r->raw);
	strbuf_done(&r->scratch);
	free(r->path);
	free(r);
}

struct slice record_reader_meta(const struct record_reader *r)
{
	return strbuf_slice(&r->meta);
}

void record_reader_seek(struct record_reader *r, uint64_t since_ns, uint64_t until_ns)
{
	r->since_ns = since_ns;
	r->until_ns = until_ns;
	r->must_seek = since_ns > 0 || until_ns < UINT64_MAX;
}

/* --- which chunks are read --- */

/* A run of STATE chunks is one: whether it is read is decided at its first. */
static enum chunk_use use_of_state(struct record_reader *r)
{
	if (r->last_kind != RECORD_STATE)
		r->state_use = r->state_whole ? USE_NOT : USE_ALL;
	if (r->state_use == USE_ALL && r->last_kind != RECORD_STATE)
		r->state_whole = true;
	return r->state_use;
}

static enum chunk_use use_of_records(const struct record_reader *r, const struct record_chunk_header *h)
{
	if (reader_wants_span(r, h->first_ns, h->last_ns))
		return USE_ALL;
	return h->flags & RECORD_HAS_FACTS ? USE_FACTS : USE_NOT;
}

static enum chunk_use use_of(struct record_reader *r, const struct record_chunk_header *h)
{
	enum chunk_use use = h->kind == RECORD_META || h->kind == RECORD_LAYOUT || h->kind == RECORD_INDEX ? USE_CHECK : USE_NOT;
	if (h->kind == RECORD_STATE)
		use = use_of_state(r);
	if (h->kind == RECORD_RECORDS) {
		use = use_of_records(r, h);
		r->cut |= use != USE_ALL;
	}
	r->last_kind = h->kind;
	return use;
}

/* The next chunk that has something to read, into r->raw. 1, 0: the end, -errno. */
static int load(struct record_reader *r, struct reason *why)
{
	while (!reader_is_behind(r, r->at)) {
		struct record_chunk_header h;
		uint64_t at;
		int e = next_chunk(r, &at, &h, why);
		if (e <= 0)
			return e;
		pass(r, at, &h);
		r->use = use_of(r, &h);
		if (r->use == USE_NOT)
			continue;
		e = open_chunk(r, at, &h, why);
		r->raw_at = 0;
		if (e == 0 && r->use != USE_CHECK)
			return 1;
		strbuf_clear(&r->raw);
		if (e == -EBADMSG)
			lose(r, 1);
		else if (e < 0)
			return e;
	}
	return 0;
}

/* --- records --- */

static const struct rec_head *take_record(struct record_reader *r)
{
	const struct rec_head *rec = (const struct rec_head *)(r->raw.data + r->raw_at);
	size_t left = r->raw.len - r->raw_at;
	if (left < sizeof(*rec) || rec->length < sizeof(*rec) || rec->length % 8 || rec->length > left) {
		r->raw_at = r->raw.len;
		return NULL;
	}
	r->raw_at += rec->length;
	return rec;
}

/* The next record of the chunk that is wanted and whole. */
static const struct rec_head *next_record(struct record_reader *r)
{
	while (r->raw_at < r->raw.len) {
		const struct rec_head *rec = take_record(r);
		if (rec && r->use == USE_FACTS && !rec_is_fact(rec->type))
			continue;
		rec = rec ? record_layout_adapt(r->layout, rec, &r->scratch) : NULL;
		if (rec)
			return rec;
		r->damage.records++;
		r->cut = true;
	}
	return NULL;
}

int record_reader_next(struct record_reader *r, const struct rec_head **ret, struct reason *why)
{
	if (r->must_seek) {
		int e = reader_go(r, why);
		if (e < 0)
			return e;
		r->must_seek = false;
	}
	for (;;) {
		const struct rec_head *rec = next_record(r);
		if (rec) {
			r->after_cut = r->cut;
			r->cut = r->use == USE_FACTS;
			*ret = rec;
			return 1;
		}
		int e = load(r, why);
		if (e <= 0)
			return e;
	}
}

bool record_reader_after_cut(const struct record_reader *r)
{
	return r->after_cut;
}

void record_reader_damage(const struct record_reader *r, struct record_damage *ret)
{
	*ret = r->damage;
}
