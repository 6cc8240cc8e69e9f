#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "export/exports_inside.h"
#include "export/metrics.h"

#define METRICS_INTERVAL_MS 60000
#define POINTS_AT_ONCE 500
#define BATCH_NS NSEC_PER_SEC /* OTEL_BSP_SCHEDULE_DELAY is 5 s: people watch, and a second costs little more */

extern const struct sink_ops otlp_protobuf_sink, otlp_sink, zipkin_sink;

static const struct sink_ops *const formats[] = {
	[WIRE_OTLP_PROTOBUF] = &otlp_protobuf_sink, [WIRE_OTLP_JSON] = &otlp_sink, [WIRE_OTLP_GRPC] = &otlp_protobuf_sink, [WIRE_ZIPKIN] = &zipkin_sink,
};

static void add_attribute(struct exports *x, const char *name, const char *value)
{
	if (x->resource.n < ARRAY_SIZE(x->attributes))
		x->attributes[x->resource.n++] = (struct named_value){ .name = slice_of(name), .value = STRING_VALUE(slice_of(value)) };
}

/* OTEL_SERVICE_NAME counts more than a service.name of OTEL_RESOURCE_ATTRIBUTES: resource/sdk.md. */
static int read_resource(struct exports *x, const char *host, struct reason *why)
{
	const char *text = getenv("OTEL_RESOURCE_ATTRIBUTES"), *service = getenv("OTEL_SERVICE_NAME");
	x->resource = (struct sink_resource){ .host = host, .attributes = x->attributes };
	if (text && destination_pairs(&x->attribute_texts, text) < 0)
		return reason_set(why, -EINVAL, "OTEL_RESOURCE_ATTRIBUTES is no list of attributes (NAME=VALUE,NAME=VALUE): '%.80s'", text);
	if (service && *service)
		add_attribute(x, "service.name", service);
	for (size_t i = 0; i < x->attribute_texts.n; i += 2)
		if (!service || !*service || !streq(x->attribute_texts.items[i], "service.name"))
			add_attribute(x, x->attribute_texts.items[i], x->attribute_texts.items[i + 1]);
	return 0;
}

/* A file name of the destination, the same from run to run: FNV-1a of where it is. */
static char *spool_name(const struct destination *d)
{
	uint64_t hash = 14695981039346656037ull;
	for (const char *c = d->shown; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211ull;
	return xasprintf("%s-%016llx", d->signal == SIGNAL_TRACES ? "traces" : "metrics", (unsigned long long)hash);
}

static int add_target(struct exports *x, const char *word, enum signal_kind signal, const struct options *o, struct reason *why)
{
	_cleanup_(destination_done) struct destination d = {};
	int r = destination_find(&d, word, signal, getenv, why);
	if (r)
		return MIN(r, 0);
	if (x->n == TARGETS_MAX)
		return reason_set(why, -EINVAL, "--export: more than %d receivers, each signal counted", TARGETS_MAX);
	struct target *t = &x->targets[x->n++];
	if (x->spool_fd >= 0) {
		_cleanup_(free) char *name = spool_name(&d);
		r = spool_new(&t->spool, x->spool_fd, name, o->spool_bytes, why);
	}
	struct sender_settings settings = { .spool = t->spool, .patient = x->patient };
	return r == 0 ? sender_new(&t->sender, &d, &settings, why) : r; /* what is half made goes with @x */
}

static bool wants(const struct options *o, enum signal_kind signal)
{
	static const char *const words[] = { "traces", "metrics" };
	return !o->signals || strstr(o->signals, words[signal]);
}

/* How often metrics are sent: metrics/sdk.md, OTEL_METRIC_EXPORT_INTERVAL, milliseconds. */
static int read_interval(struct exports *x, struct reason *why)
{
	const char *text = getenv("OTEL_METRIC_EXPORT_INTERVAL");
	uint64_t ms = METRICS_INTERVAL_MS;
	if (text && *text && (parse_number(text, &ms) < 0 || ms == 0))
		return reason_set(why, -EINVAL, "OTEL_METRIC_EXPORT_INTERVAL: '%.40s' is no number of milliseconds", text);
	x->interval_ns = ms * NSEC_PER_MSEC;
	return 0;
}

static int open_metrics(struct exports *x, const struct options *o, struct reason *why)
{
	x->series = series_table_new();
	int r = read_interval(x, why);
	return r == 0 && o->listen ? scrape_new(&x->scrape, o->listen, x->series, why) : r;
}

static int check_signals(const char *text, struct reason *why)
{
	static const char *const known[] = { "traces", "metrics", "traces,metrics", "metrics,traces" };
	for (size_t i = 0; text && i < ARRAY_SIZE(known); i++)
		if (streq(text, known[i]))
			return 0;
	return text ? reason_set(why, -EINVAL, "--signals: '%.40s' is not known (traces, metrics, or traces,metrics)", text) : 0;
}

static int open_all(struct exports *x, const struct exports_settings *settings, struct reason *why)
{
	const struct options *o = settings->options;
	int r = read_resource(x, settings->host, why);
	if (r == 0 && o->spool) {
		x->spool_fd = spool_folder_open(o->spool, why);
		r = MIN(x->spool_fd, 0);
	}
	if (r == 0)
		r = check_signals(o->signals, why);
	for (size_t i = 0; r == 0 && i < o->exports.n * SIGNAL_KINDS; i++)
		if (wants(o, (enum signal_kind)(i % SIGNAL_KINDS)))
			r = add_target(x, o->exports.items[i / SIGNAL_KINDS], (enum signal_kind)(i % SIGNAL_KINDS), o, why);
	return r == 0 && (o->listen || wants(o, SIGNAL_METRICS)) ? open_metrics(x, o, why) : r;
}

int exports_new(struct exports **ret, const struct exports_settings *settings, struct reason *why)
{
	if (!settings->options->exports.n && !settings->options->listen)
		return 0;
	_cleanup_(exports_free) struct exports *x = xcalloc(1, sizeof(*x));
	*x = (struct exports){ .spool_fd = -1, .patient = settings->patient };
	int r = open_all(x, settings, why);
	if (r == 0)
		*ret = take_ptr(x);
	return r;
}

static void open_batch(struct exports *x, struct target *t, uint64_t now_ns)
{
	struct batch *b = &t->batch;
	b->out = open_memstream(&b->body, &b->len);
	struct sink_settings settings = { .out = b->out, .resource = x->resource, .events = EVENT_BIT(EVENT_REQUEST) };
	sink_open(&b->sink, formats[sender_destination(t->sender)->wire], &settings, NULL);
	b->since_ns = now_ns;
	b->spans = 0;
}

/* Gives what was gathered to the thread; false: away with it. */
static void close_batch(struct target *t, bool send)
{
	struct batch *b = &t->batch;
	if (!b->sink)
		return;
	sink_close(take_ptr(b->sink));
	fclose(take_ptr(b->out));
	if (send)
		sender_put(t->sender, (struct slice){ b->body, b->len }, b->spans);
	free(take_ptr(b->body));
}

void exports_free(struct exports *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++) {
		close_batch(&x->targets[i], false);
		sender_free(x->targets[i].sender);
		spool_free(x->targets[i].spool);
	}
	scrape_free(x->scrape);
	series_table_free(x->series);
	if (x->spool_fd >= 0)
		close(x->spool_fd);
	text_list_done(&x->attribute_texts);
	free(x);
}

