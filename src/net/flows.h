/*
 * flows: the TCP connections of a capture, each with the bytes of both its directions in order. Pure: time is that of the packets.
 *
 * Who has sent SYN is the client. Of a connection that was open before the capture began, the end with the lower port is taken for the
 * server's, which is said (`guessed`). At most FLOWS_MAX are known at a time; where there are more, the one that has been silent for longest
 * goes, and is counted. One that has ended is remembered for a minute of the capture, so that late repetitions are no new connection.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "net/packet.h"
#include "net/tcp.h"

#define FLOWS_MAX 32768
#define FLOW_LINGER_NS 60000000000ull /* TCP_TIMEWAIT_LEN, include/net/tcp.h */

enum flow_side { FLOW_CLIENT, FLOW_SERVER, FLOW_SIDES }; /* who sent it */

enum flow_end {
	FLOW_CLOSED,       /* by both; the server first */
	FLOW_PEER_CLOSED,  /* by both; the client first */
	FLOW_RESET,
	FLOW_FAILED,       /* reset before it was established */
	FLOW_OPEN,         /* it had not ended when the capture did, or had to make room for others */
};

struct flow {
	uint64_t number;       /* counts the connections of the capture, from 1 */
	struct packet_end end[FLOW_SIDES];
	bool midway;           /* its beginning was not captured */
	bool guessed;          /* so which end is the server's is not known */
	uint64_t seen_ns;      /* first packet */
	uint64_t began_ns;     /* SYN; 0: not captured */
	uint64_t established_ns; /* the answer to it, as captured; 0: not captured */
	uint64_t last_ns;      /* last packet */
	uint64_t ended_ns[FLOW_SIDES]; /* when the side's FIN came in order; 0: it has not */
	enum flow_side ended_first;    /* of those that have */
	uint32_t packets[FLOW_SIDES];  /* that carried bytes */
	struct tcp tcp;        /* its sides are flow_sides */
	bool told;             /* the caller's: has it spoken of it? */
};

struct flows_ops {
	void (*piece)(void *arg, struct flow *f, const struct tcp_piece *piece);
	void (*closed)(void *arg, struct flow *f, enum flow_end how); /* the last of it */
};

struct flows_count {
	uint64_t evicted;        /* connections that made room for others */
	uint64_t lost_bytes;     /* that were sent and not captured, over all connections that have ended */
	uint64_t repeated_bytes; /* that were captured more than once */
};

struct flows;
struct flows *flows_new(uint64_t seed, const struct flows_ops *ops, void *arg); /* @seed: makes hashes unpredictable */
void flows_free(struct flows *f); /* what is open is not told */
DEFINE_CLEANUP(struct flows *, flows_free)

void flows_take(struct flows *f, const struct packet *p, uint64_t time_ns);
void flows_finish(struct flows *f); /* the capture has ended: closes what is open */
struct flows_count flows_count(const struct flows *f);
