/*
 * recording: keeps what the pipeline sees. Every record is taken down before it is decoded, in the order of decoding, so
 * that reading it again shows what was shown.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/strbuf.h"
#include "bpf/record.abi.h"

struct engine;
struct event;
struct recording;
struct where;

/* Begins what --record, --rotate, --ring and --trigger ask for; without --record @ret stays as it is. -EINVAL: wrong words. */
int recording_open(struct recording **ret, struct engine *e, struct reason *why);
void recording_add(struct engine *e, const struct rec_head *rec);
void recording_tick(struct engine *e);
const struct where *recording_trigger_expression(const struct recording *r); /* borrowed; NULL: none */
bool recording_looks_at_events(const struct recording *r); /* does --trigger wait for one? */
void recording_event(struct engine *e, const struct event *event); /* may be what --trigger waits for */
void recording_trigger(struct engine *e);                          /* SIGUSR2 */
bool recording_wants_signal(const struct recording *r);            /* is SIGUSR2 its trigger? */
/* The run has begun: the file takes its name; what had it before is gone. */
int recording_begun(struct engine *e, struct reason *why);
/* The run has not begun: nothing is left of the recording, and what was there before stays. */
void recording_drop(struct engine *e);
/* Writes what is left and frees; adds to the last line what lies where. -errno and @why: it is not whole. */
int recording_close(struct engine *e, struct strbuf *summary, struct reason *why);
