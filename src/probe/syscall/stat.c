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

static void tell_counts(struct engine *e, uint32_t nr, const struct syscall_stat *s)
{
	struct syscall_stat_rec rec = {
		.head = { .type = REC_SYSCALL_STAT, .time_ns = clock_monotonic_ns() }, .nr = nr, .arch = SYSCALL_ARCH_HERE,
		.calls = s->calls, .errors = s->errors, .total_ns = s->total_ns, .min_ns = s->min_ns, .max_ns = s->max_ns,
	};
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_add(&b, &rec, sizeof(rec));
	for (uint32_t i = 0; i < SYSCALL_BUCKETS; i++) {
		struct syscall_bucket bucket = { .bucket = i, .count = s->bucket[i] };
		if (!bucket.count)
			continue;
		strbuf_add(&b, &bucket, sizeof(bucket));
		((struct syscall_stat_rec *)b.data)->buckets_n++;
	}
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(e, (const struct rec_head *)b.data);
}

void syscall_tell_stat(struct engine *e)
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
			tell_counts(e, nr, sum);
	}
}
