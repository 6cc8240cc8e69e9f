/* Where things are sent, and what an answer means. Bytes of answers are as protoc --encode makes them of opentelemetry-proto. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "export/answer.h"
#include "export/destination.h"

#define NOW 1795298400 /* Sat, 21 Nov 2026 22:00:00 GMT, by date -d */

#define PROTOBUF .content_type = SLICE("application/x-protobuf")
#define JSON .content_type = SLICE("application/json; charset=utf-8")
#define BODY(b) .body = SLICE(b)

static const struct answer_case {
	const char *name;
	enum wire wire;
	struct answer a;
	enum outcome want;
	uint64_t rejected, rest_s;
	const char *said; /* part of it */
} answers[] = {
	{ "nothing to say", WIRE_OTLP_PROTOBUF, { .http_status = 200, PROTOBUF }, OUTCOME_DELIVERED },
	{ "no type and no body", WIRE_OTLP_PROTOBUF, { .http_status = 202 }, OUTCOME_DELIVERED },
	{ "a part", WIRE_OTLP_PROTOBUF, { .http_status = 200, PROTOBUF, BODY("\x0a\x0a\x08\xac\x02\x12\x05small") }, OUTCOME_DELIVERED, 300, 0, "rejected 300: small" },
	{ "a warning", WIRE_OTLP_PROTOBUF, { .http_status = 200, PROTOBUF, BODY("\x0a\x07\x12\x05small") }, OUTCOME_DELIVERED, 0, 0, "warns: small" },
	{ "a part in JSON", WIRE_OTLP_JSON, { .http_status = 200, JSON, BODY("{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"x\\ny\"}}") }, OUTCOME_DELIVERED, 3, 0, "rejected 3: x y" },
	{ "empty JSON", WIRE_OTLP_PROTOBUF, { .http_status = 200, JSON, BODY("{}") }, OUTCOME_DELIVERED },
	{ "a page", WIRE_OTLP_PROTOBUF, { .http_status = 200, .content_type = SLICE("text/html"), BODY("<html>") }, OUTCOME_NO_RECEIVER, 0, 0, "text/html" },
	{ "rubbish as protobuf", WIRE_OTLP_PROTOBUF, { .http_status = 200, PROTOBUF, BODY("\xff\xff\xff\xff") }, OUTCOME_NO_RECEIVER, 0, 0, "no protobuf" },
	{ "rubbish as JSON", WIRE_OTLP_PROTOBUF, { .http_status = 200, JSON, BODY("[1") }, OUTCOME_NO_RECEIVER, 0, 0, "no JSON" },
	{ "endless", WIRE_OTLP_PROTOBUF, { .http_status = 200, PROTOBUF, .too_long = true, BODY("x") }, OUTCOME_NO_RECEIVER, 0, 0, "endless" },
	{ "no answer", WIRE_OTLP_PROTOBUF, { .failure = "cannot be reached: refused" }, OUTCOME_RETRY, 0, 0, "refused" },
	{ "bad", WIRE_OTLP_PROTOBUF, { .http_status = 400, PROTOBUF, BODY("\x12\x04oops") }, OUTCOME_REFUSED, 0, 0, "answers 400: oops" },
	{ "bad, in text", WIRE_OTLP_PROTOBUF, { .http_status = 401, BODY("who\x1b[31m\n") }, OUTCOME_REFUSED, 0, 0, "answers 401: who [31m " },
	{ "redirected", WIRE_OTLP_PROTOBUF, { .http_status = 301 }, OUTCOME_REFUSED },
	{ "broken", WIRE_OTLP_PROTOBUF, { .http_status = 500 }, OUTCOME_REFUSED },
	{ "not there", WIRE_OTLP_PROTOBUF, { .http_status = 404 }, OUTCOME_NOT_TAKEN },
	{ "too many", WIRE_OTLP_PROTOBUF, { .http_status = 429, .retry_after = SLICE("17") }, OUTCOME_RETRY, 0, 17 },
	{ "bad gateway", WIRE_OTLP_PROTOBUF, { .http_status = 502 }, OUTCOME_RETRY },
	{ "busy until then", WIRE_OTLP_PROTOBUF, { .http_status = 503, .retry_after = SLICE("Sat, 21 Nov 2026 22:00:42 GMT") }, OUTCOME_RETRY, 0, 42 },
	{ "busy until yesterday", WIRE_OTLP_PROTOBUF, { .http_status = 503, .retry_after = SLICE("Fri, 20 Nov 2026 22:00:42 GMT") }, OUTCOME_RETRY, 0, 0 },
	{ "busy for a year", WIRE_OTLP_PROTOBUF, { .http_status = 503, .retry_after = SLICE("31536000") }, OUTCOME_RETRY, 0, 300 },
	{ "busy for rubbish", WIRE_OTLP_PROTOBUF, { .http_status = 503, .retry_after = SLICE("-1; drop") }, OUTCOME_RETRY, 0, 0 },
	{ "gateway timeout", WIRE_OTLP_PROTOBUF, { .http_status = 504, .too_long = true }, OUTCOME_RETRY },
	{ "zipkin's", WIRE_ZIPKIN, { .http_status = 202, .content_type = SLICE("text/plain") }, OUTCOME_DELIVERED },
	{ "grpc: good", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 0, BODY("\0\0\0\0\0") }, OUTCOME_DELIVERED },
	{ "grpc: a part", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 0, BODY("\0\0\0\0\x0c\x0a\x0a\x08\xac\x02\x12\x05small") }, OUTCOME_DELIVERED, 300, 0, "300" },
	{ "grpc: away", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 14, .grpc_message = SLICE("gone") }, OUTCOME_RETRY, 0, 0, "status 14: gone" },
	{ "grpc: full", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 8 }, OUTCOME_REFUSED },
	/* google.rpc.Status with a RetryInfo of 7.5 s, as protoc --decode_raw reads it */
	{ "grpc: full for a while", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 8,
	  .grpc_details = SLICE("CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIBxCAyrXuAQ") }, OUTCOME_RETRY, 0, 7 },
	{ "grpc: not there", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 12 }, OUTCOME_NOT_TAKEN },
	{ "grpc: bad", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = 3 }, OUTCOME_REFUSED },
	{ "grpc: a proxy is busy", WIRE_OTLP_GRPC, { .http_status = 503, .grpc_status = -1 }, OUTCOME_RETRY },
	{ "grpc: a web server", WIRE_OTLP_GRPC, { .http_status = 200, .grpc_status = -1 }, OUTCOME_NO_RECEIVER },
};

