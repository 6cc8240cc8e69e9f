#include "probe/tls/binding.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"

_Static_assert(TLS_RECEIVED == (int)SOCK_RECEIVED && TLS_SENT == (int)SOCK_SENT && TLS_UNREADABLE == (int)SOCK_UNREADABLE, "as segments have it");

#define RECENT 8 /* calls of a thread that passed bytes of TLS connections: a read of a record is two of them */

/* A connection that speaks TLS. */
struct session {
	struct connection *connection;
	struct object *object;    /* NULL: none is bound to it */
	struct handshake *handshake; /* NULL: it is over */
	uint64_t offset[SOCK_DIRECTIONS];
	bool has_lost[SOCK_DIRECTIONS];
};

/* The library's. */
struct object {
	uint64_t key, address;
	uint32_t pid;
	struct session *session;  /* NULL: not bound */
	bool known[SOCK_DIRECTIONS]; /* is @next? */
	uint64_t next[SOCK_DIRECTIONS];
	struct tls_data_rec *pending[TLS_PENDING_MAX]; /* copies; the oldest first */
	size_t n_pending;
};

struct recent {
	uint64_t connection; /* its number */
	uint64_t time_ns;
	enum sock_direction direction;
	bool begins_record;
	bool has_seq;
	uint32_t tcp_seq;
};

struct thread {
	struct recent recent[RECENT];
	uint32_t n;
	uint64_t waiting; /* key of an object that has passed something to send and has no connection; 0: none */
};

struct bindings {
	plaintext_fn plaintext;
	handshake_fn handshake;
	void *arg;
	struct hashmap sessions; /* by the number of the connection */
	struct hashmap objects;  /* by key_of() */
	struct hashmap threads;  /* by tid */
	uint64_t unbound;
};

struct bindings *bindings_new(plaintext_fn plaintext, handshake_fn handshake, void *arg)
{
	struct bindings *b = xcalloc(1, sizeof(*b));
	b->plaintext = plaintext;
	b->handshake = handshake;
	b->arg = arg;
	return b;
}

static void end_handshake(struct session *s)
{
	if (s->handshake)
		handshake_done(s->handshake);
	free(s->handshake);
	s->handshake = NULL;
}

static void free_session(struct session *s)
{
	end_handshake(s);
	free(s);
}

static void free_object(struct bindings *b, struct object *o)
{
	hashmap_remove(&b->objects, o->key);
	if (o->session)
		o->session->object = NULL;
	b->unbound += o->n_pending;
	for (size_t i = 0; i < o->n_pending; i++)
		free(o->pending[i]);
	free(o);
}

static void forget_threads(struct bindings *b)
{
	size_t at = 0;
	uint64_t key;
	void *thread;
	while (hashmap_next(&b->threads, &at, &key, &thread))
		free(thread);
	hashmap_done(&b->threads);
}

static void forget_unbound(struct bindings *b)
{
	size_t at = 0;
	uint64_t key;
	void *o;
	while (hashmap_next(&b->objects, &at, &key, &o))
		if (!((struct object *)o)->session)
			free_object(b, o);
}

void bindings_free(struct bindings *b)
{
	size_t at = 0;
	uint64_t key;
	void *one;
	if (!b)
		return;
	while (hashmap_next(&b->objects, &at, &key, &one))
		free_object(b, one);
	at = 0;
	while (hashmap_next(&b->sessions, &at, &key, &one))
		free_session(one);
	forget_threads(b);
	hashmap_done(&b->objects);
	hashmap_done(&b->sessions);
	free(b);
}

uint64_t bindings_unbound(const struct bindings *b)
{
	return b->unbound;
}

bool tls_looks_like(struct slice first)
{
	const uint8_t *p = (const uint8_t *)first.data; /* type, version 3.x, length */
	return first.len >= 3 && p[0] >= 20 && p[0] <= 23 && p[1] == 3 && p[2] <= 4;
}

/* ---- tables ---- */

/* Addresses have 47 bits, so two processes' may fall together: the one that is used makes the other unbound. */
static uint64_t key_of(uint32_t pid, uint64_t address)
{
	return address ^ (uint64_t)pid << 42;
}

