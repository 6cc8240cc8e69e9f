/*
 * folded: a line for each stack of calls and the time spent in its uppermost one, as flamegraph.pl, speedscope and inferno read it:
 * process;caller;...;function, a blank, nanoseconds (in microseconds, functions of nanoseconds would vanish). A frame's own time is its
 * duration without the calls inside it that are shown: what a filter leaves out stays in its caller, and the sum over all lines is the
 * sum of the outermost durations.
 */
#include "sink/sink.h"
#include "sink/stacks.h"

struct folded_state {
	FILE *out;
	struct stacks stacks;
};

static int folded_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	((struct folded_state *)state)->out = settings->out;
	return 0;
}

static void add_call(struct folded_state *s, const struct event *e)
{
	const struct value *end = &e->field[CALL_END];
	struct stack_call call = {
		.process = e->process_name, .name = e->field[CALL_FUNCTION].s, .id = e->field[CALL_ID].u, .parent = e->field[CALL_PARENT_ID].u,
		.duration_ns = e->field[CALL_DURATION].u,
	};
	if (end->kind == VALUE_STRING && slice_eq_str(end->s, "open"))
		stacks_begin(&s->stacks, &call);
	else
		stacks_end(&s->stacks, &call);
}

static void add_syscall(struct folded_state *s, const struct event *e)
{
	struct stack_call call = {
		.process = e->process_name, .name = e->field[SYSCALL_FUNCTION].s, .duration_ns = e->field[SYSCALL_DURATION].u,
	};
	stacks_end(&s->stacks, &call);
}

static void folded_write(void *state, const struct event *e)
{
	if (e->type == &event_types[EVENT_SYSCALL])
		add_syscall(state, e);
	else
		add_call(state, e);
}

static void folded_close(void *state)
{
	struct folded_state *s = state;
	stacks_print(&s->stacks, s->out);
	stacks_done(&s->stacks);
}

const struct sink_ops folded_sink = {
	.name = "folded",
	.summary = "a line a stack and its own nanoseconds; for flamegraph.pl, speedscope, inferno",
	.suffixes = (const char *const[]){ ".folded", ".collapsed", NULL },
	.takes = EVENT_BIT(EVENT_FUNCTION_CALL) | EVENT_BIT(EVENT_SYSCALL),
	.state_size = sizeof(struct folded_state),
	.open = folded_open,
	.write = folded_write,
	.close = folded_close,
};
