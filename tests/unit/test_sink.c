/* Writers of events, fed by hand: what no program here does on demand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "sink/sink.h"
#include "sink/stacks.h"
#include "sink/utf8.h"

static void bytes_that_are_no_text_become_their_code_points(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
		{ "ascii", "a b", "a b" },
		{ "two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7" },
		{ "a lone first byte", "\xc3", "\xc3\x83" },
		{ "a lone continuation", "x\x80y", "x\xc2\x80y" },
		{ "longer than needed", "\xc0\xaf", "\xc3\x80\xc2\xaf" },
		{ "half of a pair (U+D800)", "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80" },
		{ "beyond U+10FFFF", "\xf4\x90\x80\x80", "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80" },
		{ "cut in the middle", "\xe2\x82", "\xc3\xa2\xc2\x82" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strbuf_done) struct strbuf b = {};
		utf8_add(&b, slice_of(cases[i].in));
		if (!streq(strbuf_str(&b), cases[i].want))
			fail_msg("%s", cases[i].name);
	}
}

static void a_suffix_asks_for_the_format_with_the_longest(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "a.json", "json" }, { "a.jsonl", "json" }, { "a.trace.json", "chrome" }, { "b/a.chrome.json", "chrome" }, { "a.csv", "csv" },
		{ "a.zipkin.json", "zipkin" }, { "a.otlp.json", "otlp" }, { "a.otlp.jsonl", "otlp" }, { "a.otlp.csv", "csv" },
		{ "a.pftrace", "perfetto" }, { "a.perfetto-trace", "perfetto" }, { "a.folded", "folded" }, { "a.txt", "text" }, { "a.CSV", NULL },
		{ "csv", NULL }, { ".csv", NULL }, { "a.csv.gz", NULL }, { "", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sink_ops *ops = sink_of_file(cases[i].path);
		if (ops ? !cases[i].want || !streq(ops->name, cases[i].want) : cases[i].want != NULL)
			fail_msg("%s", cases[i].path);
	}
}

static void every_format_has_a_name_of_its_own_and_suffixes(void **state)
{
	for (size_t i = 0; sinks[i]; i++) {
		assert_ptr_equal(sink_find(sinks[i]->name), sinks[i]);
		assert_non_null(sinks[i]->suffixes[0]);
		assert_true(strlen(sinks[i]->summary) > 10);
	}
	assert_null(sink_find("none"));
}

/* Two nested calls whose names hold what each format must escape, NUL included. */
static char *written(const char *format, size_t *ret_len)
{
	static const char inner[] = "in;n\"er\0\n\xff", outer[] = "out,er\r";
	static const struct named_value items[] = {
		{ .name = { "a\xfe", 2 }, .value = { .kind = VALUE_STRING, .s = { "x\0\"\n\xff", 5 }, .truncated = true } },
		{ .value = { .kind = VALUE_UNREADABLE } },
		{ .name = { "n", 1 }, .value = { .kind = VALUE_DOUBLE, .d = 0.5 } },
	};
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	struct sink_settings settings = { .out = out, .events = EVENT_BIT(EVENT_FUNCTION_CALL) };
	struct sink *sink;
	assert_int_equal(sink_open(&sink, sink_find(format), &settings, NULL), 0);
	struct event e;
	event_init(&e, EVENT_FUNCTION_CALL);
	e.pid = e.tid = 7;
	e.process_name = (struct slice){ "p\xff;\n", 4 };
	e.time_ns = 1500;
	e.field[CALL_FUNCTION] = STRING_VALUE(((struct slice){ inner, sizeof(inner) - 1 }));
	e.field[CALL_DURATION] = UINT_VALUE(100);
	e.field[CALL_ID] = UINT_VALUE(2);
	e.field[CALL_PARENT_ID] = UINT_VALUE(1);
	e.field[CALL_ARGUMENTS] = (struct value){ .kind = VALUE_ARGUMENTS, .list = { items, ARRAY_SIZE(items) } };
	sink_write(sink, &e);
	e.time_ns = 1000;
	e.field[CALL_FUNCTION] = STRING_VALUE(((struct slice){ outer, sizeof(outer) - 1 }));
	e.field[CALL_DURATION] = UINT_VALUE(1000);
	e.field[CALL_ID] = UINT_VALUE(1);
	e.field[CALL_PARENT_ID] = e.field[CALL_ARGUMENTS] = (struct value){};
	sink_write(sink, &e);
	assert_int_equal(sink_close(sink), 0);
	fclose(out);
	return text;
}