static void an_answer_means_what_the_specification_says(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct answer_case *c = &answers[i];
		_cleanup_(strbuf_done) struct strbuf said = {};
		struct verdict_of_answer v = answer_judge(c->wire, &c->a, NOW, &said);
		if (v.outcome != c->want || v.rejected != c->rejected || v.not_before_ns / NSEC_PER_SEC != c->rest_s)
			fail_msg("%s: outcome %d, %d rejected, %d s of rest", c->name, v.outcome, (int)v.rejected, (int)(v.not_before_ns / NSEC_PER_SEC));
		if (c->said ? !strstr(strbuf_str(&said), c->said) : v.outcome == OUTCOME_DELIVERED && said.len)
			fail_msg("%s: '%s'", c->name, strbuf_str(&said));
	}
}

/* The environment of a case: pairs, ended by NULL. */
static const char *const *environment;

static char *of_case(const char *name)
{
	for (const char *const *at = environment; at && *at; at += 2)
		if (streq(*at, name))
			return (char *)at[1];
	return NULL;
}

static const struct destination_case {
	const char *word;
	const char *const *env;
	const char *url, *shown; /* NULL: refused; @shown NULL: as the URL */
	enum wire wire;
	enum signal_kind signal;
} destinations[] = {
	{ "otlp+http://h", NULL, "http://h:4318/v1/traces" },
	{ "otlp+http://h:1/", NULL, "http://h:1/v1/traces" },
	{ "otlp+http://h/base//", NULL, "http://h:4318/base/v1/traces" },
	{ "otlp+http://[::1]", NULL, "http://[::1]:4318/v1/traces" },
	{ "otlp+http://[::1]:9", NULL, "http://[::1]:9/v1/traces" },
	{ "otlp+https://h", NULL, "https://h:443/v1/traces" },
	{ "otlp+http://me:secret@h:1", NULL, "http://me:secret@h:1/v1/traces", "http://h:1/v1/traces" },
	{ "otlp+http://h", NULL, "http://h:4318/v1/metrics", .signal = SIGNAL_METRICS },
	{ "otlp+grpc://h", NULL, "http://h:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export", .wire = WIRE_OTLP_GRPC },
	{ "otlp+grpcs://h:1/x", NULL, "https://h:1/opentelemetry.proto.collector.trace.v1.TraceService/Export", .wire = WIRE_OTLP_GRPC },
	{ "zipkin+http://h", NULL, "http://h:9411/api/v2/spans", .wire = WIRE_ZIPKIN },
	{ "zipkin+http://h/z?key=1", NULL, "http://h:9411/z?key=1", "http://h:9411/z", .wire = WIRE_ZIPKIN },
	{ "http://h", NULL, NULL },
	{ "otlp+http://", NULL, NULL },
	{ "otlp+http://:4318", NULL, NULL },
	{ "otlp+http://h\r\nX: y", NULL, NULL },
	{ "otlp", NULL, "http://localhost:4318/v1/traces" },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_ENDPOINT", "https://h/b", NULL }, "https://h/b/v1/traces" },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_ENDPOINT", "", NULL }, "http://localhost:4318/v1/traces" },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:2/x/", NULL }, "http://t:2/x/" },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:2/x/", NULL }, "http://h:1/v1/metrics", .signal = SIGNAL_METRICS },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", NULL }, "http://localhost:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export", .wire = WIRE_OTLP_GRPC },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", NULL }, "http://localhost:4318/v1/traces", .wire = WIRE_OTLP_JSON },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_PROTOCOL", "smoke", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_TIMEOUT", "10s", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_COMPRESSION", "lz4", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_HEADERS", "no value", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0aEvil: c", NULL }, NULL },
	{ "otlp", (const char *const[]){ "OTEL_EXPORTER_OTLP_CERTIFICATE", "/nothing/is/here", NULL }, NULL },
	{ "zipkin", NULL, "http://localhost:9411/api/v2/spans", .wire = WIRE_ZIPKIN },
	{ "zipkin", (const char *const[]){ "OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z/api", NULL }, "http://z/api", .wire = WIRE_ZIPKIN },
};

