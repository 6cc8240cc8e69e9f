/* A run from its beginning to its end: what it needs is opened in order, the loop runs, all is closed again. */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "engine/account.h"
#include "engine/fact.h"
#include "engine/follow.h"
#include "engine/held.h"
#include "engine/internal.h"
#include "engine/loop.h"
#include "engine/offline.h"
#include "engine/packets.h"
#include "engine/processes.h"
#include "engine/recording.h"
#include "engine/requests.h"
#include "engine/retire.h"
#include "engine/ring.h"
#include "engine/targets.h"
#include "priv/ability.h"
#include "priv/loader.h"
#include "probe/families.h"
#include "sink/sink.h"

#define PAGE_BYTES 4096u
#define FACTS_BYTES (1024 * 1024u)
#define EVENTS_BYTES_OF_TABLES (1024 * 1024ull) /* with --stat, only USDT probes and tracepoints send any */

static void on_record(void *arg, const struct rec_head *rec)
{
	struct engine *e = arg;
	engine_fact(e, rec);
	if (e->arena.used_bytes > ARENA_BYTES_A_BATCH)
		arena_reset(&e->arena);
}

static int open_families(struct engine *e, struct reason *why)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		int r = f->ops->open ? f->ops->open(e, f->state, why) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

typedef int (*family_step)(struct engine *e, void *state, struct reason *why);

/*
 * A family that cannot do a step is off; the others go on. When none is left, its reason is the run's.
 * The last family attaches first: what hangs on one tracepoint runs in the order of attaching, and the task family takes a target
 * that ends out of the set of targets.
 */
static int try_step(struct engine *e, bool attach, struct reason *why)
{
	struct reason off = {};
	size_t on = 0;
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[attach ? e->n_families - 1 - i : i];
		family_step step = attach ? f->ops->attach : f->ops->load;
		struct reason one = {};
		int r = f->off || !step ? 0 : step(e, f->state, &one);
		if (r < 0 && f->ops == &task_probe) /* without it nobody would be told from anybody */
			return reason_set(why, r, "processes cannot be followed here: %s", one.text[0] ? one.text : strerror(-r));
		if (r < 0) {
			f->off = true;
			reason_set(&off, r, "%s", one.text[0] ? one.text : strerror(-r));
		}
		on += !f->off && f->ops != &task_probe;
	}
	if (!on)
		return reason_set(why, -ENOTSUP, "%s", off.text);
	if (off.text[0])
		engine_note(e, "not everything that was asked can be had here: %s", off.text);
	return 0;
}

static int open_rings(struct engine *e, struct reason *why)
{
	bool by_perf = loader_by_perf(e->loader);
	uint32_t event_bytes = MAX((uint32_t)(engine_options(e)->buffer_bytes / 4), 16u * PAGE_BYTES);
	struct ring_request facts = {
		.map_fd = loader_map(e->loader, "facts"), .by_perf = by_perf, .perf_pages = FACTS_BYTES / 4 / PAGE_BYTES, .wake_bytes = 1,
	};
	struct ring_request events = {
		.map_fd = loader_map(e->loader, "events"), .by_perf = by_perf, .perf_pages = event_bytes / PAGE_BYTES,
		.wake_bytes = MIN(EVENTS_WAKE_BYTES, event_bytes / 2),
	};
	int r = ring_new(&e->facts, &facts, on_record, e, why);
	return r < 0 ? r : ring_new(&e->events, &events, on_record, e, why);
}

static int find_targets(struct engine *e, struct reason *why)
{
	const struct options *o = engine_options(e);
	for (size_t i = 0; i < o->pids.n; i++)
		if (!proc_alive((pid_t)o->pids.items[i]))
			return reason_set(why, -ESRCH, "no process %llu", (unsigned long long)o->pids.items[i]);
	for (size_t i = 0; i < o->pids.n; i++) {
		pid_t tid = (pid_t)o->pids.items[i], pid = processes_of_thread(tid);
		if (pid != tid)
			return reason_set(why, -ESRCH, "%d is a thread of process %d; use -p %d", tid, pid, pid);
	}
	if (o->command)
		return 0;
	_cleanup_(free) pid_t *pids = NULL;
	size_t n = 0;
	int r = proc_all(&pids, &n);
	for (size_t i = 0; i < n; i++)
		if (!engine_is_target(e, pids[i]) && targets_match(&e->targets, pids[i], NULL))
			follow_add(e, pids[i]);
	if (r == 0 && e->processes.n == 0 && !e->targets.picks_up)
		return reason_set(why, -ESRCH, "no process fits all that was asked (-p, -n, -e, -u, --cgroup, --*ns are joined by AND)");
	return r;
}

