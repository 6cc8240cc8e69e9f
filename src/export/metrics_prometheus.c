/*
 * Series as Prometheus reads them: its text format 0.0.4, OpenMetrics 1.0 with exemplars, and protobuf with native histograms
 * (prometheus/client_model, io/prometheus/client/metrics.proto), delimited.
 */
#include <math.h>
#include <string.h>

#include "base/macro.h"
#include "base/protobuf.h"
#include "export/metrics.h"

#define SCHEMA_MAX 8 /* of native histograms: the finest that Prometheus takes */

enum {
	FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, TYPE_HISTOGRAM = 4, METRIC_LABEL = 1,
	METRIC_HISTOGRAM = 7, LABEL_NAME = 1, LABEL_VALUE = 2,
};
enum {
	HISTOGRAM_COUNT = 1, HISTOGRAM_SUM = 2, HISTOGRAM_BUCKET = 3, HISTOGRAM_SCHEMA = 5, HISTOGRAM_ZERO_THRESHOLD =
	6, HISTOGRAM_ZEROES = 7, HISTOGRAM_SPAN = 12, HISTOGRAM_DELTA = 13, HISTOGRAM_CREATED = 15,
};
enum {
	BUCKET_CUMULATIVE = 1, BUCKET_BOUND = 2, BUCKET_EXEMPLAR = 3, EXEMPLAR_LABEL = 1, EXEMPLAR_VALUE = 2,
	EXEMPLAR_TIME = 3, TIME_SECONDS = 1, TIME_NANOS = 2, SPAN_OFFSET = 1, SPAN_LENGTH = 2,
};

static const double bounds[] = SERIES_BOUNDS;
static const char *const names[] = { "http_server_request_duration_seconds", "http_client_request_duration_seconds" };
static const char *const help[] = { "Duration of HTTP server requests.", "Duration of HTTP client requests." };

/* "http.route" is http_route here. */
static void add_label_name(struct strbuf *b, const char *attribute)
{
	for (; *attribute; attribute++)
		strbuf_addc(b, *attribute == '.' ? '_' : *attribute);
}

static void add_escaped(struct strbuf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_adds(b, "\\n");
		else if (*text == '"' || *text == '\\')
			strbuf_addf(b, "\\%c", *text);
		else
			strbuf_addc(b, *text);
	}
}

/* {service_name="shop",... without the closing brace. */
static void add_labels(struct strbuf *b, const struct series *s)
{
	const char *before = "{";
	for (size_t i = 0; i < SERIES_TEXTS; i++) {
		if (!s->text[i][0])
			continue;
		strbuf_adds(b, before);
		add_label_name(b, series_attribute((enum series_text)i));
		strbuf_adds(b, "=\"");
		add_escaped(b, s->text[i]);
		strbuf_addc(b, '"');
		before = ",";
	}
	if (s->overflow)
		strbuf_addf(b, "%sotel_metric_overflow=\"true\"", before);
}

static void add_number(struct strbuf *b, double v, bool openmetrics)
{
	strbuf_addf(b, openmetrics && v == floor(v) ? "%.1f" : "%.17g", v);
}

static void add_bound(struct strbuf *b, size_t i, bool openmetrics)
{
	if (i == ARRAY_SIZE(bounds))
		strbuf_adds(b, "+Inf");
	else
		strbuf_addf(b, openmetrics && bounds[i] == floor(bounds[i]) ? "%.1f" : "%g", bounds[i]);
}

static void add_exemplar_text(struct strbuf *b, const struct exemplar *x)
{
	strbuf_addf(b, " # {trace_id=\"%s\",span_id=\"%s\"} %.17g %llu.%09llu", x->trace_id, x->span_id, x->value,
		    (unsigned long long)(x->time_ns / NSEC_PER_SEC), (unsigned long long)(x->time_ns % NSEC_PER_SEC));
}

static void add_text(struct strbuf *b, const struct series *s, bool openmetrics)
{
	_cleanup_(strbuf_done) struct strbuf labels = {};
	const char *name = names[s->of_client];
	uint64_t sum = 0;
	add_labels(&labels, s);
	for (size_t i = 0; i < SERIES_BUCKETS; i++) {
		strbuf_addf(b, "%s_bucket%s,le=\"", name, labels.data);
		add_bound(b, i, openmetrics);
		strbuf_addf(b, "\"} %llu", (unsigned long long)(sum += s->bucket[i]));
		if (openmetrics && s->exemplar[i].time_ns)
			add_exemplar_text(b, &s->exemplar[i]);
		strbuf_addc(b, '\n');
	}
	strbuf_addf(b, "%s_sum%s} ", name, labels.data);
	add_number(b, s->durations.sum, openmetrics);
	strbuf_addf(b, "\n%s_count%s} %llu\n", name, labels.data, (unsigned long long)s->durations.count);
}

static void add_label(struct strbuf *b, uint32_t field, const char *attribute, const char *value)
{
	_cleanup_(strbuf_done) struct strbuf name = {};
	size_t begin = protobuf_begin(b, field);
	add_label_name(&name, attribute);
	protobuf_add_bytes(b, LABEL_NAME, strbuf_slice(&name));
	protobuf_add_bytes(b, LABEL_VALUE, slice_of(value));
	protobuf_end(b, begin);
}

static void add_time(struct strbuf *b, uint32_t field, uint64_t time_ns)
{
	size_t begin = protobuf_begin(b, field);
	protobuf_add_uint(b, TIME_SECONDS, time_ns / NSEC_PER_SEC);
	protobuf_add_uint(b, TIME_NANOS, time_ns % NSEC_PER_SEC);
	protobuf_end(b, begin);
}

