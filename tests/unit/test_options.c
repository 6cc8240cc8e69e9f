#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "config/option_row.h"
#include "config/options.h"
#include "config/text.h"
#include "config/typo.h"

#define ALL_GROUPS ((unsigned)OPTIONS_ALL_GROUPS)
#define BAD UINT64_MAX

/* A row that fails is named: cmocka itself knows only the line of the loop. */
#define check(condition, ...)                     \
	do {                                      \
		if (!(condition)) {               \
			print_error(__VA_ARGS__); \
			fail();                   \
		}                                 \
	} while (0)

struct value_case {
	const char *text;
	uint64_t want; /* BAD: refused */
};

static const struct value_case times[] = {
	{ "0", 0 },
	{ "1", NSEC_PER_SEC },
	{ "007", 7 * NSEC_PER_SEC },
	{ "1ns", 1 },
	{ "100ns", 100 },
	{ "10us", 10000 },
	{ "5ms", 5000000 },
	{ "1.5s", 1500000000 },
	{ "0.5", 500000000 },
	{ "1.5us", 1500 },
	{ "0.000001s", 1000 },
	{ "0.000000001s", 1 },
	{ "0.000000001", 1 },
	{ "2m", 120 * NSEC_PER_SEC },
	{ "1h", 3600 * NSEC_PER_SEC },
	{ "0.1h", 360 * NSEC_PER_SEC },
	{ "18446744073s", 18446744073000000000ull },
	{ "18446744073709551614ns", UINT64_MAX - 1 },
	{ "18446744073709551616ns", BAD },
	{ "18446744074s", BAD },
	{ "99999999999999999999999", BAD },
	{ "1.5ns", BAD },
	{ "0.0000000001s", BAD },
	{ "1.00000000000000000000s", BAD },
	{ "", BAD },
	{ " 1", BAD },
	{ "1 ", BAD },
	{ "1 s", BAD },
	{ "s", BAD },
	{ "ms", BAD },
	{ ".5s", BAD },
	{ "1.s", BAD },
	{ "1.", BAD },
	{ ".", BAD },
	{ "-1s", BAD },
	{ "+1s", BAD },
	{ "1S", BAD },
	{ "1sec", BAD },
	{ "5 parsecs", BAD },
	{ "1,5s", BAD },
	{ "0x10", BAD },
	{ "1e3", BAD },
	{ "inf", BAD },
	{ "nan", BAD },
	{ "1s1s", BAD },
	{ "1..5s", BAD },
};

static const struct value_case sizes[] = {
	{ "0", 0 },
	{ "512", 512 },
	{ "64k", 65536 },
	{ "64K", 65536 },
	{ "16M", 16 << 20 },
	{ "16m", 16 << 20 },
	{ "1G", 1 << 30 },
	{ "1g", 1 << 30 },
	{ "2T", 2ull << 40 },
	{ "1.5k", 1536 },
	{ "0.5M", 512 << 10 },
	{ "16777215T", 16777215ull << 40 },
	{ "16777216T", BAD },
	{ "0.3k", BAD },
	{ "1.5", BAD },
	{ "", BAD },
	{ "k", BAD },
	{ "1kB", BAD },
	{ "1 k", BAD },
	{ "-1k", BAD },
	{ "1P", BAD },
	{ "0x10", BAD },
	{ "1ms", BAD },
};

static const struct value_case numbers[] = {
	{ "0", 0 },
	{ "42", 42 },
	{ "042", 42 },
	{ "0x2a", 42 },
	{ "0X2A", 42 },
	{ "18446744073709551614", UINT64_MAX - 1 },
	{ "0xfffffffffffffffe", UINT64_MAX - 1 },
	{ "18446744073709551616", BAD },
	{ "0x10000000000000000", BAD },
	{ "0x", BAD },
	{ "0xg", BAD },
	{ "x2a", BAD },
	{ "", BAD },
	{ "-1", BAD },
	{ "+1", BAD },
	{ " 1", BAD },
	{ "1 ", BAD },
	{ "1k", BAD },
	{ "1.0", BAD },
	{ "1e3", BAD },
	{ "one", BAD },
	{ "\xd9\xa1", BAD },
};

static void expect_values(const struct value_case *c, size_t n, int (*parse)(const char *, uint64_t *))
{
	for (; n; n--, c++) {
		uint64_t got = 12345;
		int r = parse(c->text, &got);
		check(r == (c->want == BAD ? -EINVAL : 0), "'%s': returned %d\n", c->text, r);
		check(got == (r ? 12345 : c->want), "'%s': %llu\n", c->text, (unsigned long long)got);
	}
}

static void times_are_read_exactly_or_refused(void **state)
{
	expect_values(times, ARRAY_SIZE(times), parse_time_ns);
}

