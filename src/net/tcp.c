#include "net/tcp.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

#define FAR_AHEAD (1 << 30) /* the largest window, RFC 7323 section 2.3: what is further ahead is none of this stream */

struct tcp_held {
	struct tcp_held *before, *next;
	struct tcp_segment segment;
	uint64_t since_ns; /* by the connection's time, which may be later than its own */
	char bytes[];
};

/* Sequence numbers are compared modulo 2^32, RFC 9293 section 3.4. */
static int32_t ahead(uint32_t seq, uint32_t of)
{
	return (int32_t)(seq - of);
}

void tcp_begin(struct tcp *t, unsigned side, uint32_t seq)
{
	struct tcp_stream *s = &t->sent[side];
	if (s->begun)
		return;
	s->begun = true;
	s->next = seq;
}

void tcp_end(struct tcp *t, unsigned side, uint32_t seq)
{
	struct tcp_stream *s = &t->sent[side];
	if (s->has_end || !s->begun || ahead(seq, s->next) < 0)
		return;
	s->has_end = true;
	s->end = seq;
}

bool tcp_has_ended(const struct tcp *t, unsigned side)
{
	const struct tcp_stream *s = &t->sent[side];
	return s->has_end && ahead(s->next, s->end) >= 0;
}

/* --- in order --- */

static void move_to(struct tcp_stream *s, uint32_t seq)
{
	s->offset += seq - s->next;
	s->next = seq;
	if (ahead(s->acked, s->next) <= 0)
		s->acked_ns = 0;
}

/* What is missing is told as a piece without bytes behind it, so that what comes now is not taken for what was missing. */
static void skip_to(struct tcp *t, unsigned side, uint32_t seq)
{
	struct tcp_stream *s = &t->sent[side];
	s->lost_bytes += seq - s->next;
	move_to(s, seq);
	t->fn(t->arg, &(struct tcp_piece){ .side = side, .offset = s->offset, .seq = s->next, .time_ns = t->now_ns });
}

static void hand_on(struct tcp *t, unsigned side, const struct tcp_segment *g, uint64_t time_ns)
{
	struct tcp_stream *s = &t->sent[side];
	uint32_t known = s->next - g->seq;
	if (known >= g->bytes)
		return;
	struct tcp_piece piece = { .side = side, .offset = s->offset, .seq = s->next, .bytes = g->bytes - known, .time_ns = time_ns };
	if (known < g->captured.len)
		piece.captured = (struct slice){ g->captured.data + known, g->captured.len - known };
	move_to(s, s->next + piece.bytes);
	t->fn(t->arg, &piece);
}

/* Has all been handed on that its sender had received? *@ret_ack: up to there. */
static bool follows(const struct tcp *t, unsigned side, const struct tcp_segment *g, uint32_t *ret_ack)
{
	const struct tcp_stream *other = &t->sent[!side];
	*ret_ack = other->has_end && ahead(g->ack, other->end) > 0 ? other->end : g->ack; /* FIN counts as a byte */
	return !g->has_ack || !other->begun || ahead(*ret_ack, other->next) <= 0;
}

/* --- what waits --- */

static size_t size_of(const struct tcp_held *h)
{
	return sizeof(*h) + h->segment.captured.len;
}

static void remove_first(struct tcp *t, struct tcp_stream *s)
{
	struct tcp_held *h = s->first;
	s->first = h->next;
	*(h->next ? &h->next->before : &s->last) = NULL;
	s->held_n--;
	s->held_bytes -= size_of(h);
	t->room->bytes -= size_of(h);
	free(h);
}

/* Is the first that waits the next of its side? */
static bool is_next(const struct tcp_stream *s)
{
	return s->first && ahead(s->first->segment.seq, s->next) <= 0;
}

/* All that can go now, of both sides. @filled_ns: time of what had been missing on @side; 0: nothing was. */
static void hand_on_held(struct tcp *t, unsigned side, uint64_t filled_ns)
{
	uint32_t ack;
	for (unsigned idle = 0; idle < TCP_SIDES; side = !side, idle++) {
		struct tcp_stream *s = &t->sent[side];
		for (; is_next(s) && follows(t, side, &s->first->segment, &ack); idle = 0) {
			hand_on(t, side, &s->first->segment, MAX(s->first->segment.time_ns, filled_ns));
			remove_first(t, s);
		}
		filled_ns = 0;
	}
}

/* Most come in order behind what is held already. */
static void insert(struct tcp_stream *s, struct tcp_held *h)
{
	struct tcp_held *before = s->last;
	while (before && ahead(h->segment.seq, before->segment.seq) < 0)
		before = before->before;
	h->before = before;
	h->next = before ? before->next : s->first;
	*(before ? &before->next : &s->first) = h;
	*(h->next ? &h->next->before : &s->last) = h;
}

static void hold(struct tcp *t, struct tcp_stream *s, const struct tcp_segment *g)
{
	struct tcp_held *h = xmalloc(sizeof(*h) + g->captured.len);
	h->segment = *g;
	h->segment.captured.data = h->bytes;
	h->since_ns = t->now_ns;
	if (g->captured.len)
		memcpy(h->bytes, g->captured.data, g->captured.len);
	insert(s, h);
	s->held_n++;
	s->held_bytes += size_of(h);
	t->room->bytes += size_of(h);
}

/* --- what is missing --- */