static int tell_ready(struct engine *e, struct reason *why)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		int r = !f->off && f->ops->ready ? f->ops->ready(e, f->state, why) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_job(struct engine *e, struct reason *why)
{
	const struct options *o = engine_options(e);
	int r = targets_init(&e->targets, o, why);
	if (r < 0)
		return r;
	if (o->where) {
		r = where_new(&e->where, "--where", o->where, why);
		if (r < 0)
			return r;
	}
	struct loader_settings settings = {
		.by_perf = !ability_has(ABILITY_RINGBUF),
		.events_bytes = (uint32_t)(o->stat || o->hist ? MIN(o->buffer_bytes, EVENTS_BYTES_OF_TABLES) : o->buffer_bytes),
		.facts_bytes = FACTS_BYTES,
		.btf_path = o->btf,
		.verdicts = e->rehearsal,
	};
	r = loader_new(&e->loader, &settings);
	return r == 0 ? open_families(e, why) : r;
}

static int open_engine(struct engine *e, struct reason *why)
{
	int r = open_job(e, why);
	if (r == 0)
		r = recording_open(&e->recording, e, why);
	if (r == 0)
		r = loop_open(e);
	if (r == 0)
		fact_clock(e);
	return r < 0 ? reason_set(why, r, "the tracer could not be set up: %s", strerror(-r)) : 0;
}

/* Targets are found before anything is loaded, so that tables get the size that they need. */
static int find(struct engine *e, struct reason *why)
{
	const struct options *o = engine_options(e);
	if (!o->command)
		return e->job->without_targets ? 0 : find_targets(e, why);
	struct held_command command = {
		.argv = o->command, .follow = !o->no_follow, .files = e->files, .mask = e->mask, .on_pipe = e->on_pipe,
	};
	int r = held_start(&e->held, &command, &follow_held_ops, e, why);
	if (r == 0)
		follow_add(e, held_pid(e->held));
	return r;
}

static int load(struct engine *e, struct reason *why)
{
	int r = try_step(e, false, why);
	if (r == 0)
		r = open_rings(e, why);
	if (r == 0)
		r = loop_watch(e, ring_fd(e->facts), WAKE_RING);
	if (r == 0)
		r = loop_watch(e, ring_fd(e->events), WAKE_RING);
	if (r < 0)
		return r;
	e->loaded = true;
	r = try_step(e, true, why);
	if (r < 0)
		return r;
	loop_consume(e, true); /* what families left there while they measured themselves */
	int losses = loader_map(e->loader, "losses");
	return losses < 0 ? 0 : account_begin(&e->account, losses);
}

static int start(struct engine *e, struct reason *why)
{
	int r = find(e, why);
	if (r == 0)
		r = load(e, why);
	if (r < 0)
		return r;
	for (struct target_process *p = e->processes.first, *next; p; p = next) {
		next = p->next;
		follow_mark(e, p, true);
		follow_look(e, p);
	}
	if (!e->held && e->targets.picks_up)
		r = find_targets(e, why); /* those that began meanwhile */
	if (r == 0)
		r = tell_ready(e, why);
	if (r == 0)
		log_debug("ready: %zu processes are followed", e->processes.n);
	e->started_ns = clock_monotonic_ns();
	if (r == 0 && e->held)
		held_release(e->held);
	return r;
}

