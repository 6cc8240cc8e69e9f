/*
 * names: what processes were called, and when. It knows only what facts tell it, so it is the same live and from a
 * recording, and a process that has ended keeps its name for the events that are still on their way.
 */
#pragma once

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/slice.h"
#include "engine/fact.abi.h"

struct names {
	struct hashmap by_pid; /* of struct name, the newest first */
	size_t bytes;          /* of all of them */
};

void names_done(struct names *n);
DEFINE_CLEANUP_IN_PLACE(struct names, names_done)

void names_add(struct names *n, const struct run_process_rec *rec);     /* it has this name from the record's time on */
void names_end(struct names *n, const struct rec_head *end);            /* it ended then */
void names_forget(struct names *n, uint64_t now_ns);                    /* those that ended a while ago */
struct slice names_service_at(const struct names *n, pid_t pid, uint64_t time_ns); /* empty: not known. Borrowed likewise */
struct slice names_at(const struct names *n, pid_t pid, uint64_t time_ns); /* comm; empty: not known. Borrowed until names change */
const struct run_process_rec *names_fact_at(const struct names *n, pid_t pid, uint64_t time_ns); /* the whole fact; NULL: not known */

/* Hands out every fact that still holds, older names of a process before newer ones. */
void names_save(const struct names *n, void (*add)(void *arg, const struct rec_head *rec), void *arg);