static void sizes_are_powers_of_1024(void **state)
{
	expect_values(sizes, ARRAY_SIZE(sizes), parse_bytes);
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	expect_values(numbers, ARRAY_SIZE(numbers), parse_number);
}

static void names_taken(struct strbuf *out, unsigned groups)
{
	if (groups & OPTIONS_TARGET)
		strbuf_adds(out, "func, sys");
}

static int parse(struct options *o, unsigned groups, const char *line, struct reason *why)
{
	static char words[512]; /* options borrow argv */
	static char *argv[32];
	struct option_scope scope = { "func", groups, names_taken };
	int argc = 0;
	snprintf(words, sizeof(words), "%s", line);
	for (char *rest = words, *word; argc < 31 && (word = strsep(&rest, " "));)
		if (*word)
			argv[argc++] = streq(word, "''") ? word + 2 : word;
	argv[argc] = NULL;
	*why = (struct reason){};
	options_init(o);
	return options_parse(o, &scope, argc, argv, why);
}

/* One field, as text. */
static const char *shown(const struct options *o, const char *name)
{
	static char text[256];
	const struct option_row *row = option_by_name(name, strlen(name));
	const void *at = streq(name, "patterns") ? &o->patterns : (const void *)((const char *)o + row->offset);
	const struct text_list *texts = at;
	const struct number_list *list = at;
	int n = 0;
	text[0] = 0;
	switch (row ? row->kind : OPTION_TEXTS) {
	case OPTION_FLAG:
	case OPTION_NEGATED:
		snprintf(text, sizeof(text), "%d", *(const bool *)at);
		break;
	case OPTION_TEXT:
		snprintf(text, sizeof(text), "%s", *(char *const *)at ? *(char *const *)at : "-");
		break;
	case OPTION_TEXTS:
		for (size_t i = 0; i < texts->n; i++)
			n += snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "", texts->items[i]);
		break;
	case OPTION_NUMBERS:
		for (size_t i = 0; i < list->n; i++)
			n += snprintf(text + n, sizeof(text) - n, "%s%llu", i ? "," : "", (unsigned long long)list->items[i]);
		break;
	case OPTION_SHARE:
		snprintf(text, sizeof(text), "%g", *(const double *)at);
		break;
	case OPTION_WORD:
		snprintf(text, sizeof(text), "%s", row->words[*(const int *)at]);
		break;
	default:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)*(const uint64_t *)at);
	}
	return text;
}

