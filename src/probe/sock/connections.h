/* connections: those that are open, by their numbers, as their records tell of them. */
#pragma once

#include "base/hashmap.h"
#include "probe/segment.h"

#define CONNECTIONS_MAX 131072

struct connections {
	struct hashmap by_number; /* → struct open_connection */
};

/* Frees all; each is handed to @closed first (NULL: to nobody). */
void connections_done(struct connections *c, void (*closed)(void *arg, struct connection *), void *arg);

struct connection *connections_find(struct connections *c, uint64_t number); /* NULL: none */
/* Makes it where there is none, as @head tells of it; NULL: there are too many. */
struct connection *connections_take(struct connections *c, uint64_t number, const struct rec_head *head);
/* What it is: copies the record, which is whole. */
void connections_tell(struct connection *c, const struct sock_conn_rec *rec);
void connections_remove(struct connections *c, struct connection *connection);
/* Iterates: NULL ends. */
struct connection *connections_next(const struct connections *c, size_t *at);
