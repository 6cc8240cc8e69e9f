/* syscall: the user half: plans into the kernel, records into events. */
#include "probe/syscall/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "config/options.h"
#include "priv/loader.h"
#include "probe/syscall/internal.h"

static int syscall_open(struct engine *e, void *state, struct reason *why)
{
	struct syscall_state *s = state;
	const struct options *o = engine_options(e);
	int r = syscall_choose(s->wanted, o->patterns.items, o->patterns.n, why);
	if (r == 0 && o->where && engine_is_live(e))
		r = where_new(&s->where, "--where", o->where, why);
	if (r == 0 && s->where && o->stat && where_needs_user(s->where))
		return reason_set(why, -EINVAL, "--where '%s' cannot be decided in the kernel, where --stat counts; leave out one of them", o->where);
	return r;
}

static void set_shape(struct engine *e, const struct syscall_state *s)
{
	const struct options *o = engine_options(e);
	bool want_calls = !o->stat, want_stat = o->stat;
	uint32_t string_bytes = (uint32_t)MIN(o->string_bytes, (uint64_t)SYSCALL_MAX_PATH - 1), self = (uint32_t)getpid();
	struct where_program where = {};
	bool where_needs_end = s->where && where_needs_exit(s->where);
	if (s->where)
		where_kernel(s->where, &where);
	where.wide |= 1u << WHERE_RET;
	loader_set_value(s->object, "want_calls", want_calls);
	loader_set_value(s->object, "want_stat", want_stat);
	loader_set_value(s->object, "min_ns", o->min_ns);
	loader_set_value(s->object, "string_bytes", string_bytes);
	loader_set_value(s->object, "where_program", where);
	loader_set_value(s->object, "where_needs_end", where_needs_end);
	loader_set_value(s->object, "target_all", o->all);
	loader_set_value(s->object, "target_not", self);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(s->object, "syscall_threads"), (uint32_t)o->max_threads);
	if (want_stat)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(s->object, "syscall_stats"), SYSCALL_MAX_NR);
}

