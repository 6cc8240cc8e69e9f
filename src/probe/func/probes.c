/* probes: gives numbers to what is probed, tells them as facts, fills the kernel's tables. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

static void add_parameter(struct strbuf *b, const struct parameter *p)
{
	size_t name_len = p->name ? strlen(p->name) : 0, type_len = p->type ? strlen(p->type) : 0;
	struct parameter_abi abi = {
		.from = p->from, .which = p->which, .format = p->format, .size = p->size,
		.name_len = (uint8_t)MIN(name_len, 255ul), .type_len = (uint8_t)MIN(type_len, 255ul),
	};
	strbuf_add(b, &abi, sizeof(abi));
	strbuf_add(b, p->name, abi.name_len);
	strbuf_add(b, p->type, abi.type_len);
}

static uint16_t text_len(const char *s)
{
	return s ? (uint16_t)MIN(strlen(s), 2000ul) : 0;
}

static void tell(struct engine *e, uint32_t probe, const struct func_info *info)
{
	struct func_probe_fact fact = {
		.head = { .type = FUNC_PROBE_FACT, .time_ns = clock_monotonic_ns() },
		.probe = probe, .line = info->line, .inside_ns = info->inside_ns, .outside_ns = info->outside_ns,
		.kind = (uint8_t)info->kind, .n_parameters = (uint8_t)info->n_parameters,
		.name_len = text_len(info->name), .module_len = text_len(info->module), .file_len = text_len(info->file),
	};
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_add(&b, &fact, sizeof(fact));
	strbuf_add(&b, info->name, fact.name_len);
	strbuf_add(&b, info->module, fact.module_len);
	strbuf_add(&b, info->file, fact.file_len);
	for (size_t i = 0; i < info->n_parameters; i++)
		add_parameter(&b, &info->parameters[i]);
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(e, (struct rec_head *)b.data);
}

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
	struct func_probe kernel = { .inside_ns = info->inside_ns, .outside_ns = info->outside_ns, .plan = add_plan(e, s, plan), .twin = info->twin };
	if (bpf_map_update_elem(loader_map(engine_loader(e), "func_probes"), &probe, &kernel, BPF_ANY) < 0)
		return 0;
	tell(e, probe, info);
	return probe;
}
