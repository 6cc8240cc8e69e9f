/*
 * text: events as people read them: calls as a tree, points and system calls as lines, counts as a table. Calls reach us as
 * they end, the innermost first; those of a thread are kept until the outermost one has ended, then shown in the order in
 * which they began. What stays open for a second is shown as it stands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "sink/sink.h"
#include "sink/table.h"
#include "sink/text_value.h"
#include "sink/time_text.h"

#define CALLS_KEPT 10000        /* of a thread, before what is there is shown */
#define KEPT_FOR_NS NSEC_PER_SEC

struct call {
	uint64_t id;        /* in the order of beginnings */
	uint64_t time_ns;   /* since the epoch, local time */
	uint64_t duration_ns;
	uint32_t depth;
	uint32_t lost_before;
	bool has_duration;
	char mark;          /* what stands for the duration when there is none */
	char *text;         /* name(arguments) = result */
};

struct thread {
	uint32_t pid, tid;
	char name[16];
	struct call *calls;
	size_t n, cap;
	uint64_t first_ns;  /* CLOCK_MONOTONIC, by the last tick, when the oldest call that is kept came */
	bool has_open;      /* one of them is still open: shown with those around it at the next tick */
};

struct text_state {
	struct sink_settings settings;
	struct hashmap threads; /* pid<<32|tid → struct thread */
	struct table stat, calls; /* functions, system calls */
	struct strbuf line, histograms;
	uint64_t overhead_least_ns, overhead_most_ns; /* subtracted from each call, over all functions */
	uint64_t now_ns;        /* CLOCK_MONOTONIC, by the last tick: the same live and from a recording */
	size_t who_width;       /* of the longest "time process[pid]" so far, so that durations line up */
};

static const struct table_column stat_columns[] = {
	{ "calls", STAT_CALLS, false, false },
	{ "total", STAT_TOTAL, true, false },
	{ "self", STAT_SELF, true, false },
	{ "min", STAT_MIN, true, false },
	{ "p50", STAT_P50, true, false },
	{ "p99", STAT_P99, true, false },
	{ "max", STAT_MAX, true, false },
	{ "overhead", STAT_OVERHEAD, true, false },
	{ "module", STAT_MODULE, false, true },
	{ "function", STAT_FUNCTION, false, true },
	{},
};

static const struct table_column syscall_columns[] = {
	{ "calls", SYSSTAT_CALLS, false, false },
	{ "errors", SYSSTAT_ERRORS, false, false },
	{ "total", SYSSTAT_TOTAL, true, false },
	{ "min", SYSSTAT_MIN, true, false },
	{ "p50", SYSSTAT_P50, true, false },
	{ "p99", SYSSTAT_P99, true, false },
	{ "max", SYSSTAT_MAX, true, false },
	{ "call", SYSSTAT_FUNCTION, false, true },
	{},
};

static int text_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct text_state *s = state;
	s->settings = *settings;
	struct sink_settings functions = *settings, syscalls = *settings;
	struct sink_settings *other = settings->of_syscalls ? &functions : &syscalls;
	other->sort = other->columns = NULL;
	if (!functions.columns)
		functions.columns = "calls,total,self,p50,p99,function";
	int r = table_init(&s->stat, stat_columns, "total", &functions, why);
	return r < 0 ? r : table_init(&s->calls, syscall_columns, "total", &syscalls, why);
}

static void add_color(const struct text_state *s, struct strbuf *b, const char *code)
{
	if (s->settings.color)
		strbuf_adds(b, code);
}

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* "14:02:11.120394 nginx[812]", and blanks to the column of durations: a thread that is not the first is named too. */
static void add_who(struct text_state *s, struct strbuf *b, uint64_t time_ns, uint32_t pid, uint32_t tid, struct slice name)
{
	add_color(s, b, DIM);
	size_t start = b->len;
	time_of_day(b, time_ns);
	size_t width = b->len - start;
	add_color(s, b, PLAIN);
	start = b->len;
	strbuf_addc(b, ' ');
	text_plain(b, name);
	strbuf_addf(b, "[%u", pid);
	if (tid != pid)
		strbuf_addf(b, "/%u", tid);
	strbuf_addc(b, ']');
	width += b->len - start;
	s->who_width = MAX(s->who_width, width);
	strbuf_pad(b, ' ', s->who_width - width);
}

/* Six characters hold any duration; before them three blanks, behind them the sign of a loss. */
static void add_duration(struct strbuf *b, bool known, uint64_t ns, const char *otherwise, bool lost_before)
{
	_cleanup_(strbuf_done) struct strbuf d = {};
	if (known)
		time_duration(&d, ns);
	else
		strbuf_adds(&d, otherwise);
	strbuf_addf(b, "   %6s%c ", strbuf_str(&d), lost_before ? '!' : ' ');
}

