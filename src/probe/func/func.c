/* func: calls of functions, USDT probes and tracepoints: the family's table row and its life. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/macro.h"
#include "priv/ability.h"
#include "priv/loader.h"
#include "probe/families.h"
#include "probe/func/internal.h"

#define PROBES_BY_PERF 16          /* each takes 0.2 s to detach */
#define PROBES_DEFAULT 50000
#define HIST_BYTES_MAX (128ull << 20) /* of kernel memory for histograms, over all CPUs */
#define STAT_BYTES_MAX (32ull << 20)  /* of kernel memory for counts, over all CPUs */
#define TRACEPOINTS_ROOM 4096         /* beside the functions; a kernel has about 2000 */
#define PROBES_OF_LIBRARIES 8192      /* histograms for functions of libraries that a command will map */
#define PROBES_MAPPED_LATER 2048      /* and of those that come later */

int func_program_of(const struct bpf_object *o, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(o, name));
}

int func_program(const struct func_state *s, const char *name)
{
	return func_program_of(s->object, name);
}

static int func_open(struct engine *e, void *state, struct reason *why)
{
	struct func_state *s = state;
	const struct options *o = engine_options(e);
	s->exits = o->exits;
	bool all = !engine_is_live(e) && !o->patterns.n;
	int r = all ? 0 : patterns_parse(&s->patterns, &o->patterns, why);
	if (r == 0 && o->where && engine_is_live(e))
		r = where_new(&s->where, "--where", o->where, why);
	if (r == 0 && s->where && (o->stat || o->hist) && where_needs_user(s->where))
		return reason_set(why, -EINVAL, "--where '%s' cannot be decided in the kernel, where --stat counts; leave out one of them", o->where);
	return r;
}

/* How many functions the targets that are there now have, so that tables get room for them. */
static size_t count_functions(struct engine *e, struct func_state *s, struct reason *why)
{
	const struct process *p;
	size_t n = 0;
	for (size_t at = 0; (p = engine_next_process(e, &at));) {
		for (size_t i = 0; i < p->mappings.n; i++) {
			struct binary *b = binaries_get(&s->binaries, p->pid, &p->mappings.items[i]);
			if (!b)
				continue;
			b->is_executable |= strcmp(p->mappings.items[i].path, p->exe) == 0;
			binary_resolve(b, &s->patterns, why);
		}
	}
	for (size_t i = 0; i < s->binaries.n; i++)
		n += s->binaries.items[i]->n_targets;
	return n;
}

static int size_tables(struct engine *e, struct func_state *s, struct reason *why)
{
	const struct options *o = engine_options(e);
	size_t kernel = 0, found = count_functions(e, s, why);
	int r = func_count_kernel(s, &kernel, why);
	if (r < 0)
		return r;
	uint64_t limit = o->max_probes ? o->max_probes : s->mechanism == UPROBES_PERF_EVENT ? PROBES_BY_PERF : PROBES_DEFAULT;
	if (found > limit)
		return reason_set(why, -E2BIG, "%zu functions match, more than %llu; narrow the pattern%s", found, (unsigned long long)limit,
				  s->mechanism == UPROBES_PERF_EVENT ? " (this kernel takes 0.2 s to detach each), or set --max-probes" : " or set --max-probes");
	uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();
	/* A command has not mapped its libraries yet, and what is mapped later may match too. */
	uint64_t known = (uint64_t)found + kernel + 2, expected = known + found + (o->command ? PROBES_OF_LIBRARIES : PROBES_MAPPED_LATER);
	bool counts = o->stat || o->hist;
	uint64_t stats_max = MAX(STAT_BYTES_MAX / (cpus * sizeof(struct func_stat)), known);
	uint64_t hists_max = MAX(HIST_BYTES_MAX / (cpus * sizeof(struct func_hist)), known);
	uint64_t points = patterns_have(&s->patterns, SPACE_TRACEPOINT) ? TRACEPOINTS_ROOM : 0;
	uint64_t room = MIN(limit + kernel + points + 2, counts ? stats_max : UINT32_MAX);
	s->probes_cap = (uint32_t)room;
	uint64_t hists = MIN(expected, hists_max);
	s->hists_cap = (uint32_t)MIN(hists, room);
	s->plans_cap = (uint32_t)MIN(room, (uint64_t)FUNC_PLANS);
	struct { const char *map; uint32_t n; } sizes[] = {
		{ "func_probes", s->probes_cap },
		{ "func_plans", s->plans_cap },
		{ "func_stats", counts ? s->probes_cap : 1 },
		{ "func_hists", counts ? s->hists_cap : 1 },
		{ "func_threads", (uint32_t)o->max_threads },
	};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (bpf_map__set_max_entries(bpf_object__find_map_by_name(s->object, sizes[i].map), sizes[i].n) < 0)
			return -EINVAL;
	return 0;
}

