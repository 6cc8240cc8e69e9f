/*
 * tcp: the bytes of both directions of a connection in order, from segments that were captured in any order, twice, or not at all.
 * Pure: no clock, no I/O.
 *
 * A byte is handed on once, when all before it have been, and when all has been that its sender had received by then, which the
 * acknowledgement beside it tells: so no answer comes before its question, and no question before the answer that it waited for, whatever
 * the capture has done to their order. What cannot be handed on yet is held. What is missing is given up when nothing can bring it any more: it
 * has been acknowledged, and what was captured in another order has had time to come (TCP_REORDER_NS); or it is missing for TCP_HOLE_NS; or
 * there is no room for more. Then it is skipped in the offsets.
 *
 * The time of a byte is that of its packet, or of a later one that brought what was missing before it. Where two segments do not agree about a
 * byte, the one that begins earlier counts, then the one that came first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define TCP_REORDER_NS 20000000ull     /* rings of several processors, written one after the other */
#define TCP_HOLE_NS 10000000000ull     /* without acknowledgements: one direction was captured alone */
#define TCP_HELD_SEGMENTS 1024         /* of one direction */
#define TCP_HELD_BYTES (4u << 20)      /* of one direction: a window's worth */
#define TCP_ROOM_BYTES (32u << 20)     /* of all connections together */
#define TCP_SIDES 2

struct tcp_held;

/* What connections share: what they hold, in all. */
struct tcp_room {
	size_t bytes;
};

struct tcp_stream {
	bool begun;             /* @next is known */
	bool has_end;           /* so is the end */
	uint32_t next;          /* sequence number of the next byte in order */
	uint32_t end;           /* behind the last byte */
	uint64_t offset;        /* of the next byte, since the stream was seen */
	struct tcp_held *first, *last; /* what waits, in order */
	uint32_t held_n;
	size_t held_bytes;
	uint32_t acked;         /* its receiver has all before it; only while that is more than we have */
	uint64_t acked_ns;      /* since when that is known; 0: it is not more */
	uint64_t lost_bytes;    /* that were given up */
	uint64_t repeated_bytes; /* that had been seen before */
	uint32_t repeats;       /* segments of nothing else */
};

/* Borrowed until the call returns. */
struct tcp_piece {
	unsigned side;         /* who sent it */
	uint64_t offset;
	uint32_t seq;
	uint32_t bytes;        /* that passed; 0: those before it are missing, which the offset shows as well */
	struct slice captured; /* the first of them */
	uint64_t time_ns;
};
typedef void (*tcp_fn)(void *arg, const struct tcp_piece *piece);

/* Zeroed but for these three: nothing has been seen of it. */
struct tcp {
	struct tcp_room *room; /* borrowed */
	tcp_fn fn;
	void *arg;
	uint64_t now_ns;       /* the latest time that was seen */
	struct tcp_stream sent[TCP_SIDES];
};

struct tcp_segment {
	uint32_t seq;
	uint32_t bytes;        /* that it carries; may be 0 */
	struct slice captured; /* the first of them */
	bool has_ack;
	uint32_t ack;          /* of the other side's bytes */
	uint64_t time_ns;
};

void tcp_begin(struct tcp *t, unsigned side, uint32_t seq); /* its first byte, where that is not known yet */
void tcp_end(struct tcp *t, unsigned side, uint32_t seq);   /* behind its last byte */
bool tcp_has_ended(const struct tcp *t, unsigned side);     /* all up to the end has been handed on */
void tcp_take(struct tcp *t, unsigned side, const struct tcp_segment *segment);
void tcp_finish(struct tcp *t); /* nothing more comes: what is missing is given up */
void tcp_done(struct tcp *t);   /* what is held goes, untold */
