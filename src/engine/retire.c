#include "engine/retire.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "priv/attach.h"

#define THREADS 32    /* that wait for grace periods side by side; at most, and they do nothing else */
#define PENDING 1024  /* links in the queue; more, and the one who brings them waits */

struct retire {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct links queue[PENDING];
	size_t first, n;  /* of the queue, a ring */
	size_t busy;      /* threads that are closing */
	size_t n_threads;
	bool ending;
	pthread_t threads[THREADS];
};

static void *run(void *arg)
{
	struct retire *r = arg;
	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (r->n == 0 && !r->ending)
			pthread_cond_wait(&r->changed, &r->lock);
		if (r->n == 0)
			break;
		struct links links = r->queue[r->first];
		r->first = (r->first + 1) % PENDING;
		r->n--;
		r->busy++;
		pthread_mutex_unlock(&r->lock);
		links_done(&links);
		pthread_mutex_lock(&r->lock);
		r->busy--;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct retire *retire_new(void)
{
	struct retire *r = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	return r;
}

/* A thread more, as long as all are busy. */
static void start_thread(struct retire *r)
{
	if (r->n_threads < THREADS && r->n + r->busy >= r->n_threads &&
	    pthread_create(&r->threads[r->n_threads], NULL, run, r) == 0)
		r->n_threads++;
}

static void add(struct retire *r, struct links one)
{
	start_thread(r);
	if (r->n_threads == 0) {
		links_done(&one);
		return;
	}
	while (r->n == PENDING)
		pthread_cond_wait(&r->changed, &r->lock);
	r->queue[(r->first + r->n++) % PENDING] = one;
	pthread_cond_broadcast(&r->changed);
}

void retire_links(struct retire *r, struct links *links)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < links->n; i++) {
		struct links one = {};
		links_add(&one, links->fds[i]);
		add(r, one);
	}
	pthread_mutex_unlock(&r->lock);
	links->n = 0;
	links_done(links);
}

void retire_wait(struct retire *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->n || r->busy)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

void retire_free(struct retire *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->n_threads; i++)
		pthread_join(r->threads[i], NULL);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}
