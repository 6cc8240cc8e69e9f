/*
 * outbox: what waits to be sent to one receiver, and when it may be tried. Pure: it has no clock, no thread and no socket; who calls it
 * brings the time (CLOCK_MONOTONIC nanoseconds) and what became of an attempt.
 *
 * Parcels go in the order in which they came. While the receiver cannot take any, all wait behind the first (it is the receiver that is
 * down, not the parcel), longer from attempt to attempt, as the specification of OTLP asks for: exponential backoff with jitter, and
 * never earlier than the receiver says. What finds no room, and what has waited too long, is counted as lost, or put aside for a spool.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Why items (spans, points of metrics) did not arrive. */
enum export_loss {
	EXPORT_QUEUE_FULL, /* the receiver takes less than comes */
	EXPORT_REFUSED,    /* it answered that it will not take them: 400 ... */
	EXPORT_REJECTED,   /* it took a part: partial_success */
	EXPORT_NO_ANSWER,  /* what answers is no such receiver */
	EXPORT_GIVEN_UP,   /* it could not be reached, or was too busy, for too long */
	EXPORT_AT_END,     /* they still waited when the run was over */
	EXPORT_SPOOL,      /* the spool is full, or cannot be written or read */
	EXPORT_LOSSES
};

const char *export_loss_name(enum export_loss loss); /* "queue_full" ... as in JSON */
const char *export_loss_text(enum export_loss loss); /* for people */

struct parcel {
	struct parcel *next;
	uint32_t items;
	unsigned attempts;
	uint64_t since_ns; /* of the first attempt; 0: none yet */
	uint64_t spooled;  /* number of its file in the spool; 0: it is in memory alone */
	size_t len;
	char body[];
};

struct parcel *parcel_new(const void *body, size_t len, uint32_t items);

enum outcome { OUTCOME_DELIVERED, OUTCOME_RETRY, OUTCOME_REFUSED, OUTCOME_NO_RECEIVER, OUTCOME_NOT_TAKEN };

/* What became of an attempt. */
struct verdict_of_answer {
	enum outcome outcome;
	uint64_t rejected;     /* of what was delivered: items that were not taken */
	uint64_t not_before_ns; /* OUTCOME_RETRY: so long the receiver wants to be left alone; 0: it does not say */
};

struct outbox {
	size_t max_bytes;
	uint64_t give_up_ns; /* after the first attempt */
	bool for_good;       /* who gives up once has given up on all: for those who wait for the end */
	bool keeps;          /* what is given up is put aside instead of being lost: for a spool */
	struct parcel *aside; /* for its owner to take */
	struct parcel *first, **last;
	size_t bytes, n;
	uint64_t due_ns;     /* nothing is tried before */
	unsigned failures;   /* in a row */
	bool closing;        /* nothing more comes: what cannot be delivered at once is given up */
	bool gave_up;        /* for good: what waited, and what comes */
	bool closed;         /* the receiver takes no such signal: what comes is dropped, and is no loss */
	uint64_t sent, lost[EXPORT_LOSSES]; /* items */
};

void outbox_init(struct outbox *o, size_t max_bytes, uint64_t give_up_ns);
void outbox_done(struct outbox *o);
DEFINE_CLEANUP_IN_PLACE(struct outbox, outbox_done)

bool outbox_has_room(const struct outbox *o, size_t bytes);
void outbox_put(struct outbox *o, struct parcel *p); /* takes it, whatever becomes of it */
void outbox_put_first(struct outbox *o, struct parcel *p); /* the same, before all others: out of the spool */

/* The first parcel, if one may be tried now: whoever takes it answers. NULL: @ret_due_ns is when; UINT64_MAX: nothing waits. */
struct parcel *outbox_take(struct outbox *o, uint64_t now_ns, uint64_t *ret_due_ns);
/* Takes @p back. @random: any number, from which the jitter is made. */
void outbox_answer(struct outbox *o, struct parcel *p, const struct verdict_of_answer *v, uint64_t now_ns, uint32_t random);
/* The first parcel, for the spool, when more than half of the room is taken; NULL: it is not. */
struct parcel *outbox_spill(struct outbox *o);
/* Nothing more comes: what waits is tried at once, and until the first failure. */
void outbox_close(struct outbox *o);
void outbox_lose(struct outbox *o, enum export_loss why, struct parcel *p); /* counts and frees it */
uint64_t outbox_lost(const struct outbox *o); /* items, for whatever reason */
