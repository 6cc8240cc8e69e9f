/*
 * Series as OTLP. Field numbers: opentelemetry-proto 1.5, collector/metrics/v1/metrics_service.proto and metrics/v1/metrics.proto.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/protobuf.h"
#include "export/metrics.h"
#include "sink/otlp_value.h"

enum {
	REQUEST_RESOURCE_METRICS = 1, RESOURCE_METRICS_RESOURCE = 1, RESOURCE_METRICS_SCOPE_METRICS = 2,
	SCOPE_METRICS_SCOPE = 1, SCOPE_METRICS_METRICS = 2,
};
enum {
	METRIC_NAME = 1, METRIC_DESCRIPTION = 2, METRIC_UNIT = 3, METRIC_EXPONENTIAL_HISTOGRAM = 10, HISTOGRAM_POINTS
	= 1, HISTOGRAM_TEMPORALITY = 2, CUMULATIVE = 2,
};
enum {
	POINT_ATTRIBUTES = 1, POINT_SINCE = 2, POINT_TIME = 3, POINT_COUNT = 4, POINT_SUM = 5, POINT_SCALE = 6,
	POINT_ZEROES = 7, POINT_POSITIVE = 8, POINT_EXEMPLARS = 11, POINT_MIN = 12, POINT_MAX = 13,
};
enum {
	BUCKETS_OFFSET = 1, BUCKETS_COUNTS = 2, EXEMPLAR_TIME = 2, EXEMPLAR_DOUBLE = 3, EXEMPLAR_SPAN_ID = 4,
	EXEMPLAR_TRACE_ID = 5,
};

static void add_attributes(struct strbuf *b, const struct series *s)
{
	for (size_t i = SERIES_METHOD; i < SERIES_TEXTS; i++) {
		struct named_value item = { .name = slice_of(series_attribute((enum series_text)i)), .value = STRING_VALUE(slice_of(s->text[i])) };
		if (i == SERIES_STATUS || i == SERIES_PORT)
			item.value = UINT_VALUE(strtoull(s->text[i], NULL, 10));
		if (s->text[i][0])
			otlp_add_attribute(b, POINT_ATTRIBUTES, &item);
	}
	struct named_value overflow = { .name = SLICE("otel.metric.overflow"), .value = { .kind = VALUE_BOOL, .boolean = true } };
	if (s->overflow)
		otlp_add_attribute(b, POINT_ATTRIBUTES, &overflow);
}

static void add_buckets(struct strbuf *b, const struct exponential *h)
{
	size_t begin = protobuf_begin(b, POINT_POSITIVE);
	protobuf_add_sint(b, BUCKETS_OFFSET, h->offset);
	size_t counts = protobuf_begin(b, BUCKETS_COUNTS);
	for (uint32_t i = 0; i < h->n; i++)
		protobuf_varint(b, h->bucket[i]);
	protobuf_end(b, counts);
	protobuf_end(b, begin);
}

static void add_exemplars(struct strbuf *b, const struct series *s)
{
	for (size_t i = 0; i < SERIES_BUCKETS; i++) {
		const struct exemplar *x = &s->exemplar[i];
		if (!x->time_ns)
			continue;
		size_t begin = protobuf_begin(b, POINT_EXEMPLARS);
		protobuf_add_fixed64(b, EXEMPLAR_TIME, x->time_ns);
		protobuf_add_double(b, EXEMPLAR_DOUBLE, x->value);
		otlp_add_id(b, EXEMPLAR_SPAN_ID, slice_of(x->span_id));
		otlp_add_id(b, EXEMPLAR_TRACE_ID, slice_of(x->trace_id));
		protobuf_end(b, begin);
	}
}

static void add_point(struct strbuf *b, const struct series *s, uint64_t since_ns, uint64_t now_ns)
{
	const struct exponential *h = &s->durations;
	size_t begin = protobuf_begin(b, HISTOGRAM_POINTS);
	add_attributes(b, s);
	protobuf_add_fixed64(b, POINT_SINCE, since_ns);
	protobuf_add_fixed64(b, POINT_TIME, now_ns);
	protobuf_add_fixed64(b, POINT_COUNT, h->count);
	protobuf_add_double(b, POINT_SUM, h->sum);
	protobuf_add_sint(b, POINT_SCALE, h->scale);
	protobuf_add_fixed64(b, POINT_ZEROES, h->zero);
	add_buckets(b, h);
	add_exemplars(b, s);
	protobuf_add_double(b, POINT_MIN, h->min);
	protobuf_add_double(b, POINT_MAX, h->max);
	protobuf_end(b, begin);
}

static void add_metric(struct strbuf *b, const struct series *s, size_t n, uint64_t since_ns, uint64_t now_ns)
{
	size_t metric = protobuf_begin(b, SCOPE_METRICS_METRICS);
	protobuf_add_bytes(b, METRIC_NAME, s->of_client ? SLICE("http.client.request.duration") : SLICE("http.server.request.duration"));
	protobuf_add_bytes(b, METRIC_DESCRIPTION, s->of_client ? SLICE("Duration of HTTP client requests.") : SLICE("Duration of HTTP server requests."));
	protobuf_add_bytes(b, METRIC_UNIT, SLICE("s"));
	size_t histogram = protobuf_begin(b, METRIC_EXPONENTIAL_HISTOGRAM);
	for (size_t i = 0; i < n; i++)
		add_point(b, &s[i], since_ns, now_ns);
	protobuf_add_uint(b, HISTOGRAM_TEMPORALITY, CUMULATIVE);
	protobuf_end(b, histogram);
	protobuf_end(b, metric);
}

/* How many of the first series are of the same service, and of the same kind as well. */
static size_t alike(const struct series *s, size_t n, bool kind)
{
	size_t same = 1;
	while (same < n && streq(s[same].text[SERIES_SERVICE], s[0].text[SERIES_SERVICE]) && (!kind || s[same].of_client == s[0].of_client))
		same++;
	return same;
}

static void add_service(struct strbuf *b, const struct series *s, size_t n, const struct sink_resource *given, uint64_t since_ns, uint64_t now_ns)
{
	struct named_value attributes[RESOURCE_ATTRIBUTES_MAX];
	struct resources all = { .given = *given };
	_cleanup_(strbuf_done) struct strbuf service = {};
	strbuf_adds(&service, s->text[SERIES_SERVICE]);
	struct resource resource = { .service = service };
	size_t count = resource_attributes(&all, &resource, attributes), begin = protobuf_begin(b, REQUEST_RESOURCE_METRICS);
	otlp_add_resource(b, RESOURCE_METRICS_RESOURCE, attributes, count);
	size_t scope = protobuf_begin(b, RESOURCE_METRICS_SCOPE_METRICS);
	otlp_add_scope(b, SCOPE_METRICS_SCOPE);
	for (size_t i = 0, same; i < n; i += same) {
		same = alike(s + i, n - i, true);
		add_metric(b, s + i, same, since_ns, now_ns);
	}
	protobuf_end(b, scope);
	protobuf_end(b, begin);
}

uint32_t metrics_otlp(struct strbuf *out, const struct series *all, size_t n, const struct sink_resource *given, uint64_t since_ns, uint64_t now_ns)
{
	for (size_t i = 0, same; i < n; i += same) {
		same = alike(all + i, n - i, false);
		add_service(out, all + i, same, given, since_ns, now_ns);
	}
	return (uint32_t)n;
}