static void write_span(struct exports *x, struct target *t, const struct event *e)
{
	if (!t->batch.sink)
		open_batch(x, t, e->time_ns);
	sink_write(t->batch.sink, e);
	if (++t->batch.spans == RESOURCES_SPANS)
		close_batch(t, true);
}

void exports_write(struct exports *x, const struct event *e)
{
	if (!x || e->type != &event_types[EVENT_REQUEST])
		return;
	for (size_t i = 0; i < x->n; i++)
		if (sender_destination(x->targets[i].sender)->signal == SIGNAL_TRACES)
			write_span(x, &x->targets[i], e);
	struct slice service = resource_service(&x->resource, e);
	if (x->series)
		series_add(x->series, e, service.len ? service : SLICE("unknown_service"));
	x->until_ns = MAX(x->until_ns, e->time_ns + (uint64_t)e->realtime_offset_ns + e->field[REQUEST_DURATION].u);
}

/* To each receiver of metrics. Receivers have a bound of what they take at once (gRPC: 4 MiB), so it is cut in pieces. */
static void send_metrics(struct exports *x)
{
	_cleanup_(free) struct series *all = NULL;
	uint64_t since_ns, now_ns = x->patient ? x->until_ns : clock_ns(CLOCK_REALTIME);
	size_t n = x->series ? series_copy(x->series, &all, &since_ns) : 0;
	for (size_t from = 0; from < n; from += POINTS_AT_ONCE) {
		_cleanup_(strbuf_done) struct strbuf body = {};
		uint32_t points = metrics_otlp(&body, all + from, MIN(n - from, (size_t)POINTS_AT_ONCE), &x->resource, since_ns, now_ns);
		for (size_t i = 0; i < x->n; i++)
			if (sender_destination(x->targets[i].sender)->signal == SIGNAL_METRICS)
				sender_put(x->targets[i].sender, strbuf_slice(&body), points);
	}
}

void exports_tick(struct exports *x, uint64_t now_ns)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++)
		if (x->targets[i].batch.since_ns + BATCH_NS <= now_ns)
			close_batch(&x->targets[i], true);
	x->metrics_due_ns = x->metrics_due_ns ? x->metrics_due_ns : now_ns + x->interval_ns;
	if (x->patient || now_ns < x->metrics_due_ns) /* of a recording the last ones are enough: they are sums */
		return;
	x->metrics_due_ns = now_ns + x->interval_ns;
	send_metrics(x);
}

bool exports_news(struct exports *x, struct strbuf *out)
{
	bool any = false;
	for (size_t i = 0; x && i < x->n; i++)
		any = sender_news(x->targets[i].sender, out) || any;
	return any;
}

void exports_finish(struct exports *x)
{
	if (x)
		send_metrics(x);
	for (size_t i = 0; x && i < x->n; i++) {
		close_batch(&x->targets[i], true);
		sender_close(x->targets[i].sender);
	}
	for (size_t i = 0; x && i < x->n; i++)
		sender_finish(x->targets[i].sender);
}
