/*
 * pipeline: the way of a record to the sink. Whatever is shown comes from a record, the engine's own facts included, so
 * that a recording of the records shows the same again.
 */
#include "engine/pipeline.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "base/log.h"
#include "base/macro.h"
#include "engine/internal.h"
#include "engine/recording.h"
#include "engine/requests.h"
#include "export/exports.h"
#include "sink/sink.h"

/* What the kernel half has decided already is not asked again. */
static bool passes_where(const struct engine *e, const struct event *event)
{
	if (!e->where || !event->type->of_task)
		return true;
	return event->where_open || !engine_is_live(e) ? where_matches_all(e->where, event) : where_matches(e->where, event);
}

static bool is_of_target(const struct options *o, const struct event *event)
{
	bool fits = o->pids.n == 0;
	for (size_t i = 0; i < o->pids.n && !fits; i++)
		fits = o->pids.items[i] == event->pid;
	if (!fits || o->names.n == 0)
		return fits;
	char name[16];
	snprintf(name, sizeof(name), "%.*s", (int)event->process_name.len, event->process_name.data);
	for (size_t i = 0; i < o->names.n; i++)
		if (fnmatch(o->names.items[i], name, 0) == 0)
			return true;
	return false;
}

/* What a kernel half decides live and nobody has decided for a recording. */
static bool passes_filters(const struct engine *e, const struct event *event)
{
	const struct options *o = e->job->options;
	const struct value *duration = event_duration(event);
	if (engine_is_live(e) || !event->type->of_task)
		return true;
	if (!is_of_target(o, event))
		return false;
	if (event->time_ns < e->since_ns || event->time_ns >= e->until_ns)
		return false;
	if (o->min_ns && duration && (duration->kind != VALUE_UINT || duration->u < o->min_ns))
		return false;
	return !o->depth || event->type != &event_types[EVENT_FUNCTION_CALL] || event->field[CALL_DEPTH].u < o->depth;
}

bool engine_passes(const struct engine *e, const struct event *event)
{
	return passes_filters(e, event) && passes_where(e, event);
}

/* Calls that are still open count when they end. */
static bool counts(const struct event *event)
{
	if (event->type == &event_types[EVENT_LOST] || event->type == &event_types[EVENT_PROCESS] || event->type == &event_types[EVENT_SUMMARY])
		return false;
	return event->type != &event_types[EVENT_FUNCTION_CALL] || !slice_eq_str(event->field[CALL_END].s, "open");
}

void engine_emit(struct engine *e, struct event *event)
{
	const struct options *o = e->job->options;
	bool loss = event->type == &event_types[EVENT_LOST];
	if (e->recording)
		recording_event(e, event);
	if (e->limit_reached && event->type->of_task)
		return;
	if (!event->time_ns)
		event->time_ns = e->now_ns;
	if (loss)
		account_told(&e->account, event);
	else if (!engine_passes(e, event))
		return;
	event->realtime_offset_ns = e->realtime_offset_ns;
	event->utc_offset_s = e->utc_offset_s;
	sink_write(e->sink, event);
	exports_write(e->job->exports, event);
	if (!counts(event))
		return;
	e->account.shown++;
	if (o->limit && event->type->of_task && e->account.shown >= o->limit)
		e->limit_reached = true;
}

bool engine_counts_alone(struct engine *e)
{
	const struct options *o = e->job->options;
	if (!o->silent || o->limit || e->job->exports || e->where || recording_looks_at_events(e->recording))
		return false;
	e->account.shown++;
	return true;
}

void engine_place(struct engine *e, struct event *event, const struct rec_head *rec)
{
	event->time_ns = rec->time_ns;
	event->pid = rec->pid;
	event->tid = rec->tid;
	event->strand_id = rec->strand;
	if (!event->runtime)
		event->runtime = rec->flags & REC_KERNEL ? "kernel" : "native";
	event->process_name = names_at(&e->names, (pid_t)rec->pid, rec->time_ns);
}

void engine_emit_of(struct engine *e, struct event *event, const struct rec_head *rec)
{
	engine_place(e, event, rec);
	engine_emit(e, event);
}

static void tell_loss(struct engine *e, const struct rec_head *where, enum loss_cause cause, uint32_t n)
{
	struct event event;
	event_init(&event, EVENT_LOST);
	event.field[LOST_CAUSE] = STRING_VALUE(slice_of(loss_name(cause)));
	event.field[LOST_COUNT] = UINT_VALUE(n);
	engine_emit_of(e, &event, where);
}

uint64_t engine_thread(struct engine *e, const struct rec_head *rec, uint32_t *ret_lost)
{
	struct thread_seen seen = threads_see(&e->threads, rec, ret_lost);
	if (seen.is_new && e->recording) {
		struct run_thread_rec fact = threads_fact(&e->threads, rec);
		engine_fact(e, &fact.head);
	}
	if (seen.lost)
		tell_loss(e, rec, LOSS_RING_FULL, seen.lost);
	if (ret_lost)
		*ret_lost = seen.lost;
	return seen.number;
}

void pipeline_cut(struct engine *e)
{
	threads_cut(&e->threads);
}