/* Only functions of libraries have prototypes that make us read memory; elsewhere the room serves deeper stacks of calls. */
static bool may_fetch(const struct func_state *s)
{
	for (size_t i = 0; i < s->patterns.n; i++)
		if (s->patterns.items[i].space == SPACE_USER && s->patterns.items[i].object)
			return true;
	return false;
}

static void set_shape(struct engine *e, struct func_state *s)
{
	const struct options *o = engine_options(e);
	struct bpf_object *obj = s->object;
	bool stat = o->stat || o->hist, calls = !stat, exits = s->exits != EXITS_NONE, fetch = calls && o->args && may_fetch(s);
	uint32_t slot_bytes = sizeof(struct func_call_rec) + (fetch ? FUNC_FETCH_BYTES / 4 : 0), slots = FUNC_SLOTS_BYTES / slot_bytes;
	uint32_t depth_max = o->depth ? (uint32_t)o->depth : UINT32_MAX, sample = (uint32_t)o->sample_one_in;
	struct where_program where = {};
	bool cookie = ability_has(ABILITY_COOKIE), by_memory = s->mechanism != UPROBES_SESSION;
	s->slot_bytes = slot_bytes;
	if (s->where)
		where_kernel(s->where, &where);
	loader_set_value(obj, "has_cookie", cookie);
	loader_set_value(obj, "links_by_memory", by_memory);
	loader_set_value(obj, "want_calls", calls);
	loader_set_value(obj, "want_stat", stat);
	loader_set_value(obj, "want_hist", stat); /* percentiles come from it */
	loader_set_value(obj, "want_exits", exits);
	loader_set_value(obj, "want_fetch", fetch);
	loader_set_value(obj, "slot_bytes", slot_bytes);
	loader_set_value(obj, "slots", slots);
	loader_set_value(obj, "depth_max", depth_max);
	loader_set_value(obj, "min_ns", o->min_ns);
	loader_set_value(obj, "sample_one_in", sample);
	loader_set_value(obj, "where_program", where);
}

static void expect(struct func_state *s, const char *program, int attach_type)
{
	bpf_program__set_expected_attach_type(bpf_object__find_program_by_name(s->object, program), (enum bpf_attach_type)attach_type);
}

static void choose_kernel_programs(struct func_state *s)
{
	bool session = s->kernel_mechanism == KERNEL_FUNCTIONS_KPROBE_SESSION;
	bool multi = session || s->kernel_mechanism == KERNEL_FUNCTIONS_KPROBE_MULTI;
	expect(s, "func_kernel_entry", multi ? LINK_KPROBE_MULTI : 0);
	expect(s, "func_kernel_exit", multi ? LINK_KPROBE_MULTI : 0);
	expect(s, "func_kernel_session", LINK_KPROBE_SESSION);
	if (!session)
		bpf_program__set_autoload(bpf_object__find_program_by_name(s->object, "func_kernel_session"), false);
}

