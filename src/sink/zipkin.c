/*
 * zipkin: the JSON of Zipkin's API v2, one array: openzipkin/zipkin-api, zipkin2-api.yaml. It is what POST /api/v2/spans takes.
 *
 * Times are whole microseconds; a duration of less than one is one: zero says that there is none.
 */
#include <string.h>

#include "base/macro.h"
#include "sink/json_value.h"
#include "sink/resources.h"
#include "sink/sink.h"
#include "sink/span_fields.h"

struct zipkin_state {
	FILE *out;
	struct sink_resource given;
	struct strbuf line;
	uint64_t spans;
};

static void add_text(struct strbuf *b, const char *name, struct slice text)
{
	if (!text.len)
		return;
	strbuf_addf(b, ",\"%s\":", name);
	json_string_add(b, text);
}

static struct slice text_of(const struct value *v)
{
	return v->kind == VALUE_STRING ? v->s : (struct slice){};
}

/* An end of the connection; what is not known is left out, and an end of which nothing is known as well. */
static void add_endpoint(struct strbuf *b, const char *name, struct slice service, const struct value *address, const struct value *port)
{
	struct named_value items[3];
	size_t n = 0;
	struct slice text = text_of(address);
	bool is_ipv6 = text.len && memchr(text.data, ':', text.len);
	if (service.len)
		items[n++] = (struct named_value){ .name = SLICE("serviceName"), .value = STRING_VALUE(service) };
	if (text.len)
		items[n++] = (struct named_value){ .name = is_ipv6 ? SLICE("ipv6") : SLICE("ipv4"), .value = *address };
	if (port->kind == VALUE_UINT && port->u)
		items[n++] = (struct named_value){ .name = SLICE("port"), .value = *port };
	if (!n)
		return;
	strbuf_addf(b, ",\"%s\":", name);
	json_value_add(b, &(struct value){ .kind = VALUE_STRUCT, .list = { items, n } });
}

static void add_endpoints(struct strbuf *b, const struct sink_resource *given, const struct event *e)
{
	struct value address = span_attribute(e, "network.local.address"), port = span_attribute(e, "network.local.port");
	struct value peer_address = span_attribute(e, "network.peer.address"), peer_port = span_attribute(e, "network.peer.port");
	add_endpoint(b, "localEndpoint", resource_service(given, e), &address, &port);
	add_endpoint(b, "remoteEndpoint", (struct slice){}, &peer_address, &peer_port);
}

/* That the tag is there makes the span an error; Zipkin shows its value. */
static void add_error(struct strbuf *b, const struct event *e)
{
	struct value type = span_attribute(e, "error.type");
	if (!slice_eq_str(text_of(&e->field[REQUEST_STATUS]), "error"))
		return;
	strbuf_adds(b, "\"error\":");
	if (type.kind == VALUE_NONE)
		strbuf_adds(b, "\"true\"");
	else
		span_add_string(b, &type);
	strbuf_addc(b, ',');
}

/* There is always a field: what was measured. */
static void add_tags(struct strbuf *b, const struct event *e)
{
	struct named_value fields[SPAN_FIELDS_MAX];
	size_t n = span_fields(e, fields);
	strbuf_adds(b, ",\"tags\":{");
	if (e->pid)
		strbuf_addf(b, "\"process.pid\":\"%u\",", e->pid);
	add_error(b, e);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(b, i ? "," : "");
		json_string_add(b, fields[i].name);
		strbuf_addc(b, ':');
		span_add_string(b, &fields[i].value);
	}
	strbuf_addc(b, '}');
}

static void zipkin_write(void *state, const struct event *e)
{
	struct zipkin_state *s = state;
	struct strbuf *b = &s->line;
	uint64_t begin_ns = e->time_ns + (uint64_t)e->realtime_offset_ns;
	bool of_client = slice_eq_str(text_of(&e->field[REQUEST_KIND]), "client");
	strbuf_clear(b);
	strbuf_adds(b, s->spans++ ? ",\n{\"traceId\":" : "{\"traceId\":");
	json_string_add(b, text_of(&e->field[REQUEST_TRACE_ID]));
	add_text(b, "id", text_of(&e->field[REQUEST_SPAN_ID]));
	add_text(b, "parentId", text_of(&e->field[REQUEST_PARENT_SPAN_ID]));
	add_text(b, "kind", of_client ? SLICE("CLIENT") : SLICE("SERVER"));
	add_text(b, "name", text_of(&e->field[REQUEST_NAME]));
	strbuf_addf(b, ",\"timestamp\":%llu", (unsigned long long)(begin_ns / NSEC_PER_USEC));
	if (e->field[REQUEST_DURATION].kind == VALUE_UINT)
		strbuf_addf(b, ",\"duration\":%llu", (unsigned long long)MAX(e->field[REQUEST_DURATION].u / NSEC_PER_USEC, 1u));
	add_endpoints(b, &s->given, e);
	add_tags(b, e);
	strbuf_addc(b, '}');
	fwrite(b->data, 1, b->len, s->out);
}

static int zipkin_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct zipkin_state *s = state;
	s->out = settings->out;
	s->given = settings->resource;
	fputs("[\n", s->out);
	return 0;
}

static void zipkin_close(void *state)
{
	struct zipkin_state *s = state;
	fputs("\n]\n", s->out);
	strbuf_done(&s->line);
}

const struct sink_ops zipkin_sink = {
	.name = "zipkin",
	.summary = "requests as spans, one array of JSON; for Zipkin's POST /api/v2/spans",
	.suffixes = (const char *const[]){ ".zipkin.json", NULL },
	.takes = EVENT_BIT(EVENT_REQUEST),
	.state_size = sizeof(struct zipkin_state),
	.open = zipkin_open,
	.write = zipkin_write,
	.close = zipkin_close,
};
