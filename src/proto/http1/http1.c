/*
 * http1.c - HTTP/1.0 and 1.1 in both directions of a connection: RFC 9110 and RFC 9112.
 *
 * Each stream is in one phase, which is a row of `takes` and tells what becomes of bytes. Only a head that is not whole yet is
 * kept (gather.h); bodies are counted past. What a server would refuse is told as far as it can be read: an access log has it,
 * too. What lies between two messages whose border is not known any more is passed over, until a head that convinces stands
 * where heads stand: at the begin of a segment, or after a gap.
 */
#include "proto/http1/http1.h"

#include "base/macro.h"
#include "proto/http1/message.h"

#define LAST_CHUNK "0\r\n\r\n"

static bool is_other(const struct http1 *c)
{
	return c->upgraded[0] != '\0';
}

/* What was seen of a head whose rest will not come, if there is a start line to tell; then the place is lost. */
static void cut_head(struct http1 *c, enum proto_side from, enum proto_loss why)
{
	struct stream *s = &c->stream[from];
	struct http1_head head;
	struct slice lines = gather_lines(&s->head);
	if (s->tries) {
		message_still_lost(s);
		return;
	}
	if (lines.len && http1_head_parse(&head, from, lines))
		message_begins(c, from, &head, true);
	message_lost(c, from, why);
}

static void head_is_whole(struct http1 *c, enum proto_side from, struct slice bytes)
{
	struct stream *s = &c->stream[from];
	struct http1_head head;
	bool good = http1_head_parse(&head, from, bytes);
	if (!good || (s->tries && !http1_head_convinces(&head, from))) {
		message_still_lost(s);
		return;
	}
	message_begins(c, from, &head, false);
	gather_clear(&s->head);
}

/* Empty lines before a message are no part of it, RFC 9112 section 2.2. */
static size_t line_ends(struct slice in)
{
	size_t n = 0;
	while (n < in.len && (in.data[n] == '\r' || in.data[n] == '\n'))
		n++;
	return n;
}

static size_t take_last_chunk(struct http1 *c, enum proto_side from, struct slice in)
{
	struct stream *s = &c->stream[from];
	s->offset++;
	if (in.data[0] != LAST_CHUNK[sizeof(LAST_CHUNK) - 1 - s->left]) {
		message_still_lost(s);
	} else if (--s->left == 0) {
		message_still_lost(s);
		message_ended(c, from, PROTO_UNKNOWN, s->offset);
	}
	return 1;
}

/* Where a message may begin, the lost end of a chunked one may stand as well. */
static bool may_be_last_chunk(struct stream *s, char first)
{
	if (!s->tries || !s->open || !s->in_chunks || first != LAST_CHUNK[0])
		return false;
	s->phase = PHASE_LAST_CHUNK;
	s->left = sizeof(LAST_CHUNK) - 1;
	return true;
}

static size_t take_head(struct http1 *c, enum proto_side from, struct slice in)
{
	struct stream *s = &c->stream[from];
	struct slice head = {};
	size_t used = s->begun ? 0 : line_ends(in);
	if (used) {
		s->offset += used;
		return used;
	}
	if (!s->begun && may_be_last_chunk(s, in.data[0]))
		return take_last_chunk(c, from, in);
	if (!s->begun)
		s->head_at = s->offset;
	s->begun = true;
	enum gather_found found = gather_feed(&s->head, from, in, &used, &head);
	s->offset += used;
	if (found == GATHER_HEAD)
		head_is_whole(c, from, head);
	else if (found == GATHER_LONG)
		cut_head(c, from, PROTO_LOSS_LIMIT);
	else if (found == GATHER_BAD && s->tries)
		message_still_lost(s);
	else if (found == GATHER_BAD)
		message_lost(c, from, PROTO_LOSS_BAD);
	return used;
}

static size_t take_length(struct http1 *c, enum proto_side from, struct slice in)
{
	struct stream *s = &c->stream[from];
	size_t n = MIN(s->left, (uint64_t)in.len);
	s->left -= n;
	s->offset += n;
	s->body_bytes += n;
	if (s->left == 0)
		message_complete(c, from, NULL);
	return n;
}

