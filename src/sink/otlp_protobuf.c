/*
 * otlp_protobuf: the spans of one ExportTraceServiceRequest, binary: the body of POST /v1/traces and the message of gRPC. It is no format
 * of files. Field numbers: opentelemetry-proto 1.5, collector/trace/v1/trace_service.proto, trace/v1/trace.proto, common/v1/common.proto,
 * resource/v1/resource.proto.
 */
#include "base/macro.h"
#include "base/protobuf.h"
#include "sink/otlp_value.h"
#include "sink/resources.h"
#include "sink/sink.h"
#include "sink/span_fields.h"

enum {
	REQUEST_RESOURCE_SPANS = 1, RESOURCE_SPANS_RESOURCE = 1, RESOURCE_SPANS_SCOPE_SPANS = 2, SCOPE_SPANS_SCOPE =
	1, SCOPE_SPANS_SPANS = 2,
};
enum {
	SPAN_TRACE_ID = 1, SPAN_ID = 2, SPAN_PARENT_ID = 4, SPAN_NAME = 5, SPAN_KIND = 6, SPAN_BEGIN = 7, SPAN_END =
	8, SPAN_ATTRIBUTES = 9, SPAN_STATUS = 15,
};
enum { STATUS_CODE = 3, STATUS_CODE_OK = 1, STATUS_CODE_ERROR = 2, KIND_SERVER = 2, KIND_CLIENT = 3 };

struct otlp_protobuf_state {
	FILE *out;
	struct resources resources;
};

static void add_id(struct strbuf *b, uint32_t field, const struct value *v)
{
	if (v->kind == VALUE_STRING)
		otlp_add_id(b, field, v->s);
}

static void add_status(struct strbuf *b, const struct value *status)
{
	size_t begin = protobuf_begin(b, SPAN_STATUS);
	if (slice_eq_str(status->s, "error"))
		protobuf_add_uint(b, STATUS_CODE, STATUS_CODE_ERROR);
	else if (slice_eq_str(status->s, "ok"))
		protobuf_add_uint(b, STATUS_CODE, STATUS_CODE_OK);
	protobuf_end(b, begin);
}

static void add_span(struct strbuf *b, const struct event *e)
{
	struct named_value fields[SPAN_FIELDS_MAX];
	size_t n = span_fields(e, fields), begin = protobuf_begin(b, SCOPE_SPANS_SPANS);
	uint64_t begin_ns = e->time_ns + (uint64_t)e->realtime_offset_ns;
	const struct value *duration = &e->field[REQUEST_DURATION];
	add_id(b, SPAN_TRACE_ID, &e->field[REQUEST_TRACE_ID]);
	add_id(b, SPAN_ID, &e->field[REQUEST_SPAN_ID]);
	add_id(b, SPAN_PARENT_ID, &e->field[REQUEST_PARENT_SPAN_ID]);
	otlp_add_text(b, SPAN_NAME, e->field[REQUEST_NAME].s);
	protobuf_add_uint(b, SPAN_KIND, slice_eq_str(e->field[REQUEST_KIND].s, "client") ? KIND_CLIENT : KIND_SERVER);
	protobuf_add_fixed64(b, SPAN_BEGIN, begin_ns);
	protobuf_add_fixed64(b, SPAN_END, begin_ns + (duration->kind == VALUE_UINT ? duration->u : 0));
	for (size_t i = 0; i < n; i++)
		otlp_add_attribute(b, SPAN_ATTRIBUTES, &fields[i]);
	add_status(b, &e->field[REQUEST_STATUS]);
	protobuf_end(b, begin);
}

static void add_resource(struct strbuf *b, const struct resources *all, const struct resource *r)
{
	struct named_value attributes[RESOURCE_ATTRIBUTES_MAX];
	size_t n = resource_attributes(all, r, attributes), begin = protobuf_begin(b, REQUEST_RESOURCE_SPANS);
	otlp_add_resource(b, RESOURCE_SPANS_RESOURCE, attributes, n);
	size_t scope = protobuf_begin(b, RESOURCE_SPANS_SCOPE_SPANS);
	otlp_add_scope(b, SCOPE_SPANS_SCOPE);
	strbuf_add_slice(b, strbuf_slice(&r->spans));
	protobuf_end(b, scope);
	protobuf_end(b, begin);
}

static void otlp_protobuf_write(void *state, const struct event *e)
{
	struct otlp_protobuf_state *s = state;
	add_span(&resources_of(&s->resources, e)->spans, e);
}

static int otlp_protobuf_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct otlp_protobuf_state *s = state;
	s->out = settings->out;
	resources_init(&s->resources, &settings->resource);
	return 0;
}

static void otlp_protobuf_close(void *state)
{
	struct otlp_protobuf_state *s = state;
	_cleanup_(strbuf_done) struct strbuf b = {};
	for (size_t i = 0; i < s->resources.n; i++)
		add_resource(&b, &s->resources, &s->resources.items[i]);
	fwrite(b.data, 1, b.len, s->out);
	resources_done(&s->resources);
}

const struct sink_ops otlp_protobuf_sink = {
	.name = "otlp-protobuf",
	.takes = EVENT_BIT(EVENT_REQUEST),
	.binary = true,
	.state_size = sizeof(struct otlp_protobuf_state),
	.open = otlp_protobuf_open,
	.write = otlp_protobuf_write,
	.close = otlp_protobuf_close,
};