static int write_plans(struct engine *e, const struct syscall_state *s)
{
	unsigned string_bytes = (unsigned)MIN(engine_options(e)->string_bytes, (uint64_t)SYSCALL_MAX_PATH - 1);
	int map = bpf_map__fd(bpf_object__find_map_by_name(s->object, "syscall_plans"));
	for (uint32_t nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = syscall_by_number(SYSCALL_ARCH_HERE, nr);
		struct syscall_plan plan = {};
		if (row)
			syscall_plan(row, string_bytes, &plan);
		if (s->wanted[nr])
			plan.flags |= SYSCALL_WANTED;
		if (bpf_map_update_elem(map, &nr, &plan, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int syscall_load(struct engine *e, void *state, struct reason *why)
{
	struct syscall_state *s = state;
	int r = loader_open(engine_loader(e), "syscall", &s->object, why);
	if (r < 0)
		return r;
	set_shape(e, s);
	r = loader_load(engine_loader(e), s->object, why);
	return r == 0 ? write_plans(e, s) : r;
}

static int syscall_attach(struct engine *e, void *state, struct reason *why)
{
	struct syscall_state *s = state;
	/* Ends before beginnings: a call is never begun without its end being seen. */
	static const char *const points[][2] = {
		{ "syscall_thread_exit", "sched_process_exit" },
		{ "syscall_thread_exec", "sched_process_exec" },
		{ "syscall_exit", "sys_exit" },
		{ "syscall_enter", "sys_enter" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		int fd = bpf_program__fd(bpf_object__find_program_by_name(s->object, points[i][0]));
		int r = attach_raw(&s->links, fd, points[i][1], why);
		if (r < 0)
			return r;
	}
	return 0;
}

bool syscall_is_wanted(const struct syscall_state *state, uint8_t arch, uint32_t nr)
{
	const struct syscall_row *row = arch < SYSCALL_ARCHS ? syscall_by_number(arch, nr) : NULL;
	long here = row ? syscall_number(SYSCALL_ARCH_HERE, row) : -1;
	return state->wanted[here < 0 ? SYSCALL_OTHER : here];
}

static void take_call(struct engine *e, struct syscall_state *s, const struct syscall_rec *rec)
{
	struct event event;
	uint32_t lost;
	if (rec->head.length < sizeof(*rec))
		return;
	engine_thread(e, &rec->head, &lost);
	if (engine_counts_alone(e) || syscall_decode(rec, rec->head.length, engine_arena(e), &event) < 0)
		return;
	if (lost)
		event.field[SYSCALL_LOST_BEFORE] = UINT_VALUE(lost);
	if (!engine_is_live(e) && !syscall_is_wanted(s, rec->arch, rec->nr))
		return;
	engine_place(e, &event, &rec->head);
	if (!engine_options(e)->stat)
		engine_emit(e, &event);
	else if (engine_passes(e, &event))
		syscall_count_call(s, rec);
}

static void syscall_take(struct engine *e, void *state, const struct rec_head *head)
{
	if (head->type == REC_SYSCALL_CALL)
		take_call(e, state, (const void *)head);
	else if (head->type == REC_SYSCALL_STAT)
		syscall_show_stat(e, state, (const void *)head);
}

static void syscall_conclude(struct engine *e, void *state)
{
	syscall_show_counts(e, state);
}

/* Calls that are still open at the end: what they were given is known. */
static void show_open(struct engine *e, struct syscall_state *s)
{
	int map = loader_map(engine_loader(e), "syscall_threads");
	_cleanup_(free) struct syscall_thread *t = xcalloc(1, sizeof(*t));
	uint32_t tid, next;
	for (int r = bpf_map_get_next_key(map, NULL, &next); r == 0; r = bpf_map_get_next_key(map, &tid, &next)) {
		tid = next;
		if (bpf_map_lookup_elem(map, &tid, t) < 0 || !t->open || t->used > sizeof(t->tail))
			continue;
		t->rec.flags |= SYSCALL_NO_RETURN;
		t->rec.head.length = (uint16_t)(sizeof(t->rec) + t->used);
		t->rec.head.generation = t->generation;
		t->rec.head.seq = t->seq + 1;
		engine_fact(e, &t->rec.head);
	}
}

static void syscall_drain(struct engine *e, void *state, bool last)
{
	const struct options *o = engine_options(e);
	if (!last)
		return;
	if (o->stat)
		syscall_tell_stat(e);
	else if (!o->min_ns)
		show_open(e, state);
}

static void syscall_detach(struct engine *e, void *state)
{
	links_done(&((struct syscall_state *)state)->links);
}

static void syscall_close(struct engine *e, void *state)
{
	struct syscall_state *s = state;
	links_done(&s->links);
	syscall_counts_done(s);
	where_free(s->where);
}

static const struct probe_shape syscall_shapes[] = {
	{ "calls", "" },
	{ "filtered", "--min=1ms --where=arg1>4k&&(ret<0||duration>5ms)&&uid==0&&pid!=1" },
	{ "stat", "--stat" },
	{ "stat-where", "--stat --where=arg1>4k&&(ret<0||duration>5ms)&&uid==0&&pid!=1" },
	{},
};

const struct probe_ops syscall_probe = {
	.name = "syscall",
	.record_family = REC_SYSCALL,
	.state_size = sizeof(struct syscall_state),
	.shapes = syscall_shapes,
	.events = EVENT_BIT(EVENT_SYSCALL),
	.tables = EVENT_BIT(EVENT_SYSCALL_STAT),
	.open = syscall_open,
	.load = syscall_load,
	.attach = syscall_attach,
	.decode = syscall_take,
	.drain = syscall_drain,
	.conclude = syscall_conclude,
	.detach = syscall_detach,
	.close = syscall_close,
};