static void choose_programs(struct func_state *s)
{
	bool multi = s->mechanism == UPROBES_MULTI || s->mechanism == UPROBES_SESSION;
	struct bpf_program *session = bpf_object__find_program_by_name(s->object, "func_session");
	bpf_program__set_expected_attach_type(session, (enum bpf_attach_type)LINK_UPROBE_SESSION);
	static const char *const own_copies[] = { "func_fentry", "func_fexit" }; /* loaded for one function each: copy.c */
	for (size_t i = 0; i < ARRAY_SIZE(own_copies); i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(s->object, own_copies[i]), false);
	static const struct {
		const char *program;
		enum pattern_space space;
	} only_for[] = {
		{ "func_kernel_entry", SPACE_KERNEL }, { "func_kernel_exit", SPACE_KERNEL }, { "func_kernel_session", SPACE_KERNEL },
		{ "func_usdt", SPACE_USDT }, { "func_tracepoint", SPACE_TRACEPOINT },
		{ "func_entry", SPACE_USER }, { "func_exit", SPACE_USER }, { "func_session", SPACE_USER },
	};
	for (size_t i = 0; i < ARRAY_SIZE(only_for); i++) {
		bool copied = !ability_has(ABILITY_COOKIE) && (only_for[i].space == SPACE_KERNEL || only_for[i].space == SPACE_TRACEPOINT);
		bpf_program__set_autoload(bpf_object__find_program_by_name(s->object, only_for[i].program),
					  !copied && patterns_have(&s->patterns, only_for[i].space));
	}
	if (s->mechanism != UPROBES_SESSION)
		bpf_program__set_autoload(session, false);
	choose_kernel_programs(s);
	static const char *const plain[] = { "func_entry", "func_exit", "func_usdt" };
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		bpf_program__set_expected_attach_type(bpf_object__find_program_by_name(s->object, plain[i]), (enum bpf_attach_type)(multi ? LINK_UPROBE_MULTI : 0));
}

static int func_load(struct engine *e, void *state, struct reason *why)
{
	struct func_state *s = state;
	s->mechanism = mechanism_for_uprobes();
	s->kernel_mechanism = mechanism_for_kernel_functions();
	if (patterns_have(&s->patterns, SPACE_USER) && s->mechanism == UPROBES_NONE)
		return reason_set(why, -ENOTSUP, "user functions need uprobes: %s; see: utrace doctor", ability_why_not(ABILITY_UPROBE));
	if (patterns_have(&s->patterns, SPACE_TRACEPOINT) && !ability_has(ABILITY_TRACEPOINT))
		return reason_set(why, -ENOTSUP, "tracepoints cannot be had: %s; see: utrace doctor", ability_why_not(ABILITY_TRACEPOINT));
	int r = loader_open(engine_loader(e), "func", &s->object, why);
	if (r < 0)
		return r;
	set_shape(e, s);
	choose_programs(s);
	r = size_tables(e, s, why);
	return r == 0 ? loader_load(engine_loader(e), s->object, why) : r;
}

static int func_attach(struct engine *e, void *state, struct reason *why)
{
	struct func_state *s = state;
	int r = func_attach_tracepoints(e, s, why); /* t:sched:sched_process_exit runs before its thread is forgotten */
	if (r == 0)
		r = attach_raw(&s->links, func_program(s, "func_thread_exit"), "sched_process_exit", why);
	if (r == 0)
		r = attach_raw(&s->links, func_program(s, "func_thread_exec"), "sched_process_exec", why);
	if (r == 0 && patterns_have(&s->patterns, SPACE_USER)) {
		struct reason cost = {};
		if (calibrate(e, s, s->exits, &s->calibration, &cost) < 0)
			engine_note(e, "the cost of probes could not be measured and is not subtracted: %s", cost.text);
	}
	return r == 0 ? func_attach_kernel(e, s, why) : r;
}

