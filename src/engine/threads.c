#include "engine/threads.h"

#include <stdlib.h>

#include "base/alloc.h"

#define THREADS_MAX 65536 /* remembered; when there are more, all are forgotten and numbering goes on */
#define LOST_MAX (1u << 30) /* a larger gap is a sequence that began anew */

struct thread {
	uint64_t number;
	uint32_t pid, tid, generation, seq, cuts;
	uint8_t family;
};

static uint64_t key_of(uint8_t family, uint32_t pid, uint32_t tid)
{
	return (uint64_t)family << 56 ^ (uint64_t)pid << 32 ^ tid; /* a pid has 22 bits: PID_MAX_LIMIT */
}

void threads_done(struct threads *t)
{
	size_t at = 0;
	uint64_t key;
	void *thread;
	while (hashmap_next(&t->by_id, &at, &key, &thread))
		free(thread);
	hashmap_done(&t->by_id);
}

static struct thread *place_of(struct threads *t, uint8_t family, const struct rec_head *head, bool *ret_is_new)
{
	uint64_t key = key_of(family, head->pid, head->tid);
	struct thread *thread = hashmap_get(&t->by_id, key);
	*ret_is_new = !thread || thread->generation != head->generation;
	if (!thread && t->by_id.n >= THREADS_MAX)
		threads_done(t);
	if (!thread)
		hashmap_put(&t->by_id, key, thread = xcalloc(1, sizeof(*thread)));
	if (*ret_is_new)
		*thread = (struct thread){ .family = family, .pid = head->pid, .tid = head->tid, .generation = head->generation, .cuts = t->cuts };
	return thread;
}

struct thread_seen threads_see(struct threads *t, const struct rec_head *rec, bool counted)
{
	struct thread_seen seen = {};
	struct thread *thread = place_of(t, (uint8_t)(rec->type >> 8), rec, &seen.is_new);
	if (seen.is_new)
		thread->number = ++t->numbered;
	seen.number = thread->number;
	if (!counted)
		return seen;
	bool follows = thread->cuts == t->cuts && (!seen.is_new || t->cuts == 0);
	uint32_t lost = rec->seq - thread->seq - 1;
	seen.lost = follows && lost < LOST_MAX ? lost : 0;
	thread->seq = rec->seq;
	thread->cuts = t->cuts;
	return seen;
}

void threads_learn(struct threads *t, const struct run_thread_rec *fact)
{
	bool is_new;
	struct thread *thread = place_of(t, (uint8_t)fact->family, &fact->head, &is_new);
	thread->number = fact->number;
	thread->seq = fact->head.seq;
	thread->cuts = t->cuts;
	t->numbered = fact->number > t->numbered ? fact->number : t->numbered;
}

void threads_cut(struct threads *t)
{
	t->cuts++;
}

static struct run_thread_rec fact_of(const struct thread *thread)
{
	return (struct run_thread_rec){
		.head = { .type = RUN_THREAD, .length = sizeof(struct run_thread_rec), .pid = thread->pid, .tid = thread->tid,
			  .generation = thread->generation, .seq = thread->seq },
		.number = thread->number, .family = thread->family,
	};
}

struct run_thread_rec threads_fact(const struct threads *t, const struct rec_head *rec)
{
	return fact_of(hashmap_get(&t->by_id, key_of((uint8_t)(rec->type >> 8), rec->pid, rec->tid)));
}

void threads_save(const struct threads *t, void (*add)(void *arg, const struct rec_head *rec), void *arg)
{
	size_t at = 0;
	uint64_t key;
	void *thread;
	while (hashmap_next(&t->by_id, &at, &key, &thread)) {
		struct run_thread_rec fact = fact_of(thread);
		add(arg, &fact.head);
	}
}
