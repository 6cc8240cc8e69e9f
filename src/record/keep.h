/*
 * keep: what a ring recording holds in memory until it is saved: sealed chunks, in pieces that each begin with STATE, so
 * that the oldest piece can go and what is left can still be read alone.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "record/store.h"

struct kept_chunk {
	struct kept_chunk *next;
	struct strbuf sealed;
};

struct piece {
	struct piece *next;
	uint64_t began_ns; /* CLOCK_MONOTONIC */
	uint64_t bytes;
	struct kept_chunk *chunks, **last;
};

struct keep {
	uint64_t max_bytes, max_ns; /* 0: no bound by time */
	uint64_t bytes;
	struct piece *pieces, *newest; /* oldest first */
};

void keep_done(struct keep *k);
DEFINE_CLEANUP_IN_PLACE(struct keep, keep_done)

void keep_begin_piece(struct keep *k, uint64_t now_ns);
/* Copies a sealed chunk into the newest piece, and drops the oldest pieces that are over the bound. */
void keep_add(struct keep *k, struct slice sealed, uint64_t now_ns);
/* Writes all that is kept, oldest first, as a recording of its own, and forgets it. Returns as store_finish(). */
int keep_save(struct keep *k, struct store *s, uint64_t now_ns);
