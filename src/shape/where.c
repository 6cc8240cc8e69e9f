/*
 * where: an expression in two parts. What stands between its outermost && are its terms; each is decided as a whole, in
 * the kernel where that can look at all of its fields and has room for it, else here.
 */
#include "shape/where.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "shape/where_eval.h"
#include "shape/where_tree.h"

struct where {
	struct where_tree tree;
	unsigned terms[WHERE_MAX_NODES]; /* nodes */
	bool in_kernel[WHERE_MAX_NODES];
	unsigned n_terms;
	struct where_program program;
	struct {
		bool asked, found;
	} seen[WHERE_MAX_NODES]; /* of names: a name that no event has is a slip of the pen */
};

void where_free(struct where *w)
{
	if (!w)
		return;
	where_tree_done(&w->tree);
	free(w);
}

static const struct where_node *node(const struct where *w, unsigned i)
{
	return &w->tree.nodes[i];
}

static void collect_terms(struct where *w, unsigned i)
{
	const struct where_node *n = node(w, i);
	if (n->kind != WHERE_KIND_AND) {
		w->terms[w->n_terms++] = i;
		return;
	}
	collect_terms(w, n->left);
	collect_terms(w, n->right);
}

/* Does any comparison below the node satisfy @test? */
static bool any_compare(const struct where *w, unsigned i, bool (*test)(const struct where_node *))
{
	const struct where_node *n = node(w, i);
	if (n->kind == WHERE_KIND_COMPARE)
		return test(n);
	return any_compare(w, n->left, test) || (n->kind != WHERE_KIND_NOT && any_compare(w, n->right, test));
}

static bool is_for_user(const struct where_node *n)
{
	return n->field >= WHERE_FIELDS || n->text;
}

static bool is_uid(const struct where_node *n)
{
	return n->field == WHERE_UID;
}

static bool is_of_exit(const struct where_node *n)
{
	return n->field == WHERE_RET || n->field == WHERE_DURATION;
}

static unsigned count_steps(const struct where *w, unsigned i)
{
	const struct where_node *n = node(w, i);
	if (n->kind == WHERE_KIND_COMPARE)
		return 1;
	return 1 + count_steps(w, n->left) + (n->kind == WHERE_KIND_NOT ? 0 : count_steps(w, n->right));
}

static void add_step(struct where_program *p, struct where_step step)
{
	p->step[p->n++] = step;
}

static void compile(const struct where *w, unsigned i, struct where_program *p)
{
	static const uint8_t ops[] = {
		[WHERE_KIND_AND] = WHERE_AND,
		[WHERE_KIND_OR] = WHERE_OR,
		[WHERE_KIND_NOT] = WHERE_NOT,
	};
	const struct where_node *n = node(w, i);
	if (n->kind == WHERE_KIND_COMPARE) {
		add_step(p, (struct where_step){ .op = (uint8_t)n->op, .field = (uint8_t)n->field, .is_signed = n->is_signed, .number = n->number });
		return;
	}
	compile(w, n->left, p);
	if (n->kind != WHERE_KIND_NOT)
		compile(w, n->right, p);
	add_step(p, (struct where_step){ .op = ops[n->kind] });
}

/* Adds a term to the kernel's part, if there is room for it and the && before it. */
static void give_to_kernel(struct where *w, unsigned term)
{
	bool first = w->program.n == 0;
	if (w->program.n + count_steps(w, w->terms[term]) + !first > WHERE_MAX)
		return;
	compile(w, w->terms[term], &w->program);
	if (!first)
		add_step(&w->program, (struct where_step){ .op = WHERE_AND });
	w->in_kernel[term] = true;
}

/* Terms with uid go first: no event has it, so that only the kernel can decide them. */
static int split(struct where *w, struct reason *why)
{
	collect_terms(w, w->tree.root);
	for (int of_uid = 1; of_uid >= 0; of_uid--)
		for (unsigned i = 0; i < w->n_terms; i++)
			if (any_compare(w, w->terms[i], is_uid) == of_uid && !any_compare(w, w->terms[i], is_for_user))
				give_to_kernel(w, i);
	for (unsigned i = 0; i < w->n_terms; i++) {
		const struct where_node *n = node(w, w->terms[i]);
		if (w->in_kernel[i] || !any_compare(w, w->terms[i], is_uid))
			continue;
		return reason_set(why, -EINVAL,
		                  "%s, column %zu: uid is decided in the kernel, which cannot decide the whole of '%.*s'; join it by '&&' "
		                  "to the rest, in at most %d comparisons and operators",
		                  w->tree.option, n->begin + 1, (int)MIN(n->end - n->begin, (size_t)60), w->tree.text + n->begin, WHERE_MAX);
	}
	return 0;
}