static const struct line_case {
	const char *line;
	const char *field, *want; /* of the result */
} lines[] = {
	{ "", "depth", "0" },
	{ "", "sample", "1" },
	{ "", "args", "1" },
	{ "", "follow", "0" }, /* the field is no_follow */
	{ "", "exits", "auto" },
	{ "", "string-bytes", "64" },
	{ "", "max-overhead", "-1" },
	{ "", "buffer", "16777216" },
	{ "", "max-threads", "1024" },
	{ "", "max-probes", "0" },
	{ "", "color", "auto" },
	{ "", "where", "-" },
	{ "--depth 3", "depth", "3" },
	{ "--depth=3", "depth", "3" },
	{ "--depth=0x10", "depth", "16" },
	{ "--depth 3 --depth 4", "depth", "4" },
	{ "-p 12", "pid", "12" },
	{ "-p12", "pid", "12" },
	{ "--pid=12,13", "pid", "12,13" },
	{ "-p 12,13 -p14", "pid", "12,13,14" },
	{ "-p 4194304", "pid", "4194304" },
	{ "-n nginx", "name", "nginx" },
	{ "-nnginx", "name", "nginx" },
	{ "-n=x", "name", "=x" },
	{ "--name nginx --name=redis* -n php", "name", "nginx,redis*,php" },
	{ "--name a,b", "name", "a,b" },
	{ "-n -x", "name", "-x" },
	{ "--name=", "name", NULL },
	{ "-e /usr/sbin/nginx", "executable", "/usr/sbin/nginx" },
	{ "-u www-data -u 33", "user", "www-data,33" },
	{ "--cgroup system.slice", "cgroup", "system.slice" },
	{ "--pidns 1 --pidns 4026531836", "pidns", "1,4026531836" },
	{ "--netns 7", "netns", "7" },
	{ "--mntns 7,8", "mntns", "7,8" },
	{ "--all", "all", "1" },
	{ "--all --no-all", "all", "0" },
	{ "--no-follow", "follow", "1" },
	{ "--follow", "follow", "0" },
	{ "--no-follow --follow", "follow", "0" },
	{ "--no-args", "args", "0" },
	{ "--args", "args", "1" },
	{ "--no-args --args", "args", "1" },
	{ "--min 5ms", "min", "5000000" },
	{ "--min=0.5", "min", "500000000" },
	{ "--duration 10s", "duration", "10000000000" },
	{ "--limit 5", "limit", "5" },
	{ "--sample 1/100", "sample", "100" },
	{ "--sample 1/1", "sample", "1" },
	{ "--exits return", "exits", "return" },
	{ "--exits=sites", "exits", "sites" },
	{ "--exits=none", "exits", "none" },
	{ "--where arg1>5", "where", "arg1>5" },
	{ "--where=arg1==5", "where", "arg1==5" },
	{ "--string-bytes 512", "string-bytes", "512" },
	{ "--string-bytes 0.5k", "string-bytes", "512" },
	{ "--max-overhead 50%", "max-overhead", "0.5" },
	{ "--max-overhead 0.5%", "max-overhead", "0.005" },
	{ "--max-overhead 100%", "max-overhead", "1" },
	{ "--max-overhead none", "max-overhead", "-2" },
	{ "--max-overhead auto", "max-overhead", "-1" },
	{ "--buffer 64k", "buffer", "65536" },
	{ "--buffer 1G", "buffer", "1073741824" },
	{ "--max-threads 1", "max-threads", "1" },
	{ "--max-probes 16", "max-probes", "16" },
	{ "-l", "list", "1" },
	{ "--list", "list", "1" },
	{ "--stat", "stat", "1" },
	{ "--hist", "hist", "1" },
	{ "--sort total", "sort", "total" },
	{ "--columns calls,p99", "columns", "calls,p99" },
	{ "--json", "json", "1" },
	{ "--json --no-json", "json", "0" },
	{ "-o out.json", "output", "out.json" },
	{ "-o -", "output", "-" },
	{ "-o-", "output", "-" },
	{ "--color never", "color", "never" },
	{ "-q", "quiet", "1" },
	{ "-qv", "verbose", "1" },
	{ "-qvl", "list", "1" },
	{ "-lnnginx", "name", "nginx" },
	{ "-ln nginx", "name", "nginx" },
	{ "a b", "patterns", "a,b" },
	{ "a --depth 3 b -p 4 c", "patterns", "a,b,c" },
	{ "a --depth 3 b -p 4 c", "depth", "3" },
	{ "!a -", "patterns", "!a,-" },
	{ "a -p 1 -- b -c --depth 9", "patterns", "a" },
	{ "a -p 1 -- b -c --depth 9", "depth", "0" },
	{ "std::sort u:*", "patterns", "std::sort,u:*" },
	{ "--json -o f -- ls", "json", "1" },
	{ "--format csv", "format", "csv" },
};

static void a_command_line_sets_the_field_it_names(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct line_case *c = &lines[i];
		_cleanup_(options_done) struct options o;
		struct reason why;
		int r = parse(&o, ALL_GROUPS & ~OPTIONS_GENERAL, c->line, &why);
		if (strstr(c->line, "-q") || strstr(c->line, "--color") || !*c->line) {
			options_done(&o);
			r = parse(&o, ALL_GROUPS, c->line, &why);
		}
		check(r == (c->want ? 0 : -EINVAL), "'%s': %d %s\n", c->line, r, why.text);
		check(!c->want || streq(shown(&o, c->field), c->want), "'%s': %s is '%s'\n", c->line, c->field,
		      shown(&o, c->field));
	}
}

