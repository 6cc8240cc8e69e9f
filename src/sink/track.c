#include "sink/track.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

#define TRACKS_MAX 65536 /* remembered; when there are more, all are forgotten, and told again as they come */
#define NONE EVENT_MAX_FIELDS /* one beyond: a field that is always absent */
#define TOLD (1u << 31)       /* no field's bit: what has none is in the map as well */
_Static_assert(NONE < 31, "fields of an event and NONE have a bit each");

/* What of a type's fields tells where it stands and how long it is; what has no duration is a moment. */
static const struct shape {
	unsigned name, duration, overhead, end, id, depth;
} shapes[EVENT_TYPES] = {
	[EVENT_FUNCTION_CALL] = { CALL_FUNCTION, CALL_DURATION, CALL_OVERHEAD, CALL_END, CALL_ID, CALL_DEPTH },
	[EVENT_SYSCALL] = { SYSCALL_FUNCTION, SYSCALL_DURATION, NONE, NONE, NONE, NONE },
	[EVENT_TRACEPOINT] = { POINT_NAME, NONE, NONE, NONE, NONE, NONE },
	[EVENT_USDT] = { POINT_NAME, NONE, NONE, NONE, NONE, NONE },
	[EVENT_LOST] = { NONE, NONE, NONE, NONE, NONE, NONE },
};

static const struct value *field_of(const struct event *e, unsigned i)
{
	static const struct value none;
	return i == NONE ? &none : &e->field[i];
}

static void track_free(struct track *t)
{
	hashmap_done(&t->open);
	free(t);
}

void tracks_done(struct tracks *t)
{
	size_t at = 0;
	uint64_t key;
	void *track;
	while (hashmap_next(&t->by_thread, &at, &key, &track))
		track_free(track);
	hashmap_done(&t->by_thread);
	hashmap_done(&t->processes);
}

static struct track *track_of(struct tracks *t, const struct event *e)
{
	uint64_t key = (uint64_t)e->pid << 32 | e->tid;
	struct track *track = hashmap_get(&t->by_thread, key);
	if (!track && t->by_thread.n >= TRACKS_MAX)
		tracks_done(t);
	if (!track) {
		track = xcalloc(1, sizeof(*track));
		*track = (struct track){ .pid = e->pid, .tid = e->tid, .fresh = true };
		track->names_process = !hashmap_put(&t->processes, e->pid, track) || e->pid == e->tid;
		hashmap_put(&t->by_thread, key, track);
	}
	struct slice name = { e->process_name.data, MIN(e->process_name.len, sizeof(track->name) - 1) };
	if (name.len && !slice_eq_str(name, track->name)) {
		snprintf(track->name, sizeof(track->name), "%.*s", (int)name.len, name.data);
		track->fresh = true;
	}
	return track;
}

/* Fields that are there, but for those that the mark itself tells. */
static uint32_t fields_beside(const struct event *e, const struct shape *shape)
{
	uint32_t fields = 0;
	for (uint32_t i = 0; i < e->type->n_fields; i++)
		if (e->field[i].kind != VALUE_NONE || e->field[i].type.len)
			fields |= 1u << i;
	return fields & ~(1u << shape->name) & ~(1u << shape->depth);
}

static bool ends_as(const struct event *e, const struct shape *shape, const char *how)
{
	const struct value *end = field_of(e, shape->end);
	return end->kind == VALUE_STRING && slice_eq_str(end->s, how);
}

/* What began open is told at its end only what was not known before. */
static void choose_kind(struct track *track, const struct event *e, const struct shape *shape, struct mark *m)
{
	uint64_t id = field_of(e, shape->id)->u;
	bool has_end = field_of(e, shape->duration)->kind == VALUE_UINT || ends_as(e, shape, "unseen");
	m->kind = has_end ? MARK_SLICE : MARK_MOMENT;
	if (shape->id == NONE)
		return;
	if (ends_as(e, shape, "open")) {
		m->fields &= ~(1u << shape->end);
		m->kind = hashmap_put(&track->open, id, (void *)(uintptr_t)(m->fields | TOLD)) ? MARK_NONE : MARK_BEGIN;
		return;
	}
	uintptr_t told = (uintptr_t)hashmap_remove(&track->open, id);
	m->fields &= ~(uint32_t)told;
	m->kind = told ? MARK_END : m->kind;
}

struct track *tracks_add(struct tracks *t, const struct event *e, struct mark *ret)
{
	const struct shape *shape = &shapes[e->type - event_types];
	struct track *track = track_of(t, e);
	const struct value *name = field_of(e, shape->name), *duration = field_of(e, shape->duration);
	uint64_t end_ns = e->time_ns + duration->u + field_of(e, shape->overhead)->u;
	if (duration->kind != VALUE_UINT) /* what it called was told before it; what ends with its caller has to have begun before */
		end_ns = MAX(e->time_ns + 1, track->last_ns);
	*ret = (struct mark){
		.name = name->kind == VALUE_STRING ? name->s : slice_of(e->type->name), .begin_ns = e->time_ns, .end_ns = end_ns,
		.fields = fields_beside(e, shape),
	};
	choose_kind(track, e, shape, ret);
	track->last_ns = MAX(track->last_ns, ret->kind == MARK_SLICE || ret->kind == MARK_END ? end_ns : e->time_ns);
	return track;
}
