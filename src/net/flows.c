#include "net/flows.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"

/* A flow, where it is in its list, and the next of the same hash. */
struct entry {
	struct flow flow; /* first: one is the other */
	uint64_t hash;
	struct entry *same_hash;
	struct entry *older, *newer;
	struct flows *flows;
	uint32_t first_seq; /* of the client's SYN */
	bool ended;         /* told; it waits for its minute to be over */
};

struct list {
	struct entry *oldest, *newest;
	size_t n;
};

struct flows {
	const struct flows_ops *ops;
	void *arg;
	uint64_t seed, numbers;
	struct hashmap by_hash;
	struct list open, ended; /* by their last packet; by their end */
	struct tcp_room room;
	struct flows_count count;
};

/* --- lists --- */

static void list_remove(struct list *l, struct entry *e)
{
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	e->older = e->newer = NULL;
	l->n--;
}

static void list_add(struct list *l, struct entry *e)
{
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
	l->n++;
}

/* --- the table --- */

/* FNV-1a, 64 bits, from a seed. */
static uint64_t hash_end(uint64_t h, const struct packet_end *end)
{
	for (size_t i = 0; i < sizeof(end->address); i++)
		h = (h ^ end->address[i]) * 0x100000001b3ull;
	return (h ^ end->port) * 0x100000001b3ull;
}

/* The same for both directions. */
static uint64_t hash_of(const struct flows *f, const struct packet *p)
{
	return hash_end(f->seed, &p->from) + hash_end(f->seed, &p->to);
}