static const struct wrong_case {
	const char *line;
	const char *want; /* the whole reason */
} wrong[] = {
	{ "--dpeth 3", "func has no option --dpeth; nearest: --depth" },
	{ "--dept=3", "func has no option --dept; nearest: --depth" },
	{ "--Depth 3", "func has no option --Depth; nearest: --depth" },
	{ "--colums a", "func has no option --colums; nearest: --columns" },
	{ "--col a", "func has no option --col; nearest: --columns" },
	{ "--max_threads 3", "func has no option --max_threads; nearest: --max-threads" },
	{ "--no-folow", "func has no option --no-folow; nearest: --no-follow" },
	{ "--no-depth", "func has no option --no-depth" },
	{ "--no-help", "func has no option --no-help" },
	{ "--no-", "func has no option --no-" },
	{ "--xyzzy", "func has no option --xyzzy" },
	{ "--=3", "func has no option --" },
	{ "-x", "func has no option -x" },
	{ "-xyz", "func has no option -xyz" },
	{ "-qx", "func has no option -x" },
	{ "-1", "func has no option -1" },
	{ "-", NULL },
	{ "--depth", "--depth needs a value: --depth N" },
	{ "-p", "-p needs a value: -p PID" },
	{ "-p -- ls", "-p needs a value: -p PID" },
	{ "-qp", "-p needs a value: -p PID" },
	{ "--depth=", "--depth: empty; it takes N" },
	{ "--name=", "--name: empty; it takes NAME" },
	{ "-o ''", "-o: empty; it takes FILE" },
	{ "--json=1", "--json takes no value, and '1' is one" },
	{ "--no-args=1", "--no-args takes no value, and '1' is one" },
	{ "--help=func", "--help takes no value, and 'func' is one" },
	{ "--depth x", "--depth: 'x' is not a number (42 or 0x2a)" },
	{ "--depth 3x", "--depth: '3x' is not a number (42 or 0x2a)" },
	{ "--depth -3", "--depth: '-3' is not a number (42 or 0x2a)" },
	{ "--depth 99999999999999999999", "--depth: '99999999999999999999' is not a number (42 or 0x2a)" },
	{ "-p 0", "-p: '0' is not in its range, from 1 to 4194304" },
	{ "-p 4194305", "-p: '4194305' is not in its range, from 1 to 4194304" },
	{ "-p nginx", "-p: 'nginx' is not a number (42 or 0x2a) or several (12,13)" },
	{ "-p 12,", "-p: '12,' is not a number (42 or 0x2a) or several (12,13)" },
	{ "-p ,", "-p: ',' is not a number (42 or 0x2a) or several (12,13)" },
	{ "--pid=12,x", "--pid: '12,x' is not a number (42 or 0x2a) or several (12,13)" },
	{ "--netns 0", "--netns: '0' is not in its range, from 1 up" },
	{ "--min 5parsecs", "--min: '5parsecs' is not a time (100ns, 10us, 5ms, 1.5s, 2m, 1h; a bare number is seconds)" },
	{ "--min -1", "--min: '-1' is not a time (100ns, 10us, 5ms, 1.5s, 2m, 1h; a bare number is seconds)" },
	{ "--sample 100", "--sample: '100' is not a ratio (1/100: one of a hundred)" },
	{ "--sample 1/0", "--sample: '1/0' is not a ratio (1/100: one of a hundred)" },
	{ "--sample 2/3", "--sample: '2/3' is not a ratio (1/100: one of a hundred)" },
	{ "--sample 1/", "--sample: '1/' is not a ratio (1/100: one of a hundred)" },
	{ "--exits=often", "--exits: 'often' is not auto, return, sites or none" },
	{ "--exits=Auto", "--exits: 'Auto' is not auto, return, sites or none" },
	{ "--max-overhead 0%", "--max-overhead: '0%' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--max-overhead 101%", "--max-overhead: '101%' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--max-overhead 0.5", "--max-overhead: '0.5' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--max-overhead 5.%", "--max-overhead: '5.%' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--max-overhead nan%", "--max-overhead: 'nan%' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--max-overhead %", "--max-overhead: '%' is not a share (50%: above 0% and at most 100%), auto or none" },
	{ "--buffer 3M", "--buffer: '3M' is not a power of two from 64k to 1G" },
	{ "--buffer 4k", "--buffer: '4k' is not a power of two from 64k to 1G" },
	{ "--buffer 2G", "--buffer: '2G' is not a power of two from 64k to 1G" },
	{ "--buffer big", "--buffer: 'big' is not a size (512, 64k, 16M or 1G)" },
	{ "--string-bytes 513", "--string-bytes: '513' is not in its range, from 1 to 512" },
	{ "--max-threads 0", "--max-threads: '0' is not in its range, from 1 to 1048576" },
	{ "--", "-- is followed by no command; wanted: utrace func ... -- COMMAND ARGS" },
	{ "-- ''", "-- is followed by no command; wanted: utrace func ... -- COMMAND ARGS" },
	{ "a ''", "an empty word among the arguments of func" },
};

static void a_wrong_word_is_named_with_what_is_accepted(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_(options_done) struct options o;
		struct reason why;
		int r = parse(&o, ALL_GROUPS, wrong[i].line, &why);
		check(r == (wrong[i].want ? -EINVAL : 0), "'%s': %d\n", wrong[i].line, r);
		check(streq(why.text, wrong[i].want ? wrong[i].want : ""), "'%s': \"%s\"\n", wrong[i].line, why.text);
	}
}

static void an_option_of_other_commands_says_which(void **state)
{
	_cleanup_(options_done) struct options o, p;
	struct reason why;
	assert_int_equal(parse(&o, OPTIONS_OUTPUT, "-p 3", &why), -EINVAL);
	assert_string_equal(why.text, "func has no option -p; it belongs to: func, sys");
	assert_int_equal(parse(&p, OPTIONS_OUTPUT, "--depth=3", &why), -EINVAL);
	assert_string_equal(why.text, "func has no option --depth");
}

