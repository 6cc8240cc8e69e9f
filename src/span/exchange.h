/* exchange: the questions of one connection, each until its answer has ended. */
#pragma once

#include "proto/proto.h"
#include "span/request.h"

struct question;

#define CALLS_KEPT 8 /* of each side: a head seldom comes in more pieces */

struct exchange {
	struct passed now; /* the call whose bytes are being fed */
	struct recent_call {
		uint64_t at;       /* of its first byte, as the parser counts */
		uint64_t time_ns;  /* when that byte passed */
	} calls[PROTO_SIDES][CALLS_KEPT];
	uint32_t calls_n[PROTO_SIDES];
	uint64_t last_ns[PROTO_SIDES]; /* the end of the last call of that side; 0: none was seen */
	struct question *first, *last; /* in the order in which they were asked */
	uint32_t n;
	size_t kept_bytes; /* of memory, for them */
	uint64_t places_lost; /* in the answers */
};

/* A call is about to be fed, whose first byte is the parser's @at of that side. */
void exchange_call(struct exchange *x, enum proto_side side, uint64_t at, const struct passed *call);

typedef void (*exchange_fn)(void *arg, struct request *r); /* of_client and protocol are the caller's to fill */

/* One message of the connection. Returns how many questions had to go, unanswered, because there were too many. */
uint32_t exchange_take(struct exchange *x, const struct proto_message *m, exchange_fn fn, void *arg);
void exchange_end(struct exchange *x, exchange_fn fn, void *arg); /* no more bytes: what is open has no answer */
/* Nobody looks any more: what is open is told as far as it is known. */
void exchange_give_up(struct exchange *x, exchange_fn fn, void *arg);
void exchange_done(struct exchange *x);
