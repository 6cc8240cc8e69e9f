/* fact: what probes are, as records: told when they are put on, learnt where their calls are decoded. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "probe/func/internal.h"

#define PROBES_MAX (1u << 20) /* as --max-probes */

/* Bytes kept of each text, so that a fact stays below REC_MAX_BYTES. */
#define NAME_BYTES 1000
#define PATH_BYTES 1000
#define PARAMETER_BYTES 120

static void add_text(struct strbuf *b, const char *text, size_t max)
{
	strbuf_add(b, text, text ? strnlen(text, max) : 0);
	strbuf_addc(b, '\0');
}

static void add_parameters(struct strbuf *b, const struct func_info *info)
{
	for (size_t i = 0; i < info->n_parameters; i++) {
		const struct parameter *p = &info->parameters[i];
		struct parameter_abi abi = { .from = p->from, .which = p->which, .format = p->format, .size = p->size };
		strbuf_add(b, &abi, sizeof(abi));
	}
}

void func_tell_probe(struct engine *e, uint32_t probe, const struct func_info *info)
{
	struct func_probe_fact fact = {
		.head = { .type = FUNC_PROBE_FACT, .time_ns = clock_monotonic_ns() },
		.probe = probe, .line = info->line, .inside_ns = info->inside_ns, .outside_ns = info->outside_ns,
		.kind = (uint8_t)info->kind, .n_parameters = (uint8_t)info->n_parameters,
		.flags = info->of_executable ? PROBE_OF_EXECUTABLE : 0,
	};
	bool kept = engine_is_recorded(e); /* by linkage name and path, patterns are asked of a recording; live they have been */
	bool own_linkage_name = kept && info->linkage_name && !streq(info->linkage_name, info->name);
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_add(&b, &fact, sizeof(fact));
	add_parameters(&b, info);
	add_text(&b, info->name, NAME_BYTES);
	add_text(&b, own_linkage_name ? info->linkage_name : "", NAME_BYTES);
	add_text(&b, info->module, NAME_BYTES);
	add_text(&b, kept ? info->path : "", PATH_BYTES);
	add_text(&b, info->file, PATH_BYTES);
	for (size_t i = 0; i < info->n_parameters; i++) {
		add_text(&b, info->parameters[i].name, PARAMETER_BYTES);
		add_text(&b, info->parameters[i].type, PARAMETER_BYTES);
	}
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(e, (struct rec_head *)b.data);
}

/* The next text of @from, which moves behind it; NULL when it does not end there. */
static const char *take_text(struct slice *from)
{
	const char *text = from->data, *end = memchr(text, '\0', from->len);
	if (!end)
		return NULL;
	size_t bytes = (size_t)(end - text) + 1;
	from->data += bytes;
	from->len -= bytes;
	return text;
}

static bool take_parameters(struct parameter *ret, size_t n, const struct parameter_abi *abi, struct slice *texts)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct parameter){ .from = abi[i].from, .which = abi[i].which, .format = abi[i].format, .size = abi[i].size };
		ret[i].name = take_text(texts);
		ret[i].type = ret[i].name ? take_text(texts) : NULL;
		if (!ret[i].type)
			return false;
	}
	return true;
}

/* Fills @ret with what points into @fact, its own copy. False: the fact does not hold together. */
static bool read_fact(struct func_probe_fact *fact, struct parameter *parameters, struct func_info *ret)
{
	const struct parameter_abi *abi = (const void *)(fact + 1);
	size_t fixed = sizeof(*fact) + fact->n_parameters * sizeof(*abi);
	struct slice texts = { (const char *)fact + fixed, fact->head.length - fixed };
	const char **const text[] = { &ret->name, &ret->linkage_name, &ret->module, &ret->path, &ret->file };
	*ret = (struct func_info){
		.kind = fact->kind, .of_executable = fact->flags & PROBE_OF_EXECUTABLE, .line = fact->line,
		.inside_ns = fact->inside_ns, .outside_ns = fact->outside_ns,
		.parameters = parameters, .n_parameters = fact->n_parameters, .fact = fact,
	};
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		if (!(*text[i] = take_text(&texts)))
			return false;
	if (!ret->linkage_name[0])
		ret->linkage_name = ret->name;
	return take_parameters(parameters, fact->n_parameters, abi, &texts);
}

/* Which patterns mean the probe. Live only what they mean is probed; a recording may hold more. */
static bool is_wanted(struct engine *e, struct func_state *s, const struct func_info *info)
{
	static const enum pattern_space spaces[] = {
		[PROBE_FUNCTION] = SPACE_USER, [PROBE_KERNEL_FUNCTION] = SPACE_KERNEL, [PROBE_USDT] = SPACE_USDT, [PROBE_TRACEPOINT] = SPACE_TRACEPOINT,
	};
	if (engine_is_live(e) || !s->patterns.n)
		return true;
	if (info->kind >= ARRAY_SIZE(spaces))
		return false;
	const char *path = info->kind == PROBE_FUNCTION ? info->path : NULL;
	struct pattern *p = patterns_match(&s->patterns, spaces[info->kind], path, info->of_executable, info->name, info->linkage_name);
	if (p)
		p->matched++;
	return p;
}

static void free_info(struct func_info *info)
{
	if (info)
		free(info->fact);
	free(info);
}

/* One piece of memory: the fact, and behind it the parameters that point into it. */
void func_learn_probe(struct engine *e, struct func_state *s, const struct func_probe_fact *fact)
{
	size_t fixed = sizeof(*fact);
	if (fact->head.length < fixed || fact->probe == 0 || fact->probe > PROBES_MAX)
		return;
	fixed += fact->n_parameters * sizeof(struct parameter_abi);
	if (fact->head.length < fixed)
		return;
	struct func_probe_fact *copy = xmalloc(fact->head.length + fact->n_parameters * sizeof(struct parameter));
	memcpy(copy, fact, fact->head.length);
	struct func_info info;
	if (!read_fact(copy, (struct parameter *)((char *)copy + copy->head.length), &info)) {
		free(copy);
		return;
	}
	info.wanted = is_wanted(e, s, &info);
	struct func_info *own = xmalloc(sizeof(*own));
	*own = info;
	free_info(hashmap_put(&s->infos, fact->probe, own));
	s->infos_last = MAX(s->infos_last, fact->probe);
}

const struct func_info *func_info_of(const struct func_state *s, uint32_t probe)
{
	return hashmap_get(&s->infos, probe);
}

void func_save_probes(struct engine *e, const struct func_state *s)
{
	for (uint32_t i = 1; i <= s->infos_last; i++) {
		const struct func_info *info = func_info_of(s, i);
		if (info)
			engine_save_fact(e, &info->fact->head);
	}
}

void func_infos_done(struct func_state *s)
{
	size_t at = 0;
	uint64_t probe;
	void *info;
	while (hashmap_next(&s->infos, &at, &probe, &info))
		free_info(info);
	hashmap_done(&s->infos);
	s->infos_last = 0;
}
