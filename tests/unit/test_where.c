#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "shape/where.h"
#include "shape/where_eval.h"

/* A call of openat(-100, "/etc/passwd", O_RDONLY|O_CLOEXEC) by nginx that failed after 3.5 ms. */
static const struct named_value arguments[] = {
	{ SLICE("dfd"), {}, { .kind = VALUE_INT, .i = -100, .text = SLICE("AT_FDCWD") } },
	{ SLICE("filename"), {}, { .kind = VALUE_STRING, .s = SLICE("/etc/passwd") } },
	{ SLICE("flags"), {}, { .kind = VALUE_UINT, .u = 02000000, .text = SLICE("O_RDONLY|O_CLOEXEC") } },
	{ SLICE("mode"), {}, { .kind = VALUE_UNREADABLE } },
	{ SLICE("ratio"), {}, { .kind = VALUE_DOUBLE, .d = 2.5 } },
	{ SLICE("buf"), {}, { .kind = VALUE_ADDRESS, .u = 0xffff800000000000 } },
	{ SLICE("seventh"), {}, { .kind = VALUE_UINT, .u = 7 } },
	{ SLICE("ok"), {}, { .kind = VALUE_BOOL, .boolean = true } },
};

static struct event call(void)
{
	struct event e;
	event_init(&e, EVENT_FUNCTION_CALL);
	e.pid = 812;
	e.tid = 813;
	e.process_name = SLICE("nginx");
	e.field[CALL_FUNCTION] = (struct value)STRING_VALUE(SLICE("openat"));
	e.field[CALL_DURATION] = (struct value)UINT_VALUE(3500000);
	e.field[CALL_DEPTH] = (struct value)UINT_VALUE(2);
	e.field[CALL_RETURN] = (struct value)INT_VALUE(-2);
	e.field[CALL_ARGUMENTS] = (struct value){ .kind = VALUE_ARGUMENTS, .list = { arguments, ARRAY_SIZE(arguments) } };
	return e;
}

static const struct match_case {
	const char *text;
	bool want;
} match_cases[] = {
	{ "pid == 812", true },
	{ "pid == 0x32c", true },
	{ "pid != 812", false },
	{ "tid > 812", true },
	{ "tid >= 814", false },
	{ "comm == \"nginx\"", true },
	{ "comm != \"nginx\"", false },
	{ "comm ~ \"ng*\"", true },
	{ "comm ~ \"n[a-f]*\"", false },
	{ "comm == \"ngin\"", false },
	{ "duration > 3ms", true },
	{ "duration > 3.4ms", true },
	{ "duration > 3.6ms", false },
	{ "duration < 3501us", true },
	{ "duration == 3500000ns", true },
	{ "duration >= 0.0035s", true },
	{ "duration > 1s", false },
	{ "duration != 0", true },
	{ "ret == -2", true },
	{ "ret < 0", true },
	{ "ret >= 0", false },
	{ "ret < -1", true },
	{ "ret > 5", true }, /* without sign, as the constant has none */
	{ "arg1 == -100", true },
	{ "arg1 ~ \"AT_*\"", true },
	{ "arg2 == \"/etc/passwd\"", true },
	{ "arg2 == 5", false },
	{ "filename ~ \"/etc/*\"", true },
	{ "flags ~ \"*O_CLOEXEC*\"", true },
	{ "flags == 512k", true },
	{ "arg3 == 0.5M", true },
	{ "mode == 0", false },
	{ "!(mode == 0)", true },
	{ "ratio > 2", true },
	{ "ratio < 2", false },
	{ "arg6 == 0xffff800000000000", true },
	{ "buf > 0xffff000000000000", true },
	{ "buf < 0", true },
	{ "arg7 == 7", true },
	{ "arg8 == 1", true },
	{ "arg9 == 0", false },
	{ "absent == 0", false },
	{ "depth == 2", true },
	{ "function_name ~ \"open*\"", true },
	{ "uid == 0", false },
	{ "pid == 812 && tid == 813", true },
	{ "pid == 1 || tid == 813", true },
	{ "pid == 1 || tid == 1 && pid == 812 || pid == 812", true },
	{ "pid == 812 || pid == 1 && tid == 1", true },
	{ "(pid == 812 || pid == 1) && tid == 1", false },
	{ "! pid == 1", true },
	{ "!!(pid == 812)", true },
	{ "!(pid == 812 && tid == 813)", false },
	{ "\t pid==812&&\n!(tid==1)  ", true },
	{ "filename == \"/etc\\/passwd\"", true },
	{ "filename == \"a\\\"b\"", false },
};