static void words_and_variables_say_where(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++) {
		const struct destination_case *c = &destinations[i];
		_cleanup_(destination_done) struct destination d = {};
		struct reason why = {};
		environment = c->env;
		int r = destination_find(&d, c->word, c->signal, of_case, &why);
		if (!c->url) {
			if (r != -EINVAL || !why.text[0] || strstr(why.text, "\n"))
				fail_msg("%s: %d, '%s'", c->word, r, why.text);
			continue;
		}
		if (r != 0 || !streq(d.url, c->url) || !streq(d.shown, c->shown ? c->shown : c->url) || d.wire != c->wire)
			fail_msg("%s: %d, %s, shown %s, by %d; %s", c->word, r, d.url, d.shown, d.wire, why.text);
	}
}

static void headers_are_decoded_and_the_signals_own_count(void **state)
{
	_cleanup_(destination_done) struct destination d = {};
	environment = (const char *const[]){ "OTEL_EXPORTER_OTLP_HEADERS", "a=b", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", " api-key = s%3Dcret%20x ,tenant=7,",
					     "OTEL_EXPORTER_OTLP_TIMEOUT", "250", "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", NULL };
	assert_int_equal(destination_find(&d, "otlp", SIGNAL_TRACES, of_case, NULL), 0);
	assert_int_equal(d.headers.n, 2);
	assert_string_equal(d.headers.items[0], "api-key: s=cret x");
	assert_string_equal(d.headers.items[1], "tenant: 7");
	assert_int_equal(d.timeout_ms, 250);
	assert_true(d.gzip);
}

static void zipkin_takes_no_metrics(void **state)
{
	struct destination d;
	environment = NULL;
	assert_int_equal(destination_find(&d, "zipkin", SIGNAL_METRICS, of_case, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_means_what_the_specification_says),
		cmocka_unit_test(words_and_variables_say_where),
		cmocka_unit_test(headers_are_decoded_and_the_signals_own_count),
		cmocka_unit_test(zipkin_takes_no_metrics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