static size_t take_chunked(struct http1 *c, enum proto_side from, struct slice in)
{
	struct stream *s = &c->stream[from];
	size_t n = chunked_feed(&s->chunked, in);
	s->offset += n;
	s->body_bytes = s->chunked.data_bytes;
	if (s->chunked.place == CHUNK_BAD) {
		message_lost(c, from, PROTO_LOSS_LENGTH);
	} else if (s->chunked.place == CHUNK_LAST) {
		s->phase = PHASE_TRAILERS;
		s->head.trailers = true;
	}
	return n;
}

static size_t take_trailers(struct http1 *c, enum proto_side from, struct slice in)
{
	struct stream *s = &c->stream[from];
	struct http1_head trailers;
	struct slice lines;
	size_t used;
	enum gather_found found = gather_feed(&s->head, from, in, &used, &lines);
	s->offset += used;
	if (found == GATHER_HEAD) {
		memset(&trailers, 0, offsetof(struct http1_head, fields));
		http1_fields_parse(&trailers, from, lines);
		message_complete(c, from, &trailers);
		gather_clear(&s->head);
	} else if (found == GATHER_LONG) {
		message_lost(c, from, PROTO_LOSS_LIMIT);
	}
	return used;
}

static size_t take_until_close(struct http1 *c, enum proto_side from, struct slice in)
{
	c->stream[from].offset += in.len;
	c->stream[from].body_bytes += in.len;
	return in.len;
}

static size_t pass_over(struct http1 *c, enum proto_side from, struct slice in)
{
	c->stream[from].offset += in.len;
	return in.len;
}

/* Each takes at least a byte of at least one. */
static size_t (*const takes[PHASES])(struct http1 *c, enum proto_side from, struct slice in) = {
	[PHASE_HEAD] = take_head,
	[PHASE_LENGTH] = take_length,
	[PHASE_CHUNKED] = take_chunked,
	[PHASE_TRAILERS] = take_trailers,
	[PHASE_UNTIL_CLOSE] = take_until_close,
	[PHASE_LOST] = pass_over,
	[PHASE_LAST_CHUNK] = take_last_chunk,
	[PHASE_WAITING] = pass_over,
	[PHASE_CLOSED] = pass_over,
};

static size_t http1_feed(void *state, enum proto_side from, struct slice bytes)
{
	struct http1 *c = state;
	size_t used = 0;
	while (used < bytes.len && !is_other(c))
		used += takes[c->stream[from].phase](c, from, (struct slice){ bytes.data + used, bytes.len - used });
	return used;
}

static void try_here(struct stream *s)
{
	if (s->phase == PHASE_HEAD && s->tries && s->head.line == 0) /* what was tried has not got a start line in one segment */
		message_still_lost(s);
	if (s->phase != PHASE_LOST)
		return;
	s->phase = PHASE_HEAD;
	s->tries = true;
}

/* Nothing is known of what follows. */
static void gap_loses(struct http1 *c, enum proto_side from)
{
	struct stream *s = &c->stream[from];
	if (s->phase == PHASE_HEAD && s->begun)
		cut_head(c, from, PROTO_LOSS_GAP);
	else if (s->phase == PHASE_LAST_CHUNK || s->tries)
		message_still_lost(s);
	else if (s->phase != PHASE_LOST)
		message_lost(c, from, PROTO_LOSS_GAP);
}

/* As much of a gap as the body that is passing explains. The rest, which it does not, is returned; offset and phase are up to date. */
static uint64_t gap_in_body(struct http1 *c, enum proto_side from, uint64_t bytes)
{
	struct stream *s = &c->stream[from];
	uint64_t n = MIN(s->left, bytes), rest;
	bool ended = false;
	switch (s->phase) {
	case PHASE_LENGTH:
		s->left -= n;
		s->offset += n;
		s->body_bytes += n;
		if (s->left == 0)
			message_complete(c, from, NULL);
		return bytes - n;
	case PHASE_CHUNKED:
		rest = chunked_gap(&s->chunked, bytes, &ended) ? 0 : bytes;
		s->body_bytes = s->chunked.data_bytes;
		s->offset += bytes - rest;
		if (ended)
			message_complete(c, from, NULL);
		return rest;
	case PHASE_UNTIL_CLOSE:
		s->body_bytes += bytes;
		s->offset += bytes;
		return 0;
	case PHASE_WAITING:
	case PHASE_CLOSED:
		s->offset += bytes;
		return 0;
	default:
		return bytes;
	}
}

