/* secured: what is known of the TLS of a connection, in words. */
#pragma once

#include "event/event.h"

struct connection;
struct engine;

/* Empty where it is not known, or there is no TLS. Texts live in the arena of the batch and in the record. */
struct secured {
	const struct tls_session_rec *rec; /* NULL: nothing is known */
	struct slice version, cipher, server_name, next_protocol, offered_protocols;
};

struct secured secured_of(struct engine *e, const struct connection *c);
void secured_connection(struct engine *e, const struct connection *c, struct event *event); /* fills its field */
