/*
 * connections: the bytes that pass on connections become messages, by the parsers of proto, and messages become requests: one
 * for each question and its answer. It knows no clock and no kernel: the times are those of the calls that passed the bytes.
 *
 * Bounds: CONNECTIONS_MAX connections, of which the one that was quiet the longest goes when there are more; REQUESTS_MAX questions without
 * an answer on one of them. Both are counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/slice.h"

#define CONNECTIONS_MAX 16384
#define REQUESTS_MAX 256

enum connection_role { ROLE_UNKNOWN, ROLE_SERVER, ROLE_CLIENT }; /* of the traced process */

struct connection_begin {
	uint64_t connection; /* names it in this run */
	enum connection_role role;
	bool midway;         /* bytes had passed before it was seen */
	uint8_t local_address[16], peer_address[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
	uint16_t local_port, peer_port;              /* host order; 0: a Unix socket */
};

struct connection_bytes {
	uint64_t connection;
	bool sent;           /* by the traced process */
	uint64_t offset;     /* of the first byte in its direction, since the connection was seen */
	uint64_t bytes;      /* that passed */
	struct slice captured; /* the first of them */
	uint64_t began_ns, ended_ns; /* of the call; began may be 0: not known */
	uint32_t pid, tid, generation;
};

/* A question and its answer. All slices live as long as the call. */
struct request {
	const struct connection_begin *connection;
	uint32_t pid, tid, generation; /* who read the question, or sent it */
	bool of_client;                /* the traced process asked */
	bool unanswered, cut, gap;
	uint64_t began_ns, asked_ns, answered_ns, ended_ns; /* first and last byte of the question, then of the answer; 0: not known */
	uint64_t request_bytes, response_bytes, request_body_bytes, response_body_bytes;
	uint32_t status;
	struct slice method, target, version, host, user_agent;
};

typedef void (*request_fn)(void *arg, const struct request *r);

struct connections_lost {
	uint64_t forgotten;  /* connections that had to go for newer ones */
	uint64_t unanswered; /* questions that had to go: too many at once */
	uint64_t places;     /* times that a parser lost its place */
};

struct connections;
struct connections *connections_new(request_fn fn, void *arg);
void connections_free(struct connections *c); /* what is still open is not told */
DEFINE_CLEANUP(struct connections *, connections_free)

void connections_begin(struct connections *c, const struct connection_begin *begin);
void connections_pass(struct connections *c, const struct connection_bytes *bytes);
void connections_end(struct connections *c, uint64_t connection, uint64_t time_ns);
void connections_lost(const struct connections *c, struct connections_lost *ret);
