/*
 * exports: sends what events tell to receivers over the network (--export), beside the sink that shows them. One sink is behind each
 * receiver: it writes a batch into memory, and a thread of the receiver's brings it there (sender.h). Nothing here waits for a receiver
 * but exports_finish().
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/reason.h"
#include "config/options.h"
#include "event/event.h"

struct exports;

struct exports_settings {
	const struct options *options; /* borrowed: --export, --signals, --spool ... */
	const char *host;              /* where it happened, borrowed; NULL: not known */
	bool patient;                  /* of a recording: rather wait than lose */
};

/* @ret is NULL when nothing is asked for. -EINVAL and @why: a receiver or a variable of the environment is wrong; other -errno. */
int exports_new(struct exports **ret, const struct exports_settings *settings, struct reason *why);
void exports_free(struct exports *x);
DEFINE_CLEANUP(struct exports *, exports_free)

/* The following take NULL for none. */
void exports_write(struct exports *x, const struct event *e);  /* requests are taken, others are not looked at */
void exports_tick(struct exports *x, uint64_t now_ns);         /* of the events' own time: what is a second old is sent */
bool exports_news(struct exports *x, struct strbuf *out);      /* what receivers did that people should know; false: nothing new */
void exports_finish(struct exports *x);                        /* sends what waits, within five seconds; then counts are final */
void exports_text(struct exports *x, struct strbuf *out);      /* "; 812 spans sent to http://...: 0 lost" */
struct value exports_value(struct exports *x, struct arena *arena); /* the same for JSON */
bool exports_lost_any(struct exports *x);