static bool same_end(const struct packet_end *a, const struct packet_end *b)
{
	return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool is_between(const struct flow *f, const struct packet_end *client, const struct packet_end *server)
{
	return same_end(&f->end[FLOW_CLIENT], client) && same_end(&f->end[FLOW_SERVER], server);
}

static struct entry *find(const struct flows *f, uint64_t hash, const struct packet *p)
{
	struct entry *e = hashmap_get(&f->by_hash, hash);
	while (e && !is_between(&e->flow, &p->from, &p->to) && !is_between(&e->flow, &p->to, &p->from))
		e = e->same_hash;
	return e;
}

static void forget(struct flows *f, struct entry *e)
{
	struct entry *first = hashmap_get(&f->by_hash, e->hash), *before = NULL;
	for (struct entry *at = first; at != e; at = at->same_hash)
		before = at;
	if (before)
		before->same_hash = e->same_hash;
	else if (e->same_hash)
		hashmap_put(&f->by_hash, e->hash, e->same_hash);
	else
		hashmap_remove(&f->by_hash, e->hash);
	list_remove(e->ended ? &f->ended : &f->open, e);
	tcp_done(&e->flow.tcp);
	free(e);
}

/* --- the end of a connection --- */

static void tell_piece(void *arg, const struct tcp_piece *piece)
{
	struct entry *e = arg;
	e->flows->ops->piece(e->flows->arg, &e->flow, piece);
}

static void end(struct flows *f, struct entry *e, enum flow_end how)
{
	tcp_finish(&e->flow.tcp);
	for (size_t i = 0; i < FLOW_SIDES; i++) {
		f->count.lost_bytes += e->flow.tcp.sent[i].lost_bytes;
		f->count.repeated_bytes += e->flow.tcp.sent[i].repeated_bytes;
	}
	f->ops->closed(f->arg, &e->flow, how);
	list_remove(&f->open, e);
	e->ended = true;
	list_add(&f->ended, e);
}

static void make_room(struct flows *f)
{
	if (f->open.n + f->ended.n < FLOWS_MAX)
		return;
	if (!f->ended.oldest) {
		f->count.evicted++;
		end(f, f->open.oldest, FLOW_OPEN);
	}
	forget(f, f->ended.oldest);
}

static void forget_ended(struct flows *f, uint64_t now_ns)
{
	while (f->ended.oldest && now_ns > f->ended.oldest->flow.last_ns + FLOW_LINGER_NS)
		forget(f, f->ended.oldest);
}

/* --- its beginning --- */

static bool is_syn(const struct packet *p)
{
	return (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static bool is_answer_to_syn(const struct packet *p)
{
	return (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/* Did the client send it? */
static bool from_client(const struct packet *p)
{
	if (is_syn(p) || is_answer_to_syn(p))
		return is_syn(p);
	return p->from.port >= p->to.port;
}

static struct entry *begin(struct flows *f, uint64_t hash, const struct packet *p, uint64_t time_ns)
{
	bool client = from_client(p), is_beginning = is_syn(p) || is_answer_to_syn(p);
	make_room(f);
	struct entry *e = xcalloc(1, sizeof(*e));
	e->hash = hash;
	e->first_seq = p->seq;
	e->flow = (struct flow){
		.number = ++f->numbers, .end = { client ? p->from : p->to, client ? p->to : p->from }, .midway = !is_beginning, .guessed = !is_beginning,
		.seen_ns = time_ns, .began_ns = is_syn(p) ? time_ns : 0, .tcp = { .room = &f->room, .fn = tell_piece, .arg = e },
	};
	e->flows = f;
	e->same_hash = hashmap_put(&f->by_hash, hash, e);
	list_add(&f->open, e);
	return e;
}

/* A connection that uses the ends of an earlier one. */
static bool is_another(const struct entry *e, const struct packet *p)
{
	if (!is_syn(p))
		return false;
	return e->ended || e->flow.midway || !same_end(&p->from, &e->flow.end[FLOW_CLIENT]) || e->flow.began_ns == 0 || p->seq != e->first_seq;
}

/* NULL: it belongs to none that is of interest. */
static struct entry *entry_of(struct flows *f, const struct packet *p, uint64_t time_ns)
{
	uint64_t hash = hash_of(f, p);
	struct entry *e = find(f, hash, p);
	if (e && is_another(e, p)) {
		if (!e->ended)
			end(f, e, FLOW_OPEN);
		forget(f, e);
		e = NULL;
	}
	if (e)
		return e->ended ? NULL : e;
	return is_syn(p) || is_answer_to_syn(p) || (p->bytes && !(p->flags & TCP_RST)) ? begin(f, hash, p, time_ns) : NULL;
}

/* --- packets --- */

static void note_beginning(struct flow *f, enum flow_side from, const struct packet *p, uint64_t time_ns)
{
	tcp_begin(&f->tcp, from, p->seq + !!(p->flags & TCP_SYN));
	if (p->flags & TCP_ACK)
		tcp_begin(&f->tcp, !from, p->ack);
	if (from == FLOW_SERVER && is_answer_to_syn(p) && !f->established_ns)
		f->established_ns = time_ns;
}

static void note_end(struct flows *f, struct entry *e, uint64_t time_ns)
{
	struct flow *flow = &e->flow;
	for (enum flow_side side = 0; side < FLOW_SIDES; side++) {
		if (flow->ended_ns[side] || !tcp_has_ended(&flow->tcp, side))
			continue;
		flow->ended_ns[side] = time_ns;
		flow->ended_first = flow->ended_ns[!side] ? !side : side;
	}
	if (flow->ended_ns[FLOW_CLIENT] && flow->ended_ns[FLOW_SERVER])
		end(f, e, flow->ended_first == FLOW_SERVER ? FLOW_CLOSED : FLOW_PEER_CLOSED);
}

static bool is_refusal(const struct flow *f)
{
	return f->began_ns && !f->established_ns && f->tcp.sent[FLOW_CLIENT].offset + f->tcp.sent[FLOW_SERVER].offset == 0;
}

static void take(struct flow *f, enum flow_side from, const struct packet *p, uint64_t time_ns)
{
	uint32_t first = p->seq + !!(p->flags & TCP_SYN);
	struct tcp_segment segment = {
		.seq = first, .bytes = p->bytes, .captured = p->captured, .has_ack = p->flags & TCP_ACK, .ack = p->ack, .time_ns = time_ns,
	};
	f->packets[from] += p->bytes > 0;
	if (p->flags & TCP_FIN)
		tcp_end(&f->tcp, from, first + p->bytes);
	tcp_take(&f->tcp, from, &segment);
}

void flows_take(struct flows *f, const struct packet *p, uint64_t time_ns)
{
	forget_ended(f, time_ns);
	struct entry *e = entry_of(f, p, time_ns);
	if (!e)
		return;
	enum flow_side from = same_end(&p->from, &e->flow.end[FLOW_CLIENT]) ? FLOW_CLIENT : FLOW_SERVER;
	e->flow.last_ns = MAX(e->flow.last_ns, time_ns);
	list_remove(&f->open, e);
	list_add(&f->open, e);
	if (p->flags & TCP_RST) {
		end(f, e, is_refusal(&e->flow) ? FLOW_FAILED : FLOW_RESET);
		return;
	}
	note_beginning(&e->flow, from, p, time_ns);
	take(&e->flow, from, p, time_ns);
	note_end(f, e, time_ns);
}

void flows_finish(struct flows *f)
{
	while (f->open.oldest)
		end(f, f->open.oldest, FLOW_OPEN);
}

struct flows_count flows_count(const struct flows *f)
{
	return f->count;
}

struct flows *flows_new(uint64_t seed, const struct flows_ops *ops, void *arg)
{
	struct flows *f = xcalloc(1, sizeof(*f));
	f->seed = seed;
	f->ops = ops;
	f->arg = arg;
	return f;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	while (f->open.oldest)
		forget(f, f->open.oldest);
	while (f->ended.oldest)
		forget(f, f->ended.oldest);
	hashmap_done(&f->by_hash);
	free(f);
}