static void an_event_is_matched(void **state)
{
	struct event e = call();
	for (size_t i = 0; i < ARRAY_SIZE(match_cases); i++) {
		_cleanup_(where_free) struct where *w = NULL;
		struct reason why = {};
		if (where_new(&w, "--where", match_cases[i].text, &why) != 0)
			fail_msg("%s: %s", match_cases[i].text, why.text);
		if (where_matches_all(w, &e) != match_cases[i].want)
			fail_msg("%s", match_cases[i].text);
	}
}

static void a_name_that_no_event_has_is_told(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "dration > 1ms", "dration" },
		{ "filename == \"x\" || nosuch == 1", "nosuch" },
		{ "filename == \"x\" && nosuch == 1", NULL }, /* never looked for */
		{ "filename == \"x\"", NULL },
		{ "arg9 == 1", NULL },
	};
	struct event e = call();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(where_free) struct where *w = NULL;
		assert_int_equal(where_new(&w, "--where", cases[i].text, NULL), 0);
		assert_null(where_name_never_found(w));
		where_matches_all(w, &e);
		const char *name = where_name_never_found(w);
		if (cases[i].want)
			assert_string_equal(name, cases[i].want);
		else
			assert_null(name);
	}
}

static const struct error_case {
	const char *text;
	const char *want;
} error_cases[] = {
	{ "", "--where ends too early, at column 1: expected a field" },
	{ "pid", "at column 4: expected '==', '!=', '<', '<=', '>' or '>='" },
	{ "pid = 5", "column 5: expected '==', '!=', '<', '<=', '>' or '>=', not '='" },
	{ "pid ~ \"5\"", "column 5: expected '==', '!=', '<', '<=', '>' or '>=', not '~'" },
	{ "arg1 5", "column 6: expected '==', '!=', '<', '<=', '>', '>=' or '~', not '5'" },
	{ "pid == ", "at column 8: expected a number" },
	{ "pid == nginx", "column 8: expected a number, not 'nginx'" },
	{ "arg1 == nginx", "column 9: expected a number or a \"string\", not 'nginx'" },
	{ "pid == \"x\"", "column 8: expected a number, not '\"'" },
	{ "pid == 5x", "column 9: expected a unit: k, M, G, ns, us, ms or s, not 'x'" },
	{ "pid == 0x", "expected a unit" },
	{ "pid == 1.5", "column 8: expected a whole number, or one with a unit, not '1.5'" },
	{ "pid == 99999999999999999999", "column 8: expected a number below 2^64, not '99999999999999999999'" },
	{ "arg1 == 99999999999G", "expected a number below 2^64" },
	{ "arg1 == -9223372036854775809", "expected a number not below -2^63" },
	{ "comm == 5", "column 9: expected a \"string\", not '5'" },
	{ "arg1 ~ 5", "column 8: expected a \"string\", not '5'" },
	{ "comm < \"x\"", "column 8: expected a number (text compares by '==', '!=' and '~')" },
	{ "comm == \"x", "at column 11: expected a closing '\"'" },
	{ "duration > 5", "column 12: expected a time with its unit, as 5ms, not '5'" },
	{ "duration > 5k", "column 12: expected a time with its unit, as 5ms, not '5k'" },
	{ "duration > \"5\"", "column 12: expected a time, as 5ms" },
	{ "arg0 == 1", "column 1: expected arg1 to arg9, not 'arg0'" },
	{ "arg10 == 1", "column 1: expected arg1 to arg9, not 'arg10'" },
	{ "pid == 1 &", "column 10: expected '&&', '||' or the end, not '&'" },
	{ "pid == 1 &&", "at column 12: expected a field" },
	{ "pid == 1 and tid == 2", "column 10: expected '&&', '||' or the end, not 'and'" },
	{ "(pid == 1", "at column 10: expected ')', '&&' or '||'" },
	{ "pid == 1)", "column 9: expected '&&', '||' or the end, not ')'" },
	{ "5 == pid", "column 1: expected a field (arg1 to arg9, ret, duration, pid, tid, uid, comm, or an argument's name), '!' or '(', not '5'" },
	{ "uid == 0 || comm == \"x\"", "column 1: uid is decided in the kernel, which cannot decide the whole of 'uid == 0 || comm == \"x\"'" },
};

