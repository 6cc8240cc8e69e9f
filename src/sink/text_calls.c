#include "sink/text_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sink/text_value.h"

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

static void print_call(struct text_page *page, const struct thread *t, const struct call *c, bool first)
{
	text_line_begin(page);
	if (first)
		text_line_who(page, c->time_ns, t->pid, t->tid, slice_of(t->name));
	else
		strbuf_pad(&page->line, ' ', page->who_width);
	text_line_duration(page, c->has_duration, c->duration_ns, c->mark == '.' ? "..." : c->mark == '?' ? "?" : "", c->lost_before);
	strbuf_pad(&page->line, ' ', 2 * (size_t)MIN(c->depth, 60u));
	strbuf_adds(&page->line, c->text);
	text_line_end(page);
}

static int by_beginning(const void *a, const void *b)
{
	const struct call *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static void print_thread(struct text_page *page, struct thread *t)
{
	qsort(t->calls, t->n, sizeof(t->calls[0]), by_beginning);
	for (size_t i = 0; i < t->n; i++) {
		print_call(page, t, &t->calls[i], i == 0 || t->calls[i].depth == 0);
		free(t->calls[i].text);
	}
	t->n = 0;
	t->has_open = false;
}

static struct thread *thread_of(struct text_calls *s, const struct event *e)
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

void text_calls_add(struct text_calls *s, struct text_page *page, const struct event *e)
{
	struct thread *t = thread_of(s, e);
	struct call c = {
		.id = e->field[CALL_ID].u, .time_ns = text_local_ns(e),
		.depth = s->flat ? 0 : (uint32_t)e->field[CALL_DEPTH].u, .duration_ns = e->field[CALL_DURATION].u,
		.has_duration = e->field[CALL_DURATION].kind == VALUE_UINT, .mark = mark_of(e), .text = call_text(e),
		.lost_before = (uint32_t)e->field[CALL_LOST_BEFORE].u,
	};
	if (t->n == 0)
		t->first_ns = s->now_ns;
	GROW(t->calls, t->n, t->cap);
	t->calls[t->n++] = c;
	t->has_open |= c.mark == '.';
	if ((c.depth == 0 && c.mark != '.') || s->flat || c.mark == ' ' || t->n >= CALLS_KEPT)
		print_thread(page, t);
}

void text_calls_tick(struct text_calls *s, struct text_page *page, uint64_t now_ns)
{
	size_t at = 0;
	uint64_t key;
	void *item;
	s->now_ns = now_ns;
	while (hashmap_next(&s->threads, &at, &key, &item)) {
		struct thread *t = item;
		if (t->n && (t->has_open || t->first_ns + KEPT_FOR_NS < now_ns))
			print_thread(page, t);
	}
}

void text_calls_done(struct text_calls *s, struct text_page *page)
{
	size_t at = 0;
	uint64_t key;
	void *item;
	while (hashmap_next(&s->threads, &at, &key, &item)) {
		struct thread *t = item;
		print_thread(page, t);
		free(t->calls);
		free(t);
	}
	hashmap_done(&s->threads);
}
