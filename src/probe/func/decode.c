/* decode: records of calls and points into events. Works from records alone, live or from a file. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "probe/func/internal.h"

#define THREADS_MAX 65536 /* remembered; when there are more, all are forgotten and numbering goes on elsewhere */

static void info_done(struct func_info *info)
{
	for (size_t i = 0; i < info->n_parameters; i++) {
		free(info->parameters[i].name);
		free(info->parameters[i].type);
	}
	free(info->parameters);
	free(info->name);
	free(info->module);
	free(info->file);
	*info = (struct func_info){};
}

void func_infos_done(struct func_state *s)
{
	for (uint32_t i = 0; i < s->infos_n; i++)
		info_done(&s->infos[i]);
	free(s->infos);
	s->infos = NULL;
	s->infos_n = 0;
}

const struct func_info *func_info_of(const struct func_state *s, uint32_t probe)
{
	return probe && probe < s->infos_n && s->infos[probe].name ? &s->infos[probe] : NULL;
}

/* Takes @len bytes off the front; NULL when they are not there. */
static char *take_text(struct slice *from, size_t len)
{
	if (len > from->len)
		return NULL;
	char *text = xstrndup(from->data, len);
	from->data += len;
	from->len -= len;
	return text;
}

static bool take_parameter(struct slice *from, struct parameter *ret)
{
	struct parameter_abi abi;
	if (from->len < sizeof(abi))
		return false;
	memcpy(&abi, from->data, sizeof(abi));
	from->data += sizeof(abi);
	from->len -= sizeof(abi);
	*ret = (struct parameter){ .from = abi.from, .which = abi.which, .format = abi.format, .size = abi.size };
	ret->name = take_text(from, abi.name_len);
	ret->type = ret->name ? take_text(from, abi.type_len) : NULL;
	return ret->type != NULL;
}

static void learn(struct func_state *s, const struct func_probe_fact *fact)
{
	if (fact->head.length < sizeof(*fact) || fact->probe == 0 || fact->probe > 1u << 22)
		return;
	if (fact->probe >= s->infos_n) {
		uint32_t n = MAX(fact->probe + 1, s->infos_n * 2);
		s->infos = xrealloc(s->infos, n * sizeof(*s->infos));
		memset(s->infos + s->infos_n, 0, (n - s->infos_n) * sizeof(*s->infos));
		s->infos_n = n;
	}
	struct func_info *info = &s->infos[fact->probe];
	info_done(info);
	struct slice rest = { (const char *)(fact + 1), fact->head.length - sizeof(*fact) };
	*info = (struct func_info){ .kind = fact->kind, .line = fact->line, .inside_ns = fact->inside_ns, .outside_ns = fact->outside_ns };
	info->name = take_text(&rest, fact->name_len);
	info->module = info->name ? take_text(&rest, fact->module_len) : NULL;
	info->file = info->module ? take_text(&rest, fact->file_len) : NULL;
	info->parameters = xcalloc(fact->n_parameters, sizeof(*info->parameters));
	for (size_t i = 0; info->file && i < fact->n_parameters; i++) {
		if (!take_parameter(&rest, &info->parameters[i])) {
			free(info->parameters[i].name);
			break;
		}
		info->n_parameters = i + 1;
	}
	if (!info->file)
		info_done(info);
}

/* What is remembered of the record's thread; a new generation of the pid begins anew. */
static struct func_seen *seen_of(struct func_state *s, const struct rec_head *head)
{
	uint64_t key = (uint64_t)head->pid << 32 | head->tid;
	struct func_seen *seen = hashmap_get(&s->threads, key);
	if (!seen && s->threads.n >= THREADS_MAX)
		func_forget_threads(s);
	if (!seen) {
		seen = xcalloc(1, sizeof(*seen));
		hashmap_put(&s->threads, key, seen);
		seen->generation = ~head->generation;
	}
	if (seen->generation != head->generation)
		*seen = (struct func_seen){ .generation = head->generation, .call_base = ++s->threads_seen << 32 };
	return seen;
}

void func_forget_threads(struct func_state *s)
{
	size_t at = 0;
	uint64_t key;
	void *seen;
	while (hashmap_next(&s->threads, &at, &key, &seen))
		free(seen);
	hashmap_done(&s->threads);
}