int where_new(struct where **ret, const char *option, const char *text, struct reason *why)
{
	_cleanup_(where_free) struct where *w = xcalloc(1, sizeof(*w));
	int r = where_parse(&w->tree, option, text, why);
	if (r == 0)
		r = split(w, why);
	if (r < 0)
		return r;
	*ret = take_ptr(w);
	return 0;
}

void where_kernel(const struct where *w, struct where_program *ret)
{
	*ret = w->program;
	ret->wide = 1u << WHERE_DURATION;
}

bool where_needs_user(const struct where *w)
{
	for (unsigned i = 0; i < w->n_terms; i++)
		if (!w->in_kernel[i])
			return true;
	return false;
}

bool where_needs_exit(const struct where *w)
{
	return any_compare(w, w->tree.root, is_of_exit);
}

static void describe_part(const struct where *w, bool kernel, struct strbuf *out)
{
	bool first = true;
	for (unsigned i = 0; i < w->n_terms; i++) {
		if (w->in_kernel[i] != kernel)
			continue;
		const struct where_node *n = node(w, w->terms[i]);
		const char *name = kernel ? "kernel: " : out->len > 0 ? "; user: " : "user: ";
		strbuf_adds(out, first ? name : " && ");
		strbuf_add(out, w->tree.text + n->begin, n->end - n->begin);
		first = false;
	}
}

void where_describe(const struct where *w, struct strbuf *out)
{
	_cleanup_(strbuf_done) struct strbuf parts = {};
	describe_part(w, true, &parts);
	describe_part(w, false, &parts);
	strbuf_add_slice(out, strbuf_slice(&parts));
}

/* Which of an event type's fields hold what the expression names; -1: none. */
struct event_places {
	int arguments, ret, duration;
};

static struct event_places places_of(const struct event *e)
{
	static const struct event_places places[EVENT_TYPES] = {
		[EVENT_FUNCTION_CALL] = { CALL_ARGUMENTS, CALL_RETURN, CALL_DURATION },
		[EVENT_FUNCTION_STAT] = { -1, -1, -1 },
		[EVENT_SYSCALL] = { SYSCALL_ARGUMENTS, SYSCALL_RETURN, SYSCALL_DURATION },
		[EVENT_SYSCALL_STAT] = { -1, -1, -1 },
		[EVENT_TRACEPOINT] = { POINT_ARGUMENTS, -1, -1 },
		[EVENT_USDT] = { POINT_ARGUMENTS, -1, -1 },
		[EVENT_REQUEST] = { -1, -1, REQUEST_DURATION },
		[EVENT_REQUEST_STAT] = { -1, -1, -1 },
		[EVENT_CONNECTION] = { -1, -1, CONN_DURATION },
		[EVENT_SEGMENT] = { -1, -1, -1 },
		[EVENT_PROCESS] = { -1, -1, -1 },
		[EVENT_LOST] = { -1, -1, -1 },
		[EVENT_SUMMARY] = { -1, -1, -1 },
	};
	return places[e->type - event_types];
}

static const struct value none = { .kind = VALUE_NONE };

static const struct value *field_at(const struct event *e, int place)
{
	return place < 0 ? &none : &e->field[place];
}

static const struct value *argument(const struct event *e, unsigned index)
{
	const struct value *all = field_at(e, places_of(e).arguments);
	return all->kind == VALUE_ARGUMENTS && index < all->list.n ? &all->list.items[index].value : &none;
}

/* An argument of that name, else a field of the event: depth, error, function_name ... */
static const struct value *named(const struct event *e, const char *name)
{
	const struct value *all = field_at(e, places_of(e).arguments);
	for (size_t i = 0; all->kind == VALUE_ARGUMENTS && i < all->list.n; i++)
		if (slice_eq_str(all->list.items[i].name, name))
			return &all->list.items[i].value;
	for (uint32_t i = 0; i < e->type->n_fields; i++)
		if (streq(e->type->fields[i].name, name))
			return &e->field[i];
	return &none;
}

