/* text: events as people read them: calls as a tree, points and system calls as lines, counts as tables. */
#include "base/macro.h"
#include "sink/sink.h"
#include "sink/tables.h"
#include "sink/text_calls.h"
#include "sink/text_page.h"
#include "sink/text_value.h"
#include "sink/time_text.h"

struct text_state {
	struct text_page page;
	struct text_calls calls;
	struct table tables[TABLE_KINDS];
	struct strbuf histograms;
	uint64_t overhead_least_ns, overhead_most_ns; /* subtracted from each call, over all functions */
};

static int text_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct text_state *s = state;
	s->page = (struct text_page){ .out = settings->out, .color = settings->color };
	s->calls.flat = settings->flat;
	int r = 0;
	for (size_t i = 0; i < TABLE_KINDS && r == 0; i++) {
		const struct table_kind *kind = &table_kinds[i];
		struct sink_settings own = *settings;
		own.columns = own.columns ? own.columns : kind->shown;
		if (settings->events & EVENT_BIT(kind->type))
			r = table_init(&s->tables[i], kind->columns, kind->sort, &own, why);
	}
	return r;
}

static void write_line(struct text_state *s, const struct event *e, void (*rest)(struct text_page *, const struct event *))
{
	text_line_begin(&s->page);
	text_line_who(&s->page, text_local_ns(e), e->pid, e->tid, e->process_name);
	rest(&s->page, e);
	text_line_end(&s->page);
}

static void point_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	text_line_duration(p, false, 0, "", e->field[POINT_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[POINT_PROVIDER].s);
	strbuf_addc(b, ':');
	text_plain(b, e->field[POINT_NAME].s);
	strbuf_addc(b, '(');
	text_arguments(b, &e->field[POINT_ARGUMENTS]);
	strbuf_addc(b, ')');
}

static void syscall_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	const struct value *d = &e->field[SYSCALL_DURATION];
	text_line_duration(p, d->kind == VALUE_UINT, d->u, "", e->field[SYSCALL_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[SYSCALL_FUNCTION].s);
	strbuf_addc(b, '(');
	text_value(b, &e->field[SYSCALL_ARGUMENTS]);
	strbuf_adds(b, ") = ");
	if (e->field[SYSCALL_RETURN].kind == VALUE_NONE)
		strbuf_addc(b, '?');
	text_value(b, &e->field[SYSCALL_RETURN]);
}

static void bytes_text(struct strbuf *b, const struct value *bytes)
{
	static const char units[] = "BkMGT";
	double n = (double)bytes->u;
	size_t unit = 0;
	for (; n >= 1000 && units[unit + 1]; unit++)
		n /= 1000;
	strbuf_addf(b, unit && n < 100 ? "%.1f%s" : "%.0f%s", n, unit ? (char[]){ units[unit], 'B', 0 } : "B");
}

/* "tcp  412B/8.1kB  127.0.0.1:80 <- 10.0.0.7:51234": received and sent; the arrow points from who connected. */
static void connection_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	const struct value *d = &e->field[CONN_DURATION], *role = &e->field[CONN_ROLE];
	bool known = role->kind == VALUE_STRING;
	text_line_duration(p, d->kind == VALUE_UINT, d->u, "", e->field[CONN_LOST].kind == VALUE_UINT);
	text_plain(b, e->field[CONN_TRANSPORT].s);
	strbuf_adds(b, "  ");
	bytes_text(b, &e->field[CONN_RECEIVED]);
	strbuf_addc(b, '/');
	bytes_text(b, &e->field[CONN_SENT]);
	strbuf_adds(b, "  ");
	text_plain(b, e->field[CONN_LOCAL].s);
	strbuf_adds(b, !known ? " -- " : slice_eq_str(role->s, "server") ? " <- " : " -> ");
	if (e->field[CONN_PEER].kind == VALUE_STRING)
		text_plain(b, e->field[CONN_PEER].s);
	else
		strbuf_addf(b, "[%llu]", (unsigned long long)e->field[CONN_PEER_PROCESS].u);
	strbuf_adds(b, "  ");
	text_plain(b, e->field[CONN_END].s);
	if (e->field[CONN_ERROR].kind == VALUE_STRING) {
		strbuf_addc(b, ' ');
		text_plain(b, e->field[CONN_ERROR].s);
	}
}

static void segment_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	text_line_duration(p, false, 0, "", e->field[SEGMENT_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[SEGMENT_DIRECTION].s);
	strbuf_addf(b, " %llu+%llu on %llu: ", (unsigned long long)e->field[SEGMENT_OFFSET].u, (unsigned long long)e->field[SEGMENT_BYTES].u,
		    (unsigned long long)e->field[SEGMENT_CONNECTION].u);
	text_plain(b, e->field[SEGMENT_PAYLOAD].s);
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
	fprintf(s->page.out, "(subtracted from each call, for the probe itself: %s)\n", strbuf_str(&b));
}

static void write_row(struct text_state *s, const struct event *e)
{
	for (size_t i = 0; i < TABLE_KINDS; i++)
		if (e->type == &event_types[table_kinds[i].type])
			table_add(&s->tables[i], e);
}

static void text_write(void *state, const struct event *e)
{
	struct text_state *s = state;
	switch ((enum event_type_id)(e->type - event_types)) {
	case EVENT_FUNCTION_CALL:
		text_calls_add(&s->calls, &s->page, e);
		break;
	case EVENT_FUNCTION_STAT:
		write_row(s, e);
		note_overhead(s, &e->field[STAT_OVERHEAD]);
		if (e->field[STAT_HISTOGRAM].kind == VALUE_LIST)
			write_histogram(s, e);
		break;
	case EVENT_SYSCALL_STAT:
		write_row(s, e);
		break;
	case EVENT_SYSCALL:
		write_line(s, e, syscall_text);
		break;
	case EVENT_TRACEPOINT:
	case EVENT_USDT:
		write_line(s, e, point_text);
		break;
	case EVENT_CONNECTION:
		write_line(s, e, connection_text);
		break;
	case EVENT_SEGMENT:
		write_line(s, e, segment_text);
		break;
	case EVENT_LOST: /* the call after it carries the mark; the account at the end tells the sum */
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
	text_calls_tick(&s->calls, &s->page, now_ns);
}

static void text_close(void *state)
{
	struct text_state *s = state;
	text_calls_done(&s->calls, &s->page);
	for (size_t i = 0; i < TABLE_KINDS; i++) {
		table_print(&s->tables[i], s->page.out);
		if (table_kinds[i].type == EVENT_FUNCTION_STAT)
			print_overhead(s);
		table_done(&s->tables[i]);
	}
	fputs(strbuf_str(&s->histograms), s->page.out);
	strbuf_done(&s->histograms);
	text_page_done(&s->page);
}

const struct sink_ops text_sink = {
	.name = "text",
	.summary = "for people: calls as a tree, tables with units",
	.suffixes = (const char *const[]){ ".txt", ".log", NULL },
	.takes = ~0u,
	.for_people = true,
	.state_size = sizeof(struct text_state),
	.open = text_open,
	.write = text_write,
	.tick = text_tick,
	.close = text_close,
};