static void every_error_has_its_column(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_cases); i++) {
		struct where *w = (void *)1;
		struct reason why = {};
		if (where_new(&w, "--where", error_cases[i].text, &why) != -EINVAL || !strstr(why.text, error_cases[i].want))
			fail_msg("%s: '%s', not '%s'", error_cases[i].text, why.text, error_cases[i].want);
		assert_ptr_equal(w, (void *)1);
	}
}

static int parse_nested(const char *open, const char *close, int depth, struct reason *why)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	_cleanup_(where_free) struct where *w = NULL;
	for (int i = 0; i < depth; i++)
		strbuf_adds(&text, open);
	strbuf_adds(&text, "pid == 1");
	for (int i = 0; i < depth; i++)
		strbuf_adds(&text, close);
	return where_new(&w, "--where", strbuf_str(&text), why);
}

static void depth_and_length_are_bounded(void **state)
{
	struct reason why = {};
	assert_int_equal(parse_nested("(", ")", 32, &why), 0);
	assert_int_equal(parse_nested("!", "", 32, &why), 0);
	assert_int_equal(parse_nested("(", ")", 33, &why), -EINVAL);
	assert_non_null(strstr(why.text, "column 33: more than 32 parentheses"));
	assert_int_equal(parse_nested("!(", ")", 100000, NULL), -EINVAL);
	assert_int_equal(parse_nested("pid == 1 && ", "", 127, NULL), 0);
	assert_int_equal(parse_nested("pid == 1 && ", "", 128, NULL), -EINVAL);
}

static const struct split_case {
	const char *text, *want;
	unsigned steps;
	bool exit;
} split_cases[] = {
	{ "arg1 > 5", "kernel: arg1 > 5", 1, false },
	{ "comm ~ \"ng*\"", "user: comm ~ \"ng*\"", 0, false },
	{ "arg1 > 5 && comm ~ \"ng*\"", "kernel: arg1 > 5; user: comm ~ \"ng*\"", 1, false },
	{ "comm ~ \"ng*\" && arg1 > 5 && ret < 0", "kernel: arg1 > 5 && ret < 0; user: comm ~ \"ng*\"", 3, true },
	{ "(arg1 > 5 && (comm ~ \"ng*\" && duration>5ms))", "kernel: arg1 > 5 && duration>5ms; user: comm ~ \"ng*\"", 3, true },
	{ "arg1 > 5 || comm ~ \"ng*\"", "user: arg1 > 5 || comm ~ \"ng*\"", 0, false },
	{ "(pid == 1 || !(uid == 0)) && (pid == 1 || fd == 3)", "kernel: (pid == 1 || !(uid == 0)); user: (pid == 1 || fd == 3)", 4, false },
	{ "arg7 == 1 && arg6 == 1", "kernel: arg6 == 1; user: arg7 == 1", 1, false },
	{ "arg1 == \"x\"", "user: arg1 == \"x\"", 0, false },
	{ "pid==1&&pid==2&&pid==3&&pid==4&&pid==5&&pid==6&&pid==7&&pid==8&&pid==9&&uid==1",
	  "kernel: pid==1 && pid==2 && pid==3 && pid==4 && pid==5 && pid==6 && pid==7 && uid==1; user: pid==8 && pid==9", 15, false },
};

