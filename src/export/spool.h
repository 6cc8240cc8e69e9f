/*
 * spool: parcels that wait on the disk: those that found no room in memory while the receiver was away, and those that were left when the
 * run was over; the next run sends them. A file a parcel, written whole under another name first; with checksum, for the disk of a
 * machine that has gone down. Bounded. Not for several threads at a time.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "export/outbox.h"

/* The folder, made if need be; one utrace at a time has it. Returns a descriptor to be closed, or -errno and @why. */
int spool_folder_open(const char *path, struct reason *why);

struct spool;

/* @folder_fd is borrowed. @name: of this destination, the same from run to run: a file name. @max_bytes: of all of its files. */
int spool_new(struct spool **ret, int folder_fd, const char *name, uint64_t max_bytes, struct reason *why);
void spool_free(struct spool *s);
DEFINE_CLEANUP(struct spool *, spool_free)

int spool_put(struct spool *s, const struct parcel *p); /* -ENOSPC: the bound; other -errno: of the disk */
struct parcel *spool_take(struct spool *s);             /* a copy of the oldest, which stays until it is removed; NULL: none */
void spool_remove(struct spool *s, uint64_t number);    /* parcel.spooled */
uint64_t spool_items(const struct spool *s);
uint64_t spool_damaged(const struct spool *s);          /* files that were thrown away */
