/* counts: what the counts of a function are shown as; and, for a recording of single calls, the same counts made from them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "probe/func/internal.h"

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

static void emit_stat(struct engine *e, const struct func_info *info, const struct func_counts *c)
{
	struct event ev;
	event_init(&ev, EVENT_FUNCTION_STAT);
	ev.runtime = info->kind == PROBE_KERNEL_FUNCTION ? "kernel" : "native";
	ev.field[STAT_FUNCTION] = STRING_VALUE(slice_of(info->name));
	ev.field[STAT_MODULE] = STRING_VALUE(slice_of(info->module));
	ev.field[STAT_CALLS] = UINT_VALUE(c->stat.calls + c->stat.entries);
	uint64_t min_ns = c->stat.min_and_1_ns - 1;
	if (c->stat.calls) {
		ev.field[STAT_TOTAL] = UINT_VALUE(c->stat.total_ns);
		ev.field[STAT_SELF] = UINT_VALUE(c->stat.self_ns);
		ev.field[STAT_MIN] = UINT_VALUE(min_ns);
		ev.field[STAT_MAX] = UINT_VALUE(c->stat.max_ns);
		ev.field[STAT_OVERHEAD] = UINT_VALUE(info->inside_ns);
	}
	if (c->stat.calls && c->has_hist) {
		ev.field[STAT_P50] = UINT_VALUE(histogram_quantile(c->hist.bucket, HIST_BUCKETS, 0.50, min_ns, c->stat.max_ns));
		ev.field[STAT_P99] = UINT_VALUE(histogram_quantile(c->hist.bucket, HIST_BUCKETS, 0.99, min_ns, c->stat.max_ns));
		if (engine_options(e)->hist)
			ev.field[STAT_HISTOGRAM] = histogram_value(engine_arena(e), &c->hist);
	}
	engine_emit(e, &ev);
}

void func_show_stat(struct engine *e, struct func_state *s, const struct func_stat_rec *rec)
{
	const struct func_bucket *buckets = (const void *)(rec + 1);
	const struct func_info *info = func_info_of(s, rec->probe);
	if (rec->head.length < sizeof(*rec) || !info || !info->wanted || rec->buckets_n > (rec->head.length - sizeof(*rec)) / sizeof(*buckets))
		return;
	_cleanup_(free) struct func_counts *counts = xcalloc(1, sizeof(*counts));
	counts->stat = rec->stat;
	counts->has_hist = rec->buckets_n;
	for (uint32_t i = 0; i < rec->buckets_n; i++)
		if (buckets[i].bucket < HIST_BUCKETS)
			counts->hist.bucket[buckets[i].bucket] = buckets[i].count;
	emit_stat(e, info, counts);
}

static struct func_counts *counts_of(struct func_state *s, uint32_t probe)
{
	struct func_counts *c = hashmap_get(&s->counts, probe);
	if (!c)
		hashmap_put(&s->counts, probe, c = xcalloc(1, sizeof(*c)));
	return c;
}

/* As add_call() of func.bpf.c counts it. */
void func_count_call(struct func_state *s, const struct func_call_rec *call)
{
	struct func_counts *c = counts_of(s, call->probe);
	struct func_stat *stat = &c->stat;
	uint64_t ns = call->duration_ns;
	if (call->flags & CALL_STILL_OPEN)
		return;
	if (!(call->flags & CALL_EXIT_SEEN)) {
		stat->entries++;
		return;
	}
	stat->min_and_1_ns = stat->calls ? MIN(stat->min_and_1_ns, ns + 1) : ns + 1;
	stat->max_ns = MAX(stat->max_ns, ns);
	stat->calls++;
	stat->total_ns += ns;
	stat->self_ns += ns > call->below_ns ? ns - call->below_ns : 0;
	c->has_hist = true;
	c->hist.bucket[histogram_bucket(ns, HIST_BUCKETS)]++;
}

void func_show_counts(struct engine *e, struct func_state *s)
{
	for (uint32_t probe = 1; s->counts.n && probe <= s->infos_last; probe++) {
		const struct func_counts *c = hashmap_get(&s->counts, probe);
		if (c)
			emit_stat(e, func_info_of(s, probe), c);
	}
}

void func_counts_done(struct func_state *s)
{
	size_t at = 0;
	uint64_t probe;
	void *counts;
	while (hashmap_next(&s->counts, &at, &probe, &counts))
		free(counts);
	hashmap_done(&s->counts);
}