static int func_process_changed(struct engine *e, void *state, const struct process *p, struct reason *why)
{
	return func_attach_process(e, state, p, why);
}

static void func_process_gone(struct engine *e, void *state, const struct process *p)
{
	struct func_state *s = state;
	struct func_process *fp = hashmap_get(&s->processes, (uint64_t)p->pid);
	if (fp)
		func_retire_process(e, fp);
	func_drop_process(s, p->pid);
}

/* Links live on with the process. What was decided for its former image is decided anew. */
static void func_process_executed(struct engine *e, void *state, const struct process *p)
{
	struct func_state *s = state;
	struct func_process *fp = hashmap_get(&s->processes, (uint64_t)p->pid);
	if (fp && ((fp->use_sites && s->exits == EXITS_AUTO) || fp->tripped))
		func_drop_process(s, p->pid); /* at once: the next image may map the same files */
}

/* The names nearest to a pattern that matched nothing, from every file that it wanted. */
static void suggest(const struct func_state *s, const struct pattern *p, struct nearest *near)
{
	for (size_t i = 0; i < s->binaries.n; i++) {
		struct binary *b = s->binaries.items[i];
		const struct elf_func *funcs;
		size_t n;
		if (!b->elf || !pattern_wants_file(p, b->path, b->is_executable) || elf_functions(b->elf, &funcs, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n; k++)
			nearest_offer(near, elf_func_name(b->elf, &funcs[k]));
	}
}

static const char *file_of(const struct func_state *s, const struct pattern *p)
{
	for (size_t i = 0; i < s->binaries.n; i++)
		if (pattern_wants_file(p, s->binaries.items[i]->path, s->binaries.items[i]->is_executable))
			return s->binaries.items[i]->name;
	return NULL;
}

int func_explain_no_match(const struct func_state *s, const struct pattern *p, struct reason *why)
{
	char text[256];
	const char *file = file_of(s, p);
	if (!file && s->binaries.n == 0)
		return reason_set(why, -ENOENT, "no process came that fits what was asked, so nothing was looked for ('%s')", p->text);
	if (!file)
		return reason_set(why, -ENXIO, "no target maps a file '%s' (pattern '%s')", p->object ? p->object : "?", p->text);
	struct nearest near = { .want = p->glob };
	suggest(s, p, &near);
	nearest_text(&near, text, sizeof(text));
	return reason_set(why, -ENOENT, "no %s of %s matches '%s'%s%s (list them: utrace func -l '*' ...)",
			  p->space == SPACE_USDT ? "USDT probe" : "function", file, p->glob, text[0] ? "; " : "", text);
}

/* Why a pattern shows nothing of a recording: the names nearest to it among what was probed. */
static void func_explain_not_recorded(struct engine *e, const struct func_state *s, const struct pattern *p)
{
	char text[256];
	struct nearest near = { .want = p->glob };
	for (uint32_t i = 1; i <= s->infos_last; i++) {
		const struct func_info *info = func_info_of(s, i);
		if (info && !p->object && !info->of_executable && fnmatch(p->glob, info->name, 0) == 0) {
			engine_note(e, "nothing in the recording matches '%s' of the program itself; there is %s:%s", p->text, info->module, info->name);
			return;
		}
		if (info)
			nearest_offer(&near, info->name);
	}
	nearest_text(&near, text, sizeof(text));
	engine_note(e, "nothing in the recording matches '%s'%s%s", p->text, text[0] ? "; " : "", text);
}

/* With targets that are there, a pattern without a match is an error; with followed or later ones only at the end. */
static int check_patterns(struct engine *e, struct func_state *s, bool at_end, struct reason *why)
{
	const struct options *o = engine_options(e);
	bool may_come = o->command || s->processes.n == 0;
	for (size_t i = 0; i < s->patterns.n; i++) {
		const struct pattern *p = &s->patterns.items[i];
		if (p->negated || p->matched || (p->space != SPACE_USER && p->space != SPACE_USDT))
			continue;
		if (may_come && !at_end)
			continue;
		if (!at_end && p->object && !file_of(s, p)) {
			engine_note(e, "no target maps a file '%s' yet (pattern '%s')", p->object, p->text); /* dlopen, or a child */
			continue;
		}
		return func_explain_no_match(s, p, why);
	}
	return 0;
}

static int func_ready(struct engine *e, void *state, struct reason *why)
{
	alloc_trim(); /* of what attaching took */
	return check_patterns(e, state, false, why);
}

static void func_drain(struct engine *e, void *state, bool last)
{
	struct func_state *s = state;
	const struct options *o = engine_options(e);
	if (!last) {
		func_watch_overhead(e, s);
		if (!o->stat && !o->hist)
			func_show_open(e, s);
		return;
	}
	struct reason why = {};
	if (check_patterns(e, s, true, &why) < 0 && s->attached == 0) {
		engine_note(e, "%s", why.text);
		engine_stop(e, 1);
	}
	if (o->stat || o->hist)
		func_tell_stat(e, s);
}

static bool any_matched(const struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].matched)
			return true;
	return false;
}

