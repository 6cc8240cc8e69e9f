#include "probe/func/list.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/tracefs.h"
#include "probe/func/internal.h"

static bool process_needs_sites(struct binaries *all, pid_t pid, const struct mappings *maps)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct binary *b = binaries_get(all, pid, &maps->items[i]);
		if (b && binary_forbids_return_probes(b))
			return true;
	}
	return false;
}

static const char *exit_mechanism(const struct func_state *s, struct binary *b, struct func_target *t, bool sites)
{
	static const char *const by_return[] = {
		[UPROBES_NONE] = "none", [UPROBES_PERF_EVENT] = "entry+return (perf_event)", [UPROBES_MULTI] = "entry+return",
		[UPROBES_SESSION] = "session",
	};
	static const char *const harmful[] = {
		[UPROBES_NONE] = "none", [UPROBES_PERF_EVENT] = "entry+return (perf_event), can end it: it unwinds",
		[UPROBES_MULTI] = "entry+return, can end it: it unwinds", [UPROBES_SESSION] = "session, can end it: it unwinds",
	};
	switch (func_exits_of(s->exits, sites, b, t)) {
	case FUNC_BY_RETURN:
		return (sites ? harmful : by_return)[s->mechanism];
	case FUNC_BY_SITES:
		return "entry+sites";
	default:
		return "entry";
	}
}

static void list_target(struct func_state *s, struct binary *b, struct func_target *t, func_list_fn fn, void *arg)
{
	struct func_listed row = { .space = "u", .module = b->name, .name = t->name };
	if (elf_line(b->elf, t->func.addr, &row.file, &row.line) < 0)
		row.file = NULL;
	if (t->refused == SITE_OK)
		row.mechanism = exit_mechanism(s, b, t, b->listed_with_sites);
	else
		row.refused = site_refusal_text(t->refused);
	fn(arg, &row);
}

static void list_usdt(struct func_state *s, struct binary *b, func_list_fn fn, void *arg)
{
	const struct usdt_probe *probes;
	size_t n;
	if (!patterns_have(&s->patterns, SPACE_USDT) || elf_usdt(b->elf, &probes, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!func_usdt_wanted(s, b, &probes[i]))
			continue;
		struct func_listed row = { .space = "usdt", .module = probes[i].provider, .name = probes[i].name,
					   .mechanism = probes[i].semaphore ? "uprobe with semaphore" : "uprobe" };
		fn(arg, &row);
	}
}

static const char *kernel_name(const struct func_state *s)
{
	return kernel_mechanisms[s->kernel_mechanism].name;
}

static int list_kernel(struct func_state *s, func_list_fn fn, void *arg, struct reason *why)
{
	size_t n;
	int r = func_count_kernel(s, &n, why);
	for (size_t i = 0; r == 0 && i < s->kernel.n; i++) {
		struct func_listed row = { .space = "k", .module = "kernel", .name = s->kernel.names[i], .mechanism = kernel_name(s) };
		fn(arg, &row);
	}
	return r;
}

static int list_tracepoints(struct func_state *s, func_list_fn fn, void *arg, struct reason *why)
{
	if (!patterns_have(&s->patterns, SPACE_TRACEPOINT))
		return 0;
	_cleanup_(fd_close) int tracefs = tracefs_open(why);
	int r = tracefs < 0 ? tracefs : 0;
	for (size_t i = 0; r == 0 && i < s->patterns.n; i++) {
		struct pattern *p = &s->patterns.items[i];
		_cleanup_(tracefs_events_done) struct tracefs_events events = {};
		if (p->space != SPACE_TRACEPOINT || p->negated)
			continue;
		r = func_find_tracepoints(tracefs, p, &events, why);
		for (size_t k = 0; r == 0 && k < events.n; k++) {
			char *colon = strchr(events.names[k], ':');
			*colon = '\0';
			struct func_listed row = { .space = "t", .module = events.names[k], .name = colon + 1, .mechanism = "tracepoint" };
			fn(arg, &row);
		}
	}
	return r;
}

/* Every file of the processes and of the command line, once. */
static int gather(struct func_state *s, const pid_t *pids, size_t n_pids, const char *const *paths, size_t n_paths, struct reason *why)
{
	for (size_t i = 0; i < n_pids; i++) {
		_cleanup_(mappings_done) struct mappings maps = {};
		char exe[4096] = "";
		if (proc_mappings(&maps, pids[i]) < 0 || proc_exe(pids[i], exe, sizeof(exe)) < 0)
			continue;
		bool sites = process_needs_sites(&s->binaries, pids[i], &maps);
		for (size_t k = 0; k < maps.n; k++) {
			struct binary *b = binaries_get(&s->binaries, pids[i], &maps.items[k]);
			if (!b)
				continue;
			b->is_executable |= streq(maps.items[k].path, exe);
			b->listed_with_sites |= sites;
		}
	}
	for (size_t i = 0; i < n_paths; i++) {
		struct binary *b = binaries_open(&s->binaries, paths[i], why);
		if (!b)
			return -ENOENT;
		b->is_executable = true;
		b->listed_with_sites |= binary_forbids_return_probes(b);
	}
	return 0;
}

static int list_all(struct func_state *s, func_list_fn fn, void *arg, struct reason *why)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->binaries.n; i++) {
		struct binary *b = s->binaries.items[i];
		if (!b->elf)
			continue;
		r = binary_resolve(b, &s->patterns, why);
		for (size_t k = 0; r == 0 && k < b->n_targets; k++)
			list_target(s, b, &b->targets[k], fn, arg);
		if (r == 0)
			list_usdt(s, b, fn, arg);
	}
	for (size_t i = 0; r == 0 && i < s->patterns.n; i++) {
		const struct pattern *p = &s->patterns.items[i];
		if (!p->negated && !p->matched && (p->space == SPACE_USER || p->space == SPACE_USDT))
			r = func_explain_no_match(s, p, why);
	}
	if (r == 0)
		r = list_kernel(s, fn, arg, why);
	return r == 0 ? list_tracepoints(s, fn, arg, why) : r;
}

int func_list_matches(const struct options *o, const pid_t *pids, size_t n_pids, const char *const *paths, size_t n_paths, func_list_fn fn,
		      void *arg, struct reason *why)
{
	struct func_state s = { .exits = o->exits, .mechanism = mechanism_for_uprobes(), .kernel_mechanism = mechanism_for_kernel_functions() };
	int r = patterns_parse(&s.patterns, &o->patterns, why);
	if (r == 0)
		r = gather(&s, pids, n_pids, paths, n_paths, why);
	if (r == 0)
		r = list_all(&s, fn, arg, why);
	func_state_done(&s);
	return r;
}
