/*
 * pairs: which request a response answers. Responses come in the order of the requests (RFC 9112 section 9.3.2), so a
 * number and what was asked is all that is kept of a request that waits. Of a client that may ask again before it is answered
 * (pipelining) a loss leaves it open how many still wait, for as long as the connection lasts: from then on nothing is paired,
 * because a wrong pair is a request that did not happen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define PAIRS_KEPT 128 /* what requests that wait asked for; of those beyond only the number is known, as if they were GET */

enum http1_asked { ASKED_OTHER, ASKED_HEAD, ASKED_CONNECT }; /* what changes the framing of the answer */

struct pairs {
	uint64_t oldest;    /* id of the request that waits longest; none waits when it is beyond newest */
	uint64_t newest;    /* id of the last request; 0: none yet */
	bool pipelined;     /* a request was sent before the one before it was answered */
	bool in_doubt;      /* for good: none waits that we would know of */
	uint8_t asked[PAIRS_KEPT]; /* by id; 0 for those answered */
};

void pairs_init(struct pairs *p);
uint64_t pairs_waiting(const struct pairs *p);

/* Returns its id. @sure: nothing was lost before it, so that one that still waits has really not been answered. */
uint64_t pairs_request(struct pairs *p, enum http1_asked asked, bool sure);
enum http1_asked pairs_asked(struct slice method);

/* The request that waits longest, and what it asked for. 0: none waits that we know of. */
uint64_t pairs_oldest(const struct pairs *p, enum http1_asked *ret_asked);
void pairs_answered(struct pairs *p); /* the oldest waits no more; none waiting: nothing */

void pairs_missed_requests(struct pairs *p);
void pairs_missed_responses(struct pairs *p); /* of several that wait, the last is next, if the client never pipelined */
