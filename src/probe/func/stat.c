/* stat: reads the counts that were made in the kernel, at the end of the run. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

static void add_stat(struct func_stat *sum, const struct func_stat *one)
{
	sum->calls += one->calls;
	sum->total_ns += one->total_ns;
	sum->self_ns += one->self_ns;
	sum->entries += one->entries;
	sum->max_ns = MAX(sum->max_ns, one->max_ns);
	if (one->min_ns_1 && (!sum->min_ns_1 || one->min_ns_1 < sum->min_ns_1))
		sum->min_ns_1 = one->min_ns_1;
}

static void read_counts(struct engine *e, uint32_t probe, int cpus, void *scratch, struct func_counts *ret)
{
	const struct func_stat *stats = scratch;
	const struct func_hist *hists = scratch;
	memset(ret, 0, sizeof(*ret));
	if (bpf_map_lookup_elem(loader_map(engine_loader(e), "func_stats"), &probe, scratch) == 0)
		for (int cpu = 0; cpu < cpus; cpu++)
			add_stat(&ret->stat, &stats[cpu]);
	ret->has_hist = bpf_map_lookup_elem(loader_map(engine_loader(e), "func_hists"), &probe, scratch) == 0;
	if (!ret->has_hist)
		return;
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < HIST_BUCKETS; i++)
			ret->hist.bucket[i] += hists[cpu].bucket[i];
}

static struct value histogram_value(struct arena *a, const struct func_hist *h)
{
	struct named_value *items = arena_new(a, struct named_value, HIST_BUCKETS);
	size_t n = 0;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		struct named_value *pair = arena_new(a, struct named_value, 2);
		pair[0] = (struct named_value){ .name = SLICE("le_ns"), .value = UINT_VALUE(histogram_upper(i)) };
		pair[1] = (struct named_value){ .name = SLICE("count"), .value = UINT_VALUE(h->bucket[i]) };
		items[n++].value = (struct value){ .kind = VALUE_STRUCT, .list = { pair, 2 } };
	}
	return (struct value){ .kind = VALUE_LIST, .list = { items, n } };
}

/* The middle of a bucket may lie beyond all that is in it. */
static uint64_t percentile(const struct func_counts *c, double q)
{
	uint64_t ns = histogram_quantile(c->hist.bucket, HIST_BUCKETS, q);
	return MIN(MAX(ns, c->stat.min_ns_1 - 1), c->stat.max_ns);
}

static void emit_stat(struct engine *e, const struct func_info *info, const struct func_counts *c)
{
	struct event ev;
	event_init(&ev, EVENT_FUNCTION_STAT);
	ev.runtime = info->kind == PROBE_KERNEL_FUNCTION ? "kernel" : "native";
	ev.field[STAT_FUNCTION] = STRING_VALUE(slice_of(info->name));
	ev.field[STAT_MODULE] = STRING_VALUE(slice_of(info->module));
	ev.field[STAT_CALLS] = UINT_VALUE(c->stat.calls + c->stat.entries);
	if (c->stat.calls) {
		ev.field[STAT_TOTAL] = UINT_VALUE(c->stat.total_ns);
		ev.field[STAT_SELF] = UINT_VALUE(c->stat.self_ns);
		ev.field[STAT_MIN] = UINT_VALUE(c->stat.min_ns_1 - 1);
		ev.field[STAT_MAX] = UINT_VALUE(c->stat.max_ns);
		ev.field[STAT_OVERHEAD] = UINT_VALUE(info->inside_ns);
	}
	if (c->stat.calls && c->has_hist) {
		ev.field[STAT_P50] = UINT_VALUE(percentile(c, 0.50));
		ev.field[STAT_P99] = UINT_VALUE(percentile(c, 0.99));
		if (engine_options(e)->hist)
			ev.field[STAT_HISTOGRAM] = histogram_value(engine_arena(e), &c->hist);
	}
	engine_emit(e, &ev);
}

void func_report_stat(struct engine *e, struct func_state *s)
{
	int cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return;
	if (s->probes_n >= s->hists_cap)
		engine_note(e, "percentiles are of the first %u functions alone, which is what memory is kept for", s->hists_cap - 1);
	_cleanup_(free) void *scratch = xcalloc((size_t)cpus, sizeof(struct func_hist));
	_cleanup_(free) struct func_counts *counts = xcalloc(1, sizeof(*counts));
	for (uint32_t probe = 1; probe <= s->probes_n; probe++) {
		const struct func_info *info = func_info_of(s, probe);
		read_counts(e, probe, cpus, scratch, counts);
		if (info && (counts->stat.calls || counts->stat.entries))
			emit_stat(e, info, counts);
	}
}