static void terms_go_to_the_kernel_where_it_can_decide_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(split_cases); i++) {
		const struct split_case *c = &split_cases[i];
		_cleanup_(where_free) struct where *w = NULL;
		_cleanup_(strbuf_done) struct strbuf text = {};
		struct where_program p;
		assert_int_equal(where_new(&w, "--where", c->text, NULL), 0);
		where_describe(w, &text);
		where_kernel(w, &p);
		assert_string_equal(strbuf_str(&text), c->want);
		assert_int_equal(p.n, c->steps);
		assert_int_equal(where_needs_exit(w), c->exit);
		assert_int_equal(where_needs_user(w), strstr(c->want, "user: ") != NULL);
	}
}

/*
 * Random expressions, evaluated while they are written, against random events: what the kernel's part and the user's part
 * say together is what was meant. Values are few and constants are drawn from them, so that comparisons are often equal.
 */
struct world {
	struct event event;
	struct named_value arguments[6];
	int64_t values[WHERE_FIELDS];
	unsigned seed;
};

static unsigned draw(struct world *w, unsigned n)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 16) % n;
}

static int64_t draw_number(struct world *w)
{
	static const int64_t numbers[] = { 0, 1, -1, 5, 4096, INT64_MAX, INT64_MIN, 0xffffffff };
	return numbers[draw(w, ARRAY_SIZE(numbers))];
}

static const char *const names[WHERE_FIELDS] = { "arg1", "arg2", "arg3",     "arg4", "arg5", "arg6",
	                                         "ret",  "duration", "pid", "tid" };

static void randomise(struct world *w)
{
	event_init(&w->event, EVENT_FUNCTION_CALL);
	for (int i = 0; i < WHERE_UID; i++)
		w->values[i] = draw_number(w);
	w->values[WHERE_PID] &= 0xffffffff;
	w->values[WHERE_TID] &= 0xffffffff;
	for (int i = 0; i < 6; i++)
		w->arguments[i] = (struct named_value){ .value = INT_VALUE(w->values[i]) };
	w->event.field[CALL_ARGUMENTS] = (struct value){ .kind = VALUE_ARGUMENTS, .list = { w->arguments, 6 } };
	w->event.field[CALL_RETURN] = (struct value)INT_VALUE(w->values[WHERE_RET]);
	w->event.field[CALL_DURATION] = (struct value)UINT_VALUE((uint64_t)w->values[WHERE_DURATION]);
	w->event.pid = (uint32_t)w->values[WHERE_PID];
	w->event.tid = (uint32_t)w->values[WHERE_TID];
	w->event.process_name = draw(w, 2) ? SLICE("nginx") : SLICE("redis");
}

static void write_number(struct world *w, struct strbuf *out, int64_t x, bool with_time)
{
	if (with_time)
		strbuf_addf(out, "%luns", (unsigned long)x);
	else if (x < 0 && draw(w, 2))
		strbuf_addf(out, "%ld", (long)x);
	else if (x == 4096 && draw(w, 2))
		strbuf_adds(out, "4k");
	else
		strbuf_addf(out, draw(w, 2) ? "%lu" : "0x%lx", (unsigned long)x);
}

static bool write_compare(struct world *w, struct strbuf *out)
{
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };
	if (draw(w, 6) == 0) {
		bool nginx = draw(w, 2);
		strbuf_addf(out, "comm == \"%s\"", nginx ? "nginx" : "redis");
		return slice_eq_str(w->event.process_name, nginx ? "nginx" : "redis");
	}
	unsigned field = draw(w, WHERE_UID), op = draw(w, 6);
	int64_t a = w->values[field], b = draw_number(w);
	strbuf_addf(out, "%s%s%s ", names[field], draw(w, 2) ? " " : "", ops[op]);
	size_t at = out->len;
	write_number(w, out, b, field == WHERE_DURATION);
	bool is_signed = out->data[at] == '-' || (b == 0 && op > 1 && field <= WHERE_RET);
	if (is_signed && field != WHERE_DURATION && (uint64_t)a >> 31 == 1)
		a = (int32_t)a; /* a negative int in a register */
	int order = is_signed ? (a > b) - (a < b) : ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
	return (bool[]){ order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0 }[op];
}

