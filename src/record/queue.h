/* queue: gathered chunks on their way to the writer's thread. Bounded: who puts waits while it is full. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "record/format.h"

#define QUEUE_LEN 16 /* chunks */

enum order { ORDER_CHUNK, ORDER_SAVE, ORDER_END };

/* A chunk as it grows, and what to do with it. */
struct gathered {
	enum order order;
	bool begins; /* the first STATE chunk of a file, or of a piece of a ring */
	struct record_chunk_header what; /* kind, flags, n_records, times */
	struct strbuf raw;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct gathered slots[QUEUE_LEN];
	unsigned int first, n;
};

void queue_init(struct queue *q);
void queue_done(struct queue *q);
DEFINE_CLEANUP_IN_PLACE(struct queue, queue_done)

/* Moves @g in; it comes back empty, with memory of a chunk that has been dealt with. */
void queue_put(struct queue *q, struct gathered *g);
/* The oldest, which stays in the queue until queue_drop(); waits for one until @until_ns (CLOCK_MONOTONIC; 0: for ever). NULL: too late. */
struct gathered *queue_peek(struct queue *q, uint64_t until_ns);
void queue_drop(struct queue *q);
