#include "record/queue.h"

#include <errno.h>
#include <time.h>

#include "base/macro.h"

void queue_init(struct queue *q)
{
	*q = (struct queue){ .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void queue_done(struct queue *q)
{
	for (size_t i = 0; i < QUEUE_LEN; i++)
		strbuf_done(&q->slots[i].raw);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
}

void queue_put(struct queue *q, struct gathered *g)
{
	pthread_mutex_lock(&q->lock);
	while (q->n == QUEUE_LEN)
		pthread_cond_wait(&q->changed, &q->lock);
	struct gathered *slot = &q->slots[(q->first + q->n++) % QUEUE_LEN];
	struct strbuf spare = slot->raw;
	*slot = *g;
	*g = (struct gathered){ .raw = spare };
	strbuf_clear(&g->raw);
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

struct gathered *queue_peek(struct queue *q, uint64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / NSEC_PER_SEC), .tv_nsec = (long)(until_ns % NSEC_PER_SEC) };
	int r = 0;
	pthread_mutex_lock(&q->lock);
	while (!q->n && r != ETIMEDOUT)
		r = until_ns ? pthread_cond_timedwait(&q->changed, &q->lock, &until) : pthread_cond_wait(&q->changed, &q->lock);
	struct gathered *g = q->n ? &q->slots[q->first] : NULL;
	pthread_mutex_unlock(&q->lock);
	return g;
}

void queue_drop(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->first = (q->first + 1) % QUEUE_LEN;
	q->n--;
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
}