/* @binding: 0 inside ||, 1 inside &&, 2 behind '!': what needs parentheses there gets them. */
static bool write_expression(struct world *w, struct strbuf *out, int depth, unsigned binding)
{
	unsigned kind = depth == 0 ? 3 : draw(w, 4);
	if (kind == 3)
		return write_compare(w, out);
	bool parenthesis = kind < binding || draw(w, 8) == 0, a;
	strbuf_adds(out, parenthesis ? "(" : "");
	if (kind == 2) {
		strbuf_adds(out, "!");
		a = !write_expression(w, out, depth - 1, 2);
	} else {
		a = write_expression(w, out, depth - 1, kind);
		strbuf_adds(out, kind == 1 ? " && " : "||");
		bool b = write_expression(w, out, depth - 1, kind);
		a = kind == 1 ? a && b : a || b;
	}
	strbuf_adds(out, parenthesis ? ")" : "");
	return a;
}

static void the_kernel_and_user_space_decide_what_was_meant(void **state)
{
	struct world world = { .seed = 1 };
	unsigned in_kernel = 0, held = 0, rounds = 20000;
	for (unsigned round = 0; round < rounds; round++) {
		_cleanup_(strbuf_done) struct strbuf text = {};
		_cleanup_(where_free) struct where *w = NULL;
		struct reason why = {};
		struct where_program p;
		randomise(&world);
		bool want = write_expression(&world, &text, (int)draw(&world, 6), 0);
		if (where_new(&w, "--where", strbuf_str(&text), &why) != 0)
			fail_msg("%s: %s", strbuf_str(&text), why.text);
		where_kernel(w, &p);
		bool kernel = where_eval(&p, (const __s64 *)world.values, ~0u);
		if (where_matches_all(w, &world.event) != want || (kernel && where_matches(w, &world.event)) != want)
			fail_msg("%s: should be %d; kernel %d, user %d, all %d", strbuf_str(&text), want, kernel,
			         where_matches(w, &world.event), where_matches_all(w, &world.event));
		unsigned known = draw(&world, 1u << WHERE_FIELDS);
		for (unsigned i = 0; i < WHERE_FIELDS; i++)
			world.values[i] = known >> i & 1 ? world.values[i] : draw_number(&world);
		if (want && !where_eval(&p, (const __s64 *)world.values, known))
			fail_msg("%s: dropped while not all was known", strbuf_str(&text));
		in_kernel += p.n > 0;
		held += want;
	}
	assert_in_range(in_kernel, rounds / 4, rounds);
	assert_in_range(held, rounds / 4, rounds * 3 / 4);
}

/* @value is what arg1 and ret hold, and what is the duration. */
static bool decide(const char *text, enum event_type_id type, uint64_t value, bool in_kernel)
{
	_cleanup_(where_free) struct where *w = NULL;
	struct where_program p;
	struct event e;
	struct named_value argument = { .name = SLICE("arg1"), .value = ADDRESS_VALUE(value) };
	struct value all = { .kind = VALUE_ARGUMENTS, .list = { &argument, 1 } };
	bool is_call = type == EVENT_FUNCTION_CALL;
	__s64 values[WHERE_FIELDS] = { [WHERE_ARG1] = (__s64)value, [WHERE_RET] = (__s64)value, [WHERE_DURATION] = (__s64)value };
	event_init(&e, type);
	e.field[is_call ? CALL_ARGUMENTS : SYSCALL_ARGUMENTS] = all;
	e.field[is_call ? CALL_RETURN : SYSCALL_RETURN] = (struct value)INT_VALUE((int64_t)value);
	e.field[is_call ? CALL_DURATION : SYSCALL_DURATION] = (struct value)UINT_VALUE(value);
	assert_int_equal(where_new(&w, "--where", text, NULL), 0);
	where_kernel(w, &p);
	p.wide |= is_call ? 0 : 1u << WHERE_RET; /* as the family says */
	return in_kernel ? where_eval(&p, values, ~0u) : where_matches_all(w, &e);
}