/* How many records of this thread were lost between the one before and this one. */
static uint32_t lost_before(struct func_seen *seen, const struct rec_head *head)
{
	uint32_t lost = head->seq - seen->seq - 1;
	seen->seq = head->seq;
	return lost > 1u << 30 ? 0 : lost;
}

static struct value number_value(uint64_t raw, uint8_t format, uint8_t size)
{
	unsigned shift = size >= 1 && size < 8 ? 64 - 8u * size : 0;
	switch (format) {
	case FORMAT_INT:
		return INT_VALUE((int64_t)(raw << shift) >> shift);
	case FORMAT_UINT:
		return UINT_VALUE(raw << shift >> shift);
	default:
		return ADDRESS_VALUE(raw << shift >> shift);
	}
}

/* The item of fetch @which among the @n that lie in @bytes; NULL when it did not run or the record is cut. */
static const struct fetched *find_fetched(struct slice bytes, uint32_t n, uint8_t which)
{
	for (uint32_t i = 0; i < n && bytes.len >= sizeof(struct fetched); i++) {
		const struct fetched *item = (const void *)bytes.data;
		size_t size = sizeof(*item) + ((item->length + 7u) & ~7u);
		if (size > bytes.len)
			return NULL;
		if (item->which == which)
			return item;
		bytes.data += size;
		bytes.len -= size;
	}
	return NULL;
}

static struct value fetched_value(const struct parameter *p, struct slice bytes, uint32_t n)
{
	const struct fetched *item = find_fetched(bytes, n, p->which);
	if (!item)
		return (struct value){ .kind = VALUE_NONE };
	if (item->status == FETCHED_UNREADABLE || item->status == FETCHED_NO_ROOM) {
		if (p->format == FORMAT_STRING)
			return ADDRESS_VALUE(item->value); /* the pointer at least is known: NULL, or not mapped yet */
		return (struct value){ .kind = VALUE_UNREADABLE };
	}
	if (p->format != FORMAT_STRING)
		return number_value(item->value, p->format, p->size);
	struct value v = STRING_VALUE(((struct slice){ (const char *)(item + 1), item->length }));
	v.truncated = item->status == FETCHED_TRUNCATED;
	return v;
}

static struct slice tail_of(const struct rec_head *head, size_t fixed, uint32_t bytes)
{
	size_t have = head->length - fixed;
	return (struct slice){ (const char *)head + fixed, MIN(have, (size_t)bytes) };
}

/* Values by the parameters of the probe's fact. */
static struct value known_arguments(struct arena *a, const struct func_info *info, const __u64 *raw, struct slice tail, uint32_t n)
{
	struct named_value *items = arena_new(a, struct named_value, info->n_parameters);
	size_t count = 0;
	for (size_t i = 0; i < info->n_parameters; i++) {
		const struct parameter *p = &info->parameters[i];
		if (p->from == FROM_RETURN || (p->from == FROM_ARGUMENT && (!raw || p->which >= 6)))
			continue;
		items[count++] = (struct named_value){
			.name = slice_of(p->name), .type = slice_of(p->type),
			.value = p->from == FROM_ARGUMENT ? number_value(raw[p->which], p->format, p->size) : fetched_value(p, tail, n),
		};
	}
	return (struct value){ .kind = VALUE_ARGUMENTS, .list = { items, count } };
}

/* Nothing is known of the function: its integer argument registers as they are. */
static struct value raw_arguments(struct arena *a, const __u64 *raw)
{
	static const char *const names[6] = { "arg1", "arg2", "arg3", "arg4", "arg5", "arg6" };
	struct named_value *items = arena_new(a, struct named_value, 6);
	for (size_t i = 0; i < 6; i++)
		items[i] = (struct named_value){ .name = slice_of(names[i]), .value = ADDRESS_VALUE(raw[i]) };
	return (struct value){ .kind = VALUE_ARGUMENTS, .list = { items, 6 } };
}

static struct value returned(const struct func_info *info, uint64_t raw)
{
	for (size_t i = 0; i < info->n_parameters; i++) {
		const struct parameter *p = &info->parameters[i];
		if (p->from != FROM_RETURN)
			continue;
		struct value v = p->size ? number_value(raw, p->format, p->size) : (struct value){ .kind = VALUE_NONE };
		v.type = slice_of(p->type);
		return v;
	}
	return ADDRESS_VALUE(raw);
}

