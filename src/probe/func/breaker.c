/*
 * breaker: a target that pays a larger share of its CPU for our probes than is allowed loses them, at once.
 *
 * What it pays is added up by the kernel half: each hit adds the cost that calibration has measured for a probe of its kind.
 * What it has is the CPU time that the kernel accounts to it, in which the probes are contained. Looked at four times a
 * second over the time since the last look, the first of which is the attaching, so that an overload is ended well within
 * a second, and told.
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

#define LEAST_CPU_NS (20 * NSEC_PER_MSEC) /* of the target between looks: of less, a share says little */
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

/* What the probes of the process have cost it so far. */
static uint64_t cost_ns(struct engine *e, const struct func_process *fp)
{
	int cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return 0;
	uint32_t slot = fp->slot % FUNC_COST_SLOTS;
	uint64_t sum = 0;
	_cleanup_(free) uint64_t *per_cpu = xcalloc((size_t)cpus, sizeof(*per_cpu));
	if (bpf_map_lookup_elem(loader_map(engine_loader(e), "func_cost"), &slot, per_cpu) == 0)
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += per_cpu[cpu];
	return sum * COST_UNIT_NS;
}

static void trip(struct engine *e, struct func_state *s, struct func_process *fp, double share, double allowed)
{
	func_unprobe_process(fp);
	fp->tripped = true;
	s->tripped++;
	engine_note(e, "%s[%d] paid %.0f%% of its CPU for our probes (allowed: %.3g%%): they are taken away; ask for fewer functions, "
		    "or set --max-overhead", fp->comm, fp->pid, share * 100, allowed * 100);
}

void func_begin_watch(struct engine *e, struct func_process *fp)
{
	if (allowed_share(e) <= 0 || fp->watched || proc_cpu_ns(fp->pid, &fp->cpu_ns) < 0)
		return;
	fp->cost_ns = cost_ns(e, fp);
	fp->watched = true;
}

static void look_at(struct engine *e, struct func_state *s, struct func_process *fp, double allowed)
{
	uint64_t now_ns, cost = cost_ns(e, fp);
	if (fp->tripped || !fp->watched || proc_cpu_ns(fp->pid, &now_ns) < 0 || now_ns - fp->cpu_ns < LEAST_CPU_NS)
		return;
	double share = (double)(cost - fp->cost_ns) / (double)(now_ns - fp->cpu_ns);
	fp->cost_ns = cost;
	fp->cpu_ns = now_ns;
	if (share > allowed)
		trip(e, s, fp, MIN(share, 1.0), allowed);
}

void func_watch_overhead(struct engine *e, struct func_state *s)
{
	double allowed = allowed_share(e);
	if (allowed <= 0 || s->processes.n == 0)
		return;
	size_t at = 0;
	uint64_t pid;
	void *fp;
	while (hashmap_next(&s->processes, &at, &pid, &fp))
		look_at(e, s, fp, allowed);
	if (s->tripped && s->tripped == s->processes.n)
		engine_stop(e, engine_options(e)->command ? 0 : 1); /* nobody is probed any more; a command runs on and has its own status */
}
