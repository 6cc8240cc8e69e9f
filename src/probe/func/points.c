/* points: USDT probes and tracepoints: single moments, with their arguments or fields by name. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "arch/usdt_arg.h"
#include "base/alloc.h"
#include "base/macro.h"
#include "priv/ability.h"
#include "priv/tracefs.h"
#include "probe/func/internal.h"

#define FIELD_BYTES_MAX 256 /* kept of a string or an array of a tracepoint */

/* ---- USDT ---- */

bool func_usdt_wanted(struct func_state *s, const struct binary *b, const struct usdt_probe *probe)
{
	struct pattern *found = NULL;
	for (size_t i = 0; i < s->patterns.n; i++) {
		struct pattern *p = &s->patterns.items[i];
		if (p->space != SPACE_USDT || fnmatch(p->provider, probe->provider, 0) || fnmatch(p->glob, probe->name, 0))
			continue;
		if (p->object && !pattern_wants_file(p, b->path, b->is_executable))
			continue;
		found = p->negated ? NULL : p;
	}
	if (found)
		found->matched++;
	return found != NULL;
}

/* The operands become fetches; what cannot be read (a vector register) keeps its place as unreadable. */
static size_t plan_usdt(const char *text, struct fetch_plan *plan, struct parameter *parameters, char names[][8])
{
	size_t n = 0, consumed;
	while (n < FETCH_MAX) {
		struct fetch f;
		int r = usdt_argument_parse(text, &f, &consumed);
		if (r == -ENODATA || r == -EINVAL)
			break;
		text += consumed;
		snprintf(names[n], sizeof(names[n]), "arg%zu", n + 1);
		bool is_signed = r == 0 && f.flags & FETCH_SIGNED;
		parameters[n] = (struct parameter){
			.from = FROM_FETCH, .which = r == 0 ? (uint8_t)plan->n : 255, .name = names[n], .type = "",
			.format = is_signed ? FORMAT_INT : r == 0 && f.size == 8 ? FORMAT_HEX : FORMAT_UINT, .size = r == 0 ? f.size : 8,
		};
		if (r == 0)
			plan->fetch[plan->n++] = f;
		n++;
	}
	return n;
}

static int attach_usdt(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, const struct usdt_probe *probe,
		       struct reason *why)
{
	struct fetch_plan plan = {};
	struct parameter parameters[FETCH_MAX];
	char names[FETCH_MAX][8];
	size_t n = plan_usdt(probe->arguments, &plan, parameters, names);
	struct func_info info = { .kind = PROBE_USDT, .name = probe->name, .module = probe->provider, .path = b->path,
				  .parameters = parameters, .n_parameters = n };
	uint32_t number = func_probe_add(e, s, &info, &plan);
	if (!number)
		return 0;
	uint64_t cookie = COOKIE(number, fp->slot % FUNC_COST_SLOTS, COST_FLAGS(COST_OF_POINT_NS));
	bool can_switch_on = ability_has(ABILITY_USDT_SEMAPHORE);
	if (probe->semaphore && !can_switch_on)
		engine_note(e, "usdt:%s:%s stays silent: this kernel cannot switch it on; see: utrace doctor", probe->provider, probe->name);
	struct uprobe_request q = {
		.file_fd = b->fd, .pid = fp->pid, .kind = ATTACH_ENTRY, .program_fd = func_program(s, "func_usdt"),
		.offsets = &probe->offset, .cookies = &cookie, .semaphores = probe->semaphore && can_switch_on ? &probe->semaphore : NULL, .n = 1,
	};
	int r = attach_uprobes(&fp->point_links, s->mechanism != UPROBES_PERF_EVENT, &q, why);
	s->attached += r == 0;
	return r;
}

int func_attach_usdt(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, struct reason *why)
{
	const struct usdt_probe *probes;
	size_t n;
	if (!patterns_have(&s->patterns, SPACE_USDT))
		return 0;
	int r = elf_usdt(b->elf, &probes, &n, why);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (func_usdt_wanted(s, b, &probes[i]))
			r = attach_usdt(e, s, fp, b, &probes[i], why);
	return r;
}

/* ---- tracepoints ---- */

static bool is_char(const struct tracefs_field *f)
{
	return streq(f->type, "char") || streq(f->type, "unsigned char");
}

/* A field of the record as a fetch: offsets are from the record's beginning, which is the program's context. */
static bool plan_field(const struct tracefs_field *f, struct fetch *ret, enum parameter_format *ret_format)
{
	*ret = (struct fetch){ .from = FETCH_CONTEXT, .offset = f->offset, .size = (uint8_t)MIN(f->size, 8u), .flags = FETCH_KERNEL };
	if (f->is_common || f->loc == TRACEFS_REL_LOC)
		return false;
	if (f->loc == TRACEFS_DATA_LOC || (f->is_array && is_char(f))) {
		if (!is_char(f))
			return false;
		ret->kind = FETCH_STRING;
		ret->flags |= f->loc == TRACEFS_DATA_LOC ? FETCH_DATA_LOC : 0;
		ret->max = (uint16_t)(f->loc == TRACEFS_DATA_LOC ? FIELD_BYTES_MAX : MIN(f->size, (uint32_t)FIELD_BYTES_MAX));
		*ret_format = FORMAT_STRING;
		return true;
	}
	if (f->is_array || f->size > 8)
		return false;
	ret->flags |= f->is_signed ? FETCH_SIGNED : 0;
	*ret_format = strchr(f->type, '*') ? FORMAT_HEX : f->is_signed ? FORMAT_INT : FORMAT_UINT;
	return true;
}

