#include "probe/sock/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

struct open_connection {
	struct connection c; /* first: one is the other */
	struct sock_conn_rec rec;
};

void connections_done(struct connections *c, void (*closed)(void *arg, struct connection *), void *arg)
{
	size_t at = 0;
	struct connection *one;
	while (closed && (one = connections_next(c, &at)))
		closed(arg, one);
	at = 0;
	while ((one = connections_next(c, &at)))
		free(one);
	hashmap_done(&c->by_number);
}

struct connection *connections_find(struct connections *c, uint64_t number)
{
	return hashmap_get(&c->by_number, number);
}

struct connection *connections_take(struct connections *c, uint64_t number, const struct rec_head *head)
{
	struct open_connection *o = hashmap_get(&c->by_number, number);
	if (o)
		return &o->c;
	if (c->by_number.n >= CONNECTIONS_MAX)
		return NULL;
	o = xcalloc(1, sizeof(*o));
	o->c.number = number;
	o->c.seen_ns = o->c.last_ns = head->time_ns;
	o->c.task = *head;
	hashmap_put(&c->by_number, number, o);
	return &o->c;
}

void connections_tell(struct connection *c, const struct sock_conn_rec *rec)
{
	struct open_connection *o = (struct open_connection *)c;
	memset(&o->rec, 0, sizeof(o->rec));
	memcpy(&o->rec, rec, MIN(sizeof(o->rec), rec->head.length));
	o->rec.path_length = MIN(o->rec.path_length, (uint32_t)SOCK_PATH_BYTES);
	o->rec.head.length = (uint16_t)MIN(sizeof(o->rec), rec->head.length);
	o->c.told = &o->rec;
	o->c.seen_ns = rec->seen_ns;
	o->c.task = rec->head;
	o->c.task.time_ns = rec->seen_ns;
}

void connections_remove(struct connections *c, struct connection *connection)
{
	free(hashmap_remove(&c->by_number, connection->number));
}

struct connection *connections_next(const struct connections *c, size_t *at)
{
	uint64_t number;
	void *one;
	return hashmap_next(&c->by_number, at, &number, &one) ? one : NULL;
}
