/*
 * proto: the seam between captured bytes and protocols. A parser is pure: bytes of one connection go in, messages come out;
 * it knows no time, no process and no BPF, so it runs in the agent, over a recording, over a pcap and in a fuzzer alike.
 *
 * A connection is two streams, named by who sends. The caller
 *   1. asks proto_detect() about the first bytes of either stream, and of later segments of a connection that is older than the
 *      capture, until a row says that it speaks this, and who speaks;
 *   2. makes a state of that row: ops->init() on ops->state_size bytes of its own, zeroed or not;
 *   3. feeds what was captured in the order in which it passed, in pieces of any length: pieces change no message;
 *      calls gap() where bytes passed that it has not got, once with their sum, and segment() where a send or receive began;
 *   4. calls close() when a side will send no more, done() when the connection is of no more interest.
 *
 * How a capture that keeps the first N bytes of each send looks: segment(), feed(N bytes), gap(length - N). Inside a body of
 * known length that loses nothing. Where a parser no longer knows its place it says so once (PROTO_LOST), then looks for a
 * message where one may be expected: after a gap, and at a segment. It never makes a message of what lies in the middle of one.
 *
 * Not thread-safe; one connection is one caller's at a time. No function fails.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum proto_side { PROTO_CLIENT, PROTO_SERVER, PROTO_SIDES }; /* who sent the bytes */

/* What the first bytes of a stream say. */
enum proto_verdict {
	PROTO_NOT,       /* another protocol, or the middle of a message */
	PROTO_MORE,      /* nothing speaks against it, too few to say yes */
	PROTO_IS_CLIENT, /* a client of this protocol sent them */
	PROTO_IS_SERVER,
};

enum proto_event {
	PROTO_HEAD, /* a message has begun, and what it says of itself is known */
	PROTO_END,  /* the message whose head came last on this side has ended */
	PROTO_LOST, /* the place in this stream is lost from here on */
};

enum proto_end {
	PROTO_COMPLETE, /* as the protocol has it; of bodies that end with the connection: it was closed */
	PROTO_CUT,      /* closed before its end */
	PROTO_UNKNOWN,  /* it ended somewhere between @offset + @head_bytes and here: the place was lost */
};

enum proto_loss {
	PROTO_LOSS_GAP,     /* bytes were not captured where the parser needs them */
	PROTO_LOSS_BAD,     /* not this protocol */
	PROTO_LOSS_LIMIT,   /* longer than a parser is willing to keep */
	PROTO_LOSS_LENGTH,  /* a message whose length nobody can tell: contradicting or impossible numbers */
	PROTO_LOSS_CLOSED,  /* closed inside a head of which nothing can be said */
	PROTO_LOSSES
};

extern const char *const proto_loss_names[PROTO_LOSSES]; /* "gap", "bad", ... for counters */

struct proto_field {
	struct slice name, value; /* as sent; blanks around the value are not part of it */
};

#define PROTO_GAP_UNKNOWN UINT64_MAX /* a gap of which not even the length is known */

/* All slices point into what was fed or into the state, and live as long as the call. What an event does not have is zero. */
struct proto_message {
	enum proto_event event;
	enum proto_side from;
	uint64_t id;      /* HEAD, END: counts the messages of this side, from 1; head and end of one message agree */
	uint64_t answers; /* of the server: id of the client's message that it answers; 0: not known, or none was seen */
	uint64_t offset;  /* HEAD, END: of the message's first byte in its stream; LOST: where the place was lost. Gaps count */

	/* HEAD */
	uint64_t head_bytes;        /* also END */
	struct slice method;        /* what is asked: a method, a command */
	struct slice target;        /* of whom: a path, a key */
	struct slice version;       /* "HTTP/1.1" */
	struct slice reason;
	uint32_t status;            /* of an answer */
	const struct proto_field *fields; /* also END: trailers */
	uint32_t n_fields;
	uint32_t fields_left_out;   /* bad, or more than are kept */
	bool interim;               /* an answer before the answer (100 Continue): the next one answers the same request */
	bool head_cut;              /* the rest of the head was not captured or never came: fields may be missing */
	bool of_known_length;       /* @body_length says what is to come */
	uint64_t body_length;
	uint64_t skipped_bytes;     /* passed over since the place was lost, before this head */
	const char *upgrade;        /* what this answer changes the connection to: "websocket", "h2c", "tunnel"...; NULL: nothing */

	/* END */
	enum proto_end end;
	uint64_t wire_bytes;        /* from the first byte of the head to the last of the message, framing included */
	uint64_t body_bytes;        /* content alone; PROTO_UNKNOWN: at least so many */

	/* LOST */
	enum proto_loss loss;
};

typedef void (*proto_emit)(void *ctx, const struct proto_message *m);

struct proto_start {
	proto_emit emit; /* called from within feed(), gap() and close(); must not call back into the state */
	void *ctx;
	bool midway;     /* the connection is older than what is fed: its first bytes may be the middle of anything */
};

/* Another protocol has taken over. */
struct proto_upgrade {
	const char *name;             /* lives as long as the state; proto_find() may know it */
	uint64_t offset[PROTO_SIDES]; /* where it begins in each stream */
};

struct proto_ops {
	const char *name; /* "http1" */
	const char *doc;
	size_t state_size;
	/* Reads @first alone. Rows say PROTO_MORE only as long as the next byte may matter, and for 64 KiB at most. */
	enum proto_verdict (*detect)(struct slice first);
	void (*init)(void *state, const struct proto_start *start); /* copies @start */
	/* How many bytes were taken: fewer than @bytes.len only when upgrade() is true, the rest being of that protocol. */
	size_t (*feed)(void *state, enum proto_side from, struct slice bytes);
	void (*gap)(void *state, enum proto_side from, uint64_t bytes);
	void (*segment)(void *state, enum proto_side from); /* the next byte is the first of a send, receive or packet: a hint */
	void (*close)(void *state, enum proto_side from);   /* nothing more comes from this side; a second call does nothing */
	bool (*upgrade)(const void *state, struct proto_upgrade *ret); /* NULL: this protocol never hands over */
	size_t (*kept)(const void *state); /* bytes of memory that it holds beside the state; NULL: none */
	void (*done)(void *state); /* gives back what the state has allocated; emits nothing */
};

extern const struct proto_ops *const protocols[]; /* ends with NULL; in the order in which they are asked */

const struct proto_ops *proto_find(const char *name); /* NULL: none of ours */

/* The first row that recognises @first, as *ret_ops; PROTO_MORE when none does yet but one may; *ret_ops is then untouched. */
enum proto_verdict proto_detect(struct slice first, const struct proto_ops **ret_ops);