static const char *end_of(uint16_t flags)
{
	if (flags & CALL_EXIT_SEEN)
		return NULL;
	return flags & CALL_NO_EXIT_PROBE ? "not_probed" : flags & CALL_STILL_OPEN ? "open" : "unseen";
}

static void decode_call(struct engine *e, struct func_state *s, const struct func_call_rec *call)
{
	const struct func_info *info = func_info_of(s, call->probe);
	if (call->head.length < sizeof(*call) || !info)
		return;
	struct func_seen *seen = seen_of(s, &call->head);
	uint32_t lost = call->flags & CALL_STILL_OPEN ? 0 : lost_before(seen, &call->head);
	if (lost)
		engine_tell_loss(e, &call->head, lost);
	struct event ev;
	event_init(&ev, EVENT_FUNCTION_CALL);
	ev.runtime = info->kind == PROBE_KERNEL_FUNCTION ? "kernel" : "native";
	ev.field[CALL_FUNCTION] = STRING_VALUE(slice_of(info->name));
	ev.field[CALL_MODULE] = STRING_VALUE(slice_of(info->module));
	if (info->file[0]) {
		ev.field[CALL_FILE] = STRING_VALUE(slice_of(info->file));
		ev.field[CALL_LINE] = UINT_VALUE(info->line);
	}
	ev.field[CALL_DEPTH] = UINT_VALUE(call->depth);
	ev.field[CALL_ID] = UINT_VALUE(seen->call_base + call->call);
	if (call->parent)
		ev.field[CALL_PARENT_ID] = UINT_VALUE(seen->call_base + call->parent);
	struct slice tail = tail_of(&call->head, sizeof(*call), call->fetched_bytes);
	if (engine_options(e)->args)
		ev.field[CALL_ARGUMENTS] = info->n_parameters ? known_arguments(engine_arena(e), info, call->argument, tail, call->fetched_n)
							      : raw_arguments(engine_arena(e), call->argument);
	if (call->flags & CALL_EXIT_SEEN) {
		ev.field[CALL_DURATION] = UINT_VALUE(call->duration_ns);
		ev.field[CALL_SELF] = UINT_VALUE(call->duration_ns > call->below_ns ? call->duration_ns - call->below_ns : 0);
		if (engine_options(e)->args)
			ev.field[CALL_RETURN] = returned(info, call->return_value);
	}
	const char *end = end_of(call->flags);
	if (end)
		ev.field[CALL_END] = STRING_VALUE(slice_of(end));
	if (lost)
		ev.field[CALL_LOST_BEFORE] = UINT_VALUE(lost);
	engine_emit_of(e, &ev, &call->head);
}

static void decode_point(struct engine *e, struct func_state *s, const struct func_point_rec *point)
{
	const struct func_info *info = func_info_of(s, point->probe);
	if (point->head.length < sizeof(*point) || !info)
		return;
	struct func_seen *seen = seen_of(s, &point->head);
	uint32_t lost = lost_before(seen, &point->head);
	if (lost)
		engine_tell_loss(e, &point->head, lost);
	struct event ev;
	event_init(&ev, info->kind == PROBE_USDT ? EVENT_USDT : EVENT_TRACEPOINT);
	ev.runtime = info->kind == PROBE_USDT ? "native" : "kernel";
	ev.where_open = true;
	ev.field[POINT_NAME] = STRING_VALUE(slice_of(info->name));
	ev.field[POINT_PROVIDER] = STRING_VALUE(slice_of(info->module));
	struct slice tail = tail_of(&point->head, sizeof(*point), point->fetched_bytes);
	ev.field[POINT_ARGUMENTS] = known_arguments(engine_arena(e), info, NULL, tail, point->fetched_n);
	if (lost)
		ev.field[POINT_LOST_BEFORE] = UINT_VALUE(lost);
	engine_emit_of(e, &ev, &point->head);
}

void func_decode(struct engine *e, void *state, const struct rec_head *rec)
{
	switch (rec->type) {
	case FUNC_CALL:
		decode_call(e, state, (const void *)rec);
		break;
	case FUNC_POINT:
		decode_point(e, state, (const void *)rec);
		break;
	case FUNC_PROBE_FACT:
		learn(state, (const void *)rec);
		break;
	}
}
