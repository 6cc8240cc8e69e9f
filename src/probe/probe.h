/*
 * probe: the seam that every probe family plugs into; one row in families.c each.
 *
 * A family is a kernel half (filter, capture, emit), the records that it emits, and the user half below, which chooses
 * what to attach and turns the records into events. The engine owns the order of things: open → load (maps shared by
 * name, shape set through rodata) → attach to each target as it comes → decode what the rings bring → drain what is
 * kept in maps → close. A family that fails in open or load disables itself alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "bpf/record.abi.h"

struct engine;
struct event;
struct process;
struct options;

struct probe_ops {
	const char *name;           /* also the name of its BPF object */
	uint8_t record_family;      /* enum rec_family */
	size_t state_size;          /* bytes of the family's own state, zeroed; handed back to every call */

	/* Chooses what to do from the options, before anything is loaded. -errno and @why: the command fails. */
	int (*open)(struct engine *e, void *state, struct reason *why);
	/* Loads the kernel half. Returns -errno and @why when this kernel cannot: the family is off. */
	int (*load)(struct engine *e, void *state, struct reason *why);
	/* Attaches what is not bound to one process: tracepoints, kernel functions. May be NULL. */
	int (*attach)(struct engine *e, void *state, struct reason *why);
	/* A target appeared, or changed (exec, new mapping): attach to it. May be NULL. Never fails the whole. */
	int (*process_changed)(struct engine *e, void *state, struct process *p, struct reason *why);
	/* A target ended or is a target no more: detach from it. May be NULL. */
	void (*process_gone)(struct engine *e, void *state, struct process *p);
	/* One record of this family, borrowed: emits events by engine_emit(). */
	int (*decode)(struct engine *e, void *state, const struct rec_head *rec);
	/* About once a second, and at the end (@last): reports what is kept in maps. May be NULL. */
	void (*drain)(struct engine *e, void *state, bool last);
	void (*close)(struct engine *e, void *state); /* detaches and frees all; called also after a failed open or load */
};

extern const struct probe_ops *const probe_families[]; /* ends with NULL */