static void on_clock(struct engine *e, const struct run_clock_rec *rec)
{
	e->realtime_offset_ns = rec->realtime_offset_ns;
	e->utc_offset_s = rec->utc_offset_s;
}

/* A receiver that is down is told when it is so, not at the end. */
static void tell_news(struct engine *e)
{
	_cleanup_(strbuf_done) struct strbuf news = {};
	if (exports_news(e->job->exports, &news))
		engine_note(e, "%s", news.data);
}

static void on_tick(struct engine *e, const struct rec_head *rec)
{
	names_forget(&e->names, rec->time_ns);
	if (e->sink->ops->tick)
		e->sink->ops->tick(e->sink->state, rec->time_ns);
	exports_tick(e->job->exports, rec->time_ns);
	tell_news(e);
	int r = sink_flush(e->sink);
	if (r < 0)
		engine_stop(e, r == -EPIPE ? 0 : 1); /* a reader who has seen enough is no failure */
}

static void on_note(struct engine *e, const struct run_note_rec *rec)
{
	struct slice text = { (const char *)(rec + 1), MIN(rec->len, rec->head.length - sizeof(*rec)) };
	if (account_note(&e->account, text))
		log_note("%.*s", (int)text.len, text.data);
}

static void on_process(struct engine *e, const struct run_process_rec *rec)
{
	if (rec->exe_len <= rec->head.length - sizeof(*rec))
		names_add(&e->names, rec);
}

/* What the engine has told itself. */
static void take_own(struct engine *e, const struct rec_head *rec)
{
	static const struct {
		uint16_t type;
		uint16_t bytes;
	} least[] = {
		{ RUN_TICK, sizeof(struct rec_head) },
		{ RUN_LOSS, sizeof(struct run_loss_rec) },
		{ RUN_CLOCK, sizeof(struct run_clock_rec) },
		{ RUN_PROCESS, sizeof(struct run_process_rec) },
		{ RUN_PROCESS_END, sizeof(struct rec_head) },
		{ RUN_NOTE, sizeof(struct run_note_rec) },
		{ RUN_ACCOUNT, sizeof(struct run_account_rec) },
		{ RUN_THREAD, sizeof(struct run_thread_rec) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(least); i++)
		if (rec->type == least[i].type && rec->length < least[i].bytes)
			return;
	switch (rec->type) {
	case RUN_TICK:
		on_tick(e, rec);
		break;
	case RUN_LOSS: {
		const struct run_loss_rec *loss = (const void *)rec;
		tell_loss(e, rec, (enum loss_cause)loss->cause, loss->count);
		break;
	}
	case RUN_CUT:
		pipeline_cut(e);
		break;
	case RUN_CLOCK:
		on_clock(e, (const void *)rec);
		break;
	case RUN_PROCESS:
		on_process(e, (const void *)rec);
		break;
	case RUN_PROCESS_END:
		names_end(&e->names, rec);
		break;
	case RUN_NOTE:
		on_note(e, (const void *)rec);
		break;
	case RUN_THREAD:
		threads_learn(&e->threads, (const void *)rec);
		break;
	case RUN_ACCOUNT:
		account_take(&e->account, (const void *)rec);
		break;
	}
}

static struct family *family_of(struct engine *e, const struct rec_head *rec)
{
	for (size_t i = 0; i < e->n_families; i++)
		if (e->families[i].ops->record_family == rec->type >> 8)
			return &e->families[i];
	return NULL;
}

void engine_fact(struct engine *e, const struct rec_head *rec)
{
	e->now_ns = MAX(e->now_ns, rec->time_ns);
	if (e->recording)
		recording_add(e, rec);
	struct family *f = family_of(e, rec);
	if (rec->type >> 8 == REC_FACT)
		take_own(e, rec);
	else if (rec->type >> 8 == REC_SPAN && e->requests)
		requests_take(e, rec);
	else if (f)
		f->ops->decode(e, f->state, rec);
}

/* Losses that no later event of their thread has told are told at the end, so that their sum is that of the account. */
static void tell_untold_losses(struct engine *e)
{
	for (size_t i = 0; i < LOSS_CAUSES; i++) {
		if (e->account.lost[i] <= e->account.told[i])
			continue;
		struct event lost;
		event_init(&lost, EVENT_LOST);
		lost.field[LOST_CAUSE] = STRING_VALUE(slice_of(loss_name((enum loss_cause)i)));
		lost.field[LOST_COUNT] = UINT_VALUE(e->account.lost[i] - e->account.told[i]);
		engine_emit(e, &lost);
	}
}

void pipeline_finish(struct engine *e)
{
	struct event summary;
	for (size_t i = 0; i < e->n_families; i++)
		if (!e->families[i].off && e->families[i].ops->conclude)
			e->families[i].ops->conclude(e, e->families[i].state);
	requests_conclude(e);
	tell_untold_losses(e);
	exports_finish(e->job->exports);
	tell_news(e);
	account_event(&e->account, &e->arena, &summary);
	summary.field[SUMMARY_EXPORTS] = exports_value(e->job->exports, &e->arena);
	engine_emit(e, &summary);
	account_text(&e->account, e->job->summary);
	exports_text(e->job->exports, e->job->summary);
}
