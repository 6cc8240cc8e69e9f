#include "span/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "span/dialogue.h"

#define TEXT_BYTES 2048 /* kept of each text of a question */

struct question {
	struct question *next;
	uint64_t id;
	struct request r;
	bool asked;    /* its last byte has passed */
	bool answered; /* the head of its answer has come */
	bool done;     /* and its end: an answer may come before all of its question has */
	uint64_t places_lost; /* in the answers, when it was asked */
	char *texts;   /* what the slices of @r point into */
	size_t texts_bytes;
};

static void free_question(struct exchange *x, struct question *q)
{
	x->kept_bytes -= sizeof(*q) + q->texts_bytes;
	free(q->texts);
	free(q);
}

void exchange_done(struct exchange *x)
{
	while (x->first) {
		struct question *next = x->first->next;
		free_question(x, x->first);
		x->first = next;
	}
	x->last = NULL;
	x->n = 0;
}

static struct slice field(const struct proto_message *m, const char *name)
{
	size_t len = strlen(name);
	for (uint32_t i = 0; i < m->n_fields; i++)
		if (m->fields[i].name.len == len && strncasecmp(m->fields[i].name.data, name, len) == 0)
			return m->fields[i].value;
	return (struct slice){};
}

/* Copies the text to *@at, which moves behind it. */
static struct slice keep(char **at, struct slice text)
{
	struct slice kept = { *at, MIN(text.len, (size_t)TEXT_BYTES) };
	if (kept.len)
		memcpy(*at, text.data, kept.len);
	*at += kept.len;
	return kept;
}