/* What is left to say of a recording: its calls as counts, and patterns that mean none of its probes. */
static void func_conclude(struct engine *e, void *state)
{
	struct func_state *s = state;
	size_t unmatched = 0;
	func_show_counts(e, s);
	if (engine_is_live(e) || engine_options(e)->as_recorded)
		return;
	for (size_t i = 0; i < s->patterns.n; i++) {
		const struct pattern *p = &s->patterns.items[i];
		if (p->negated || p->matched)
			continue;
		func_explain_not_recorded(e, s, p);
		unmatched++;
	}
	if (unmatched && !any_matched(&s->patterns))
		engine_stop(e, 1);
}

static void func_save(struct engine *e, void *state)
{
	func_save_probes(e, state);
}

static void func_detach(struct engine *e, void *state)
{
	struct func_state *s = state;
	size_t at = 0;
	uint64_t pid;
	void *fp;
	s->detached = true;
	while (hashmap_next(&s->processes, &at, &pid, &fp))
		func_retire_process(e, fp);
	engine_retire(e, &s->links);
}

void func_state_done(struct func_state *s)
{
	func_infos_done(s);
	func_counts_done(s);
	hashmap_done(&s->shown_open);
	for (size_t i = 0; i < s->kernel.n; i++)
		free(s->kernel.names[i]);
	free(s->kernel.names);
	binaries_done(&s->binaries);
	patterns_done(&s->patterns);
	where_free(s->where);
}

static void func_close(struct engine *e, void *state)
{
	struct func_state *s = state;
	size_t at = 0;
	uint64_t pid;
	void *fp;
	while (hashmap_next(&s->processes, &at, &pid, &fp))
		func_drop_process(s, (pid_t)pid);
	hashmap_done(&s->processes);
	links_done(&s->links);
	func_state_done(s);
}

const struct probe_ops func_probe = {
	.name = "func",
	.record_family = REC_FUNC,
	.state_size = sizeof(struct func_state),
	.shapes = func_shapes,
	.events = EVENT_BIT(EVENT_FUNCTION_CALL) | EVENT_BIT(EVENT_TRACEPOINT) | EVENT_BIT(EVENT_USDT),
	.tables = EVENT_BIT(EVENT_FUNCTION_STAT),
	.open = func_open,
	.load = func_load,
	.rehearse = func_rehearse,
	.attach = func_attach,
	.process_changed = func_process_changed,
	.process_gone = func_process_gone,
	.process_executed = func_process_executed,
	.ready = func_ready,
	.decode = func_decode,
	.drain = func_drain,
	.conclude = func_conclude,
	.save = func_save,
	.detach = func_detach,
	.close = func_close,
};
