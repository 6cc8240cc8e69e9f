/* request: a question and its answer, as they were put together from the bytes of a connection. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* What one call sent or received. */
struct passed {
	bool sent;             /* by the traced process */
	uint64_t offset;       /* of the first byte in its direction */
	uint64_t bytes;        /* that passed */
	struct slice captured; /* the first of them */
	uint64_t began_ns, ended_ns; /* of the call, CLOCK_MONOTONIC; began may be 0: not known */
	uint32_t pid, tid, generation;
};

/* Slices live as long as the call that hands it out. Times are CLOCK_MONOTONIC nanoseconds. */
struct request {
	uint32_t pid, tid, generation; /* who read the question, or sent it */
	bool of_client;                /* the traced process asked */
	bool unanswered, cut;          /* no answer has come; its end, or that of the question, has not */
	bool gap;                      /* bytes were not captured where they were needed: sizes and the end are estimates */
	uint64_t began_ns, asked_ns, answered_ns, ended_ns; /* first and last byte of the question, then of the answer; 0: not known */
	uint64_t request_bytes, response_bytes, request_body_bytes, response_body_bytes; /* on the wire; content alone */
	uint32_t status;               /* of the protocol */
	const char *protocol;          /* "http1" */
	struct slice method, target, version, host, user_agent;
};

typedef void (*request_fn)(void *arg, const struct request *r);
