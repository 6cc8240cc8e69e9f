/*
 * threads: what is remembered of each thread that records came from: its number in this run, and its last record, so that a
 * gap in the sequence shows where something was lost. Families count separately.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "engine/fact.abi.h"

struct threads {
	struct hashmap by_id;  /* family, pid, tid → struct thread */
	uint64_t numbered;     /* numbers given out */
	uint32_t cuts;         /* places where records are missing that nobody has lost */
};

void threads_done(struct threads *t);
DEFINE_CLEANUP_IN_PLACE(struct threads, threads_done)

struct thread_seen {
	uint64_t number; /* from 1; another generation of the same tid is another thread */
	uint32_t lost;   /* records between the one before and this one */
	bool is_new;
};

/* A record came. @counted: it has a sequence number of its own. */
struct thread_seen threads_see(struct threads *t, const struct rec_head *rec, bool counted);
void threads_learn(struct threads *t, const struct run_thread_rec *fact);
/* The records that follow do not continue those before: the next of each thread begins its sequence. */
void threads_cut(struct threads *t);
/* The fact that makes the thread of @rec known. */
struct run_thread_rec threads_fact(const struct threads *t, const struct rec_head *rec);
/* Hands out the facts of all threads. */
void threads_save(const struct threads *t, void (*add)(void *arg, const struct rec_head *rec), void *arg);
