/* ring: reads what kernel halves send, by ring buffer or by perf buffer, in the order in which it was sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "bpf/record.abi.h"

struct ring;
typedef void (*ring_fn)(void *arg, const struct rec_head *rec);

struct ring_request {
	int map_fd;          /* a ring buffer, or a perf event array when @by_perf */
	bool by_perf;
	uint32_t perf_pages; /* of each CPU's buffer, a power of two */
	uint32_t wake_bytes; /* of a perf buffer, before its reader is woken; a ring buffer's kernel half decides itself (emit.h) */
};

/* @fn gets each record, checked for its length. */
int ring_new(struct ring **ret, const struct ring_request *request, ring_fn fn, void *arg, struct reason *why);
void ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free)

int ring_fd(const struct ring *r);             /* readable when it should be looked at */
/*
 * What is there now, but for what may still be out of order, and no more than a round of it: a flood must not keep the caller
 * from other things. True: there may be more; look at them, then call again. With @last all of it, at once.
 */
bool ring_consume(struct ring *r, bool last);
uint64_t ring_malformed(const struct ring *r); /* records that had to be refused; what was lost, kernel halves count */
