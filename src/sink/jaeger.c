/*
 * jaeger: the JSON that Jaeger's UI opens as a file and its query API answers with: {"data": [trace, ...]}, a trace its spans and their
 * processes. jaegertracing/jaeger, internal/uimodel/model.go. Its servers take OTLP instead.
 *
 * A trace is written when nothing more of it came for a while: the file has each of them in one place, and we have few of them at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "sink/json_value.h"
#include "sink/resources.h"
#include "sink/sink.h"
#include "sink/span_fields.h"

#define QUIET_NS (10 * NSEC_PER_SEC) /* of a trace: then it is written */
#define TRACES_MAX 10000             /* that are held at a time; beyond, all are written */

struct trace {
	struct trace *next;
	uint64_t last_ns; /* when something of it came */
	char *id;
	struct strbuf spans, processes; /* JSON, with commas */
	char **known; /* processes, as they are written */
	size_t n, cap;
};

struct jaeger_state {
	FILE *out;
	struct resources resources; /* only for what it was given */
	struct hashmap by_id;       /* of struct trace */
	struct trace *first, **last; /* in the order in which they began */
	uint64_t written, now_ns;
	struct strbuf line;
};

static void add_tag(struct strbuf *b, const char *comma, struct slice name, const struct value *v)
{
	bool whole = v->kind == VALUE_UINT || v->kind == VALUE_INT;
	const char *type = whole ? "int64" : v->kind == VALUE_BOOL ? "bool" : v->kind == VALUE_DOUBLE ? "float64" : "string";
	strbuf_addf(b, "%s{\"key\":", comma);
	json_string_add(b, name);
	strbuf_addf(b, ",\"type\":\"%s\",\"value\":", type);
	if (streq(type, "string"))
		span_add_string(b, v);
	else
		json_value_add(b, v);
	strbuf_addc(b, '}');
}

/* {"serviceName": ..., "tags": [...]} of who did it. */
static void add_process(struct strbuf *b, const struct jaeger_state *s, const struct event *e)
{
	struct named_value attributes[RESOURCE_ATTRIBUTES_MAX];
	_cleanup_(strbuf_done) struct strbuf service = {};
	strbuf_add_slice(&service, resource_service(&s->resources.given, e));
	struct resource resource = { .pid = e->pid, .service = service };
	size_t n = resource_attributes(&s->resources, &resource, attributes);
	const char *comma = "";
	strbuf_adds(b, "{\"serviceName\":");
	json_string_add(b, service.len ? strbuf_slice(&service) : SLICE("unknown_service"));
	strbuf_adds(b, ",\"tags\":[");
	for (size_t i = 0; i < n; i++) {
		if (slice_eq_str(attributes[i].name, "service.name"))
			continue;
		add_tag(b, comma, attributes[i].name, &attributes[i].value);
		comma = ",";
	}
	strbuf_adds(b, "]}");
}

/* The number of the process in its trace, from 1; a new one is told. */
static size_t process_of(struct jaeger_state *s, struct trace *t, const struct event *e)
{
	_cleanup_(strbuf_done) struct strbuf json = {};
	add_process(&json, s, e);
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->known[i], json.data))
			return i + 1;
	GROW(t->known, t->n, t->cap);
	t->known[t->n++] = xstrdup(json.data);
	strbuf_addf(&t->processes, "%s\"p%zu\":%s", t->n > 1 ? "," : "", t->n, json.data);
	return t->n;
}

static void add_tags(struct strbuf *b, const struct event *e)
{
	struct named_value fields[SPAN_FIELDS_MAX];
	size_t n = span_fields(e, fields);
	struct value error = { .kind = VALUE_BOOL, .boolean = true };
	strbuf_adds(b, ",\"tags\":[");
	add_tag(b, "", SLICE("span.kind"), &e->field[REQUEST_KIND]);
	if (slice_eq_str(e->field[REQUEST_STATUS].s, "error"))
		add_tag(b, ",", SLICE("error"), &error);
	for (size_t i = 0; i < n; i++)
		add_tag(b, ",", fields[i].name, &fields[i].value);
	strbuf_addc(b, ']');
}

