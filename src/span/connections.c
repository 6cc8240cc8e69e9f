#include "span/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "proto/proto.h"
#include "span/exchange.h"

#define DETECT_BYTES 4096 /* looked at of each direction before a connection is left alone */

/* One connection. Newest use first in the list of all. */
struct connection {
	struct connection_begin begin;
	struct connections *all;
	struct connection *newer, *older;
	const struct proto_ops *proto; /* NULL: not known yet, or nobody's */
	void *state;
	bool left_alone;      /* not a protocol that we speak */
	bool client_is_sent;  /* what the traced process sends is the client's stream */
	uint64_t offset[PROTO_SIDES]; /* the next byte of each stream */
	uint64_t looked_at[2];
	struct exchange exchange;
};

struct connections {
	struct hashmap by_number;
	struct connection *newest, *oldest;
	request_fn fn;
	void *arg;
	struct connections_lost lost;
};

struct connections *connections_new(request_fn fn, void *arg)
{
	struct connections *c = xcalloc(1, sizeof(*c));
	c->fn = fn;
	c->arg = arg;
	return c;
}

static void unlink_connection(struct connections *all, struct connection *c)
{
	*(c->newer ? &c->newer->older : &all->newest) = c->older;
	*(c->older ? &c->older->newer : &all->oldest) = c->newer;
	c->newer = c->older = NULL;
}

static void link_newest(struct connections *all, struct connection *c)
{
	c->older = all->newest;
	*(all->newest ? &all->newest->newer : &all->oldest) = c;
	all->newest = c;
}

static void free_connection(struct connection *c)
{
	if (c->proto)
		c->proto->done(c->state);
	free(c->state);
	exchange_done(&c->exchange);
	free(c);
}

static void forget(struct connections *all, struct connection *c)
{
	unlink_connection(all, c);
	hashmap_remove(&all->by_number, c->begin.connection);
	free_connection(c);
}

void connections_free(struct connections *c)
{
	if (!c)
		return;
	while (c->oldest)
		forget(c, c->oldest);
	hashmap_done(&c->by_number);
	free(c);
}

void connections_begin(struct connections *all, const struct connection_begin *begin)
{
	struct connection *c = hashmap_get(&all->by_number, begin->connection);
	if (c)
		return;
	if (all->by_number.n >= CONNECTIONS_MAX) {
		forget(all, all->oldest);
		all->lost.forgotten++;
	}
	c = xcalloc(1, sizeof(*c));
	c->begin = *begin;
	c->all = all;
	c->client_is_sent = begin->role == ROLE_CLIENT;
	hashmap_put(&all->by_number, begin->connection, c);
	link_newest(all, c);
}

static void tell(void *arg, struct request *r)
{
	struct connection *c = arg;
	r->connection = &c->begin;
	r->of_client = c->client_is_sent;
	c->all->fn(c->all->arg, r);
}

static void on_message(void *ctx, const struct proto_message *m)
{
	struct connection *c = ctx;
	if (m->event == PROTO_LOST)
		c->all->lost.places++;
	c->all->lost.unanswered += exchange_take(&c->exchange, m, tell, c);
}

/* Who speaks first tells nothing: a client and a server are known by what they say. */
static void begin_protocol(struct connection *c, const struct proto_ops *ops, bool of_client, bool sent)
{
	struct proto_start start = { .emit = on_message, .ctx = c, .midway = c->begin.midway };
	c->client_is_sent = of_client == sent;
	c->proto = ops;
	c->state = xcalloc(1, ops->state_size);
	ops->init(c->state, &start);
}

static bool recognise(struct connection *c, const struct connection_bytes *bytes)
{
	const struct proto_ops *ops;
	if (c->proto)
		return true;
	if (c->left_alone || !bytes->captured.len)
		return false;
	enum proto_verdict verdict = proto_detect(bytes->captured, &ops);
	if (verdict == PROTO_IS_CLIENT || verdict == PROTO_IS_SERVER) {
		begin_protocol(c, ops, verdict == PROTO_IS_CLIENT, bytes->sent);
		return true;
	}
	c->looked_at[bytes->sent] += bytes->captured.len;
	bool hopeless = verdict == PROTO_NOT && !c->begin.midway;
	c->left_alone = hopeless || c->looked_at[0] + c->looked_at[1] > DETECT_BYTES;
	return false;
}

static void pass_gap(struct connection *c, enum proto_side side, uint64_t bytes)
{
	if (bytes)
		c->proto->gap(c->state, side, bytes);
	c->offset[side] += bytes;
}

/* Bytes between the last call and this one were lost on their way to us; those that came twice are left out. */
static bool catch_up(struct connection *c, enum proto_side side, const struct connection_bytes *bytes)
{
	if (bytes->offset > c->offset[side])
		pass_gap(c, side, bytes->offset - c->offset[side]);
	return bytes->offset == c->offset[side];
}

void connections_pass(struct connections *all, const struct connection_bytes *bytes)
{
	struct connection *c = hashmap_get(&all->by_number, bytes->connection);
	if (!c)
		return;
	unlink_connection(all, c);
	link_newest(all, c);
	bool knew = c->proto;
	if (!recognise(c, bytes))
		return;
	enum proto_side side = bytes->sent == c->client_is_sent ? PROTO_CLIENT : PROTO_SERVER;
	if (!knew)
		c->offset[side] = bytes->offset;
	if (!catch_up(c, side, bytes))
		return;
	c->exchange.now = *bytes;
	c->proto->segment(c->state, side);
	c->offset[side] += c->proto->feed(c->state, side, bytes->captured);
	pass_gap(c, side, bytes->bytes - bytes->captured.len);
}

void connections_end(struct connections *all, uint64_t connection, uint64_t time_ns)
{
	struct connection *c = hashmap_get(&all->by_number, connection);
	if (!c)
		return;
	if (c->proto) {
		c->exchange.now = (struct connection_bytes){ .began_ns = time_ns, .ended_ns = time_ns };
		c->proto->close(c->state, PROTO_CLIENT);
		c->proto->close(c->state, PROTO_SERVER);
		exchange_end(&c->exchange, tell, c);
	}
	forget(all, c);
}

void connections_lost(const struct connections *c, struct connections_lost *ret)
{
	*ret = c->lost;
}
