#include "engine/processes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"

static void free_process(struct target_process *p)
{
	mappings_done(&p->process.mappings);
	free(p);
}

void processes_done(struct processes *t)
{
	for (struct target_process *p = t->first, *next; p; p = next) {
		next = p->next;
		free_process(p);
	}
	hashmap_done(&t->by_pid);
	*t = (struct processes){};
}

struct target_process *processes_find(const struct processes *t, pid_t pid)
{
	struct target_process *p = hashmap_get(&t->by_pid, (uint64_t)pid);
	return p && !p->ended ? p : NULL;
}

#define TICK_NS (NSEC_PER_SEC / 100) /* of /proc/PID/stat: USER_HZ is 100 wherever Linux runs */

bool processes_same_start(uint64_t a_ns, uint64_t b_ns)
{
	return !a_ns || !b_ns || a_ns / TICK_NS == b_ns / TICK_NS;
}

bool processes_is_same(const struct target_process *p, uint64_t start_ns)
{
	return processes_same_start(p->start_ns, start_ns);
}

struct target_process *processes_add(struct processes *t, pid_t pid, uint64_t start_ns)
{
	struct target_process *p = processes_find(t, pid);
	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->start_ns = start_ns;
	p->process.pid = pid;
	p->process.slot = t->slots++;
	p->next = t->first;
	t->first = p;
	t->n++;
	hashmap_put(&t->by_pid, (uint64_t)pid, p);
	return p;
}

static bool same_mappings(const struct mappings *a, const struct mappings *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = a->items[i].start == b->items[i].start && a->items[i].dev == b->items[i].dev && a->items[i].inode == b->items[i].inode;
	return same;
}

int processes_refresh(struct target_process *p)
{
	struct process *proc = &p->process;
	char comm[16];
	uint64_t start_ns;
	int r = proc_comm(proc->pid, comm);
	if (r == 0)
		r = proc_start_time(proc->pid, &start_ns);
	if (r < 0)
		return r;
	if (!processes_is_same(p, start_ns))
		return -ESRCH;
	p->start_ns = start_ns;
	if (!proc->comm[0])
		memcpy(proc->comm, comm, sizeof(comm));
	if (proc_exe(proc->pid, proc->exe, sizeof(proc->exe)) < 0)
		proc->exe[0] = '\0';
	_cleanup_(mappings_done) struct mappings fresh = {};
	r = proc_mappings(&fresh, proc->pid);
	if (r < 0)
		return r;
	struct mappings old = proc->mappings;
	proc->mappings = fresh;
	fresh = old;
	return !same_mappings(&old, &proc->mappings);
}

void processes_rename(struct target_process *p, const char *comm)
{
	snprintf(p->process.comm, sizeof(p->process.comm), "%.15s", comm);
	p->told = false;
}

void processes_end(struct processes *t, struct target_process *p)
{
	p->ended = true;
	t->n--;
}

void processes_sweep(struct processes *t)
{
	for (struct target_process **at = &t->first; *at;) {
		struct target_process *p = *at;
		if (!p->ended) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (hashmap_get(&t->by_pid, (uint64_t)p->process.pid) == p)
			hashmap_remove(&t->by_pid, (uint64_t)p->process.pid);
		free_process(p);
	}
}

pid_t processes_of_thread(pid_t tid)
{
	char path[64], line[128];
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	_cleanup_(fclose) FILE *f = fopen(path, "re");
	pid_t tgid = tid;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	return tgid;
}