static struct object *object_of(struct bindings *b, uint32_t pid, uint64_t address)
{
	uint64_t key = key_of(pid, address);
	struct object *o = hashmap_get(&b->objects, key);
	if (o && o->pid == pid && o->address == address)
		return o;
	if (o)
		free_object(b, o);
	if (b->objects.n >= TLS_OBJECTS_MAX)
		forget_unbound(b);
	o = xcalloc(1, sizeof(*o));
	*o = (struct object){ .key = key, .address = address, .pid = pid };
	hashmap_put(&b->objects, key, o);
	return o;
}

static struct thread *thread_of(struct bindings *b, uint32_t tid)
{
	struct thread *t = hashmap_get(&b->threads, tid);
	if (t)
		return t;
	if (b->threads.n >= TLS_THREADS_MAX)
		forget_threads(b);
	t = xcalloc(1, sizeof(*t));
	hashmap_put(&b->threads, tid, t);
	return t;
}

static struct session *session_of(const struct bindings *b, uint64_t connection)
{
	return hashmap_get(&b->sessions, connection);
}

/* ---- what is known is told ---- */

static void give(struct bindings *b, struct object *o, const struct tls_data_rec *rec, const struct recent *wire)
{
	enum sock_direction d = rec->direction == SOCK_SENT ? SOCK_SENT : SOCK_RECEIVED;
	struct session *to = o->session;
	bool has_seq = wire && wire->has_seq && wire->direction == d;
	uint64_t lost = o->known[d] && rec->offset > o->next[d] ? rec->offset - o->next[d] : 0;
	o->known[d] = true;
	o->next[d] = rec->offset + rec->bytes;
	struct segment s = {
		.direction = d, .flags = rec->flags & TLS_UNREADABLE, .has_seq = has_seq, .tcp_seq = has_seq ? wire->tcp_seq : 0, .bytes = rec->bytes,
		.captured = { (const char *)(rec + 1), rec->captured }, .offset = to->offset[d] + lost, .lost_before = lost,
		.began_ns = rec->began_ns, .head = &rec->head,
	};
	to->offset[d] += lost + rec->bytes;
	to->has_lost[d] |= lost;
	b->plaintext(b->arg, to->connection, &s);
}

static void keep(struct bindings *b, struct object *o, const struct tls_data_rec *rec)
{
	if (o->n_pending == TLS_PENDING_MAX) {
		free(o->pending[0]);
		memmove(o->pending, o->pending + 1, --o->n_pending * sizeof(o->pending[0]));
		b->unbound++;
	}
	struct tls_data_rec *copy = xmalloc(rec->head.length);
	memcpy(copy, rec, rec->head.length);
	o->pending[o->n_pending++] = copy;
}

static void bind(struct bindings *b, struct object *o, struct session *s)
{
	if (o->session == s)
		return;
	if (o->session)
		o->session->object = NULL;
	if (s->object)
		s->object->session = NULL;
	s->object = o;
	o->session = s;
	o->known[SOCK_RECEIVED] = o->known[SOCK_SENT] = false;
	size_t n = o->n_pending;
	o->n_pending = 0;
	for (size_t i = 0; i < n; i++) {
		give(b, o, o->pending[i], NULL);
		free(o->pending[i]);
	}
}

/* ---- what passes ---- */

static void note(struct thread *t, const struct connection *c, const struct segment *s)
{
	t->recent[t->n++ % RECENT] = (struct recent){
		.connection = c->number, .time_ns = s->head->time_ns, .direction = s->direction, .begins_record = tls_looks_like(s->captured), .has_seq = s->has_seq, .tcp_seq = s->tcp_seq,
	};
}

/* What was written before is sent now, to a connection that nobody else speaks on. */
static void bind_waiting(struct bindings *b, struct thread *t, struct session *session, const struct segment *s)
{
	struct object *o = hashmap_get(&b->objects, t->waiting);
	if (o && o->n_pending && s->bytes < o->pending[0]->bytes)
		return;
	t->waiting = 0;
	if (o && !o->session && !session->object)
		bind(b, o, session);
}

