/* ring: reads what kernel halves send, by ring buffer or by perf buffer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "bpf/record.abi.h"

struct ring;
typedef void (*ring_fn)(void *arg, const struct rec_head *rec);

/* @map_fd: a ring buffer, or a perf event array when @by_perf. @fn gets each record, checked for its length. */
int ring_new(struct ring **ret, int map_fd, bool by_perf, uint32_t perf_pages, ring_fn fn, void *arg, struct reason *why);
void ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free)

int ring_fd(const struct ring *r);          /* readable when it should be looked at */
int ring_consume(struct ring *r);           /* all that is there now; the number of records */
uint64_t ring_lost(const struct ring *r);   /* records that a perf buffer dropped, or that were malformed */