static void words_after_two_dashes_are_the_command_untouched(void **state)
{
	_cleanup_(options_done) struct options o, p;
	struct reason why;
	assert_int_equal(parse(&o, ALL_GROUPS, "x -q -- ls -l -- --depth 3", &why), 0);
	assert_string_equal(o.command[0], "ls");
	assert_string_equal(o.command[1], "-l");
	assert_string_equal(o.command[2], "--");
	assert_string_equal(o.command[4], "3");
	assert_null(o.command[5]);
	assert_true(options_have_target(&o));
	/* a command of utrace that starts nothing takes them as words */
	assert_int_equal(parse(&p, 0, "a -- -x --help", &why), 0);
	assert_null(p.command);
	assert_string_equal(shown(&p, "patterns"), "a,-x,--help");
	assert_false(options_have_target(&p));
}

static void help_and_version_win_over_what_follows(void **state)
{
	static const struct {
		const char *line;
		int want;
	} asks[] = {
		{ "--help", OPTIONS_SHOW_HELP },
		{ "-h", OPTIONS_SHOW_HELP },
		{ "a --help --xyzzy", OPTIONS_SHOW_HELP },
		{ "-qh", OPTIONS_SHOW_HELP },
		{ "--depth x --help", OPTIONS_SHOW_HELP },
		{ "-V", OPTIONS_SHOW_VERSION },
		{ "--version -h", OPTIONS_SHOW_VERSION },
		{ "-hx", OPTIONS_SHOW_HELP },
		{ "--xyzzy --help", -EINVAL },
		{ "-p1 -- ls --help", OPTIONS_RUN },
		{ "-n --help", OPTIONS_RUN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		_cleanup_(options_done) struct options o;
		struct reason why;
		int r = parse(&o, ALL_GROUPS, asks[i].line, &why);
		check(r == asks[i].want, "'%s': %d %s\n", asks[i].line, r, why.text);
	}
}

static const struct json_case {
	const char *text;
	const char *field, *want; /* want NULL: field is the reason; "f:1: " alone: and the words are jansson's */
} configs[] = {
	{ "{}", "depth", "0" },
	{ "{\"depth\": 3}", "depth", "3" },
	{ "{\"depth\": null}", "depth", "0" },
	{ "{\"max_threads\": null}", "max-threads", "1024" },
	{ "{\"min\": \"5ms\"}", "min", "5000000" },
	{ "{\"min\": 2}", "min", "2000000000" },
	{ "{\"min\": 0.25}", "min", "250000000" },
	{ "{\"min\": 1e-9}", "min", "1" },
	{ "{\"buffer\": \"1M\"}", "buffer", "1048576" },
	{ "{\"buffer\": 65536}", "buffer", "65536" },
	{ "{\"json\": true}", "json", "1" },
	{ "{\"args\": false}", "args", "0" },
	{ "{\"follow\": false}", "follow", "1" },
	{ "{\"name\": [\"a\", \"b,c\"]}", "name", "a,b,c" },
	{ "{\"name\": []}", "name", "" },
	{ "{\"pid\": [1, 2]}", "pid", "1,2" },
	{ "{\"exits\": \"sites\"}", "exits", "sites" },
	{ "{\"sample\": \"1/10\"}", "sample", "10" },
	{ "{\"max_overhead\": \"none\"}", "max-overhead", "-2" },
	{ "{\"where\": \"ret < 0\"}", "where", "ret < 0" },
	{ "{\"w\\u0068ere\": \"ret\"}", "where", "ret" },
	{ "", "f:1: ", NULL },
	{ "[]", "f:1: a configuration is one JSON object: { \"max_threads\": 4096 }", NULL },
	{ "{\n\n\"dpeth\": 3}", "f:3: no setting is called 'dpeth'; nearest: depth", NULL },
	{ "{\"max-threads\": 3}", "f:1: no setting is called 'max-threads'; nearest: max_threads", NULL },
	{ "{\"maxthreads\": 3}", "f:1: no setting is called 'maxthreads'; nearest: max_threads", NULL },
	{ "{\"xyzzy\": 3}", "f:1: no setting is called 'xyzzy' (list them: utrace config explain)", NULL },
	{ "{\"list\": true}", "f:1: no setting is called 'list'; nearest: hist", NULL },
	{ "{\"config\": \"g\"}", "f:1: no setting is called 'config' (list them: utrace config explain)", NULL },
	{ "{\"help\": true}", "f:1: no setting is called 'help' (list them: utrace config explain)", NULL },
	{ "{\"name\": [\"}\\\"{\", \"\\\\\"],\n\"where\": \"{\\\"a\\\":\", \"json\":\n true,\n \"depht\" : 1}",
	  "f:4: no setting is called 'depht'; nearest: depth", NULL },
	{ "{\"where\": \"\\\"\",\n\"dpeth\":\n1}", "f:2: no setting is called 'dpeth'; nearest: depth", NULL },
	{ "{\"depth\": 3,\n \"depth\": 4}", "f:2: ", NULL },
	{ "{\"depth\": \"3\"}", "f:1: depth must be an integer", NULL },
	{ "{\"depth\": 3.5}", "f:1: depth must be an integer", NULL },
	{ "{\"depth\": true}", "f:1: depth must be an integer", NULL },
	{ "{\"depth\": [3]}", "f:1: depth must be an integer", NULL },
	{ "{\"depth\": {}}", "f:1: depth must be an integer", NULL },
	{ "{\"depth\": -1}", "f:1: depth: '-1' is not a number (42 or 0x2a)", NULL },
	{ "{\"depth\": 99999999999999999999}", "f:1: ", NULL },
	{ "{\"json\": 1}", "f:1: json must be true or false", NULL },
	{ "{\"json\": \"yes\"}", "f:1: json must be true or false", NULL },
	{ "{\"name\": \"nginx\"}", "f:1: name must be an array of strings", NULL },
	{ "{\"name\": [1]}", "f:1: name must be an array of strings", NULL },
	{ "{\"name\": [[\"a\"]]}", "f:1: name must be an array of strings", NULL },
	{ "{\"name\": [\"\"]}", "f:1: name: empty; it takes NAME", NULL },
	{ "{\"pid\": 3}", "f:1: pid must be an array of integers", NULL },
	{ "{\"pid\": [\"3\"]}", "f:1: pid must be an array of integers", NULL },
	{ "{\"pid\": [0]}", "f:1: pid: '0' is not in its range, from 1 to 4194304", NULL },
	{ "{\"min\": []}", "f:1: min must be a string or an integer or a number", NULL },
	{ "{\"min\": -1}", "f:1: min: '-1' is not a time (100ns, 10us, 5ms, 1.5s, 2m, 1h; a bare number is seconds)", NULL },
	{ "{\"where\": 3}", "f:1: where must be a string", NULL },
	{ "{\"exits\": \"often\"}", "f:1: exits: 'often' is not auto, return, sites or none", NULL },
	{ "{\"buffer\": 100000}", "f:1: buffer: '100000' is not a power of two from 64k to 1G", NULL },
	{ "{\"where\": \"a\\u0000b\"}", "f:1: ", NULL },
	{ "{\"depth\": 3} x", "f:1: ", NULL },
};

static void a_configuration_sets_what_it_names_or_is_refused_by_line(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		const struct json_case *c = &configs[i];
		_cleanup_(options_done) struct options o;
		struct reason why = {};
		options_init(&o);
		int r = options_read_json(&o, slice_of(c->text), "f", &why);
		check((r == 0) == !!c->want, "%s: %d %s\n", c->text, r, why.text);
		if (!c->want && strlen(c->field) == strlen("f:1: "))
			why.text[strlen("f:1: ")] = '\0';
		check(c->want ? streq(shown(&o, c->field), c->want) : streq(why.text, c->field), "%s: '%s'\n", c->text,
		      c->want ? shown(&o, c->field) : why.text);
	}
}