static void shake(struct bindings *b, struct session *session, const struct segment *s)
{
	struct handshake *h = session->handshake;
	bool ended = handshake_pass(h, s->direction == SOCK_SENT ? TLS_SENT : TLS_RECEIVED, s->captured, s->bytes, s->lost_before, s->head->time_ns);
	if (ended && h->flags)
		b->handshake(b->arg, session->connection, h, s->head);
	if (ended)
		end_handshake(session);
}

void bindings_passed(struct bindings *b, struct connection *c, const struct segment *s)
{
	struct session *session = session_of(b, c->number);
	if (!session && !tls_looks_like(s->captured))
		return;
	if (!session) {
		session = xcalloc(1, sizeof(*session));
		session->connection = c;
		session->handshake = xcalloc(1, sizeof(*session->handshake));
		hashmap_put(&b->sessions, c->number, session);
	}
	if (session->handshake)
		shake(b, session, s);
	struct thread *t = thread_of(b, s->head->tid);
	note(t, c, s);
	if (t->waiting && s->direction == SOCK_SENT)
		bind_waiting(b, t, session, s);
}

/* Where something was lost, the last may have been too: no later offset tells. */
static void doubt_end(struct bindings *b, const struct session *session, const struct rec_head *head)
{
	for (enum sock_direction d = SOCK_RECEIVED; d < SOCK_DIRECTIONS; d++) {
		struct segment s = { .direction = d, .offset = session->offset[d] + 1, .lost_before = 1, .head = head };
		if (session->has_lost[d])
			b->plaintext(b->arg, session->connection, &s);
	}
}

void bindings_closed(struct bindings *b, struct connection *c)
{
	struct session *session = hashmap_remove(&b->sessions, c->number);
	if (!session)
		return;
	const struct handshake *h = session->handshake;
	struct rec_head head = c->task;
	head.time_ns = c->last_ns;
	doubt_end(b, session, &head);
	if (h && (h->began_ns || h->agreed))
		b->handshake(b->arg, c, h, &c->task);
	if (session->object)
		free_object(b, session->object);
	free_session(session);
}

/* Of two that passed while the call was open: what is sent begins with the first, what is received with the last record that was read. */
static bool fits_better(const struct recent *r, const struct recent *than, const struct tls_data_rec *rec)
{
	if (!than || (r->direction == rec->direction) != (than->direction == rec->direction))
		return !than || r->direction == rec->direction;
	return rec->direction == TLS_RECEIVED && r->begins_record;
}

/* What passed on a socket while the call was open. NULL: nothing. */
static const struct recent *within(const struct bindings *b, const struct thread *t, const struct tls_data_rec *rec)
{
	const struct recent *found = NULL;
	for (uint32_t i = t->n > RECENT ? t->n - RECENT : 0; i < t->n; i++) {
		const struct recent *r = &t->recent[i % RECENT];
		if (r->time_ns < rec->began_ns || r->time_ns > rec->head.time_ns || !session_of(b, r->connection))
			continue;
		if (fits_better(r, found, rec))
			found = r;
	}
	return found;
}

static struct session *received_last(const struct bindings *b, const struct thread *t)
{
	for (uint32_t i = t->n; i > 0 && i + RECENT > t->n; i--)
		if (t->recent[(i - 1) % RECENT].direction == SOCK_RECEIVED)
			return session_of(b, t->recent[(i - 1) % RECENT].connection);
	return NULL;
}

void bindings_data(struct bindings *b, const struct tls_data_rec *rec)
{
	struct thread *t = thread_of(b, rec->head.tid);
	const struct recent *wire = within(b, t, rec);
	struct session *s = wire ? session_of(b, wire->connection) : NULL;
	if (!s && rec->flags & TLS_OWN_SOCKET && !hashmap_get(&b->objects, key_of(rec->head.pid, rec->object)))
		return;
	struct object *o = object_of(b, rec->head.pid, rec->object);
	if (!s && !o->session && rec->direction == SOCK_RECEIVED && !(rec->flags & TLS_OWN_SOCKET)) {
		s = received_last(b, t);
		s = s && s->object ? NULL : s;
	}
	if (s)
		bind(b, o, s);
	if (o->session) {
		give(b, o, rec, wire);
		return;
	}
	if (rec->flags & TLS_OWN_SOCKET)
		return;
	keep(b, o, rec);
	if (rec->direction == SOCK_SENT)
		t->waiting = o->key;
}
