/*
 * breaker: a target that pays a larger share of its CPU for our probes than is allowed loses them, at once.
 *
 * What it pays is hits × the measured cost of a hit; what it has is the CPU time that the kernel accounts to it, in which
 * the probes are contained. Looked at four times a second over the time since the last look, so that an overload is
 * ended well within a second, and told.
 */
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"
#include "sys/proc.h"

#define LEAST_CPU_NS (20 * NSEC_PER_MSEC) /* of the target between looks: below it the tick of the account is too coarse */
#define SHARE_OF_OTHERS 0.5               /* of processes that we did not start */

static double allowed_share(struct engine *e)
{
	double asked = engine_options(e)->max_overhead;
	if (asked == OVERHEAD_NONE)
		return 0;
	if (asked >= 0)
		return asked;
	return engine_options(e)->command ? 0 : SHARE_OF_OTHERS;
}

static uint64_t read_hits(struct engine *e, uint32_t slot, int cpus, uint64_t *per_cpu)
{
	uint64_t sum = 0;
	if (bpf_map_lookup_elem(loader_map(engine_loader(e), "func_hits"), &slot, per_cpu) < 0)
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += per_cpu[cpu];
	return sum;
}

/* Of the functions that are attached there, by calibration; a call with its exit is two hits. */
static double cost_of_a_hit(const struct func_state *s, const struct func_process *fp)
{
	return s->exits == EXITS_NONE ? fp->mean_cost_ns : fp->mean_cost_ns / 2;
}

static void trip(struct engine *e, struct func_state *s, struct func_process *fp, double share, double allowed)
{
	func_unprobe_process(fp);
	fp->tripped = true;
	s->tripped++;
	engine_note(e, "%s[%d] paid %.0f%% of its CPU for our probes (allowed: %.0f%%): they are taken away; ask for fewer functions, "
		    "or set --max-overhead", fp->comm, fp->pid, share * 100, allowed * 100);
}

static void look_at(struct engine *e, struct func_state *s, struct func_process *fp, double allowed, int cpus, uint64_t *per_cpu)
{
	uint64_t cpu_ns, hits = read_hits(e, fp->slot % FUNC_HIT_SLOTS, cpus, per_cpu);
	if (fp->tripped || proc_cpu_ns(fp->pid, &cpu_ns) < 0)
		return;
	if (fp->looked && cpu_ns - fp->cpu_ns < LEAST_CPU_NS)
		return;
	double share = fp->looked ? (double)(hits - fp->hits) * cost_of_a_hit(s, fp) / (double)(cpu_ns - fp->cpu_ns) : 0;
	fp->hits = hits;
	fp->cpu_ns = cpu_ns;
	fp->looked = true;
	if (share > allowed)
		trip(e, s, fp, MIN(share, 1.0), allowed);
}

void func_watch_overhead(struct engine *e, struct func_state *s)
{
	double allowed = allowed_share(e);
	int cpus = libbpf_num_possible_cpus();
	if (allowed <= 0 || cpus < 0 || s->processes.n == 0)
		return;
	_cleanup_(free) uint64_t *per_cpu = xcalloc((size_t)cpus, sizeof(*per_cpu));
	size_t at = 0;
	uint64_t pid;
	void *fp;
	while (hashmap_next(&s->processes, &at, &pid, &fp))
		look_at(e, s, fp, allowed, cpus, per_cpu);
	if (s->tripped && s->tripped == s->processes.n)
		engine_stop(e, 1); /* nobody is probed any more */
}
