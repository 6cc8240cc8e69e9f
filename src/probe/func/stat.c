/* stat: reads the counts that were made in the kernel, at the end of the run, and tells them as records. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

static void add_stat(struct func_stat *sum, const struct func_stat *one)
{
	sum->calls += one->calls;
	sum->total_ns += one->total_ns;
	sum->self_ns += one->self_ns;
	sum->entries += one->entries;
	sum->max_ns = MAX(sum->max_ns, one->max_ns);
	if (one->min_and_1_ns && (!sum->min_and_1_ns || one->min_and_1_ns < sum->min_and_1_ns))
		sum->min_and_1_ns = one->min_and_1_ns;
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

static void tell_counts(struct engine *e, uint32_t probe, const struct func_counts *c)
{
	struct func_stat_rec rec = { .head = { .type = FUNC_STAT, .time_ns = clock_monotonic_ns() }, .probe = probe, .stat = c->stat };
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_add(&b, &rec, sizeof(rec));
	for (uint32_t i = 0; c->has_hist && i < HIST_BUCKETS; i++) {
		struct func_bucket bucket = { .bucket = i, .count = c->hist.bucket[i] };
		if (!bucket.count)
			continue;
		strbuf_add(&b, &bucket, sizeof(bucket));
		((struct func_stat_rec *)b.data)->buckets_n++;
	}
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(e, (const struct rec_head *)b.data);
}

void func_tell_stat(struct engine *e, struct func_state *s)
{
	int cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return;
	if (s->probes_n >= s->hists_cap)
		engine_note(e, "percentiles are of the first %u functions alone, which is what memory is kept for", s->hists_cap - 1);
	_cleanup_(free) void *scratch = xcalloc((size_t)cpus, sizeof(struct func_hist));
	_cleanup_(free) struct func_counts *counts = xcalloc(1, sizeof(*counts));
	for (uint32_t probe = 1; probe <= s->probes_n; probe++) {
		read_counts(e, probe, cpus, scratch, counts);
		if (counts->stat.calls || counts->stat.entries)
			tell_counts(e, probe, counts);
	}
}
