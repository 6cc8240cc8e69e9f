/*
 * sink: writes events somewhere, in one format. A format is a `struct sink_ops` in a file of its own and one row of
 * sinks.c; --format, the suffixes of -o FILE, help, completion and what is refused come from that row.
 *
 * A sink sees events alone, live or from a recording: it knows the table of event types, never a probe or a command.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/strbuf.h"
#include "event/event.h"

/* Of what spans are told to come; borrowed until the sink is closed. */
struct sink_resource {
	const char *host;                     /* the machine that it happened on; NULL: not known */
	const struct named_value *attributes; /* more, which count more than what was found out */
	size_t n;
};

struct sink_settings {
	FILE *out;           /* borrowed */
	bool color;
	struct sink_resource resource;
	const char *sort;    /* --sort, or NULL */
	const char *columns; /* --columns, or NULL */
	bool shared;         /* a command writes to it as well: lines are written one by one, so that none is cut in two */
	bool flat;           /* calls come filtered one by one: do not wait for the outermost one */
	bool histograms;     /* show them */
	uint32_t events;     /* types that may come, as EVENT_BIT()s; lost and summary come always */
};

struct sink_ops {
	const char *name;            /* as in --format */
	const char *summary;         /* what it is, and who reads it: one line of the help */
	const char *const *suffixes; /* of -o FILE that ask for it; ends with NULL */
	const char *needs;           /* the library that this build was made without; NULL: the sink is here */
	uint32_t takes;              /* types of events that have a place in it, as EVENT_BIT()s */
	bool for_people;             /* text that may stand beside what a command writes on stderr */
	bool binary;                 /* nothing for a terminal */
	size_t state_size;           /* zeroed */
	/* Checks the settings: -EINVAL and @why (unknown sort key, unknown column). */
	int (*open)(void *state, const struct sink_settings *settings, struct reason *why);
	void (*write)(void *state, const struct event *event); /* borrowed; of a type in @takes */
	void (*tick)(void *state, uint64_t now_ns);            /* four times a second of the events' own time; may be NULL */
	void (*close)(void *state);                            /* writes what is left; also after a failed open */
};

extern const struct sink_ops none_sink; /* for what is recorded and not shown; not to be asked for */
extern const struct sink_ops *const sinks[]; /* ends with NULL */
const struct sink_ops *sink_find(const char *name);           /* NULL: none is called so */
const struct sink_ops *sink_of_file(const char *path);        /* by its suffix, the longest that fits; NULL: tells nothing */
void sink_names(struct strbuf *out, uint32_t events);         /* "text, json, csv": those that take any of @events and are here */

struct sink {
	const struct sink_ops *ops;
	void *state;
	FILE *out;
	int error; /* of the first write that failed: an errno; 0: none */
	uint64_t left_out[EVENT_TYPES]; /* events without a place in this format */
};

int sink_open(struct sink **ret, const struct sink_ops *ops, const struct sink_settings *settings, struct reason *why);
void sink_write(struct sink *s, const struct event *event);
/* "12 tracepoint, 3 usdt": what was left out, without what tells of the run itself; nothing: "". */
void sink_left_out(const struct sink *s, struct strbuf *out);
/* Flushes; -errno of the first write that failed: -EPIPE when nobody reads any more, -ENOSPC on a full disk. */
int sink_flush(struct sink *s);
int sink_close(struct sink *s); /* writes what is left; as sink_flush() */
DEFINE_CLEANUP(struct sink *, sink_close)
