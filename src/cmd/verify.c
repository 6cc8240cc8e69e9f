/*
 * verify: what this kernel's verifier thinks of every BPF program that commands load, against budgets.
 *
 * A program is loaded in each shape in which a command line needs it (the family's table says which), by the same code
 * that serves that command line; then it is unloaded. Nothing is attached.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "cmd/budget.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "engine/engine.h"
#include "event/event.h"
#include "priv/ability.h"
#include "probe/families.h"
#include "sink/sink.h"
#include "sink/table.h"

#define SMALL_BUFFER "--buffer=64k" /* its size makes no other program */
#define SHAPE_WORDS 16
#define SHAPE_GROUPS \
	(OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_CALLS | OPTIONS_PROBES | OPTIONS_SOCKET | OPTIONS_CAPTURE | OPTIONS_TABLE | OPTIONS_TRACER)

struct verification {
	const struct budget *budget;
	struct sink *json;      /* NULL: the table */
	struct table table;
	struct strbuf not_here; /* lines for people */
	struct strbuf faults;   /* one line each: over budget, refused */
	const struct probe_ops *family;
	const struct probe_shape *shape;
};

static const struct table_column columns[] = {
	{ "program", PROGRAM_NAME, .is_text = true },
	{ "shape", PROGRAM_SHAPE, .is_text = true },
	{ "processed", PROGRAM_INSTRUCTIONS },
	{ "states", PROGRAM_TOTAL_STATES },
	{ "peak", PROGRAM_PEAK_STATES },
	{ "stack", PROGRAM_STACK },
	{ "JITed", PROGRAM_JITED },
	{ "xlated", PROGRAM_XLATED },
	{ "time", PROGRAM_VERIFY, .is_time = true },
	{},
};

static const enum program_field field_of_figure[] = { /* in the order of budget_figures */
	PROGRAM_INSTRUCTIONS, PROGRAM_TOTAL_STATES, PROGRAM_PEAK_STATES, PROGRAM_STACK, PROGRAM_JITED, PROGRAM_XLATED, PROGRAM_VERIFY,
};

/* A figure that this kernel does not tell is over no budget. */
static void judge(struct verification *v, const struct verdict *verdict)
{
	_cleanup_(strbuf_done) struct strbuf over = {};
	for (const struct budget_figure *f = budget_figures; f->name; f++) {
		uint64_t limit, figure = budget_figure_of(verdict, f);
		if (figure == VERDICT_UNKNOWN || !budget_limit(v->budget, verdict->program, v->shape->name, f, &limit) || figure <= limit)
			continue;
		strbuf_addf(&over, "%s%s %llu, budget %llu", over.len ? "; " : "", f->name, (unsigned long long)figure, (unsigned long long)limit);
	}
	if (!budget_knows(v->budget, verdict->program, v->shape->name))
		strbuf_adds(&over, "it has no budget");
	if (over.len)
		strbuf_addf(&v->faults, "%s (%s): %s (budgets: src/probe/%s/budget.json, or --budget)\n", verdict->program, v->shape->name,
			    strbuf_str(&over), v->family->name);
}

static struct event new_event(const struct verification *v)
{
	struct event e;
	event_init(&e, EVENT_PROGRAM);
	e.time_ns = clock_monotonic_ns();
	e.realtime_offset_ns = clock_realtime_offset_ns();
	e.field[PROGRAM_FAMILY] = STRING_VALUE(slice_of(v->family->name));
	e.field[PROGRAM_SHAPE] = STRING_VALUE(slice_of(v->shape->name));
	return e;
}

static void tell(struct verification *v, struct event *e)
{
	if (v->json)
		sink_write(v->json, e);
	else
		table_add(&v->table, e);
}

/* An object has its family's name, alone or before a dash: "sock-exit". */
static bool is_of_family(const char *object, const char *family)
{
	size_t len = strlen(family);
	return strncmp(object, family, len) == 0 && (object[len] == '\0' || object[len] == '-');
}

static void see_program(void *arg, const struct verdict *verdict)
{
	struct verification *v = arg;
	struct named_value limits[ARRAY_SIZE(field_of_figure)] = {};
	struct event e = new_event(v);
	size_t n = 0;
	if (!is_of_family(verdict->object, v->family->name))
		return; /* of the task family, which every run has: it has shapes of its own */
	e.field[PROGRAM_NAME] = STRING_VALUE(slice_of(verdict->program));
	for (size_t i = 0; budget_figures[i].name; i++) {
		uint64_t limit, figure = budget_figure_of(verdict, &budget_figures[i]);
		if (figure != VERDICT_UNKNOWN)
			e.field[field_of_figure[i]] = UINT_VALUE(figure);
		if (budget_limit(v->budget, verdict->program, v->shape->name, &budget_figures[i], &limit))
			limits[n++] = (struct named_value){ .name = slice_of(budget_figures[i].name), .value = UINT_VALUE(limit) };
	}
	if (n)
		e.field[PROGRAM_BUDGET] = (struct value){ .kind = VALUE_STRUCT, .list = { limits, n } };
	judge(v, verdict);
	tell(v, &e);
}

