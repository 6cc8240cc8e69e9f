/* stat: reads the counts that were made in the kernel, at the end of the run. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/syscall/internal.h"

static void add_stat(struct syscall_stat *sum, const struct syscall_stat *one)
{
	if (!one->calls)
		return;
	sum->min_ns = sum->calls ? MIN(sum->min_ns, one->min_ns) : one->min_ns;
	sum->max_ns = MAX(sum->max_ns, one->max_ns);
	sum->calls += one->calls;
	sum->errors += one->errors;
	sum->total_ns += one->total_ns;
	for (size_t i = 0; i < SYSCALL_BUCKETS; i++)
		sum->bucket[i] += one->bucket[i];
}

static void emit_stat(struct engine *e, uint32_t nr, const struct syscall_stat *s)
{
	const struct syscall_row *row = syscall_by_number(SYSCALL_ARCH_HERE, nr);
	struct event ev;
	event_init(&ev, EVENT_SYSCALL_STAT);
	ev.field[SYSSTAT_FUNCTION] = STRING_VALUE(row                   ? slice_of(row->name)
							  : nr == SYSCALL_OTHER ? SLICE("(unknown numbers)")
										: arena_printf(engine_arena(e), "syscall_%#x", nr));
	ev.field[SYSSTAT_CALLS] = UINT_VALUE(s->calls);
	ev.field[SYSSTAT_ERRORS] = UINT_VALUE(s->errors);
	ev.field[SYSSTAT_TOTAL] = UINT_VALUE(s->total_ns);
	ev.field[SYSSTAT_MIN] = UINT_VALUE(s->min_ns);
	ev.field[SYSSTAT_P50] = UINT_VALUE(histogram_quantile(s->bucket, SYSCALL_BUCKETS, 0.50, s->min_ns, s->max_ns));
	ev.field[SYSSTAT_P99] = UINT_VALUE(histogram_quantile(s->bucket, SYSCALL_BUCKETS, 0.99, s->min_ns, s->max_ns));
	ev.field[SYSSTAT_MAX] = UINT_VALUE(s->max_ns);
	engine_emit(e, &ev);
}

void syscall_report_stat(struct engine *e)
{
	int cpus = libbpf_num_possible_cpus(), map = loader_map(engine_loader(e), "syscall_stats");
	if (cpus < 0 || map < 0)
		return;
	_cleanup_(free) struct syscall_stat *each = xcalloc((size_t)cpus, sizeof(*each));
	_cleanup_(free) struct syscall_stat *sum = xmalloc(sizeof(*sum));
	for (uint32_t nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		memset(sum, 0, sizeof(*sum));
		if (bpf_map_lookup_elem(map, &nr, each) < 0)
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			add_stat(sum, &each[cpu]);
		if (sum->calls)
			emit_stat(e, nr, sum);
	}
}
