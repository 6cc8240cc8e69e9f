/*
 * retire: takes probes away in the background.
 *
 * Closing a link waits for grace periods of the kernel, about 30 ms on a quiet machine; one thread that closed those of
 * each process that ends would stop at that for as long as `make` runs. A few threads wait for the same grace periods
 * together. The end of the run waits for all of them, so that nothing is counted after the account is closed.
 */
#pragma once

#include "base/cleanup.h"

struct links;
struct retire;

struct retire *retire_new(void);
void retire_free(struct retire *r); /* waits, then ends the threads */
DEFINE_CLEANUP(struct retire *, retire_free)

void retire_links(struct retire *r, struct links *links); /* takes them over; @links is empty then */
void retire_wait(struct retire *r);                       /* until all that were handed over are gone */