static void add_span(struct jaeger_state *s, struct trace *t, const struct event *e)
{
	struct strbuf *b = &t->spans;
	uint64_t begin_us = (e->time_ns + (uint64_t)e->realtime_offset_ns) / NSEC_PER_USEC;
	const struct value *duration = &e->field[REQUEST_DURATION], *parent = &e->field[REQUEST_PARENT_SPAN_ID];
	strbuf_addf(b, "%s{\"traceID\":\"%s\",\"spanID\":", b->len ? "," : "", t->id);
	json_string_add(b, e->field[REQUEST_SPAN_ID].s);
	strbuf_adds(b, ",\"operationName\":");
	json_string_add(b, e->field[REQUEST_NAME].s);
	strbuf_adds(b, ",\"references\":[");
	if (parent->kind == VALUE_STRING) {
		strbuf_addf(b, "{\"refType\":\"CHILD_OF\",\"traceID\":\"%s\",\"spanID\":", t->id);
		json_string_add(b, parent->s);
		strbuf_addc(b, '}');
	}
	strbuf_addf(b, "],\"startTime\":%llu,\"duration\":%llu,\"processID\":\"p%zu\",\"logs\":[],\"warnings\":null", (unsigned long long)begin_us,
		    (unsigned long long)(duration->kind == VALUE_UINT ? duration->u / NSEC_PER_USEC : 0), process_of(s, t, e));
	add_tags(b, e);
	strbuf_addc(b, '}');
}

/* Takes @t apart. */
static void write_trace(struct jaeger_state *s, struct trace *t)
{
	strbuf_clear(&s->line);
	strbuf_addf(&s->line, "%s{\"traceID\":\"%s\",\"spans\":[", s->written++ ? ",\n" : "", t->id);
	strbuf_add_slice(&s->line, strbuf_slice(&t->spans));
	strbuf_addf(&s->line, "],\"processes\":{%s},\"warnings\":null}", strbuf_str(&t->processes));
	fwrite(s->line.data, 1, s->line.len, s->out);
	hashmap_remove_str(&s->by_id, t->id);
	for (size_t i = 0; i < t->n; i++)
		free(t->known[i]);
	free(t->known);
	strbuf_done(&t->spans);
	strbuf_done(&t->processes);
	free(t->id);
	free(t);
}

/* Those that have been quiet since then, in the order in which they began. */
static void write_quiet(struct jaeger_state *s, uint64_t since_ns)
{
	for (struct trace **at = &s->first; *at;) {
		struct trace *t = *at;
		if (t->last_ns > since_ns) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		write_trace(s, t);
	}
	s->last = &s->first;
	while (*s->last)
		s->last = &(*s->last)->next;
}

static struct trace *trace_of(struct jaeger_state *s, const struct event *e)
{
	_cleanup_(free) char *id = xstrndup(e->field[REQUEST_TRACE_ID].s.data, e->field[REQUEST_TRACE_ID].s.len);
	struct trace *t = hashmap_get_str(&s->by_id, id);
	if (t)
		return t;
	if (s->by_id.n == TRACES_MAX)
		write_quiet(s, UINT64_MAX);
	t = xcalloc(1, sizeof(*t));
	t->id = take_ptr(id);
	hashmap_put_str(&s->by_id, t->id, t);
	*s->last = t;
	s->last = &t->next;
	return t;
}

static void jaeger_write(void *state, const struct event *e)
{
	struct jaeger_state *s = state;
	struct trace *t = trace_of(s, e);
	t->last_ns = MAX(s->now_ns, e->time_ns);
	add_span(s, t, e);
}

static void jaeger_tick(void *state, uint64_t now_ns)
{
	struct jaeger_state *s = state;
	s->now_ns = now_ns;
	if (now_ns > QUIET_NS)
		write_quiet(s, now_ns - QUIET_NS);
}

static int jaeger_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct jaeger_state *s = state;
	s->out = settings->out;
	s->last = &s->first;
	resources_init(&s->resources, &settings->resource);
	fputs("{\"data\":[\n", s->out);
	return 0;
}

static void jaeger_close(void *state)
{
	struct jaeger_state *s = state;
	write_quiet(s, UINT64_MAX);
	fputs("\n]}\n", s->out);
	strbuf_done(&s->line);
	hashmap_done(&s->by_id);
	resources_done(&s->resources);
}

const struct sink_ops jaeger_sink = {
	.name = "jaeger",
	.summary = "requests as spans, for Jaeger's UI, which opens the file; its servers take --export otlp+http",
	.suffixes = (const char *const[]){ ".jaeger.json", NULL },
	.takes = EVENT_BIT(EVENT_REQUEST),
	.state_size = sizeof(struct jaeger_state),
	.open = jaeger_open,
	.write = jaeger_write,
	.tick = jaeger_tick,
	.close = jaeger_close,
};
