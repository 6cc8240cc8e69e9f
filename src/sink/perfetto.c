/*
 * perfetto: Perfetto's protobuf traces, for ui.perfetto.dev and its trace processor (SQL): a track a thread, calls as slices with
 * their values as debug annotations, points and losses as instants. Names are told once and then known by number.
 *
 * There is one sequence of packets, and all times are of CLOCK_MONOTONIC, which a snapshot ties to the time of day. Packets need
 * not be in the order of time; of those of one nanosecond the first in the file is the first, so that what is inside comes first.
 */
#include "base/macro.h"
#include "sink/perfetto_values.h"
#include "sink/sink.h"
#include "sink/track.h"

#define SEQUENCE 1
#define CLOCK_ID_REALTIME 1 /* builtin_clock.proto */
#define CLOCK_ID_MONOTONIC 3
#define WHOLE_TRACE_UUID 1 /* of what belongs to no thread; others are at least 1 << 32 */
#define PACKET_TAG 0x0a /* field 1 of Trace, with a length */

struct perfetto_state {
	FILE *out;
	struct tracks tracks;
	struct interned names, annotations;
	uint32_t categories; /* told; EVENT_BIT()s */
	bool has_clock;
	int64_t realtime_offset_ns;
	struct arena arena; /* of one event */
	struct strbuf bytes;
};

static void write_packet(struct perfetto_state *s, Utrace__TracePacket *p, uint32_t flags)
{
	p->has_trusted_packet_sequence_id = p->has_sequence_flags = true;
	p->trusted_packet_sequence_id = SEQUENCE;
	p->sequence_flags = flags;
	size_t size = utrace__trace_packet__get_packed_size(p), rest = size;
	strbuf_clear(&s->bytes);
	strbuf_addc(&s->bytes, PACKET_TAG);
	for (; rest >= 0x80; rest >>= 7)
		strbuf_addc(&s->bytes, (char)(0x80 | (rest & 0x7f)));
	strbuf_addc(&s->bytes, (char)rest);
	strbuf_reserve(&s->bytes, size);
	s->bytes.len += utrace__trace_packet__pack(p, (uint8_t *)s->bytes.data + s->bytes.len);
	fwrite(s->bytes.data, 1, s->bytes.len, s->out);
}

static void write_descriptor(struct perfetto_state *s, Utrace__TrackDescriptor *d, uint64_t uuid)
{
	Utrace__TracePacket p = UTRACE__TRACE_PACKET__INIT;
	d->has_uuid = true;
	d->uuid = uuid;
	p.track_descriptor = d;
	write_packet(s, &p, UTRACE__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE);
}

static uint64_t process_uuid(const struct track *t)
{
	return (uint64_t)t->pid << 32;
}

static uint64_t thread_uuid(const struct track *t)
{
	return t->tid ? (uint64_t)t->tid << 32 | t->pid : WHOLE_TRACE_UUID;
}

static void tell_process(struct perfetto_state *s, const struct track *t, char *name)
{
	Utrace__ProcessDescriptor process = UTRACE__PROCESS_DESCRIPTOR__INIT;
	Utrace__TrackDescriptor d = UTRACE__TRACK_DESCRIPTOR__INIT;
	process.has_pid = true;
	process.pid = (int32_t)t->pid;
	process.process_name = name;
	d.process = &process;
	write_descriptor(s, &d, process_uuid(t));
}

static void tell_thread(struct perfetto_state *s, const struct track *t, char *name)
{
	Utrace__ThreadDescriptor thread = UTRACE__THREAD_DESCRIPTOR__INIT;
	Utrace__TrackDescriptor d = UTRACE__TRACK_DESCRIPTOR__INIT;
	thread.has_pid = thread.has_tid = d.has_parent_uuid = true;
	thread.pid = (int32_t)t->pid;
	thread.tid = (int32_t)t->tid;
	thread.thread_name = name;
	d.thread = &thread;
	d.parent_uuid = process_uuid(t);
	write_descriptor(s, &d, thread_uuid(t));
}

static void tell_track(struct perfetto_state *s, struct track *t)
{
	char *name = t->name[0] ? perfetto_text(&s->arena, slice_of(t->name)) : NULL;
	if (!t->fresh)
		return;
	t->fresh = false;
	if (!t->tid) {
		Utrace__TrackDescriptor d = UTRACE__TRACK_DESCRIPTOR__INIT;
		d.name = (char *)"utrace";
		write_descriptor(s, &d, WHOLE_TRACE_UUID);
		return;
	}
	if (t->names_process)
		tell_process(s, t, name);
	tell_thread(s, t, name);
}

static void tell_clocks(struct perfetto_state *s, const struct event *e)
{
	Utrace__ClockSnapshot__Clock clocks[] = { UTRACE__CLOCK_SNAPSHOT__CLOCK__INIT, UTRACE__CLOCK_SNAPSHOT__CLOCK__INIT };
	Utrace__ClockSnapshot__Clock *list[] = { &clocks[0], &clocks[1] };
	Utrace__ClockSnapshot snapshot = UTRACE__CLOCK_SNAPSHOT__INIT;
	Utrace__TracePacket p = UTRACE__TRACE_PACKET__INIT;
	if (s->has_clock && s->realtime_offset_ns == e->realtime_offset_ns)
		return;
	s->has_clock = true;
	s->realtime_offset_ns = e->realtime_offset_ns;
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		clocks[i].has_clock_id = clocks[i].has_timestamp = true;
		clocks[i].clock_id = i ? CLOCK_ID_REALTIME : CLOCK_ID_MONOTONIC;
		clocks[i].timestamp = e->time_ns + (i ? (uint64_t)e->realtime_offset_ns : 0);
	}
	snapshot.n_clocks = ARRAY_SIZE(clocks);
	snapshot.clocks = list;
	snapshot.has_primary_trace_clock = true;
	snapshot.primary_trace_clock = CLOCK_ID_MONOTONIC;
	p.clock_snapshot = &snapshot;
	write_packet(s, &p, UTRACE__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE);
}

