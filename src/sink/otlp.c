/*
 * otlp: OpenTelemetry's protocol as JSON, one ExportTraceServiceRequest a line: what the Collector's file exporter writes and its
 * otlpjsonfile receiver reads, and each line what POST /v1/traces takes. opentelemetry-proto: trace/v1/trace.proto; specification:
 * protocol/file-exporter.md, and OTLP/HTTP's "JSON Protobuf Encoding": ids are hexadecimal, enums numbers, 64-bit numbers strings.
 *
 * A line holds the spans of a quarter of a second, those of a service and process together: it is their `resource`.
 */
#include "base/macro.h"
#include "sink/json_value.h"
#include "sink/resources.h"
#include "sink/sink.h"
#include "sink/span_fields.h"

/* trace.proto: Span.SpanKind, Status.StatusCode */
enum { SPAN_KIND_SERVER = 2, SPAN_KIND_CLIENT = 3, STATUS_OK = 1, STATUS_ERROR = 2 };

struct otlp_state {
	FILE *out;
	struct strbuf line;
	struct resources resources; /* of the line that comes */
};

static void add_value(struct strbuf *b, const struct value *v)
{
	if (v->kind == VALUE_UINT && v->u <= INT64_MAX) {
		strbuf_addf(b, "{\"intValue\":\"%llu\"}", (unsigned long long)v->u);
	} else if (v->kind == VALUE_INT) {
		strbuf_addf(b, "{\"intValue\":\"%lld\"}", (long long)v->i);
	} else if (v->kind == VALUE_BOOL || v->kind == VALUE_DOUBLE) {
		strbuf_adds(b, v->kind == VALUE_BOOL ? "{\"boolValue\":" : "{\"doubleValue\":");
		json_value_add(b, v);
		strbuf_addc(b, '}');
	} else if (v->kind == VALUE_LIST) {
		strbuf_adds(b, "{\"arrayValue\":{\"values\":[");
		for (size_t i = 0; i < v->list.n; i++) {
			strbuf_adds(b, i ? "," : "");
			add_value(b, &v->list.items[i].value);
		}
		strbuf_adds(b, "]}}");
	} else {
		strbuf_adds(b, "{\"stringValue\":");
		span_add_string(b, v);
		strbuf_addc(b, '}');
	}
}

static void add_attribute(struct strbuf *b, const char *comma, struct slice name, const struct value *v)
{
	strbuf_addf(b, "%s{\"key\":", comma);
	json_string_add(b, name);
	strbuf_adds(b, ",\"value\":");
	add_value(b, v);
	strbuf_addc(b, '}');
}

static void add_text(struct strbuf *b, const char *name, const struct value *v)
{
	if (v->kind != VALUE_STRING)
		return;
	strbuf_addf(b, "\"%s\":", name);
	json_string_add(b, v->s);
	strbuf_addc(b, ',');
}

static void add_span(struct strbuf *b, const struct event *e)
{
	struct named_value fields[SPAN_FIELDS_MAX];
	size_t n = span_fields(e, fields);
	uint64_t begin_ns = e->time_ns + (uint64_t)e->realtime_offset_ns;
	const struct value *duration = &e->field[REQUEST_DURATION], *status = &e->field[REQUEST_STATUS];
	uint64_t end_ns = begin_ns + (duration->kind == VALUE_UINT ? duration->u : 0);
	strbuf_addc(b, '{');
	add_text(b, "traceId", &e->field[REQUEST_TRACE_ID]);
	add_text(b, "spanId", &e->field[REQUEST_SPAN_ID]);
	add_text(b, "parentSpanId", &e->field[REQUEST_PARENT_SPAN_ID]);
	add_text(b, "name", &e->field[REQUEST_NAME]);
	strbuf_addf(b, "\"kind\":%d,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
		    slice_eq_str(e->field[REQUEST_KIND].s, "client") ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER,
		    (unsigned long long)begin_ns, (unsigned long long)end_ns);
	for (size_t i = 0; i < n; i++)
		add_attribute(b, i ? "," : "", fields[i].name, &fields[i].value);
	strbuf_adds(b, "],\"status\":{");
	if (slice_eq_str(status->s, "error"))
		strbuf_addf(b, "\"code\":%d", STATUS_ERROR);
	else if (slice_eq_str(status->s, "ok"))
		strbuf_addf(b, "\"code\":%d", STATUS_OK);
	strbuf_adds(b, "}}");
}

static void add_resource(struct strbuf *b, const struct resources *all, const struct resource *r)
{
	struct named_value attributes[RESOURCE_ATTRIBUTES_MAX];
	size_t n = resource_attributes(all, r, attributes);
	strbuf_adds(b, "{\"resource\":{\"attributes\":[");
	for (size_t i = 0; i < n; i++)
		add_attribute(b, i ? "," : "", attributes[i].name, &attributes[i].value);
	strbuf_adds(b, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"utrace\",\"version\":\"" UTRACE_VERSION "\"},\"spans\":[");
	strbuf_add_slice(b, strbuf_slice(&r->spans));
	strbuf_adds(b, "]}]}");
}

static void write_line(struct otlp_state *s)
{
	if (!s->resources.n)
		return;
	strbuf_clear(&s->line);
	strbuf_adds(&s->line, "{\"resourceSpans\":[");
	for (size_t i = 0; i < s->resources.n; i++) {
		strbuf_adds(&s->line, i ? "," : "");
		add_resource(&s->line, &s->resources, &s->resources.items[i]);
	}
	strbuf_adds(&s->line, "]}\n");
	fwrite(s->line.data, 1, s->line.len, s->out);
	resources_clear(&s->resources);
}

static void otlp_write(void *state, const struct event *e)
{
	struct otlp_state *s = state;
	struct strbuf *spans = &resources_of(&s->resources, e)->spans;
	strbuf_adds(spans, spans->len ? "," : "");
	add_span(spans, e);
	if (s->resources.spans == RESOURCES_SPANS)
		write_line(s);
}

static void otlp_tick(void *state, uint64_t now_ns)
{
	write_line(state);
}

static int otlp_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct otlp_state *s = state;
	s->out = settings->out;
	resources_init(&s->resources, &settings->resource);
	return 0;
}

static void otlp_close(void *state)
{
	struct otlp_state *s = state;
	write_line(s);
	strbuf_done(&s->line);
	resources_done(&s->resources);
}

const struct sink_ops otlp_sink = {
	.name = "otlp",
	.summary = "requests as spans, OpenTelemetry's JSON; for its Collector, Jaeger, Tempo",
	.suffixes = (const char *const[]){ ".otlp.json", ".otlp.jsonl", NULL },
	.takes = EVENT_BIT(EVENT_REQUEST),
	.state_size = sizeof(struct otlp_state),
	.open = otlp_open,
	.write = otlp_write,
	.tick = otlp_tick,
	.close = otlp_close,
};