static void a_name_may_hold_any_byte(void **state)
{
	static const struct {
		const char *format, *want; /* NUL-terminated: no format writes a NUL here */
	} cases[] = {
		{ "folded", "p\xc3\xbf:?;out,er? 900\np\xc3\xbf:?;out,er?;in:n\"er??\xc3\xbf 100\n" },
		{ "csv", ",\"in;n\"\"er\xe2\x90\x80\n\xc3\xbf\",,,,100,,,,2,1,\"a\xc3\xbe=\"\"x\\0\\\"\"\\n\\377\"\"..., ?, n=0.5\",,,,,\r\n" },
		{ "chrome", "\"name\":\"in;n\\\"er\\u0000\\u000a\\u00ff\",\"args\":{\"duration_ns\":100,\"call_id\":2,\"parent_call_id\":1,\"arguments\":"
			    "{\"a\\u00fe\":\"x\\u0000\\\"\\u000a\\u00ff...\",\"2\":\"?\",\"n\":0.5}}}" },
		{ "json", "{\"name\":\"a\\u00fe\",\"value\":\"x\\u0000\\\"\\u000a\\u00ff\",\"truncated\":true}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len;
		_cleanup_(free) char *text = written(cases[i].format, &len);
		assert_int_equal(strlen(text), len);
		if (!strstr(text, cases[i].want))
			fail_msg("%s: %s", cases[i].format, text);
	}
}

/* Walks the packets by their lengths alone; what is in them Perfetto's own schema reads, in tests/live/test_formats.py. */
static void packets_follow_each_other_to_the_end(void **state)
{
	size_t len, at = 0, packets = 0;
	if (sink_find("perfetto")->needs)
		skip();
	_cleanup_(free) char *text = written("perfetto", &len);
	for (; at < len; packets++) {
		size_t size = 0;
		unsigned shift = 0;
		assert_int_equal(text[at++], 0x0a);
		do
			size |= (size_t)(text[at] & 0x7f) << shift, shift += 7;
		while (text[at++] & 0x80);
		at += size;
	}
	assert_int_equal(at, len);
	assert_int_equal(packets, 8); /* beginning, clocks, process, thread, two slices of a beginning and an end */
}

static char *printed(struct stacks *s)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	stacks_print(s, out);
	fclose(out);
	stacks_done(s);
	return text;
}

static void end(struct stacks *s, const char *name, uint64_t id, uint64_t parent, uint64_t duration_ns)
{
	stacks_end(s, &(struct stack_call){ SLICE("p"), slice_of(name), id, parent, duration_ns });
}

static void equal_stacks_of_different_calls_are_one(void **state)
{
	struct stacks s = {};
	for (uint64_t call = 1; call < 3000; call += 3) {
		end(&s, "leaf", call + 2, call + 1, 10);
		end(&s, "middle", call + 1, call, 30);
		end(&s, "top", call, 0, 100);
	}
	assert_int_equal(s.pending.n, 0);
	_cleanup_(free) char *text = printed(&s);
	assert_string_equal(text, "p;top 70000\np;top;middle 20000\np;top;middle;leaf 10000\n");
}

static void callers_that_never_end_stand_below_what_they_called(void **state)
{
	struct stacks s = {};
	end(&s, "done", 5, 2, 7);
	stacks_begin(&s, &(struct stack_call){ SLICE("p"), SLICE("main"), 1, 0, 0 });
	stacks_begin(&s, &(struct stack_call){ SLICE("p"), SLICE("serve"), 2, 1, 0 });
	end(&s, "done", 6, 2, 3);
	end(&s, "lost caller", 9, 8, 4);
	_cleanup_(free) char *text = printed(&s);
	assert_non_null(strstr(text, "p;main;serve;done 10\n"));
	assert_non_null(strstr(text, "p;lost caller 4\n"));
}

static void callers_whose_end_was_lost_are_forgotten_in_time(void **state)
{
	struct stacks s = {};
	for (uint64_t call = 1; call <= 200000; call++)
		end(&s, "f", call * 2, call * 2 - 1, 1);
	assert_true(s.pending.n <= 65536 && s.n_frames <= 65536 + 3);
	_cleanup_(free) char *text = printed(&s);
	assert_string_equal(text, "p;f 200000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_that_are_no_text_become_their_code_points),
		cmocka_unit_test(a_suffix_asks_for_the_format_with_the_longest),
		cmocka_unit_test(every_format_has_a_name_of_its_own_and_suffixes),
		cmocka_unit_test(a_name_may_hold_any_byte),
		cmocka_unit_test(packets_follow_each_other_to_the_end),
		cmocka_unit_test(equal_stacks_of_different_calls_are_one),
		cmocka_unit_test(callers_that_never_end_stand_below_what_they_called),
		cmocka_unit_test(callers_whose_end_was_lost_are_forgotten_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