static void keep_texts(struct question *q, const struct proto_message *m)
{
	struct slice from[] = { m->method, m->target, m->version, field(m, "host"), field(m, "user-agent") };
	struct slice *const to[] = { &q->r.method, &q->r.target, &q->r.version, &q->r.host, &q->r.user_agent };
	size_t bytes = 0;
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		bytes += MIN(from[i].len, (size_t)TEXT_BYTES);
	q->texts_bytes = bytes + 1;
	char *at = q->texts = xmalloc(q->texts_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		*to[i] = keep(&at, from[i]);
}

static struct question *find(struct exchange *x, uint64_t id)
{
	struct question *q = x->first;
	while (q && q->id != id)
		q = q->next;
	return q;
}

static void take_out(struct exchange *x, struct question *q)
{
	struct question *before = NULL;
	for (struct question *at = x->first; at != q; at = at->next)
		before = at;
	*(before ? &before->next : &x->first) = q->next;
	if (x->last == q)
		x->last = before;
	x->n--;
}

/* Bytes that are sent begin to pass when the call begins; those that are read were there when it ended. */
void exchange_call(struct exchange *x, enum proto_side side, uint64_t at, const struct passed *call)
{
	uint64_t time_ns = call->sent && call->began_ns ? call->began_ns : call->ended_ns;
	x->now = *call;
	x->last_ns[side] = call->ended_ns;
	x->calls[side][x->calls_n[side]++ % CALLS_KEPT] = (struct recent_call){ at, time_ns };
}

/* When the byte passed: by the last call that began before it; the oldest that is known when it was even before that. */
static uint64_t time_of(const struct exchange *x, enum proto_side side, uint64_t offset)
{
	uint32_t n = x->calls_n[side], first = n > CALLS_KEPT ? n - CALLS_KEPT : 0;
	uint64_t time_ns = n ? x->calls[side][first % CALLS_KEPT].time_ns : x->now.ended_ns;
	for (uint32_t i = first; i < n && x->calls[side][i % CALLS_KEPT].at <= offset; i++)
		time_ns = x->calls[side][i % CALLS_KEPT].time_ns;
	return time_ns;
}

/* When a message ended. Where only the other side's going on tells that it has: with the last that was seen of it. */
static uint64_t end_of(const struct exchange *x, const struct proto_message *m)
{
	return m->end == PROTO_UNKNOWN && x->last_ns[m->from] ? x->last_ns[m->from] : x->now.ended_ns;
}

static void begin(struct exchange *x, const struct proto_message *m)
{
	struct question *q = xcalloc(1, sizeof(*q));
	const struct passed *now = &x->now;
	q->id = m->id;
	q->r = (struct request){ .pid = now->pid, .tid = now->tid, .generation = now->generation };
	q->r.began_ns = q->r.asked_ns = time_of(x, PROTO_CLIENT, m->offset);
	q->r.gap = m->head_cut;
	q->r.request_bytes = m->head_bytes;
	q->places_lost = x->places_lost;
	keep_texts(q, m);
	x->kept_bytes += sizeof(*q) + q->texts_bytes;
	*(x->last ? &x->last->next : &x->first) = q;
	x->last = q;
	x->n++;
}

static void finish(struct exchange *x, struct question *q, exchange_fn fn, void *arg)
{
	take_out(x, q);
	fn(arg, &q->r);
	free_question(x, q);
}

/* Its answer went by unseen: that it was asked is all that is known. */
static void give_up(struct exchange *x, struct question *q, exchange_fn fn, void *arg)
{
	q->r.gap = true;
	q->r.ended_ns = q->r.asked_ns;
	finish(x, q, fn, arg);
}

void exchange_give_up(struct exchange *x, exchange_fn fn, void *arg)
{
	while (x->first) {
		struct question *q = x->first;
		if (!q->answered) {
			give_up(x, q, fn, arg);
			continue;
		}
		q->r.gap |= !q->done;
		q->r.ended_ns = q->done ? q->r.ended_ns : x->last_ns[PROTO_SERVER];
		finish(x, q, fn, arg);
	}
}

static void take_of_client(struct exchange *x, const struct proto_message *m, exchange_fn fn, void *arg)
{
	struct question *q = m->event == PROTO_HEAD ? NULL : find(x, m->id);
	if (m->event == PROTO_HEAD) {
		while (x->first && x->first->done)
			finish(x, x->first, fn, arg);
		begin(x, m);
	}
	if (!q || m->event != PROTO_END)
		return;
	q->asked = true;
	q->r.asked_ns = end_of(x, m);
	q->r.request_bytes = m->wire_bytes;
	q->r.request_body_bytes = m->body_bytes;
	q->r.gap |= m->end == PROTO_UNKNOWN;
	q->r.cut = m->end == PROTO_CUT;
	if (q->done)
		finish(x, q, fn, arg);
}

static void take_of_server(struct exchange *x, const struct proto_message *m, exchange_fn fn, void *arg)
{
	struct question *q = m->answers ? find(x, m->answers) : NULL;
	if (!q || m->interim)
		return;
	while (x->first != q) /* answers come in the order of the questions: RFC 9112, 9.3.2 */
		(x->first->done ? finish : give_up)(x, x->first, fn, arg);
	if (m->event == PROTO_HEAD && q->places_lost != x->places_lost) {
		give_up(x, q, fn, arg); /* what was lost may have been its answer, and with it another question */
	} else if (m->event == PROTO_HEAD) {
		q->answered = true;
		q->r.status = m->status;
		q->r.answered_ns = time_of(x, PROTO_SERVER, m->offset);
	} else if (m->event == PROTO_END && !q->answered) {
		q->r.response_bytes += m->wire_bytes; /* of an answer before the answer: servers count it as well */
	} else if (m->event == PROTO_END) {
		q->r.ended_ns = end_of(x, m);
		q->r.response_bytes += m->wire_bytes;
		q->r.response_body_bytes = m->body_bytes;
		q->r.cut |= m->end == PROTO_CUT;
		q->r.gap |= m->end == PROTO_UNKNOWN;
		q->done = true;
		if (q->asked)
			finish(x, q, fn, arg);
	}
}

uint32_t exchange_take(struct exchange *x, const struct proto_message *m, exchange_fn fn, void *arg)
{
	if (m->event == PROTO_LOST) {
		x->places_lost += m->from == PROTO_SERVER;
		return 0;
	}
	if (m->from == PROTO_SERVER) {
		take_of_server(x, m, fn, arg);
		return 0;
	}
	bool full = m->event == PROTO_HEAD && x->n >= REQUESTS_MAX;
	if (full) {
		struct question *oldest = x->first;
		take_out(x, oldest);
		free_question(x, oldest);
	}
	take_of_client(x, m, fn, arg);
	return full;
}

void exchange_end(struct exchange *x, exchange_fn fn, void *arg)
{
	while (x->first) {
		struct question *q = x->first;
		if (q->done) {
			finish(x, q, fn, arg);
			continue;
		}
		if (!q->answered && q->places_lost != x->places_lost) {
			give_up(x, q, fn, arg);
			continue;
		}
		q->r.ended_ns = x->now.ended_ns;
		q->r.unanswered = !q->answered;
		q->r.cut = q->answered;
		finish(x, q, fn, arg);
	}
}
