/* Formats of spans, fed by hand: what no recording here holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/macro.h"
#include "sink/sink.h"
#include "sink/span_fields.h"

#define LINE_SPANS 512 /* as in otlp.c */

struct output {
	char *text;
	size_t len;
	FILE *file;
	struct sink *sink;
};

static void begin(struct output *o, const char *format)
{
	*o = (struct output){};
	o->file = open_memstream(&o->text, &o->len);
	struct sink_settings settings = { .out = o->file, .resource = { .host = "h\"\xff" }, .events = EVENT_BIT(EVENT_REQUEST) };
	assert_int_equal(sink_open(&o->sink, sink_find(format), &settings, NULL), 0);
}

static char *end(struct output *o)
{
	assert_int_equal(sink_close(o->sink), 0);
	fclose(o->file);
	return o->text;
}

static struct event request(uint32_t pid, const struct named_value *attributes, size_t n)
{
	struct event e;
	event_init(&e, EVENT_REQUEST);
	e.time_ns = 5000;
	e.realtime_offset_ns = 1000000;
	e.pid = e.tid = pid;
	e.process_name = SLICE("p");
	e.field[REQUEST_NAME] = STRING_VALUE(SLICE("GET /"));
	e.field[REQUEST_KIND] = STRING_VALUE(SLICE("server"));
	e.field[REQUEST_TRACE_ID] = STRING_VALUE(SLICE("00000000000000000000000000000001"));
	e.field[REQUEST_SPAN_ID] = STRING_VALUE(SLICE("0000000000000002"));
	e.field[REQUEST_DURATION] = UINT_VALUE(999);
	e.field[REQUEST_STATUS] = STRING_VALUE(SLICE("unset"));
	e.field[REQUEST_ATTRIBUTES] = (struct value){ .kind = VALUE_STRUCT, .list = { attributes, n } };
	return e;
}

static char *written(const char *format, const struct event *e)
{
	struct output o;
	begin(&o, format);
	sink_write(o.sink, e);
	return end(&o);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void must_be_json(const char *text)
{
	json_error_t error;
	json_t *parsed = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &error);
	if (!parsed)
		fail_msg("%s: %s", error.text, text);
	json_decref(parsed);
}

static void a_line_holds_so_many_spans_and_tells_a_process_once(void **state)
{
	struct output o;
	begin(&o, "otlp");
	for (uint32_t i = 0; i < LINE_SPANS + 1; i++) {
		struct event e = request(1 + i % 3, NULL, 0);
		sink_write(o.sink, &e);
	}
	_cleanup_(free) char *text = end(&o);
	char *second = strchr(text, '\n') + 1;
	must_be_json(second);
	assert_int_equal(occurrences(second, "\"spanId\""), 1);
	assert_int_equal(occurrences(second, "\n"), 1);
	*second = '\0';
	must_be_json(text);
	assert_int_equal(occurrences(text, "\"spanId\""), LINE_SPANS);
	assert_int_equal(occurrences(text, "\"service.name\""), 3);
}

static void each_span_may_be_of_a_process_of_its_own(void **state)
{
	struct output o;
	begin(&o, "otlp");
	for (uint32_t i = 0; i < 2 * LINE_SPANS; i++) {
		struct event e = request(i + 1, NULL, 0);
		e.process_name = (struct slice){ "a\0b", i % 4 }; /* none, and one with a NUL */
		sink_write(o.sink, &e);
	}
	_cleanup_(free) char *text = end(&o);
	must_be_json(text);
	assert_int_equal(occurrences(text, "\"process.pid\""), 2 * LINE_SPANS);
	assert_int_equal(occurrences(text, "\"unknown_service\""), LINE_SPANS / 2);
}

static void spans_are_written_with_the_next_tick(void **state)
{
	struct output o;
	struct event e = request(1, NULL, 0);
	begin(&o, "otlp");
	o.sink->ops->tick(o.sink->state, 1);
	sink_write(o.sink, &e);
	fflush(o.file);
	assert_int_equal(o.len, 0);
	o.sink->ops->tick(o.sink->state, 2);
	fflush(o.file);
	size_t len = o.len;
	assert_int_not_equal(len, 0);
	_cleanup_(free) char *text = end(&o);
	assert_int_equal(strlen(text), len);
}

