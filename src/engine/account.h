/* account: what was shown, what was lost and why, and what it cost. The last line of every run, and its last JSON object. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "engine/fact.abi.h"
#include "event/event.h"

struct account {
	uint64_t shown;
	uint64_t lost[LOSS_CAUSES];
	uint64_t told[LOSS_CAUSES]; /* of them, by events where they happened */
	uint64_t not_held;       /* counted here, not in the kernel */
	uint64_t before[LOSS_CAUSES]; /* of the kernel's counters when the run began: calibration fills small buffers */
	uint64_t malformed;      /* records that the reader refused */
	uint64_t cpu_ns;         /* of the tracer itself */
	struct text_notes {
		char *items[16];
		size_t n;
	} notes;
};

void account_told(struct account *a, const struct event *lost); /* an EVENT_LOST that is written */
const char *loss_name(enum loss_cause cause);  /* "ring_full" ... as in JSON */
void account_done(struct account *a);
bool account_note(struct account *a, struct slice text); /* copied; the first 16 are kept. False: it was there */
/* Fills the record from the kernel's counters of the map `losses` since account_begin(), and from what we counted ourselves. */
int account_read(const struct account *a, int losses_fd, struct run_account_rec *ret);
void account_take(struct account *a, const struct run_account_rec *rec); /* what has been lost, from then on */
uint64_t account_lost_facts(int losses_fd);
int account_begin(struct account *a, int losses_fd);
uint64_t account_lost(const struct account *a);
/* "812 events, 0 lost, 0.21 s of CPU for tracing" */
void account_text(const struct account *a, struct strbuf *out);
void account_event(const struct account *a, struct arena *arena, struct event *ret); /* EVENT_SUMMARY */
