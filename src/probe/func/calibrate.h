/*
 * calibrate: what a probe costs here, measured on ourselves before the targets are touched: two small functions of this
 * program, one whose first instruction the kernel emulates and one whose it steps, are probed in this process alone.
 */
#pragma once

#include <stdint.h>

#include "arch/site.h"
#include "base/reason.h"
#include "config/options.h"

struct probe_cost {
	uint32_t inside_ns;  /* between the two clock readings of a call that does nothing */
	uint32_t outside_ns; /* the rest, which the caller pays */
	uint32_t hidden_ns;  /* all of it, of a call below --depth, of which no record is made; 0: not asked for */
};

struct calibration {
	struct probe_cost by_return[2]; /* entry + return probe; by enum site_cost of the entry */
	struct probe_cost by_site[2];   /* entry + RET site */
	struct probe_cost entry_only[2];
};

struct engine;
struct func_state;
/* Measures the ways that @exits may use. Needs the loaded object. -errno and @why: costs stay 0, nothing is subtracted. */
int calibrate(struct engine *e, struct func_state *s, enum exits_mode exits, struct calibration *ret, struct reason *why);