static void an_int_in_half_a_register_has_its_sign(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
		bool call, syscall;
	} cases[] = {
		{ "ret < 0", 0xfffffffb, true, false },
		{ "ret < 0", 0xffff8f80, true, false }, /* -28800 */
		{ "ret < 0", 0xfffffffffffffffb, true, true },
		{ "ret < 0", 0x7fffffff, false, false },
		{ "ret < 0", 0x180000000, false, false },
		{ "ret >= 0", 0xfffffffb, false, true },
		{ "ret <= 0", 0xfffffffb, true, false },
		{ "ret > 0", 0x80000000, false, true }, /* lseek() in a large file */
		{ "ret != 0", 0x80000000, true, true },
		{ "ret >= 1", 0x80000000, true, true },
		{ "ret == -5", 0xfffffffb, true, false },
		{ "ret > -10", 0xfffffffb, true, true },
		{ "arg1 < 0", 0xfffffffd, true, true },
		{ "arg1 > 0", 0xfffffffd, false, false },
		{ "duration > 0", 3000000000, true, true },
		{ "duration >= -1s", 3000000000, true, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int in_kernel = 0; in_kernel < 2; in_kernel++) {
			bool call = decide(cases[i].text, EVENT_FUNCTION_CALL, cases[i].value, in_kernel);
			bool syscall = decide(cases[i].text, EVENT_SYSCALL, cases[i].value, in_kernel);
			if (call != cases[i].call || syscall != cases[i].syscall)
				fail_msg("%s, 0x%lx, in %s: %d, %d", cases[i].text, (unsigned long)cases[i].value,
				         in_kernel ? "the kernel" : "user space", call, syscall);
		}
}

static void what_is_not_known_yet_passes_unless_it_cannot_come_true(void **state)
{
	static const struct {
		const char *text;
		bool want; /* at the entry, where arg1 is 5, and ret and duration are not known */
	} entry[] = {
		{ "ret < 0", true },
		{ "!(ret < 0)", true },
		{ "arg1 == 5 && ret < 0", true },
		{ "arg1 == 6 && ret < 0", false },
		{ "arg1 == 6 || ret < 0", true },
		{ "!(arg1 == 5 || ret < 0)", false },
		{ "!(arg1 == 5 && duration > 1s)", true },
		{ "(arg1 == 6 || arg1 == 7) && !(ret == 1 && ret == 2)", false },
	};
	__s64 values[WHERE_FIELDS] = { 5 };
	for (size_t i = 0; i < ARRAY_SIZE(entry); i++) {
		_cleanup_(where_free) struct where *w = NULL;
		struct where_program p;
		assert_int_equal(where_new(&w, "--where", entry[i].text, NULL), 0);
		where_kernel(w, &p);
		assert_true(p.n > 0);
		if (where_eval(&p, values, ~(1u << WHERE_RET | 1u << WHERE_DURATION)) != entry[i].want)
			fail_msg("%s", entry[i].text);
	}
}

static void a_malformed_program_lets_everything_pass(void **state)
{
	__s64 values[WHERE_FIELDS] = {};
	struct where_program p = { .n = 1, .step = { { .op = WHERE_EQ, .field = WHERE_FIELDS, .number = 1 } } };
	assert_true(where_eval(&p, values, ~0u));
	assert_true(where_eval(&(struct where_program){}, values, ~0u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_matched),
		cmocka_unit_test(a_name_that_no_event_has_is_told),
		cmocka_unit_test(every_error_has_its_column),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(terms_go_to_the_kernel_where_it_can_decide_them),
		cmocka_unit_test(the_kernel_and_user_space_decide_what_was_meant),
		cmocka_unit_test(an_int_in_half_a_register_has_its_sign),
		cmocka_unit_test(what_is_not_known_yet_passes_unless_it_cannot_come_true),
		cmocka_unit_test(a_malformed_program_lets_everything_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
