/*
 * follow: the life of targets as the families are told of it: found, forked, executed, mapped more, ended. A process may be
 * gone at any moment and its number another's, so whoever is told of a number is told its start too.
 */
#include "engine/follow.h"

#include <string.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "bpf/target.abi.h"
#include "engine/fact.h"
#include "engine/internal.h"
#include "engine/retire.h"
#include "priv/loader.h"

static void tell_changed(struct engine *e, struct target_process *p)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		struct reason why = {};
		if (f->off || !f->ops->process_changed || e->detached)
			continue;
		if (f->ops->process_changed(e, f->state, &p->process, &why) < 0 && why.text[0])
			engine_note(e, "%s", why.text);
	}
}

static void tell_executed(struct engine *e, struct target_process *p)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		void (*tell)(struct engine *, void *, const struct process *) = f->ops->process_executed;
		tell = tell ? tell : f->ops->process_gone;
		if (!f->off && tell)
			tell(e, f->state, &p->process);
	}
}

static void tell_gone(struct engine *e, struct target_process *p)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		if (!f->off && f->ops->process_gone)
			f->ops->process_gone(e, f->state, &p->process);
	}
}

static bool is_held(const struct engine *e, pid_t pid)
{
	return e->held && held_has(e->held, pid);
}

/* Tells the kernel half. The process may have ended, and with it its entry: then nobody would take away what is added here. */
void follow_mark(struct engine *e, const struct target_process *p, bool is_new)
{
	uint32_t key = (uint32_t)p->process.pid;
	struct target value = {
		.flags = (engine_options(e)->no_follow ? 0 : TARGET_FOLLOW) | (p->process.held ? TARGET_HELD : 0), .slot = p->process.slot,
	};
	int fd = loader_map(e->loader, "targets");
	uint64_t start_ns;
	if (fd < 0)
		return;
	bpf_map_update_elem(fd, &key, &value, is_new ? BPF_ANY : BPF_EXIST); /* BPF_EXIST: a child, which the kernel half has unless it has ended */
	if (!proc_alive(p->process.pid) || proc_start_time(p->process.pid, &start_ns) < 0 || !processes_is_same(p, start_ns))
		bpf_map_delete_elem(fd, &key);
}

void follow_end(struct engine *e, struct target_process *p)
{
	tell_gone(e, p);
	fact_process_end(e, p->process.pid);
	processes_end(&e->processes, p);
}

/* The target of that number, made if need be; an earlier one whose end we have not heard of is over. */
static struct target_process *target_of(struct engine *e, pid_t pid, uint64_t start_ns)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (p && !processes_is_same(p, start_ns))
		follow_end(e, p);
	p = processes_add(&e->processes, pid, start_ns);
	p->process.held = is_held(e, pid);
	return p;
}

static void tell_name(struct engine *e, struct target_process *p)
{
	if (p->told || !p->process.comm[0])
		return;
	p->told = true;
	fact_process(e, &p->process, p->start_ns, p->since_ns);
}

#define LOOKS_AT_MAPPINGS 5 /* a process that maps more at every look is looked at again at its next fact */

/* Attaches to what the process maps now, and to what it has mapped until the dynamic linker was watched. */
static int attach_to(struct engine *e, struct target_process *p)
{
	int r = processes_refresh(p);
	tell_name(e, p);
	for (int i = 0; r >= 0 && e->loaded && i < LOOKS_AT_MAPPINGS; i++) {
		tell_changed(e, p);
		r = p->process.held ? 0 : processes_refresh(p);
		if (r == 0)
			log_debug("%s[%d] is followed", p->process.comm, p->process.pid);
		if (r <= 0)
			break;
	}
	return r;
}

/* A target may be gone at any moment, and its number another's. */
void follow_look(struct engine *e, struct target_process *p)
{
	uint64_t start_ns;
	int r = attach_to(e, p);
	if (p->process.mappings.cut)
		engine_note(e, "%s[%d] maps more code than utrace keeps track of: only the first %zu files are looked at", p->process.comm,
			    p->process.pid, p->process.mappings.n);
	if (proc_start_time(p->process.pid, &start_ns) < 0 || !processes_is_same(p, start_ns) || (r < 0 && !proc_alive(p->process.pid)))
		follow_end(e, p);
}

/* A process that we could not hold ran from its beginning, or since its exec, until now. */
static void tell_not_held(struct engine *e, pid_t pid, uint64_t time_ns)
{
	if (e->detached || is_held(e, pid))
		return;
	e->account.not_held++;
	fact_loss(e, LOSS_NOT_HELD, 1, pid, time_ns);
}