static void values_keep_their_types(void **state)
{
	const struct named_value list[] = { { .value = STRING_VALUE(SLICE("a\xff")) }, { .value = UINT_VALUE(7) } };
	const struct {
		struct value value;
		const char *otlp, *zipkin;
	} cases[] = {
		{ UINT_VALUE(INT64_MAX), "{\"intValue\":\"9223372036854775807\"}", "\"9223372036854775807\"" },
		{ UINT_VALUE(UINT64_MAX), "{\"stringValue\":\"18446744073709551615\"}", "\"18446744073709551615\"" }, /* there is no uint in common.proto */
		{ INT_VALUE(-1), "{\"intValue\":\"-1\"}", "\"-1\"" },
		{ BOOL_VALUE(true), "{\"boolValue\":true}", "\"true\"" },
		{ { .kind = VALUE_DOUBLE, .d = 0.5 }, "{\"doubleValue\":0.5}", "\"0.5\"" },
		{ ADDRESS_VALUE(16), "{\"stringValue\":\"0x10\"}", "\"0x10\"" },
		{ { .kind = VALUE_UNREADABLE }, "{\"stringValue\":\"?\"}", "\"?\"" },
		{ STRING_VALUE(SLICE("\"\0\xff")), "{\"stringValue\":\"\\\"\\u0000\\u00ff\"}", "\"\\\"\\u0000\\u00ff\"" },
		{ { .kind = VALUE_LIST, .list = { list, 2 } }, "{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\\u00ff\"},{\"intValue\":\"7\"}]}}",
		  "\"[\\\"a\\\\u00ff\\\",7]\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct named_value attribute = { .name = SLICE("k"), .value = cases[i].value };
		struct event e = request(1, &attribute, 1);
		_cleanup_(strbuf_done) struct strbuf otlp = {}, zipkin = {};
		strbuf_addf(&otlp, "{\"key\":\"k\",\"value\":%s}", cases[i].otlp);
		strbuf_addf(&zipkin, "\"k\":%s", cases[i].zipkin);
		_cleanup_(free) char *as_otlp = written("otlp", &e), *as_zipkin = written("zipkin", &e);
		must_be_json(as_otlp);
		must_be_json(as_zipkin);
		if (!strstr(as_otlp, otlp.data) || !strstr(as_zipkin, zipkin.data))
			fail_msg("%zu: %s %s", i, as_otlp, as_zipkin);
	}
}

static void attributes_beyond_the_room_are_left_out_and_our_fields_are_not(void **state)
{
	struct named_value many[100], got[SPAN_FIELDS_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct named_value){ .name = SLICE("k"), .value = UINT_VALUE(i) };
	struct event e = request(1, many, ARRAY_SIZE(many));
	for (size_t i = 0; i < e.type->n_fields; i++)
		if (i != REQUEST_ATTRIBUTES)
			e.field[i] = STRING_VALUE(SLICE("x"));
	size_t n = span_fields(&e, got);
	assert_int_equal(n, SPAN_FIELDS_MAX);
	assert_true(slice_eq_str(got[n - 1].name, "utrace.incomplete"));
}

static void zipkin_has_what_is_known_and_nothing_empty(void **state)
{
	struct event e = request(1, NULL, 0);
	_cleanup_(free) char *none = written("zipkin", &e);
	assert_non_null(strstr(none, "\"timestamp\":1005,\"duration\":1,\"localEndpoint\":{\"serviceName\":\"p\"},\"tags\":{"));
	const struct named_value peer[] = {
		{ .name = SLICE("network.peer.address"), .value = STRING_VALUE(SLICE("2001:db8::1")) },
		{ .name = SLICE("network.peer.port"), .value = UINT_VALUE(0) },
		{ .name = SLICE("network.local.port"), .value = UINT_VALUE(80) },
	};
	e = request(1, peer, ARRAY_SIZE(peer));
	e.process_name = (struct slice){};
	e.field[REQUEST_STATUS] = STRING_VALUE(SLICE("error"));
	e.field[REQUEST_PARENT_SPAN_ID] = STRING_VALUE(SLICE("0000000000000003"));
	_cleanup_(free) char *some = written("zipkin", &e);
	assert_non_null(strstr(some, "\"localEndpoint\":{\"port\":80},\"remoteEndpoint\":{\"ipv6\":\"2001:db8::1\"},\"tags\":{\"process.pid\":\"1\",\"error\":\"true\""));
	assert_non_null(strstr(some, ",\"parentId\":\"0000000000000003\","));
}

static void no_request_is_an_array_of_none_and_no_line(void **state)
{
	struct output o;
	begin(&o, "zipkin");
	_cleanup_(free) char *zipkin = end(&o);
	must_be_json(zipkin);
	begin(&o, "otlp");
	_cleanup_(free) char *otlp = end(&o);
	assert_string_equal(otlp, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_holds_so_many_spans_and_tells_a_process_once),
		cmocka_unit_test(each_span_may_be_of_a_process_of_its_own),
		cmocka_unit_test(spans_are_written_with_the_next_tick),
		cmocka_unit_test(values_keep_their_types),
		cmocka_unit_test(attributes_beyond_the_room_are_left_out_and_our_fields_are_not),
		cmocka_unit_test(zipkin_has_what_is_known_and_nothing_empty),
		cmocka_unit_test(no_request_is_an_array_of_none_and_no_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
