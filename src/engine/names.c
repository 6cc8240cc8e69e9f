#include "engine/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

#define KEPT_NS (2 * NSEC_PER_SEC) /* after the end: events come at the latest with the next look at the rings */
#define NAMES_MAX_BYTES (256ull << 20) /* of a million processes; in a strange recording, later ones stay without a name */
#define NAMES_OF_ONE 8             /* of one number: names before exec, and processes that had it before */

struct name {
	struct name *older;
	uint64_t end_ns; /* 0: it has not ended */
	struct run_process_rec fact; /* and the texts behind it: head.length bytes in all */
};

static size_t bytes_of(const struct run_process_rec *rec)
{
	return sizeof(struct name) - sizeof(*rec) + rec->head.length;
}

static void free_names(struct names *n, struct name *name)
{
	while (name) {
		struct name *older = name->older;
		n->bytes -= bytes_of(&name->fact);
		free(name);
		name = older;
	}
}

void names_done(struct names *n)
{
	size_t at = 0;
	uint64_t pid;
	void *name;
	while (hashmap_next(&n->by_pid, &at, &pid, &name))
		free_names(n, name);
	hashmap_done(&n->by_pid);
}

static void keep_few(struct names *n, struct name *name)
{
	for (int i = 1; name && i < NAMES_OF_ONE; i++)
		name = name->older;
	if (!name)
		return;
	free_names(n, name->older);
	name->older = NULL;
}

void names_add(struct names *n, const struct run_process_rec *rec)
{
	size_t bytes = bytes_of(rec);
	if (bytes > NAMES_MAX_BYTES - n->bytes)
		return;
	n->bytes += bytes;
	struct name *name = xcalloc(1, bytes);
	memcpy(&name->fact, rec, rec->head.length);
	name->fact.comm[sizeof(rec->comm) - 1] = '\0';
	name->older = hashmap_put(&n->by_pid, rec->head.pid, name);
	keep_few(n, name);
}

void names_end(struct names *n, const struct rec_head *end)
{
	struct name *name = hashmap_get(&n->by_pid, end->pid);
	if (name && !name->end_ns)
		name->end_ns = end->time_ns;
}

void names_forget(struct names *n, uint64_t now_ns)
{
	size_t at = 0;
	uint64_t pid;
	void *item;
	while (hashmap_next(&n->by_pid, &at, &pid, &item)) {
		struct name *name = item;
		if (!name->end_ns || name->end_ns + KEPT_NS > now_ns)
			continue;
		hashmap_remove(&n->by_pid, pid);
		free_names(n, name);
	}
}

const struct run_process_rec *names_fact_at(const struct names *n, pid_t pid, uint64_t time_ns)
{
	const struct name *name = hashmap_get(&n->by_pid, (uint64_t)pid);
	while (name && time_ns < name->fact.head.time_ns)
		name = name->older;
	return name ? &name->fact : NULL;
}

struct slice names_at(const struct names *n, pid_t pid, uint64_t time_ns)
{
	const struct run_process_rec *fact = names_fact_at(n, pid, time_ns);
	return fact ? slice_of(fact->comm) : (struct slice){};
}

struct slice names_service_at(const struct names *n, pid_t pid, uint64_t time_ns)
{
	const struct run_process_rec *fact = names_fact_at(n, pid, time_ns);
	size_t before = fact ? sizeof(*fact) + fact->exe_len : 0;
	if (!fact || before >= fact->head.length)
		return (struct slice){};
	struct slice text = { (const char *)fact + before, 0 };
	while (text.len < fact->head.length - before && text.data[text.len])
		text.len++;
	return text;
}

static void save_one(const struct name *name, void (*add)(void *, const struct rec_head *), void *arg)
{
	if (name->older)
		save_one(name->older, add, arg);
	add(arg, &name->fact.head);
	if (!name->end_ns)
		return;
	struct rec_head end = { .type = RUN_PROCESS_END, .length = sizeof(end), .time_ns = name->end_ns, .pid = name->fact.head.pid, .tid = name->fact.head.pid };
	add(arg, &end);
}

void names_save(const struct names *n, void (*add)(void *arg, const struct rec_head *rec), void *arg)
{
	size_t at = 0;
	uint64_t pid;
	void *name;
	while (hashmap_next(&n->by_pid, &at, &pid, &name))
		save_one(name, add, arg);
}