static int attach_one(struct engine *e, struct func_state *s, const char *system, const struct tracefs_format *format, struct reason *why)
{
	struct fetch_plan plan = {};
	struct parameter parameters[FETCH_MAX];
	for (size_t i = 0; i < format->n && plan.n < FETCH_MAX; i++) {
		enum parameter_format how = FORMAT_HEX;
		if (!plan_field(&format->fields[i], &plan.fetch[plan.n], &how))
			continue;
		parameters[plan.n] = (struct parameter){ .from = FROM_FETCH, .which = (uint8_t)plan.n, .format = (uint8_t)how,
							 .size = plan.fetch[plan.n].size, .name = format->fields[i].name, .type = format->fields[i].type };
		plan.n++;
	}
	struct func_info info = { .kind = PROBE_TRACEPOINT, .name = format->name, .module = system,
				  .parameters = parameters, .n_parameters = plan.n };
	uint32_t number = func_probe_add(e, s, &info, &plan);
	if (!number)
		return 0;
	static const char *const programs[] = { "func_tracepoint", NULL };
	uint64_t cookie = COOKIE(number, FUNC_COST_SLOTS - 1, 0);
	struct bpf_object *o = s->object;
	int r = ability_has(ABILITY_COOKIE) ? 0 : func_copy(e, s, cookie, programs, NULL, &o, why);
	if (r == 0)
		r = attach_tracepoint(&s->links, func_program_of(o, "func_tracepoint"), format->id, cookie, why);
	s->attached += r == 0;
	return r;
}

static int attach_event(struct engine *e, struct func_state *s, int tracefs, const char *full, struct reason *why)
{
	_cleanup_(tracefs_format_done) struct tracefs_format format = {};
	_cleanup_(free) char *system = xstrdup(full);
	char *event = strchr(system, ':');
	if (!event)
		return 0;
	*event++ = '\0';
	int r = tracefs_format(tracefs, system, event, &format, why);
	return r < 0 ? r : attach_one(e, s, system, &format, why);
}

static int no_such_tracepoint(int tracefs, const struct pattern *p, struct reason *why)
{
	_cleanup_(free) char *all = xasprintf("%s:*", p->object);
	_cleanup_(tracefs_events_done) struct tracefs_events events = {};
	struct nearest near = { .want = p->glob };
	char text[256];
	if (tracefs_events(tracefs, all, &events, NULL) == 0)
		for (size_t i = 0; i < events.n; i++)
			nearest_offer(&near, strchr(events.names[i], ':') + 1);
	nearest_text(&near, text, sizeof(text));
	if (events.n == 0)
		return reason_set(why, -ENOENT, "this kernel has no tracepoints of a system '%s' (list them: utrace func -l 't:*:*')", p->object);
	return reason_set(why, -ENOENT, "no tracepoint of %s matches '%s'%s%s (list them: utrace func -l 't:%s:*')", p->object, p->glob,
			  text[0] ? "; " : "", text, p->object);
}

int func_find_tracepoints(int tracefs, struct pattern *p, struct tracefs_events *ret, struct reason *why)
{
	_cleanup_(free) char *glob = xasprintf("%s:%s", p->object, p->glob);
	int r = tracefs_events(tracefs, glob, ret, why);
	if (r == 0 && ret->n == 0)
		return no_such_tracepoint(tracefs, p, why);
	p->matched += ret->n;
	return r;
}

int func_attach_tracepoints(struct engine *e, struct func_state *s, struct reason *why)
{
	if (!patterns_have(&s->patterns, SPACE_TRACEPOINT))
		return 0;
	_cleanup_(fd_close) int tracefs = tracefs_open(why);
	if (tracefs < 0)
		return tracefs;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->patterns.n; i++) {
		struct pattern *p = &s->patterns.items[i];
		_cleanup_(tracefs_events_done) struct tracefs_events events = {};
		if (p->space != SPACE_TRACEPOINT || p->negated)
			continue;
		r = func_find_tracepoints(tracefs, p, &events, why);
		if (r == 0 && !ability_has(ABILITY_COOKIE) && events.n > ONE_BY_ONE_MAX)
			return reason_set(why, -E2BIG, "%zu tracepoints match '%s'; this kernel needs a program for each, at most %d", events.n, p->text,
					  ONE_BY_ONE_MAX);
		for (size_t k = 0; r == 0 && k < events.n; k++)
			r = attach_event(e, s, tracefs, events.names[k], why);
	}
	return r;
}