static void http1_gap(void *state, enum proto_side from, uint64_t bytes)
{
	struct http1 *c = state;
	struct stream *s = &c->stream[from];
	if (bytes == 0 || is_other(c) || s->phase == PHASE_CLOSED)
		return;
	uint64_t rest = bytes == PROTO_GAP_UNKNOWN ? bytes : gap_in_body(c, from, bytes);
	if (rest == 0)
		return;
	gap_loses(c, from);
	s->offset += bytes == PROTO_GAP_UNKNOWN ? 0 : rest;
	try_here(s);
}

static void http1_segment(void *state, enum proto_side from)
{
	struct http1 *c = state;
	try_here(&c->stream[from]);
}

/* How the message that is open ends when its side closes the connection, RFC 9112 section 8. */
static enum proto_end end_at_close(const struct stream *s)
{
	if (s->phase == PHASE_UNTIL_CLOSE)
		return PROTO_COMPLETE;
	return s->phase == PHASE_LENGTH || s->phase == PHASE_CHUNKED || s->phase == PHASE_TRAILERS ? PROTO_CUT : PROTO_UNKNOWN;
}

static void http1_close(void *state, enum proto_side from)
{
	struct http1 *c = state;
	struct stream *s = &c->stream[from];
	if (is_other(c) || s->phase == PHASE_CLOSED)
		return;
	enum proto_end end = end_at_close(s);
	if (s->phase == PHASE_HEAD && s->begun && !s->tries) {
		cut_head(c, from, PROTO_LOSS_CLOSED);
		end = PROTO_CUT;
	}
	message_ended(c, from, end, s->offset);
	gather_clear(&s->head);
	s->phase = PHASE_CLOSED;
}

static bool http1_upgrade(const void *state, struct proto_upgrade *ret)
{
	const struct http1 *c = state;
	if (!is_other(c))
		return false;
	ret->name = c->upgraded;
	for (int side = 0; side < PROTO_SIDES; side++)
		ret->offset[side] = c->stream[side].ended_at;
	return true;
}

static void http1_init(void *state, const struct proto_start *start)
{
	struct http1 *c = state;
	memset(c, 0, sizeof(*c));
	c->start = *start;
	pairs_init(&c->pairs);
	for (int side = 0; start->midway && side < PROTO_SIDES; side++)
		c->stream[side].tries = true;
}

static size_t http1_kept(const void *state)
{
	const struct http1 *c = state;
	return (size_t)c->stream[PROTO_CLIENT].head.cap + c->stream[PROTO_SERVER].head.cap;
}

static void http1_done(void *state)
{
	struct http1 *c = state;
	for (int side = 0; side < PROTO_SIDES; side++)
		gather_clear(&c->stream[side].head);
}

static enum proto_verdict detect_side(enum proto_side from, struct slice first)
{
	struct http1_start_line line = {};
	size_t next;
	if (!memchr(first.data, '\n', first.len))
		return http1_start_line_may_be(from, first, 0) && first.len < HTTP1_HEAD_BYTES ? PROTO_MORE : PROTO_NOT;
	if (!http1_start_line(&line, from, http1_line(first, &next)) || !http1_method_convinces(line.method))
		return PROTO_NOT;
	return from == PROTO_CLIENT ? PROTO_IS_CLIENT : PROTO_IS_SERVER;
}

static enum proto_verdict http1_detect(struct slice first)
{
	if (first.len == 0)
		return PROTO_MORE;
	enum proto_verdict server = detect_side(PROTO_SERVER, first);
	return server == PROTO_IS_SERVER ? server : MAX(detect_side(PROTO_CLIENT, first), server);
}

const struct proto_ops http1_proto = {
	.name = "http1",
	.doc = "HTTP/1.0 and HTTP/1.1",
	.state_size = sizeof(struct http1),
	.detect = http1_detect,
	.init = http1_init,
	.feed = http1_feed,
	.gap = http1_gap,
	.segment = http1_segment,
	.close = http1_close,
	.upgrade = http1_upgrade,
	.kept = http1_kept,
	.done = http1_done,
};