static void close_engine(struct engine *e)
{
	for (size_t i = e->n_families; i-- > 0;) {
		struct family *f = &e->families[i];
		if (f->ops->close)
			f->ops->close(e, f->state);
		free(f->state);
	}
	ring_free(e->events);
	ring_free(e->facts);
	held_free(e->held);
	retire_free(e->retire);
	loader_free(e->loader);
	where_free(e->where);
	targets_done(&e->targets);
	processes_done(&e->processes);
	names_done(&e->names);
	threads_done(&e->threads);
	requests_free(e->requests);
	account_done(&e->account);
	arena_done(&e->arena);
	loop_close(e);
}

static void add_family(struct engine *e, const char *name)
{
	const struct probe_ops *ops = probe_family(name);
	if (ops && e->n_families < ARRAY_SIZE(e->families))
		e->families[e->n_families++] = (struct family){ .ops = ops, .state = xcalloc(1, ops->state_size) };
}

/* The command's own status, as a shell tells it; ours where there was none, or where we could not do what was asked. */
static int exit_status(const struct engine *e)
{
	int status;
	if (!e->held)
		return e->status;
	if (e->status)
		return 125;
	if (!held_ended(e->held, &status))
		return 128 + e->signal;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A recording, or a capture of packets, has no targets and no kernel halves: filters, decoders and sink are all that it needs. */
static int show_recording(struct engine *e, struct reason *why)
{
	const struct options *o = engine_options(e);
	int r = o->where ? where_new(&e->where, "--where", o->where, why) : 0;
	if (r == 0)
		r = open_families(e, why);
	if (r == 0)
		r = e->job->packets ? packets_run(e, why) : offline_run(e, why);
	if (r == 0)
		sink_flush(e->sink);
	return r == 0 ? e->status : r == -EINVAL ? 2 : 1;
}

static int trace(struct engine *e, struct reason *why)
{
	int r = open_engine(e, why);
	bool wrong_words = r == -EINVAL;
	if (r == 0)
		r = start(e, why);
	if (r == 0 && e->recording)
		r = recording_begun(e, why);
	if (r < 0 && e->recording)
		recording_drop(e);
	if (r == 0) {
		loop_run(e);
		sink_flush(e->sink);
		return exit_status(e);
	}
	if (wrong_words || !engine_options(e)->command)
		return wrong_words ? 2 : 1;
	return !e->loader || e->held ? 125 : r == -ENOENT ? 127 : r == -EACCES ? 126 : 125;
}

static void prepare(struct engine *e, const struct engine_job *job)
{
	*e = (struct engine){ .job = job, .sink = job->sink, .epoll_fd = -1, .signal_fd = -1, .timer_fd = -1 };
	e->since_ns = job->since_ns;
	e->until_ns = job->until_ns;
	e->retire = retire_new();
	e->requests = requests_wanted(e) ? requests_new() : NULL;
	add_family(e, "task");
	for (size_t i = 0; job->families[i]; i++)
		add_family(e, job->families[i]);
}

int engine_rehearse(const struct engine_job *job, void (*see)(void *arg, const struct verdict *verdict), void *arg, struct reason *why)
{
	struct engine e;
	prepare(&e, job);
	e.rehearsal = true;
	int r = open_job(&e, why);
	for (size_t i = 0; r == 0 && i < e.n_families; i++) {
		const struct probe_ops *ops = e.families[i].ops;
		r = ops->load(&e, e.families[i].state, why);
		if (r == 0 && ops->rehearse)
			r = ops->rehearse(&e, e.families[i].state, why);
	}
	if (r == 0)
		r = loader_verdicts(e.loader, see, arg, why);
	close_engine(&e);
	return r;
}

static void tell_unknown_name(const struct where *where, const char *option)
{
	const char *name = where ? where_name_never_found(where) : NULL;
	if (name)
		log_note("%s: no event had '%s' (the fields of events: utrace explain)", option, name);
}

int engine_run(const struct engine_job *job, struct reason *why)
{
	struct engine e;
	prepare(&e, job);
	int status = engine_is_live(&e) ? trace(&e, why) : show_recording(&e, why);
	tell_unknown_name(e.where, "--where");
	if (e.recording)
		tell_unknown_name(recording_trigger_expression(e.recording), "--trigger");
	if (e.recording && recording_close(&e, job->summary, why) < 0 && status == 0)
		status = job->options->command ? 125 : 1;
	close_engine(&e);
	return status;
}
