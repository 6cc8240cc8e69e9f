/*
 * dialogue: what passes on one connection becomes questions and answers, by the parsers of proto. It knows no clock and no kernel: the
 * times are those of the calls that passed the bytes.
 *
 * A connection whose first DIALOGUE_DETECT_BYTES tell no protocol that we speak is left alone; at most REQUESTS_MAX questions wait for an
 * answer, more push out the oldest, which is counted.
 */
#pragma once

#include "base/cleanup.h"
#include "span/request.h"

#define DIALOGUE_DETECT_BYTES 16384
#define REQUESTS_MAX 256

struct dialogue;

/* @midway: bytes had passed before it was seen. @fn gets each question when its answer has ended. */
struct dialogue *dialogue_new(bool midway, request_fn fn, void *arg);
void dialogue_free(struct dialogue *d); /* what is still open is not told */
DEFINE_CLEANUP(struct dialogue *, dialogue_free)

void dialogue_pass(struct dialogue *d, const struct passed *p);
/* Nothing more passes: questions without an answer are told as such. */
void dialogue_end(struct dialogue *d, uint64_t time_ns);

size_t dialogue_kept(const struct dialogue *d); /* bytes of memory, beside a few hundred of its own */
/* It keeps too much: what is open is told as far as it is known, and the rest of the connection is left alone. */
void dialogue_give_up(struct dialogue *d);

struct dialogue_lost {
	uint64_t questions; /* that had to go, too many at once */
	uint64_t places;    /* times that the parser lost its place */
};
struct dialogue_lost dialogue_lost(const struct dialogue *d);
