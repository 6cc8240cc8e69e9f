/*
 * segment: what a connection carries, piece by piece: the seam between the families that capture bytes and what makes requests of
 * them. A piece is what one call sent or received; a stream is the pieces of one direction, put together by their offsets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "probe/sock/sock.abi.h"

struct engine;

/* Borrowed from the table of the family that captures; valid until engine_connection_closed() returns. */
struct connection {
	uint64_t number;           /* unique in the run */
	const struct sock_conn_rec *told; /* what it is; NULL: not told (the record was lost) */
	uint64_t next_offset[SOCK_DIRECTIONS];
	uint64_t lost_bytes[SOCK_DIRECTIONS]; /* passed, and no segment tells of them */
	uint64_t calls[SOCK_DIRECTIONS];
	uint64_t seen_ns;          /* CLOCK_MONOTONIC, as all times here */
	uint64_t last_ns;          /* when something of it was told last */
	struct rec_head task;      /* who made or first used it, with the time when it was seen first */
	void *spans;               /* what the engine keeps of it */
	bool has_plaintext;        /* it is encrypted, and engine_plaintext() tells what it carries */
};

/* Borrowed, with its bytes, until engine_segment() returns. */
struct segment {
	enum sock_direction direction;
	uint16_t flags;            /* enum sock_data_flag */
	bool has_seq;
	uint32_t tcp_seq;          /* of the first byte */
	uint32_t bytes;            /* that passed */
	struct slice captured;     /* the first of them; empty: none, or not asked for */
	uint64_t offset;           /* bytes of this direction before it, since the connection was seen */
	uint64_t lost_before;      /* of them just before it that no segment tells of */
	uint64_t began_ns;         /* of the call; 0: not known */
	const struct rec_head *head; /* the task, and as time the end of the call */
};

/* What families that capture hand over. */
void engine_segment(struct engine *e, struct connection *c, const struct segment *s);
/*
 * What an encrypted connection carries, by who knows it: from now on it stands for what engine_segment() tells of the connection. Its
 * offsets are of the plaintext; tcp_seq is that of the encrypted bytes with which it passed.
 */
void engine_plaintext(struct engine *e, struct connection *c, const struct segment *s);
/* The last of a connection. @end is NULL when the end was not seen: the run is over, or there was no room for it any more. */
void engine_connection_closed(struct engine *e, struct connection *c, const struct sock_close_rec *end);
/* The same of a recording: @rec tells what was made of it then. */
void engine_connection_ended(struct engine *e, struct connection *c, const struct sock_ended_rec *rec);
/* Does anybody look at the bytes? If not, none are captured. */
bool engine_wants_bytes(const struct engine *e);