static void write_track_event(struct perfetto_state *s, const struct track *t, Utrace__TrackEvent *event, Utrace__TrackEvent__Type type,
			      uint64_t time_ns, Utrace__InternedData *fresh)
{
	Utrace__TracePacket p = UTRACE__TRACE_PACKET__INIT;
	event->has_type = event->has_track_uuid = p.has_timestamp = true;
	event->type = type;
	event->track_uuid = thread_uuid(t);
	p.timestamp = time_ns;
	p.track_event = event;
	p.interned_data = fresh;
	write_packet(s, &p, UTRACE__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE);
}

/* The type of the event is its category, numbered as in the table of types. */
static void set_category(struct perfetto_state *s, const struct event *e, Utrace__TrackEvent *event, Utrace__InternedData *fresh)
{
	uint32_t type = (uint32_t)(e->type - event_types);
	event->n_category_iids = 1;
	event->category_iids = arena_new(&s->arena, uint64_t, 1);
	event->category_iids[0] = type + 1;
	if (s->categories & EVENT_BIT(type))
		return;
	s->categories |= EVENT_BIT(type);
	Utrace__InternedName *category = arena_new(&s->arena, Utrace__InternedName, 1);
	utrace__interned_name__init(category);
	category->has_iid = true;
	category->iid = type + 1;
	category->name = (char *)e->type->name;
	fresh->n_event_categories = 1;
	fresh->event_categories = arena_new(&s->arena, Utrace__InternedName *, 1);
	fresh->event_categories[0] = category;
}

static void write_mark(struct perfetto_state *s, const struct event *e, const struct track *t, const struct mark *m)
{
	Utrace__TrackEvent event = UTRACE__TRACK_EVENT__INIT, end = UTRACE__TRACK_EVENT__INIT;
	Utrace__InternedData fresh = UTRACE__INTERNED_DATA__INIT;
	struct fresh_names names = {}, annotations = {};
	event.n_debug_annotations = perfetto_fields(e, m->fields, &s->annotations, &s->arena, &annotations, &event.debug_annotations);
	if (m->kind != MARK_END) {
		char *name = perfetto_text(&s->arena, m->name);
		event.name_iid = interned_number(&s->names, name, &s->arena, &names);
		event.has_name_iid = event.name_iid != 0;
		event.name = event.has_name_iid ? NULL : name;
		set_category(s, e, &event, &fresh);
	}
	fresh.n_event_names = names.n;
	fresh.event_names = names.items;
	fresh.n_debug_annotation_names = annotations.n;
	fresh.debug_annotation_names = annotations.items;
	Utrace__TrackEvent__Type type = m->kind == MARK_END    ? UTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_END :
					m->kind == MARK_MOMENT ? UTRACE__TRACK_EVENT__TYPE__TYPE_INSTANT :
								 UTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN;
	write_track_event(s, t, &event, type, m->kind == MARK_END ? m->end_ns : m->begin_ns, &fresh);
	if (m->kind == MARK_SLICE)
		write_track_event(s, t, &end, UTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_END, m->end_ns, NULL);
}

static void perfetto_write(void *state, const struct event *e)
{
	struct perfetto_state *s = state;
	struct mark m;
	struct track *t = tracks_add(&s->tracks, e, &m);
	tell_clocks(s, e);
	tell_track(s, t);
	if (m.kind != MARK_NONE)
		write_mark(s, e, t, &m);
	arena_reset(&s->arena);
}

/* The first packet of the sequence: nothing is known yet; times are of this clock unless a packet says otherwise. */
static int perfetto_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct perfetto_state *s = state;
	Utrace__TracePacketDefaults defaults = UTRACE__TRACE_PACKET_DEFAULTS__INIT;
	Utrace__TracePacket p = UTRACE__TRACE_PACKET__INIT;
	s->out = settings->out;
	defaults.has_timestamp_clock_id = true;
	defaults.timestamp_clock_id = CLOCK_ID_MONOTONIC;
	p.trace_packet_defaults = &defaults;
	write_packet(s, &p, UTRACE__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_INCREMENTAL_STATE_CLEARED);
	return 0;
}

static void perfetto_close(void *state)
{
	struct perfetto_state *s = state;
	tracks_done(&s->tracks);
	interned_done(&s->names);
	interned_done(&s->annotations);
	arena_done(&s->arena);
	strbuf_done(&s->bytes);
}

const struct sink_ops perfetto_sink = {
	.name = "perfetto",
	.summary = "Perfetto's protobuf traces, for ui.perfetto.dev and SQL",
	.suffixes = (const char *const[]){ ".pftrace", ".perfetto-trace", ".perfetto", NULL },
	.takes = TRACK_EVENTS,
	.binary = true,
	.state_size = sizeof(struct perfetto_state),
	.open = perfetto_open,
	.write = perfetto_write,
	.close = perfetto_close,
};
