#include "span/dialogue.h"

#include <stdlib.h>

#include "base/alloc.h"
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
	uint64_t looked_at;
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

void dialogue_free(struct dialogue *d)
{
	if (!d)
		return;
	if (d->proto)
		d->proto->done(d->state);
	free(d->state);
	exchange_done(&d->exchange);
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

static bool recognise(struct dialogue *d, const struct passed *p)
{
	const struct proto_ops *ops;
	if (d->proto || d->left_alone || !p->captured.len)
		return d->proto;
	enum proto_verdict verdict = proto_detect(p->captured, &ops);
	if (verdict == PROTO_IS_CLIENT || verdict == PROTO_IS_SERVER) {
		begin_protocol(d, ops, verdict == PROTO_IS_CLIENT, p->sent);
		return true;
	}
	d->midway |= d->looked_at > 0; /* what went by was not fed */
	d->looked_at += p->captured.len;
	d->left_alone = d->looked_at > DIALOGUE_DETECT_BYTES;
	return false;
}

static void pass_gap(struct dialogue *d, enum proto_side side, uint64_t bytes)
{
	if (bytes)
		d->proto->gap(d->state, side, bytes);
	d->offset[side] += bytes;
}

void dialogue_pass(struct dialogue *d, const struct passed *p)
{
	if (!recognise(d, p))
		return;
	enum proto_side side = p->sent == d->client_is_sent ? PROTO_CLIENT : PROTO_SERVER;
	if (!d->known[side])
		d->offset[side] = p->offset;
	d->known[side] = true;
	if (p->offset > d->offset[side])
		pass_gap(d, side, p->offset - d->offset[side]);
	if (p->offset != d->offset[side])
		return; /* told twice */
	d->exchange.now = *p;
	d->proto->segment(d->state, side);
	size_t taken = d->proto->feed(d->state, side, p->captured);
	d->offset[side] += taken;
	pass_gap(d, side, p->bytes - taken);
}

void dialogue_end(struct dialogue *d, uint64_t time_ns)
{
	if (!d->proto)
		return;
	d->exchange.now = (struct passed){ .began_ns = time_ns, .ended_ns = time_ns };
	d->proto->close(d->state, PROTO_CLIENT);
	d->proto->close(d->state, PROTO_SERVER);
	exchange_end(&d->exchange, tell, d);
}