static void not_here(struct verification *v, const char *why)
{
	struct event e = new_event(v);
	e.field[PROGRAM_WHY_NOT] = STRING_VALUE(slice_of(why));
	if (v->json)
		sink_write(v->json, &e);
	else
		strbuf_addf(&v->not_here, "not on this kernel: %s (%s): %s\n", v->family->name, v->shape->name, why);
}

/* The first ability that the shape is about and this kernel lacks; NULL: none. */
static const char *lacking(const struct probe_shape *shape)
{
	for (enum ability_id id = 0; id < ABILITIES; id++)
		if ((shape->needs & ABILITY_BIT(id)) && !ability_has(id))
			return ability_why_not(id);
	return NULL;
}

static int parse_shape(const struct probe_shape *shape, struct options *o, struct reason *why)
{
	char *words[SHAPE_WORDS + 1] = { (char *)SMALL_BUFFER };
	struct option_scope scope = { .command = "verify", .groups = SHAPE_GROUPS };
	_cleanup_(free) char *text = xstrdup(shape->words);
	int n = 1;
	for (char *save = NULL, *word = strtok_r(text, " ", &save); word && n < SHAPE_WORDS; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	return options_parse(o, &scope, n, words, why);
}

static void verify_shape(struct verification *v)
{
	_cleanup_(options_done) struct options o;
	struct reason why = {};
	const char *families[] = { v->family->name, NULL };
	options_init(&o);
	ability_leave_out(v->shape->without);
	const char *lacks = lacking(v->shape);
	if (lacks) {
		not_here(v, lacks);
		return;
	}
	int r = parse_shape(v->shape, &o, &why);
	struct engine_job job = {
		.command = v->shape->command, .options = &o, .families = streq(families[0], "task") ? families + 1 : families, .without_targets = true,
	};
	if (r == 0)
		r = engine_rehearse(&job, see_program, v, &why);
	if (r == -ENOTSUP)
		not_here(v, why.text);
	else if (r < 0)
		strbuf_addf(&v->faults, "%s (%s): %s\n", v->family->name, v->shape->name, why.text[0] ? why.text : strerror(-r));
}

static void verify_all(struct verification *v)
{
	for (size_t i = 0; probe_families[i]; i++) {
		v->family = probe_families[i];
		for (v->shape = v->family->shapes; v->shape->name; v->shape++)
			verify_shape(v);
	}
	ability_leave_out(0);
}

static int conclude(struct verification *v)
{
	int status = EXIT_DONE;
	if (!v->json) {
		table_print(&v->table, stdout);
		fputs(strbuf_str(&v->not_here), stdout);
	}
	char *lines = v->faults.data;
	for (char *save = NULL, *line = lines ? strtok_r(lines, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		status = cmd_fail(EXIT_FAILED, "%s", line);
	if (fflush(stdout) != 0)
		return cmd_fail(EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
	return status;
}

static int verify_run(const struct cmd *cmd, struct options *o)
{
	_cleanup_(budget_free) struct budget *budget = NULL;
	_cleanup_(sink_close) struct sink *json = NULL;
	struct reason why = {};
	int r = cmd_check_words(cmd, o, 0, 0);
	if (r)
		return r;
	if (ability_check_without(&why) < 0 || budget_new(&budget, o->budget, &why) < 0)
		return cmd_usage(cmd, "%s", why.text);
	r = doctor_check(EXIT_FAILED);
	if (r)
		return r;
	struct sink_settings settings = { .out = stdout };
	struct verification v = { .budget = budget };
	if (o->json && sink_open(&json, sink_find("json"), &settings, &why) < 0)
		return cmd_fail(EXIT_FAILED, "%s", why.text);
	v.json = json;
	table_init(&v.table, columns, NULL, &settings, &why);
	verify_all(&v);
	r = conclude(&v);
	table_done(&v.table);
	strbuf_done(&v.not_here);
	strbuf_done(&v.faults);
	return r;
}

const struct cmd verify_cmd = {
	.name = "verify",
	.usage = "[--budget FILE] [--json]",
	.summary = "what this kernel's verifier makes of our BPF programs, against budgets",
	.details = "Loads every program in each shape in which a command line needs it, and tells how many instructions the verifier "
		   "processed, how many states it kept in all and at the peak, the stack, the size of the machine code and of the BPF code, and the "
		   "time of verification. Nothing is attached, nothing is traced. A program over its budget is named, and the exit status is 1.\n\n"
		   "What this kernel has no mechanism for is listed and is no failure.",
	.groups = OPTIONS_JSON | OPTIONS_BUDGET,
	.examples = (const char *const[]){ "utrace verify", "all programs, in a table",
					   "utrace verify --json | jq -r 'select(.instructions > 10000) | .program_name'", "the dear ones", NULL },
	.run = verify_run,
};