/* Found by looking, not by a fact. */
void follow_add(struct engine *e, pid_t pid)
{
	struct target_process *p = target_of(e, pid, 0);
	if (e->loaded && processes_refresh(p) >= 0)
		follow_mark(e, p, true);
	follow_look(e, p);
}

void engine_target_began(struct engine *e, pid_t pid, uint64_t start_ns, uint64_t time_ns)
{
	struct target_process *p = target_of(e, pid, start_ns);
	p->since_ns = time_ns;
	follow_mark(e, p, false);
	follow_look(e, p);
	tell_not_held(e, pid, time_ns); /* also when it has ended before we looked */
}

void engine_target_changed(struct engine *e, pid_t pid, uint64_t start_ns)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (p && processes_is_same(p, start_ns))
		follow_look(e, p);
}

void engine_target_joined(struct engine *e, pid_t pid, uint64_t start_ns, uint64_t time_ns)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (p && processes_is_same(p, start_ns))
		return;
	p = target_of(e, pid, start_ns);
	if (processes_refresh(p) >= 0)
		follow_mark(e, p, true);
	follow_look(e, p);
	tell_not_held(e, pid, time_ns); /* also when it has ended before we looked */
}

void engine_target_exec(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns, bool by_thread)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (!p || !processes_is_same(p, start_ns)) {
		engine_target_joined(e, pid, start_ns, time_ns);
		return;
	}
	(by_thread ? tell_gone : tell_executed)(e, p);
	if (by_thread)
		retire_wait(e->retire); /* a dead leader's links still fire in its group: calls would count twice */
	p->process.held = is_held(e, pid);
	processes_rename(p, comm);
	p->since_ns = time_ns;
	follow_look(e, p);
	tell_not_held(e, pid, time_ns);
}

void engine_target_renamed(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (!p)
		fact_name(e, pid, start_ns, comm, time_ns); /* it has ended, but its calls may still be on their way */
	if (!p || !processes_is_same(p, start_ns) || strncmp(p->process.comm, comm, sizeof(p->process.comm)) == 0)
		return;
	processes_rename(p, comm);
	p->since_ns = time_ns;
	tell_name(e, p);
}

void engine_target_ended(struct engine *e, pid_t pid, uint64_t start_ns)
{
	struct target_process *p = processes_find(&e->processes, pid);
	if (p && processes_is_same(p, start_ns))
		follow_end(e, p);
}

void engine_retire(struct engine *e, struct links *links)
{
	retire_links(e->retire, links);
}

bool engine_is_target(struct engine *e, pid_t pid)
{
	return processes_find(&e->processes, pid) != NULL;
}

const struct task_criteria *engine_criteria(const struct engine *e)
{
	return &e->targets.criteria;
}

bool engine_wants_all(const struct engine *e)
{
	return engine_options(e)->all && !e->targets.by_kind;
}

const int *engine_cgroup_fds(const struct engine *e)
{
	return e->targets.cgroup_fds;
}

bool engine_would_take(struct engine *e, pid_t pid, const char *comm)
{
	return targets_match(&e->targets, pid, comm);
}

/* A process that we started stands still: it forked, executed a file or mapped libraries. Or it is no more. */
static void on_held(void *arg, pid_t pid, enum held_change what)
{
	struct engine *e = arg;
	if (what == HELD_END) {
		engine_target_ended(e, pid, 0);
		return;
	}
	if (e->detached || (what == HELD_FORK && engine_options(e)->no_follow))
		return;
	if (what == HELD_FORK) {
		struct target_process *p = target_of(e, pid, 0);
		p->since_ns = p->since_ns ? p->since_ns : clock_monotonic_ns();
		follow_mark(e, p, false);
		follow_look(e, p);
	} else if (what == HELD_MAP) {
		engine_target_changed(e, pid, 0);
	} else {
		char comm[16] = "";
		proc_comm(pid, comm);
		engine_target_exec(e, pid, 0, comm, clock_monotonic_ns(), what == HELD_EXEC_BY_THREAD);
	}
}

/* Did the kernel half stop this thread (hold() of task.bpf.c)? */
static bool is_our_hold(void *arg, pid_t tid)
{
	struct engine *e = arg;
	uint32_t key = (uint32_t)tid;
	int fd = loader_map(e->loader, "task_holds");
	return fd >= 0 && bpf_map_delete_elem(fd, &key) == 0;
}

const struct held_ops follow_held_ops = { .changed = on_held, .is_ours = is_our_hold };
