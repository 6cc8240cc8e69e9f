/*
 * track: what a thread did as a viewer of timelines draws it: slices that nest, and moments.
 *
 * A slice lasts from the entry of a call to its exit as the clock had it, duration_ns and overhead_ns of its event together:
 * shorter ones, without the probes' own cost, would not nest, and would not stand beside what other threads did then.
 * A call that is shown open begins a slice, which its own end ends; one whose end was never seen lasts as long as what was
 * seen inside it.
 */
#pragma once

#include "base/hashmap.h"
#include "base/slice.h"
#include "event/event.h"

#define TRACK_EVENTS                                                                                                     \
	(EVENT_BIT(EVENT_FUNCTION_CALL) | EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_TRACEPOINT) | EVENT_BIT(EVENT_USDT) | \
	 EVENT_BIT(EVENT_LOST)) /* types that can be drawn */

enum mark_kind {
	MARK_NONE,   /* nothing to draw: it is known already that the call is open */
	MARK_SLICE,  /* from begin_ns to end_ns */
	MARK_BEGIN,  /* at begin_ns */
	MARK_END,    /* at end_ns: of the innermost slice of the thread that has begun and not ended */
	MARK_MOMENT, /* at begin_ns */
};

struct mark {
	enum mark_kind kind;
	struct slice name;            /* borrowed from the event */
	uint64_t begin_ns, end_ns;    /* CLOCK_MONOTONIC */
	uint32_t fields;              /* bit i: field i of the event belongs beside it: not said by the mark itself, nor at its beginning */
};

struct track {
	uint32_t pid, tid;            /* 0: of no thread */
	char name[16];                /* the thread's comm; empty: not known */
	bool fresh;                   /* new, or its name has changed: viewers must be told; for the sink to take back */
	bool names_process;           /* its name is that of the process as well */
	uint64_t last_ns;             /* the latest moment seen */
	struct hashmap open;          /* call_id of what began and has not ended → fields told then, and TOLD */
};

struct tracks {
	struct hashmap by_thread;
	struct hashmap processes;     /* pid: has a name */
};

void tracks_done(struct tracks *t);
/* The track of the event and what to draw on it: valid until the next call. */
struct track *tracks_add(struct tracks *t, const struct event *e, struct mark *ret);
