#include "span/dialogue.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "proto/proto.h"
#include "span/exchange.h"

struct dialogue {
	request_fn fn;
	void *arg;
	const struct proto_ops *proto; /* NULL: not known yet, or none of ours */
	void *state;
	bool midway, left_alone;
	bool client_is_sent;          /* what the traced process sends is the client's stream */
	bool known[PROTO_SIDES];      /* the place in the stream is */
	uint64_t offset[PROTO_SIDES]; /* the next byte of each stream */
	uint64_t given[PROTO_SIDES];  /* to the parser, gaps included: its own offsets */
	uint64_t looked_at;
	struct early {
		struct strbuf bytes; /* of a stream that is too short yet to tell the protocol */
		struct passed call;  /* that passed the first of them */
	} early[2];                  /* received, sent */
	struct exchange exchange;
	struct dialogue_lost lost;
};

struct dialogue *dialogue_new(bool midway, request_fn fn, void *arg)
{
	struct dialogue *d = xcalloc(1, sizeof(*d));
	d->midway = midway;
	d->fn = fn;
	d->arg = arg;
	return d;
}

/* The parser, and what it has kept. */
static void drop_protocol(struct dialogue *d)
{
	if (d->proto)
		d->proto->done(d->state);
	free(d->state);
	d->state = NULL;
	d->proto = NULL;
}

void dialogue_free(struct dialogue *d)
{
	if (!d)
		return;
	drop_protocol(d);
	exchange_done(&d->exchange);
	strbuf_done(&d->early[0].bytes);
	strbuf_done(&d->early[1].bytes);
	free(d);
}

struct dialogue_lost dialogue_lost(const struct dialogue *d)
{
	return d->lost;
}

static void tell(void *arg, struct request *r)
{
	struct dialogue *d = arg;
	r->of_client = d->client_is_sent;
	r->protocol = d->proto->name;
	d->fn(d->arg, r);
}

static void on_message(void *ctx, const struct proto_message *m)
{
	struct dialogue *d = ctx;
	d->lost.places += m->event == PROTO_LOST;
	d->lost.questions += exchange_take(&d->exchange, m, tell, d);
}

/* Who speaks first tells nothing: client and server are known by what they say. */
static void begin_protocol(struct dialogue *d, const struct proto_ops *ops, bool of_client, bool sent)
{
	struct proto_start start = { .emit = on_message, .ctx = d, .midway = d->midway };
	d->client_is_sent = of_client == sent;
	d->proto = ops;
	d->state = xcalloc(1, ops->state_size);
	ops->init(d->state, &start);
}

/* Keeps what may be the beginning of a head: all of it, or what is kept is the middle of something. */
static void keep_early(struct dialogue *d, const struct passed *p)
{
	struct early *early = &d->early[p->sent];
	if (!early->bytes.len)
		early->call = *p;
	strbuf_add_slice(&early->bytes, p->captured);
	d->left_alone = early->bytes.len > DIALOGUE_DETECT_BYTES || p->captured.len < p->bytes;
}

static bool recognise(struct dialogue *d, const struct passed *p)
{
	const struct proto_ops *ops;
	struct strbuf *before = &d->early[p->sent].bytes;
	if (d->proto || d->left_alone || !p->captured.len)
		return d->proto;
	struct slice first = p->captured;
	_cleanup_(strbuf_done) struct strbuf both = {};
	if (before->len) {
		strbuf_add_slice(&both, strbuf_slice(before));
		strbuf_add_slice(&both, p->captured);
		first = strbuf_slice(&both);
	}
	enum proto_verdict verdict = proto_detect(first, &ops);
	if (verdict == PROTO_IS_CLIENT || verdict == PROTO_IS_SERVER) {
		begin_protocol(d, ops, verdict == PROTO_IS_CLIENT, p->sent);
		return true;
	}
	if (verdict == PROTO_MORE) {
		keep_early(d, p);
		return false;
	}
	d->midway = true; /* what went by was not fed */
	strbuf_clear(before);
	d->looked_at += p->captured.len;
	d->left_alone = d->looked_at > DIALOGUE_DETECT_BYTES;
	return false;
}

static void pass_gap(struct dialogue *d, enum proto_side side, uint64_t bytes)
{
	if (bytes)
		d->proto->gap(d->state, side, bytes);
	d->given[side] += bytes;
	d->offset[side] += bytes;
}

static void feed(struct dialogue *d, const struct passed *p)
{
	enum proto_side side = p->sent == d->client_is_sent ? PROTO_CLIENT : PROTO_SERVER;
	if (!d->known[side] && d->midway)
		d->offset[side] = p->offset; /* what was before it, nobody asks for */
	d->known[side] = true;
	if (p->offset > d->offset[side]) {
		pass_gap(d, side, p->offset - d->offset[side]);
		d->exchange.places_lost += side == PROTO_SERVER; /* an answer may have been there */
	}
	if (p->offset != d->offset[side])
		return; /* told twice */
	exchange_call(&d->exchange, side, d->given[side], p);
	d->proto->segment(d->state, side);
	size_t taken = d->proto->feed(d->state, side, p->captured);
	d->offset[side] += taken;
	d->given[side] += taken;
	pass_gap(d, side, p->bytes - taken);
}

void dialogue_pass(struct dialogue *d, const struct passed *p)
{
	bool knew = d->proto;
	if (!recognise(d, p))
		return;
	for (size_t i = 0; !knew && i < 2; i++) {
		struct early *early = &d->early[i];
		early->call.captured = strbuf_slice(&early->bytes);
		early->call.bytes = early->bytes.len;
		if (early->bytes.len)
			feed(d, &early->call);
		strbuf_done(&early->bytes);
	}
	feed(d, p);
}

size_t dialogue_kept(const struct dialogue *d)
{
	size_t parser = d->proto ? d->proto->state_size + (d->proto->kept ? d->proto->kept(d->state) : 0) : 0;
	return parser + d->early[0].bytes.cap + d->early[1].bytes.cap + d->exchange.kept_bytes;
}

void dialogue_give_up(struct dialogue *d)
{
	exchange_give_up(&d->exchange, tell, d);
	drop_protocol(d);
	strbuf_done(&d->early[0].bytes);
	strbuf_done(&d->early[1].bytes);
	d->left_alone = true;
}

void dialogue_end(struct dialogue *d, uint64_t time_ns)
{
	if (!d->proto)
		return;
	struct passed *now = &d->exchange.now; /* a question that only now turns out to be one is of who spoke last */
	*now = (struct passed){ .began_ns = time_ns, .ended_ns = time_ns, .pid = now->pid, .tid = now->tid, .generation = now->generation };
	d->proto->close(d->state, PROTO_CLIENT);
	d->proto->close(d->state, PROTO_SERVER);
	exchange_end(&d->exchange, tell, d);
}
