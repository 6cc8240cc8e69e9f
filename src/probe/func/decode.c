/* decode: records of calls and points into events. Works from records alone, live or from a file. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "probe/func/internal.h"

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

static struct value call_arguments(struct engine *e, const struct func_info *info, const struct func_call_rec *call)
{
	struct slice tail = tail_of(&call->head, sizeof(*call), call->fetched_bytes);
	if (!info->n_parameters)
		return raw_arguments(engine_arena(e), call->argument);
	return known_arguments(engine_arena(e), info, call->argument, tail, call->fetched_n);
}

static void describe_call(struct engine *e, const struct func_info *info, const struct func_call_rec *call, uint64_t call_base, struct event *ev)
{
	bool args = engine_options(e)->args;
	event_init(ev, EVENT_FUNCTION_CALL);
	ev->runtime = info->kind == PROBE_KERNEL_FUNCTION ? "kernel" : "native";
	ev->field[CALL_FUNCTION] = STRING_VALUE(slice_of(info->name));
	ev->field[CALL_MODULE] = STRING_VALUE(slice_of(info->module));
	if (info->file[0]) {
		ev->field[CALL_FILE] = STRING_VALUE(slice_of(info->file));
		ev->field[CALL_LINE] = UINT_VALUE(info->line);
	}
	ev->field[CALL_DEPTH] = UINT_VALUE(call->depth);
	ev->field[CALL_ID] = UINT_VALUE(call_base + call->call);
	if (call->parent)
		ev->field[CALL_PARENT_ID] = UINT_VALUE(call_base + call->parent);
	if (args)
		ev->field[CALL_ARGUMENTS] = call_arguments(e, info, call);
	if (call->flags & CALL_EXIT_SEEN) {
		ev->field[CALL_DURATION] = UINT_VALUE(call->duration_ns);
		ev->field[CALL_SELF] = UINT_VALUE(call->duration_ns > call->below_ns ? call->duration_ns - call->below_ns : 0);
		ev->field[CALL_OVERHEAD] = UINT_VALUE(call->overhead_ns);
		if (args)
			ev->field[CALL_RETURN] = returned(info, call->return_value);
	}
	const char *end = end_of(call->flags);
	if (end)
		ev->field[CALL_END] = STRING_VALUE(slice_of(end));
}

static void decode_call(struct engine *e, struct func_state *s, const struct func_call_rec *call)
{
	const struct options *o = engine_options(e);
	const struct func_info *info = func_info_of(s, call->probe);
	if (call->head.length < sizeof(*call) || !info)
		return;
	bool open = call->flags & CALL_STILL_OPEN;
	uint32_t lost = 0;
	uint64_t thread = engine_thread(e, &call->head, open ? NULL : &lost);
	if (!info->wanted || (!open && engine_counts_alone(e)))
		return;
	struct event ev;
	describe_call(e, info, call, thread << 32, &ev);
	if (lost)
		ev.field[CALL_LOST_BEFORE] = UINT_VALUE(lost);
	engine_place(e, &ev, &call->head);
	if (!o->stat && !o->hist)
		engine_emit(e, &ev);
	else if (engine_passes(e, &ev))
		func_count_call(s, call);
}

static void decode_point(struct engine *e, struct func_state *s, const struct func_point_rec *point)
{
	const struct func_info *info = func_info_of(s, point->probe);
	if (point->head.length < sizeof(*point) || !info)
		return;
	uint32_t lost;
	engine_thread(e, &point->head, &lost);
	if (!info->wanted || engine_counts_alone(e))
		return;
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
	case FUNC_STAT:
		func_show_stat(e, state, (const void *)rec);
		break;
	case FUNC_PROBE_FACT:
		func_learn_probe(e, state, (const void *)rec);
		break;
	}
}
