/*
 * message: a connection of HTTP/1 as two streams of messages: who answers whom, when each begins and ends, and what of it is
 * told. http1.c moves each stream through its phases by bytes, gaps and closes, and calls these at what happens on the way.
 */
#pragma once

#include "proto/http1/chunked.h"
#include "proto/http1/framing.h"
#include "proto/http1/gather.h"

enum phase {
	PHASE_HEAD,       /* between messages or in a head */
	PHASE_LENGTH,     /* in a body of known length */
	PHASE_CHUNKED,
	PHASE_TRAILERS,
	PHASE_UNTIL_CLOSE,
	PHASE_LOST,       /* passes over bytes until a message may begin */
	PHASE_LAST_CHUNK, /* lost inside a chunked body, at what may be the end of it */
	PHASE_WAITING,    /* after CONNECT: what comes is HTTP or not, as the answer says */
	PHASE_OTHER,      /* another protocol */
	PHASE_CLOSED,
	PHASES
};

struct stream {
	enum phase phase;
	uint64_t offset;    /* of the next byte */

	/* The head that is coming. */
	struct gather head;
	bool begun;         /* its first byte was seen, at @head_at */
	bool tries;         /* the place is lost: a head must convince */
	uint64_t head_at;
	uint64_t lost_at;   /* where the place was lost */

	/* The message whose head was told. */
	bool open;          /* its end was not */
	bool connects;      /* a request to become a tunnel */
	uint64_t id, answers;
	uint64_t begin, head_bytes, body_bytes;
	uint64_t left;      /* PHASE_LENGTH: of the body; PHASE_LAST_CHUNK: of its last 5 bytes */
	bool in_chunks;     /* its body is chunked */
	struct chunked chunked;

	uint64_t ended_at;  /* where the last message ended, when its end was seen */
};

struct http1 {
	struct proto_start start;
	struct stream stream[PROTO_SIDES];
	struct pairs pairs;
	char upgraded[32]; /* what took over, in lower case; empty: HTTP still */
};

/* A head of stream @from has come, from its @head_at to here. @cut: what was seen of one. Sets the phase that follows. */
void message_begins(struct http1 *c, enum proto_side from, const struct http1_head *head, bool cut);

/* The message, which is open, ends here as it should; the next may follow. @trailers: NULL for none. */
void message_complete(struct http1 *c, enum proto_side from, const struct http1_head *trailers);

/* The message has ended before byte @at, nobody knows how; none open: nothing. Leaves the phase alone. */
void message_ended(struct http1 *c, enum proto_side from, enum proto_end end, uint64_t at);

/* The place is lost here, and said so. An open message stays open until something shows that it has ended. */
void message_lost(struct http1 *c, enum proto_side from, enum proto_loss why);

/* The place remains lost: what was tried is no head. Says nothing. */
void message_still_lost(struct stream *s);
