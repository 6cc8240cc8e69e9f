#include "engine/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void free_process(struct target_process *p)
{
	mappings_done(&p->process.mappings);
	free(p);
}

static void free_list(struct target_process *p)
{
	while (p) {
		struct target_process *next = p->next;
		free_process(p);
		p = next;
	}
}

void processes_done(struct processes *t)
{
	free_list(t->first);
	free_list(t->gone);
	hashmap_done(&t->by_pid);
	*t = (struct processes){};
}

struct target_process *processes_find(const struct processes *t, pid_t pid)
{
	struct target_process *p = hashmap_get(&t->by_pid, (uint64_t)pid);
	return p && !p->ended ? p : NULL;
}

struct target_process *processes_add(struct processes *t, pid_t pid)
{
	struct target_process *p = processes_find(t, pid);
	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->process.pid = pid;
	p->process.slot = t->slots++;
	p->next = t->first;
	t->first = p;
	t->n++;
	hashmap_put(&t->by_pid, (uint64_t)pid, p);
	return p;
}

int processes_refresh(struct target_process *p)
{
	struct process *proc = &p->process;
	char comm[16];
	int r = proc_comm(proc->pid, comm);
	if (r < 0)
		return r;
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
	return 0;
}

void processes_rename(struct target_process *p, const char *comm, uint64_t since_ns)
{
	if (strncmp(p->process.comm, comm, sizeof(p->process.comm)) == 0)
		return;
	memcpy(p->former_comm, p->process.comm, sizeof(p->former_comm));
	snprintf(p->process.comm, sizeof(p->process.comm), "%.15s", comm);
	p->comm_since_ns = since_ns;
}

void processes_end(struct processes *t, struct target_process *p)
{
	p->ended = true;
	t->n--;
}

void processes_sweep(struct processes *t)
{
	free_list(t->gone);
	t->gone = NULL;
	for (struct target_process **at = &t->first; *at;) {
		struct target_process *p = *at;
		if (!p->ended) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		p->next = t->gone;
		t->gone = p;
		if (hashmap_get(&t->by_pid, (uint64_t)p->process.pid) == p)
			hashmap_remove(&t->by_pid, (uint64_t)p->process.pid);
	}
}

struct slice processes_name(const struct processes *t, pid_t pid, uint64_t time_ns)
{
	struct target_process *p = hashmap_get(&t->by_pid, (uint64_t)pid);
	for (struct target_process *g = t->gone; !p && g; g = g->next)
		if (g->process.pid == pid)
			p = g;
	if (!p)
		return (struct slice){};
	return slice_of(p->former_comm[0] && time_ns < p->comm_since_ns ? p->former_comm : p->process.comm);
}