/* Is something known to be missing, up to where, and until when may it still come? */
static bool is_missing(const struct tcp_stream *s, uint32_t *ret_to, uint64_t *ret_until_ns)
{
	bool hole = s->first && ahead(s->first->segment.seq, s->next) > 0;
	if (!hole && (s->first || !s->acked_ns)) /* what is first waits for the other side */
		return false;
	bool to_first = hole && (!s->acked_ns || ahead(s->first->segment.seq, s->acked) < 0);
	*ret_to = to_first ? s->first->segment.seq : s->acked;
	*ret_until_ns = s->acked_ns ? s->acked_ns + TCP_REORDER_NS : UINT64_MAX;
	*ret_until_ns = MIN(*ret_until_ns, hole ? s->first->since_ns + TCP_HOLE_NS : UINT64_MAX);
	return true;
}

/* Gives up what is missing on that side, if nothing can bring it at @now_ns any more. */
static bool give_up(struct tcp *t, unsigned side, uint64_t now_ns)
{
	uint32_t to;
	uint64_t until_ns;
	if (!is_missing(&t->sent[side], &to, &until_ns) || now_ns < until_ns)
		return false;
	skip_to(t, side, to);
	hand_on_held(t, side, 0);
	return true;
}

static bool is_full(const struct tcp_stream *s, const struct tcp_room *room)
{
	return s->held_n >= TCP_HELD_SEGMENTS || s->held_bytes >= TCP_HELD_BYTES || room->bytes >= TCP_ROOM_BYTES;
}

/* What waits first goes, whatever is missing. */
static void let_go(struct tcp *t, unsigned side)
{
	struct tcp_stream *s = &t->sent[side];
	if (!is_next(s))
		skip_to(t, side, s->first->segment.seq);
	hand_on(t, side, &s->first->segment, s->first->segment.time_ns);
	remove_first(t, s);
	hand_on_held(t, side, 0);
}

/*
 * The other side is not waited for for long. What of it is not there is given up; what is there waits for us: a repetition acknowledges what
 * came after it had first passed.
 */
static bool wait_no_more(struct tcp *t, unsigned side, uint64_t now_ns)
{
	struct tcp_stream *s = &t->sent[side], *other = &t->sent[!side];
	uint32_t ack;
	if (!is_next(s) || now_ns < s->first->since_ns + TCP_REORDER_NS)
		return false;
	if (is_next(other) || follows(t, side, &s->first->segment, &ack) || ahead(ack, other->next) >= FAR_AHEAD) {
		let_go(t, side);
		return true;
	}
	bool to_first = other->first && ahead(other->first->segment.seq, ack) < 0;
	skip_to(t, !side, to_first ? other->first->segment.seq : ack);
	hand_on_held(t, !side, 0);
	return true;
}

static void pass_time(struct tcp *t, uint64_t now_ns)
{
	while (give_up(t, 0, now_ns) || give_up(t, 1, now_ns) || wait_no_more(t, 0, now_ns) || wait_no_more(t, 1, now_ns))
		;
}

/* --- segments --- */

/* Without what was seen before; false: there is nothing else in it. */
static bool trim(struct tcp_stream *s, struct tcp_segment *g)
{
	int32_t known = -ahead(g->seq, s->next);
	if (known <= 0)
		return g->bytes > 0;
	uint32_t repeated = MIN((uint32_t)known, g->bytes);
	size_t seen = MIN((size_t)repeated, g->captured.len);
	s->repeated_bytes += repeated;
	s->repeats += repeated && repeated == g->bytes;
	g->seq += repeated;
	g->bytes -= repeated;
	g->captured = (struct slice){ g->captured.data + seen, g->captured.len - seen };
	return g->bytes > 0;
}

/* The first time counts. */
static void note_ack(struct tcp *t, unsigned side, uint32_t ack)
{
	struct tcp_stream *s = &t->sent[side];
	if (s->has_end && ahead(ack, s->end) > 0)
		ack = s->end; /* FIN counts as a byte */
	if (s->acked_ns || !s->begun || ahead(ack, s->next) <= 0 || ahead(ack, s->next) >= FAR_AHEAD)
		return;
	s->acked = ack;
	s->acked_ns = t->now_ns;
}

static void take_bytes(struct tcp *t, unsigned side, struct tcp_segment g)
{
	struct tcp_stream *s = &t->sent[side];
	uint32_t ack;
	if (!trim(s, &g))
		return;
	while (s->first && is_full(s, t->room))
		let_go(t, side);
	if (!trim(s, &g))
		return;
	bool waits = ahead(g.seq, s->next) > 0 || !follows(t, side, &g, &ack);
	if (waits && !is_full(s, t->room)) {
		hold(t, s, &g);
		return;
	}
	if (ahead(g.seq, s->next) > 0)
		skip_to(t, side, g.seq);
	hand_on(t, side, &g, g.time_ns);
	hand_on_held(t, side, g.time_ns);
}

void tcp_take(struct tcp *t, unsigned side, const struct tcp_segment *segment)
{
	struct tcp_stream *s = &t->sent[side];
	t->now_ns = MAX(t->now_ns, segment->time_ns ?: 1);
	tcp_begin(t, side, segment->seq);
	if (ahead(segment->seq, s->next) >= FAR_AHEAD || ahead(segment->seq, s->next) <= -FAR_AHEAD)
		return;
	if (segment->has_ack)
		note_ack(t, !side, segment->ack);
	take_bytes(t, side, *segment);
	hand_on_held(t, side, 0);
	pass_time(t, t->now_ns);
}

void tcp_finish(struct tcp *t)
{
	pass_time(t, UINT64_MAX);
	for (unsigned side = 0; side < TCP_SIDES; side++) {
		struct tcp_stream *s = &t->sent[side];
		if (s->has_end && ahead(s->end, s->next) > 0)
			skip_to(t, side, s->end);
	}
}

void tcp_done(struct tcp *t)
{
	for (unsigned side = 0; side < TCP_SIDES; side++)
		while (t->sent[side].first)
			remove_first(t, &t->sent[side]);
}
