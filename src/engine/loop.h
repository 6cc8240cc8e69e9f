/*
 * The loop of a live run. Rings, signals, the held command and the clock are descriptors of one epoll. Facts are read before
 * events of the same round, so that what an event refers to is known; names of processes that ended stay for one round more.
 */
#pragma once

#include "engine/internal.h"

/* Signals are ours from here on: Ctrl-C ends the run, the command gets what the terminal sends. 0 or -errno. */
int loop_open(struct engine *e);

/* Wakes the loop when @fd can be read. 0 or -errno. */
int loop_watch(struct engine *e, int fd, enum wake what);

/* Reads the rings, first all of the facts; then what the batch left behind goes. @last: no more will come. */
void loop_consume(struct engine *e, bool last);

/* Until the run has ended; then probes go, and what is still on its way is shown. */
void loop_run(struct engine *e);

void loop_close(struct engine *e);
