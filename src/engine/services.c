/* services: what probe families ask of the engine: its parts, and the way of an event to the sink. */
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "engine/internal.h"
#include "engine/retire.h"
#include "sink/sink.h"

const struct options *engine_options(const struct engine *e)
{
	return e->job->options;
}

struct loader *engine_loader(const struct engine *e)
{
	return e->loader;
}

struct arena *engine_arena(struct engine *e)
{
	return &e->arena;
}

struct slice engine_process_name(struct engine *e, pid_t pid, uint64_t time_ns)
{
	return processes_name(&e->processes, pid, time_ns);
}

const struct process *engine_next_process(struct engine *e, size_t *at)
{
	struct target_process *p = e->processes.first;
	size_t i = 0;
	for (; p; p = p->next)
		if (!p->ended && i++ == *at)
			break;
	(*at)++;
	return p ? &p->process : NULL;
}

void engine_note(struct engine *e, const char *fmt, ...)
{
	char text[768];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < e->account.notes.n; i++)
		if (streq(e->account.notes.items[i], text))
			return;
	log_note("%s", text);
	account_note(&e->account, text);
}

void engine_stop(struct engine *e, int status)
{
	e->stopping = true;
	if (!e->status)
		e->status = status;
}

/* What the kernel half has decided already is not asked again. */
static bool passes_where(const struct engine *e, const struct event *event)
{
	if (!e->where)
		return true;
	return event->where_open ? where_matches_all(e->where, event) : where_matches(e->where, event);
}

void engine_emit(struct engine *e, struct event *event)
{
	const struct options *o = e->job->options;
	if (e->limit_reached && event->type->of_task)
		return;
	if (event->type == &event_types[EVENT_LOST])
		account_told(&e->account, event);
	if (event->type != &event_types[EVENT_LOST] && !passes_where(e, event))
		return;
	event->realtime_offset_ns = e->realtime_offset_ns;
	if (!event->time_ns)
		event->time_ns = clock_monotonic_ns();
	sink_write(e->sink, event);
	if (event->type == &event_types[EVENT_LOST] || event->type == &event_types[EVENT_PROCESS])
		return;
	if (event->type == &event_types[EVENT_FUNCTION_CALL] && slice_eq_str(event->field[CALL_END].s, "open"))
		return; /* it is counted when it ends */
	e->account.shown++;
	if (o->limit && event->type->of_task && e->account.shown >= o->limit)
		e->limit_reached = true;
}

void engine_emit_of(struct engine *e, struct event *event, const struct rec_head *rec)
{
	event->time_ns = rec->time_ns;
	event->pid = rec->pid;
	event->tid = rec->tid;
	event->strand_id = rec->strand;
	if (!event->runtime)
		event->runtime = rec->flags & REC_KERNEL ? "kernel" : "native";
	event->process_name = engine_process_name(e, (pid_t)rec->pid, rec->time_ns);
	engine_emit(e, event);
}

static struct family *family_of_record(struct engine *e, const struct rec_head *rec)
{
	for (size_t i = 0; i < e->n_families; i++)
		if (e->families[i].ops->record_family == rec->type >> 8)
			return &e->families[i];
	return NULL;
}

void engine_fact(struct engine *e, const struct rec_head *rec)
{
	struct family *f = family_of_record(e, rec);
	if (f)
		f->ops->decode(e, f->state, rec);
}

void engine_tell_loss(struct engine *e, const struct rec_head *next, uint32_t n)
{
	struct event event;
	event_init(&event, EVENT_LOST);
	event.field[LOST_CAUSE] = STRING_VALUE(slice_of(loss_name(LOSS_RING_FULL)));
	event.field[LOST_COUNT] = UINT_VALUE(n);
	engine_emit_of(e, &event, next);
}