static const struct environment_case {
	const char *name, *value;
	const char *field, *want; /* want NULL: field is the reason */
} environments[] = {
	{ "UTRACE_DEPTH", "3", "depth", "3" },
	{ "UTRACE_DEPTH", "", "depth", "0" },
	{ "UTRACE_MAX_THREADS", "0x10", "max-threads", "16" },
	{ "UTRACE_JSON", "1", "json", "1" },
	{ "UTRACE_JSON", "yes", "json", "1" },
	{ "UTRACE_JSON", "false", "json", "0" },
	{ "UTRACE_ARGS", "off", "args", "0" },
	{ "UTRACE_FOLLOW", "no", "follow", "1" },
	{ "UTRACE_NAME", "a,b", "name", "a,b" },
	{ "UTRACE_PID", "1,2", "pid", "1,2" },
	{ "UTRACE_LIST", "1", "list", "0" }, /* not a setting */
	{ "UTRACE_HELP", "1", "depth", "0" },
	{ "UTRACE_SERVICE_HOST", "10.0.0.1", "depth", "0" }, /* Kubernetes */
	{ "UTRACE_DEPTH", "x", "UTRACE_DEPTH: 'x' is not a number (42 or 0x2a)", NULL },
	{ "UTRACE_JSON", "2", "UTRACE_JSON: '2' is not 1 or 0, true or false, yes or no, on or off", NULL },
	{ "UTRACE_NAME", "a,", "UTRACE_NAME: empty; it takes NAME", NULL },
};

