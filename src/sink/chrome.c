/*
 * chrome: the Trace Event Format, one object of JSON: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 *
 * Times are microseconds of CLOCK_MONOTONIC with three decimals: readers keep them as doubles, which are exact to the nanosecond for
 * the first hundred days after boot; those of the day would not be. otherData has what to add to come to the time of day.
 */
#include "base/macro.h"
#include "sink/json_value.h"
#include "sink/sink.h"
#include "sink/track.h"

struct chrome_state {
	FILE *out;
	struct strbuf line;
	struct tracks tracks;
	uint64_t lines;
	int64_t realtime_offset_ns;
};

static void add_microseconds(struct strbuf *b, const char *name, uint64_t ns)
{
	strbuf_addf(b, ",\"%s\":%llu.%03u", name, (unsigned long long)(ns / NSEC_PER_USEC), (unsigned)(ns % NSEC_PER_USEC));
}

static void begin_line(struct chrome_state *s, const char *phase, const struct track *t)
{
	strbuf_clear(&s->line);
	strbuf_addf(&s->line, "%s{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", s->lines++ ? ",\n" : "", phase, t->pid, t->tid);
}

static void end_line(struct chrome_state *s)
{
	strbuf_addc(&s->line, '}');
	fwrite(s->line.data, 1, s->line.len, s->out);
}

static void name_it(struct chrome_state *s, const char *what, const struct track *t)
{
	begin_line(s, "M", t);
	strbuf_addf(&s->line, ",\"name\":\"%s\",\"args\":{\"name\":", what);
	json_string_add(&s->line, slice_of(t->name));
	strbuf_addc(&s->line, '}');
	end_line(s);
}

static void tell_track(struct chrome_state *s, struct track *t)
{
	if (t->fresh && t->name[0] && t->names_process)
		name_it(s, "process_name", t);
	if (t->fresh && t->name[0])
		name_it(s, "thread_name", t);
	t->fresh = false;
}

static void add_argument(struct strbuf *b, const struct value *v);

static void add_items(struct strbuf *b, const struct value *v, bool named)
{
	strbuf_addc(b, named ? '{' : '[');
	for (size_t i = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		strbuf_adds(b, i ? "," : "");
		if (named && item->name.len)
			json_string_add(b, item->name);
		else if (named)
			strbuf_addf(b, "\"%zu\"", i + 1);
		strbuf_adds(b, named ? ":" : "");
		add_argument(b, &item->value);
	}
	strbuf_addc(b, named ? '}' : ']');
}

static void add_cut_string(struct strbuf *b, struct slice s)
{
	json_string_add(b, s);
	b->len--; /* its closing quote */
	strbuf_adds(b, "...\"");
}

/* Viewers show arguments as they are: so they are as people write them, by their names. */
static void add_argument(struct strbuf *b, const struct value *v)
{
	if (v->text.len && v->kind != VALUE_ARGUMENTS)
		json_string_add(b, v->text);
	else if (v->kind >= VALUE_LIST)
		add_items(b, v, v->kind != VALUE_LIST);
	else if (v->kind == VALUE_STRING && v->truncated)
		add_cut_string(b, v->s);
	else if (v->kind == VALUE_NONE)
		json_string_add(b, v->type);
	else
		json_value_add(b, v);
}

static void add_fields(struct strbuf *b, const struct event *e, uint32_t fields)
{
	const char *comma = "";
	strbuf_adds(b, ",\"args\":{");
	for (uint32_t i = 0; i < e->type->n_fields; i++) {
		if (!(fields & 1u << i))
			continue;
		strbuf_addf(b, "%s\"%s\":", comma, e->type->fields[i].name);
		add_argument(b, &e->field[i]);
		comma = ",";
	}
	strbuf_addc(b, '}');
}

static void chrome_write(void *state, const struct event *e)
{
	static const char *const phases[] = { [MARK_SLICE] = "X", [MARK_BEGIN] = "B", [MARK_END] = "E", [MARK_MOMENT] = "i" };
	struct chrome_state *s = state;
	struct strbuf *b = &s->line;
	struct mark m;
	struct track *t = tracks_add(&s->tracks, e, &m);
	s->realtime_offset_ns = e->realtime_offset_ns;
	tell_track(s, t);
	if (m.kind == MARK_NONE)
		return;
	begin_line(s, phases[m.kind], t);
	add_microseconds(b, "ts", m.kind == MARK_END ? m.end_ns : m.begin_ns);
	if (m.kind == MARK_SLICE)
		add_microseconds(b, "dur", m.end_ns - m.begin_ns);
	if (m.kind == MARK_MOMENT)
		strbuf_adds(b, t->tid ? ",\"s\":\"t\"" : ",\"s\":\"g\"");
	strbuf_addf(b, ",\"cat\":\"%s\",\"name\":", e->type->name);
	json_string_add(b, m.name);
	add_fields(b, e, m.fields);
	end_line(s);
}

static int chrome_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct chrome_state *s = state;
	s->out = settings->out;
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", s->out);
	return 0;
}

static void chrome_close(void *state)
{
	struct chrome_state *s = state;
	fprintf(s->out, "\n],\"otherData\":{\"clock\":\"CLOCK_MONOTONIC\",\"realtime_offset_ns\":\"%lld\"}}\n", (long long)s->realtime_offset_ns);
	tracks_done(&s->tracks);
	strbuf_done(&s->line);
}

const struct sink_ops chrome_sink = {
	.name = "chrome",
	.summary = "Trace Event Format, JSON; for chrome://tracing, speedscope, Perfetto",
	.suffixes = (const char *const[]){ ".chrome.json", ".trace.json", NULL },
	.takes = TRACK_EVENTS,
	.state_size = sizeof(struct chrome_state),
	.open = chrome_open,
	.write = chrome_write,
	.close = chrome_close,
};
