/* request_event: the record of a request as an event, and whether it was asked for. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "config/options.h"
#include "event/event.h"
#include "span/request.abi.h"

enum text {
	TEXT_METHOD, TEXT_PATH, TEXT_ROUTE, TEXT_HOST, TEXT_USER_AGENT, TEXT_PROTOCOL, TEXT_VERSION,
	TEXT_TLS_VERSION, TEXT_TLS_CIPHER, TEXT_TLS_SERVER_NAME, TEXT_TLS_NEXT_PROTOCOL,
	TEXTS
};
#define TEXTS_OF_OLD (TEXT_VERSION + 1) /* recordings of the first requests have no more */


/* The texts behind the record, borrowed from it. False: it does not hold together. */
bool request_texts(const struct request_rec *rec, struct slice ret[TEXTS]);
/* Of a server an answer of 5xx is an error, of a client 4xx as well: semantic conventions for HTTP spans, 1.23. */
bool request_is_error(const struct request_rec *rec);
/* --port: @port is that of the server's end. */
bool request_port_fits(const struct options *o, uint16_t port);
/* --min, --status, --port, --method, --path. */
bool request_fits(const struct options *o, const struct request_rec *rec, const struct slice texts[TEXTS]);
/* It belongs to no process: in place of one it gets where its server listens. */
void request_of_packets(struct arena *arena, const struct request_rec *rec, struct event *ev);
/* Without the task and the time. @name: of the span. What it points to lies in @arena, @rec and @name. */
void request_event(struct arena *arena, const struct request_rec *rec, const struct slice texts[TEXTS], struct slice name, struct event *ev);