static void the_environment_sets_what_it_names(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(environments); i++) {
		const struct environment_case *c = &environments[i];
		_cleanup_(options_done) struct options o;
		struct reason why;
		setenv(c->name, c->value, 1);
		int r = parse(&o, ALL_GROUPS, "", &why);
		unsetenv(c->name);
		check(r == (c->want ? 0 : -EINVAL), "%s=%s: %d %s\n", c->name, c->value, r, why.text);
		check(c->want ? streq(shown(&o, c->field), c->want) : streq(why.text, c->field), "%s=%s: '%s'\n", c->name,
		      c->value,
		      c->want ? shown(&o, c->field) : why.text);
	}
}

static char *temporary_file(const char *text)
{
	static char path[] = "/tmp/test_options.XXXXXX";
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	return path;
}

static void the_command_line_counts_more_than_the_environment_more_than_the_file(void **state)
{
	static const struct {
		const char *environment, *line, *field, *want;
	} cases[] = {
		{ NULL, "", "depth", "1" },
		{ NULL, "", "name", "file" },
		{ NULL, "", "json", "1" },
		{ "2", "", "depth", "2" },
		{ "2", "--depth 3", "depth", "3" },
		{ NULL, "--depth 3", "depth", "3" },
		{ NULL, "-n line -n more", "name", "line,more" },
		{ NULL, "--no-json", "json", "0" },
	};
	char *path = temporary_file("{\"depth\": 1, \"name\": [\"file\"], \"json\": true}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int by_option = 0; by_option <= 1; by_option++) {
			_cleanup_(options_done) struct options o;
			struct reason why;
			char line[256];
			snprintf(line, sizeof(line), "%s %s %s", cases[i].line, by_option ? "--config" : "--color",
			         by_option ? path : "auto");
			setenv("UTRACE_CONFIG", by_option ? "/nonexistent" : path, 1);
			if (cases[i].environment)
				setenv("UTRACE_DEPTH", cases[i].environment, 1);
			int r = parse(&o, ALL_GROUPS, line, &why);
			unsetenv("UTRACE_CONFIG");
			unsetenv("UTRACE_DEPTH");
			check(r == 0, "'%s': %s\n", line, why.text);
			check(streq(shown(&o, cases[i].field), cases[i].want), "'%s': '%s'\n", line, shown(&o, cases[i].field));
		}
	unlink(path);
}

static void a_configuration_that_cannot_be_read_is_named(void **state)
{
	_cleanup_(options_done) struct options o, p, q;
	struct reason why;
	assert_int_equal(parse(&o, ALL_GROUPS, "--config /nonexistent/utrace.json", &why), -ENOENT);
	assert_string_equal(why.text, "cannot read the configuration '/nonexistent/utrace.json': No such file or directory");
	assert_int_equal(parse(&p, ALL_GROUPS, "--config /tmp", &why), -EISDIR);
	assert_int_equal(parse(&q, ALL_GROUPS, "--config /dev/zero", &why), -EFBIG);
}

static void a_generated_configuration_is_the_defaults(void **state)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	_cleanup_(options_done) struct options o, fresh;
	struct reason why = {};
	options_generate(&text);
	options_init(&o);
	options_init(&fresh);
	o.depth = 77; /* something that must be taken back */
	o.args = false;
	check(options_read_json(&o, strbuf_slice(&text), "generated", &why) == 0, "%s\n", why.text);
	assert_memory_equal(&o, &fresh, sizeof(o));
}

static void every_setting_is_in_the_generated_file_and_in_the_schema(void **state)
{
	_cleanup_(strbuf_done) struct strbuf generated = {}, schema = {};
	options_generate(&generated);
	options_schema(&schema);
	json_t *file = json_loads(strbuf_str(&generated), 0, NULL), *rules = json_loads(strbuf_str(&schema), 0, NULL);
	json_t *properties = json_object_get(rules, "properties");
	size_t n = 0;
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!option_in_file(row))
			continue;
		n++;
		check(json_object_get(file, option_key(row).text), "%s is not in the file\n", row->name);
		check(!row->fallback || !json_is_null(json_object_get(file, option_key(row).text)), "%s: null\n", row->name);
		check(json_object_get(properties, option_key(row).text), "%s is not in the schema\n", row->name);
	}
	assert_int_equal(n, json_object_size(file));
	assert_int_equal(n, json_object_size(properties));
	json_decref(file);
	json_decref(rules);
}

static void rows_are_complete_and_their_names_are_their_own(void **state)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		check(strlen(row->name) + strlen("UTRACE_") < OPTION_NAME_MAX, "%s is too long\n", row->name);
		check(option_by_name(row->name, strlen(row->name)) == row, "%s is there twice\n", row->name);
		check(!row->letter || option_by_letter(row->letter) == row, "-%c is there twice\n", row->letter);
		check(!(row->traits & OPTION_ONLY_COMMAND_LINE) || !option_by_key(option_key(row).text), "%s: in files\n",
		      row->name);
		check(option_is_switch(row) == !row->metavar, "%s: metavar\n", row->name);
		check((row->kind == OPTION_WORD) == !!row->words, "%s: words\n", row->name);
		check(row->kind == OPTION_ASK || (row->groups & ALL_GROUPS), "%s belongs to no group\n", row->name);
		check(row->help && !strchr(row->help, '\n'), "%s: help\n", row->name);
		if (row->fallback && !option_is_switch(row)) {
			_cleanup_(options_done) struct options o;
			struct reason why = {};
			options_init(&o);
			check(option_read(row, &o, row->fallback, row->name, &why) == 0, "%s\n", why.text);
		}
	}
}