static void print_call(struct text_state *s, const struct thread *t, const struct call *c, bool first)
{
	struct strbuf *b = &s->line;
	strbuf_clear(b);
	if (first)
		add_who(s, b, c->time_ns, t->pid, t->tid, slice_of(t->name));
	else
		strbuf_pad(b, ' ', s->who_width);
	add_duration(b, c->has_duration, c->duration_ns, c->mark == '.' ? "..." : c->mark == '?' ? "?" : "", c->lost_before);
	strbuf_pad(b, ' ', 2 * (size_t)MIN(c->depth, 60u));
	strbuf_adds(b, c->text);
	strbuf_addc(b, '\n');
	fwrite(b->data, 1, b->len, s->settings.out);
}

static int by_beginning(const void *a, const void *b)
{
	const struct call *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static void print_thread(struct text_state *s, struct thread *t)
{
	qsort(t->calls, t->n, sizeof(t->calls[0]), by_beginning);
	for (size_t i = 0; i < t->n; i++) {
		print_call(s, t, &t->calls[i], i == 0 || t->calls[i].depth == 0);
		free(t->calls[i].text);
	}
	t->n = 0;
	t->has_open = false;
}

static struct thread *thread_of(struct text_state *s, const struct event *e)
{
	uint64_t key = (uint64_t)e->pid << 32 | e->tid;
	struct thread *t = hashmap_get(&s->threads, key);
	if (!t) {
		t = xcalloc(1, sizeof(*t));
		t->pid = e->pid;
		t->tid = e->tid;
		hashmap_put(&s->threads, key, t);
	}
	if (e->process_name.len)
		snprintf(t->name, sizeof(t->name), "%.*s", (int)MIN(e->process_name.len, sizeof(t->name) - 1), e->process_name.data);
	return t;
}

/* Names of D carry the types of their parameters, "f(int)": they make room for the arguments. "operator()" has none. */
static struct slice name_of_call(struct slice name)
{
	size_t at = name.len, open = 0;
	if (!at || name.data[at - 1] != ')')
		return name;
	do
		open += name.data[--at] == ')' ? 1 : name.data[at] == '(' ? -1ul : 0;
	while (at && open);
	bool is_operator = at >= 8 && memcmp(name.data + at - 8, "operator", 8) == 0;
	return at == 0 || open || is_operator ? name : (struct slice){ name.data, at };
}

static void add_result(struct strbuf *b, const struct value *v)
{
	strbuf_adds(b, " = ");
	if (v->kind == VALUE_NONE)
		text_plain(b, v->type);
	else if (v->kind == VALUE_ADDRESS && !v->type.len && !v->text.len)
		text_register(b, v->u);
	else
		text_value(b, v);
}

static char *call_text(const struct event *e)
{
	struct strbuf b = {};
	const struct value *result = &e->field[CALL_RETURN];
	if (e->field[CALL_ARGUMENTS].kind == VALUE_ARGUMENTS) {
		text_plain(&b, name_of_call(e->field[CALL_FUNCTION].s));
		strbuf_addc(&b, '(');
		text_call_arguments(&b, &e->field[CALL_ARGUMENTS]);
		strbuf_addc(&b, ')');
	} else {
		text_plain(&b, e->field[CALL_FUNCTION].s);
	}
	if (result->kind != VALUE_NONE || result->type.len)
		add_result(&b, result);
	return b.data ? b.data : xstrdup("");
}

static char mark_of(const struct event *e)
{
	const struct value *end = &e->field[CALL_END];
	if (end->kind != VALUE_STRING)
		return 0;
	return slice_eq_str(end->s, "open") ? '.' : slice_eq_str(end->s, "unseen") ? '?' : ' ';
}

static uint64_t local_ns(const struct event *e)
{
	return e->time_ns + (uint64_t)e->realtime_offset_ns + (uint64_t)((int64_t)e->utc_offset_s * (int64_t)NSEC_PER_SEC);
}

static void write_call(struct text_state *s, const struct event *e)
{
	struct thread *t = thread_of(s, e);
	struct call c = {
		.id = e->field[CALL_ID].u, .time_ns = local_ns(e),
		.depth = (uint32_t)e->field[CALL_DEPTH].u, .duration_ns = e->field[CALL_DURATION].u,
		.has_duration = e->field[CALL_DURATION].kind == VALUE_UINT, .mark = mark_of(e), .text = call_text(e),
		.lost_before = (uint32_t)e->field[CALL_LOST_BEFORE].u,
	};
	if (t->n == 0)
		t->first_ns = s->now_ns;
	GROW(t->calls, t->n, t->cap);
	t->calls[t->n++] = c;
	t->has_open |= c.mark == '.';
	if ((c.depth == 0 && c.mark != '.') || s->settings.flat || c.mark == ' ' || t->n >= CALLS_KEPT)
		print_thread(s, t);
}

static void write_line(struct text_state *s, const struct event *e, void (*rest)(struct strbuf *, const struct event *))
{
	struct strbuf *b = &s->line;
	strbuf_clear(b);
	add_who(s, b, local_ns(e), e->pid, e->tid, e->process_name);
	rest(b, e);
	strbuf_addc(b, '\n');
	fwrite(b->data, 1, b->len, s->settings.out);
}

static void point_text(struct strbuf *b, const struct event *e)
{
	add_duration(b, false, 0, "", e->field[POINT_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[POINT_PROVIDER].s);
	strbuf_addc(b, ':');
	text_plain(b, e->field[POINT_NAME].s);
	strbuf_addc(b, '(');
	text_arguments(b, &e->field[POINT_ARGUMENTS]);
	strbuf_addc(b, ')');
}

static void syscall_text(struct strbuf *b, const struct event *e)
{
	const struct value *d = &e->field[SYSCALL_DURATION];
	add_duration(b, d->kind == VALUE_UINT, d->u, "", e->field[SYSCALL_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[SYSCALL_FUNCTION].s);
	strbuf_addc(b, '(');
	text_value(b, &e->field[SYSCALL_ARGUMENTS]);
	strbuf_adds(b, ") = ");
	if (e->field[SYSCALL_RETURN].kind == VALUE_NONE)
		strbuf_addc(b, '?');
	text_value(b, &e->field[SYSCALL_RETURN]);
}

static void write_histogram(struct text_state *s, const struct event *e)
{
	const struct value *h = &e->field[STAT_HISTOGRAM];
	uint64_t most = 1;
	struct strbuf *b = &s->histograms;
	for (size_t i = 0; i < h->list.n; i++)
		most = MAX(most, h->list.items[i].value.list.items[1].value.u);
	strbuf_addc(b, '\n');
	text_plain(b, e->field[STAT_FUNCTION].s);
	strbuf_addc(b, '\n');
	for (size_t i = 0; i < h->list.n; i++) {
		const struct named_value *pair = h->list.items[i].value.list.items;
		_cleanup_(strbuf_done) struct strbuf le = {};
		time_duration(&le, pair[0].value.u);
		strbuf_addf(b, "%10s %10llu  ", strbuf_str(&le), (unsigned long long)pair[1].value.u);
		strbuf_pad(b, '#', (size_t)(pair[1].value.u * 50 / most) + 1);
		strbuf_addc(b, '\n');
	}
}

static void note_overhead(struct text_state *s, const struct value *overhead)
{
	if (overhead->kind != VALUE_UINT)
		return;
	s->overhead_least_ns = s->overhead_most_ns ? MIN(s->overhead_least_ns, overhead->u) : overhead->u;
	s->overhead_most_ns = MAX(s->overhead_most_ns, overhead->u);
}

static void print_overhead(const struct text_state *s)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	if (!s->overhead_most_ns)
		return;
	time_duration(&b, s->overhead_least_ns);
	if (s->overhead_most_ns > s->overhead_least_ns) {
		strbuf_adds(&b, " to ");
		time_duration(&b, s->overhead_most_ns);
	}
	fprintf(s->settings.out, "(subtracted from each call, for the probe itself: %s)\n", strbuf_str(&b));
}

static void write_lost(struct text_state *s, const struct event *e)
{
	(void)s;
	(void)e; /* the call after it carries the mark; the account at the end tells the sum */
}

static void text_write(void *state, const struct event *e)
{
	struct text_state *s = state;
	switch ((enum event_type_id)(e->type - event_types)) {
	case EVENT_FUNCTION_CALL:
		write_call(s, e);
		break;
	case EVENT_FUNCTION_STAT:
		table_add(&s->stat, e);
		note_overhead(s, &e->field[STAT_OVERHEAD]);
		if (e->field[STAT_HISTOGRAM].kind == VALUE_LIST)
			write_histogram(s, e);
		break;
	case EVENT_SYSCALL_STAT:
		table_add(&s->calls, e);
		break;
	case EVENT_SYSCALL:
		write_line(s, e, syscall_text);
		break;
	case EVENT_TRACEPOINT:
	case EVENT_USDT:
		write_line(s, e, point_text);
		break;
	case EVENT_LOST:
		write_lost(s, e);
		break;
	case EVENT_PROCESS:
	case EVENT_PROGRAM: /* has a table of its own: cmd/verify.c */
	case EVENT_SUMMARY:
	case EVENT_TYPES:
		break;
	}
}

static void text_tick(void *state, uint64_t now_ns)
{
	struct text_state *s = state;
	size_t at = 0;
	uint64_t key;
	void *item;
	s->now_ns = now_ns;
	while (hashmap_next(&s->threads, &at, &key, &item)) {
		struct thread *t = item;
		if (t->n && (t->has_open || t->first_ns + KEPT_FOR_NS < now_ns))
			print_thread(s, t);
	}
}

static void text_close(void *state)
{
	struct text_state *s = state;
	size_t at = 0;
	uint64_t key;
	void *item;
	while (hashmap_next(&s->threads, &at, &key, &item)) {
		struct thread *t = item;
		print_thread(s, t);
		free(t->calls);
		free(t);
	}
	table_print(&s->stat, s->settings.out);
	print_overhead(s);
	table_print(&s->calls, s->settings.out);
	fputs(strbuf_str(&s->histograms), s->settings.out);
	hashmap_done(&s->threads);
	table_done(&s->stat);
	table_done(&s->calls);
	strbuf_done(&s->line);
	strbuf_done(&s->histograms);
}

const struct sink_ops text_sink = {
	.name = "text",
	.state_size = sizeof(struct text_state),
	.open = text_open,
	.write = text_write,
	.tick = text_tick,
	.close = text_close,
};
