/* probes: gives numbers to what is probed, fills the kernel's tables. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "priv/loader.h"
#include "probe/func/internal.h"

static uint32_t add_plan(struct engine *e, struct func_state *s, const struct fetch_plan *plan)
{
	if (!plan || plan->n == 0 || s->plans_n + 1 >= s->plans_cap)
		return 0;
	uint32_t i = ++s->plans_n;
	return bpf_map_update_elem(loader_map(engine_loader(e), "func_plans"), &i, plan, BPF_ANY) < 0 ? 0 : i;
}

uint32_t func_probe_add(struct engine *e, struct func_state *s, const struct func_info *info, const struct fetch_plan *plan)
{
	if (s->probes_n + 1 >= s->probes_cap) {
		if (!s->over_cap)
			engine_note(e, "only the first %u functions are probed (--max-probes allows more)", s->probes_cap - 1);
		s->over_cap = true;
		return 0;
	}
	uint32_t probe = ++s->probes_n;
	struct func_probe kernel = {
		.inside_ns = info->inside_ns, .outside_ns = info->outside_ns, .hidden_ns = info->hidden_ns,
		.plan = add_plan(e, s, plan), .twin = info->twin,
	};
	if (bpf_map_update_elem(loader_map(engine_loader(e), "func_probes"), &probe, &kernel, BPF_ANY) < 0)
		return 0;
	func_tell_probe(e, probe, info);
	return probe;
}
