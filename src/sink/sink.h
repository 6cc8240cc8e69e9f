/* sink: writes events somewhere. A row of sinks[] each; a sink knows the table of event types, never a probe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "event/event.h"

struct sink_settings {
	FILE *out;           /* borrowed */
	bool color;
	const char *sort;    /* --sort, or NULL */
	const char *columns; /* --columns, or NULL */
	bool shared;         /* a command writes to it as well: lines are written one by one, so that none is cut in two */
	bool flat;           /* calls come filtered one by one: do not wait for the outermost one */
	bool histograms;     /* show them */
	bool of_syscalls;    /* --sort and --columns mean the table of system calls */
};

struct sink_ops {
	const char *name;
	size_t state_size;
	/* Checks the settings: -EINVAL and @why (unknown sort key, unknown column). */
	int (*open)(void *state, const struct sink_settings *settings, struct reason *why);
	void (*write)(void *state, const struct event *event); /* borrowed */
	void (*tick)(void *state, uint64_t now_ns);            /* four times a second of the events' own time; may be NULL */
	void (*close)(void *state);                            /* writes what is left */
};

extern const struct sink_ops text_sink, json_sink, none_sink;

struct sink {
	const struct sink_ops *ops;
	void *state;
	FILE *out;
	int error; /* of the first write that failed: an errno; 0: none */
};

int sink_open(struct sink **ret, const struct sink_ops *ops, const struct sink_settings *settings, struct reason *why);
void sink_write(struct sink *s, const struct event *event);
/* Flushes; -errno of the first write that failed: -EPIPE when nobody reads any more, -ENOSPC on a full disk. */
int sink_flush(struct sink *s);
int sink_close(struct sink *s); /* writes what is left; as sink_flush() */
DEFINE_CLEANUP(struct sink *, sink_close)