/* The help of some groups: @name as a word of its own, not the beginning of another. */
static bool shows(const char *help, const char *name)
{
	for (const char *at = help; (at = strstr(at, name)); at++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz-", at[strlen(name)]))
			return true;
	return false;
}

static void check_help(unsigned groups)
{
	_cleanup_(strbuf_done) struct strbuf help = {};
	options_help(&help, groups);
	for (const struct option_row *row = option_rows; row->name; row++) {
		char name[64];
		snprintf(name, sizeof(name), "--%s%s", option_on_by_default(row) ? "no-" : "", row->name);
		check(shows(strbuf_str(&help), name) == option_taken(row, groups), "groups %#x: %s\n", groups, row->name);
	}
	for (const char *line = strbuf_str(&help), *end; (end = strchr(line, '\n')); line = end + 1)
		check(end - line <= HELP_COLUMNS, "too long: %.*s\n", (int)(end - line), line);
}

static void help_shows_each_option_of_the_group_once_within_the_margin(void **state)
{
	for (unsigned a = 1; a <= ALL_GROUPS; a <<= 1)
		for (unsigned b = a; b <= ALL_GROUPS; b <<= 1)
			check_help(a | b);
	check_help(0);
	check_help(ALL_GROUPS);
}

static void a_slip_is_near_and_another_word_is_not(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} pairs[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "", "abc", 3 },
		{ "depth", "depth", 0 },
		{ "dpeth", "depth", 1 },
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 },
		{ "flaw", "lawn", 2 },
		{ "ab", "ba", 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		check(typo_distance(pairs[i].a, pairs[i].b) == pairs[i].want, "%s %s\n", pairs[i].a, pairs[i].b);
		check(typo_distance(pairs[i].b, pairs[i].a) == pairs[i].want, "%s %s\n", pairs[i].b, pairs[i].a);
	}
	struct typo far = { .want = "xyzzy" }, near = { .want = "dpeth" };
	typo_offer(&far, "depth");
	assert_null(far.best);
	typo_offer(&near, "depth");
	assert_string_equal(near.best, "depth");
}

static void text_wraps_between_words(void **state)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	char words[121] = "";
	for (int i = 0; i < 12; i++)
		strcat(words, "123456789 ");
	text_row(&out, "left", words, 20);
	assert_string_equal(strbuf_str(&out), "  left              123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
	                                      "123456789\n                    123456789 123456789 123456789 123456789\n");
	strbuf_clear(&out);
	text_wrap(&out, "one\n\ntwo", 0, 2);
	assert_string_equal(strbuf_str(&out), "one\n\n  two\n");
}

static void roff_cannot_be_broken_by_a_text(void **state)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	text_roff(&out, ".x -a\\b 'c'\n'd ~^");
	assert_string_equal(strbuf_str(&out), "\\&.x \\-a\\eb \\(aqc\\(aq\n\\&\\(aqd \\(ti\\(ha");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_exactly_or_refused),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(a_command_line_sets_the_field_it_names),
		cmocka_unit_test(a_wrong_word_is_named_with_what_is_accepted),
		cmocka_unit_test(an_option_of_other_commands_says_which),
		cmocka_unit_test(words_after_two_dashes_are_the_command_untouched),
		cmocka_unit_test(help_and_version_win_over_what_follows),
		cmocka_unit_test(a_configuration_sets_what_it_names_or_is_refused_by_line),
		cmocka_unit_test(the_environment_sets_what_it_names),
		cmocka_unit_test(the_command_line_counts_more_than_the_environment_more_than_the_file),
		cmocka_unit_test(a_configuration_that_cannot_be_read_is_named),
		cmocka_unit_test(a_generated_configuration_is_the_defaults),
		cmocka_unit_test(every_setting_is_in_the_generated_file_and_in_the_schema),
		cmocka_unit_test(rows_are_complete_and_their_names_are_their_own),
		cmocka_unit_test(help_shows_each_option_of_the_group_once_within_the_margin),
		cmocka_unit_test(a_slip_is_near_and_another_word_is_not),
		cmocka_unit_test(text_wraps_between_words),
		cmocka_unit_test(roff_cannot_be_broken_by_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