static struct value look_up(const struct where_node *n, const struct event *e)
{
	switch (n->field) {
	case WHERE_RET:
		return *field_at(e, places_of(e).ret);
	case WHERE_DURATION:
		return *field_at(e, places_of(e).duration);
	case WHERE_PID:
		return UINT_VALUE(e->pid);
	case WHERE_TID:
		return UINT_VALUE(e->tid);
	case WHERE_COMM:
		return STRING_VALUE(e->process_name);
	case WHERE_NAMED:
		return *named(e, n->name);
	case WHERE_UID:
		return none;
	default:
		return *argument(e, n->field >= WHERE_ARG7 ? n->field - WHERE_ARG7 + 6 : n->field - WHERE_ARG1);
	}
}

/* Text is compared with a string, or with what people read in the place of a number: "O_RDONLY|O_CLOEXEC". */
static bool compare_text(const struct where_node *n, const struct value *v)
{
	struct slice text = v->kind == VALUE_STRING ? v->s : v->text;
	if (v->kind != VALUE_STRING && text.len == 0)
		return false;
	if (!n->glob)
		return slice_eq_str(text, n->text) == (n->op == WHERE_EQ);
	_cleanup_(free) char *copy = xstrndup(text.len ? text.data : "", text.len);
	return fnmatch(n->text, copy, 0) == 0;
}

static bool compare_double(const struct where_node *n, double x)
{
	double number = n->is_signed ? (double)n->number : (double)(uint64_t)n->number;
	switch (n->op) {
	case WHERE_EQ:
		return x == number;
	case WHERE_NE:
		return x != number;
	case WHERE_LT:
		return x < number;
	case WHERE_LE:
		return x <= number;
	case WHERE_GT:
		return x > number;
	default:
		return x >= number;
	}
}

/* As where_program.wide; where no kernel compares, the type that a value was given tells as well, but for a constant that is negative. */
static bool is_wide(const struct where_node *n, const struct event *e, const struct value *v)
{
	bool is_point = e->type == &event_types[EVENT_USDT] || e->type == &event_types[EVENT_TRACEPOINT];
	if (n->field == WHERE_NAMED || is_point)
		return n->number == 0 && v->kind != VALUE_ADDRESS;
	return n->field == WHERE_DURATION || (n->field == WHERE_RET && e->type == &event_types[EVENT_SYSCALL]);
}

static bool compare(struct where *w, unsigned i, const struct event *e)
{
	const struct where_node *n = node(w, i);
	const struct value v = look_up(n, e);
	w->seen[i].asked = true;
	w->seen[i].found |= v.kind != VALUE_NONE;
	if (v.kind == VALUE_NONE || v.kind == VALUE_UNREADABLE)
		return false;
	if (n->text)
		return compare_text(n, &v);
	switch (v.kind) {
	case VALUE_BOOL:
		return where_compare((uint8_t)n->op, n->is_signed, v.boolean, (uint64_t)n->number);
	case VALUE_UINT:
	case VALUE_INT:
	case VALUE_ADDRESS:
		return where_compare((uint8_t)n->op, n->is_signed, where_widen(v.u, n->is_signed, is_wide(n, e, &v)), (uint64_t)n->number);
	case VALUE_DOUBLE:
		return compare_double(n, v.d);
	default:
		return false;
	}
}

static bool holds(struct where *w, unsigned i, const struct event *e)
{
	const struct where_node *n = node(w, i);
	switch (n->kind) {
	case WHERE_KIND_AND:
		return holds(w, n->left, e) && holds(w, n->right, e);
	case WHERE_KIND_OR:
		return holds(w, n->left, e) || holds(w, n->right, e);
	case WHERE_KIND_NOT:
		return !holds(w, n->left, e);
	default:
		return compare(w, i, e);
	}
}

bool where_matches_all(struct where *w, const struct event *e)
{
	return holds(w, w->tree.root, e);
}

bool where_matches(struct where *w, const struct event *e)
{
	for (unsigned i = 0; i < w->n_terms; i++)
		if (!w->in_kernel[i] && !holds(w, w->terms[i], e))
			return false;
	return true;
}

const char *where_name_never_found(const struct where *w)
{
	for (unsigned i = 0; i < w->tree.n; i++)
		if (w->tree.nodes[i].name && w->seen[i].asked && !w->seen[i].found)
			return w->tree.nodes[i].name;
	return NULL;
}