static void add_exemplar(struct strbuf *b, const struct exemplar *x)
{
	size_t begin = protobuf_begin(b, BUCKET_EXEMPLAR);
	add_label(b, EXEMPLAR_LABEL, "trace_id", x->trace_id);
	add_label(b, EXEMPLAR_LABEL, "span_id", x->span_id);
	protobuf_add_double(b, EXEMPLAR_VALUE, x->value);
	add_time(b, EXEMPLAR_TIME, x->time_ns);
	protobuf_end(b, begin);
}

static void add_classic(struct strbuf *b, const struct series *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_BUCKETS; i++) {
		size_t begin = protobuf_begin(b, HISTOGRAM_BUCKET);
		protobuf_add_uint(b, BUCKET_CUMULATIVE, sum += s->bucket[i]);
		protobuf_add_double(b, BUCKET_BOUND, i < ARRAY_SIZE(bounds) ? bounds[i] : INFINITY);
		if (s->exemplar[i].time_ns)
			add_exemplar(b, &s->exemplar[i]);
		protobuf_end(b, begin);
	}
}

/* Its bucket i is (base^(i-1), base^i], one further than OpenTelemetry's; counts are told as differences. */
static void add_native(struct strbuf *b, const struct series *s)
{
	struct exponential h = s->durations;
	exponential_coarsen(&h, SCHEMA_MAX);
	protobuf_add_sint(b, HISTOGRAM_SCHEMA, h.scale);
	protobuf_add_double(b, HISTOGRAM_ZERO_THRESHOLD, 0);
	protobuf_add_uint(b, HISTOGRAM_ZEROES, h.zero);
	size_t span = protobuf_begin(b, HISTOGRAM_SPAN);
	protobuf_add_sint(b, SPAN_OFFSET, h.n ? h.offset + 1 : 0);
	protobuf_add_uint(b, SPAN_LENGTH, h.n);
	protobuf_end(b, span);
	for (uint32_t i = 0; i < h.n; i++)
		protobuf_add_sint(b, HISTOGRAM_DELTA, (int64_t)(h.bucket[i] - (i ? h.bucket[i - 1] : 0)));
}

static void add_protobuf(struct strbuf *b, const struct series *s, uint64_t since_ns)
{
	size_t metric = protobuf_begin(b, FAMILY_METRIC);
	for (size_t i = 0; i < SERIES_TEXTS; i++)
		if (s->text[i][0])
			add_label(b, METRIC_LABEL, series_attribute((enum series_text)i), s->text[i]);
	if (s->overflow)
		add_label(b, METRIC_LABEL, "otel.metric.overflow", "true");
	size_t histogram = protobuf_begin(b, METRIC_HISTOGRAM);
	protobuf_add_uint(b, HISTOGRAM_COUNT, s->durations.count);
	protobuf_add_double(b, HISTOGRAM_SUM, s->durations.sum);
	add_classic(b, s);
	add_native(b, s);
	add_time(b, HISTOGRAM_CREATED, since_ns);
	protobuf_end(b, histogram);
	protobuf_end(b, metric);
}

static void add_head(struct strbuf *b, enum exposition form, bool of_client)
{
	if (form == EXPOSITION_PROTOBUF) {
		protobuf_add_bytes(b, FAMILY_NAME, slice_of(names[of_client]));
		protobuf_add_bytes(b, FAMILY_HELP, slice_of(help[of_client]));
		protobuf_add_uint(b, FAMILY_TYPE, TYPE_HISTOGRAM);
		return;
	}
	strbuf_addf(b, "# HELP %s %s\n# TYPE %s histogram\n", names[of_client], help[of_client], names[of_client]);
	if (form == EXPOSITION_OPENMETRICS)
		strbuf_addf(b, "# UNIT %s seconds\n", names[of_client]);
}

static void add_family(struct strbuf *out, enum exposition form, bool of_client, const struct series *all, size_t n, uint64_t since_ns)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (all[i].of_client != of_client)
			continue;
		if (!any)
			add_head(&b, form, of_client);
		any = true;
		if (form == EXPOSITION_PROTOBUF)
			add_protobuf(&b, &all[i], since_ns);
		else
			add_text(&b, &all[i], form == EXPOSITION_OPENMETRICS);
	}
	if (any && form == EXPOSITION_PROTOBUF)
		protobuf_varint(out, b.len);
	strbuf_add_slice(out, strbuf_slice(&b));
}

void metrics_expose(struct strbuf *out, enum exposition form, const struct series *all, size_t n, uint64_t since_ns)
{
	add_family(out, form, false, all, n, since_ns);
	add_family(out, form, true, all, n, since_ns);
	if (form == EXPOSITION_OPENMETRICS)
		strbuf_adds(out, "# EOF\n");
}

enum exposition metrics_accepted(const char *accept, const char **ret_type)
{
	static const struct {
		const char *wanted, *type;
	} forms[] = {
		[EXPOSITION_TEXT] = { "", "text/plain; version=0.0.4; charset=utf-8" },
		[EXPOSITION_OPENMETRICS] = { "application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8" },
		[EXPOSITION_PROTOBUF] = { "application/vnd.google.protobuf",
					  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited" },
	};
	/* Prometheus asks for protobuf only when it wants native histograms, and then before all others. */
	enum exposition form = EXPOSITION_TEXT;
	if (accept && strstr(accept, forms[EXPOSITION_PROTOBUF].wanted))
		form = EXPOSITION_PROTOBUF;
	else if (accept && strstr(accept, forms[EXPOSITION_OPENMETRICS].wanted))
		form = EXPOSITION_OPENMETRICS;
	*ret_type = forms[form].type;
	return form;
}
