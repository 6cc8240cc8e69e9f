#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "shape/where_tree.h"

struct parser {
	struct where_tree *tree;
	const char *at; /* in tree->text */
	unsigned depth;
	struct reason *why;
};

static int parse_not(struct parser *p, unsigned *ret);
static int parse_or(struct parser *p, unsigned *ret);

void where_tree_done(struct where_tree *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		free(t->nodes[i].name);
		free(t->nodes[i].text);
	}
	free(t->nodes);
	free(t->text);
	*t = (struct where_tree){};
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static size_t position(const struct parser *p)
{
	return (size_t)(p->at - p->tree->text);
}

/* Length of the word that stands there, for messages. */
static int word_length(const char *at)
{
	size_t n = 0;
	while (n < 30 && (isalnum((unsigned char)at[n]) || (at[n] && strchr("_.", at[n]))))
		n++;
	return n > 0 ? (int)n : 1;
}

static int expected(struct parser *p, const char *what)
{
	skip_blanks(p);
	if (!*p->at)
		return reason_set(p->why, -EINVAL, "%s ends too early, at column %zu: expected %s", p->tree->option, position(p) + 1, what);
	return reason_set(p->why, -EINVAL, "%s, column %zu: expected %s, not '%.*s'", p->tree->option, position(p) + 1, what,
	                  word_length(p->at), p->at);
}

static bool take(struct parser *p, const char *token)
{
	skip_blanks(p);
	size_t len = strlen(token);
	if (strncmp(p->at, token, len) != 0)
		return false;
	p->at += len;
	return true;
}

static int new_node(struct parser *p, enum where_kind kind, unsigned *ret)
{
	struct where_tree *t = p->tree;
	if (t->n == WHERE_MAX_NODES)
		return reason_set(p->why, -EINVAL, "%s, column %zu: too long; at most %d comparisons and operators", p->tree->option, position(p) + 1,
		                  WHERE_MAX_NODES);
	GROW(t->nodes, t->n, t->cap);
	t->nodes[t->n] = (struct where_node){ .kind = kind };
	*ret = t->n++;
	return 0;
}

static const struct {
	const char *name;
	unsigned field;
} fields[] = {
	{ "arg1", WHERE_ARG1 }, { "arg2", WHERE_ARG2 }, { "arg3", WHERE_ARG3 },         { "arg4", WHERE_ARG4 },
	{ "arg5", WHERE_ARG5 }, { "arg6", WHERE_ARG6 }, { "arg7", WHERE_ARG7 },         { "arg8", WHERE_ARG8 },
	{ "arg9", WHERE_ARG9 }, { "ret", WHERE_RET },   { "duration", WHERE_DURATION }, { "pid", WHERE_PID },
	{ "tid", WHERE_TID },   { "uid", WHERE_UID },   { "comm", WHERE_COMM },
};

/* arg0, arg10: nobody's name for an argument. */
static bool is_wrong_argument(struct slice name)
{
	if (name.len < 4 || memcmp(name.data, "arg", 3) != 0)
		return false;
	for (size_t i = 3; i < name.len; i++)
		if (!isdigit((unsigned char)name.data[i]))
			return false;
	return true;
}

static int parse_field(struct parser *p, struct where_node *n)
{
	skip_blanks(p);
	if (!isalpha((unsigned char)*p->at) && *p->at != '_')
		return expected(p, "a field (arg1 to arg9, ret, duration, pid, tid, uid, comm, or an argument's name), '!' or '('");
	struct slice name = { p->at, 0 };
	while (isalnum((unsigned char)p->at[name.len]) || p->at[name.len] == '_')
		name.len++;
	n->field = WHERE_NAMED;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (slice_eq_str(name, fields[i].name))
			n->field = fields[i].field;
	if (n->field == WHERE_NAMED) {
		if (is_wrong_argument(name))
			return expected(p, "arg1 to arg9");
		n->name = xstrndup(name.data, name.len);
	}
	p->at += name.len;
	return 0;
}

static bool is_numeric(const struct where_node *n)
{
	return n->field == WHERE_DURATION || n->field == WHERE_PID || n->field == WHERE_TID || n->field == WHERE_UID;
}

static int parse_operator(struct parser *p, struct where_node *n)
{
	static const struct {
		const char *token;
		enum where_op op;
	} operators[] = {
		{ "==", WHERE_EQ }, { "!=", WHERE_NE }, { "<=", WHERE_LE }, { ">=", WHERE_GE }, { "<", WHERE_LT }, { ">", WHERE_GT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!take(p, operators[i].token))
			continue;
		n->op = operators[i].op;
		return 0;
	}
	n->op = WHERE_EQ;
	if (is_numeric(n))
		return expected(p, "'==', '!=', '<', '<=', '>' or '>='");
	n->glob = take(p, "~");
	return n->glob ? 0 : expected(p, "'==', '!=', '<', '<=', '>', '>=' or '~'");
}

/* A backslash takes the character behind it as it is. */
static int parse_text(struct parser *p, struct where_node *n)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	const char *at = p->at + 1;
	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		strbuf_addc(&text, *at);
	}
	if (!*at) {
		p->at = at;
		return expected(p, "a closing '\"'");
	}
	p->at = at + 1;
	n->text = xstrdup(strbuf_str(&text));
	return 0;
}

static const struct {
	const char *name;
	uint64_t factor;
	bool time;
} units[] = {
	{ "ns", 1, true },    { "us", NSEC_PER_USEC, true }, { "ms", NSEC_PER_MSEC, true }, { "s", NSEC_PER_SEC, true },
	{ "k", 1024, false }, { "M", 1024 * 1024, false },   { "G", 1024 * 1024 * 1024, false },
};

/* Digits behind a point, as a multiple of 10^-@n. */
static uint64_t parse_fraction(struct parser *p, uint64_t *ret_scale)
{
	uint64_t fraction = 0, scale = 1;
	if (*p->at == '.' && isdigit((unsigned char)p->at[1]))
		for (p->at++; isdigit((unsigned char)*p->at); p->at++) {
			if (scale > 100000000)
				continue;
			fraction = fraction * 10 + (uint64_t)(*p->at - '0');
			scale *= 10;
		}
	*ret_scale = scale;
	return fraction;
}

static int parse_unit(struct parser *p, uint64_t *ret_factor, bool *ret_time)
{
	size_t len = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	*ret_factor = 1;
	*ret_time = false;
	if (len == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!slice_eq_str((struct slice){ p->at, len }, units[i].name))
			continue;
		*ret_factor = units[i].factor;
		*ret_time = units[i].time;
		p->at += len;
		return 0;
	}
	return expected(p, "a unit: k, M, G, ns, us, ms or s");
}

/* Decimal with a unit, or hexadecimal. @ret_time: it has a unit of time. */
static int parse_magnitude(struct parser *p, uint64_t *ret, bool *ret_time)
{
	const char *begin = p->at;
	char *end;
	bool hex = p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X');
	uint64_t factor, scale = 1;
	errno = 0;
	uint64_t x = strtoull(p->at, &end, hex ? 16 : 10);
	bool overflow = errno == ERANGE;
	p->at = end;
	uint64_t fraction = hex ? 0 : parse_fraction(p, &scale); /* below 10^9, a factor at most 2^30: their product fits */
	int r = parse_unit(p, &factor, ret_time);
	if (r < 0)
		return r;
	overflow |= __builtin_mul_overflow(x, factor, &x);
	overflow |= __builtin_add_overflow(x, fraction * factor / scale, &x);
	if (overflow || (fraction > 0 && factor == 1)) {
		p->at = begin;
		return expected(p, overflow ? "a number below 2^64" : "a whole number, or one with a unit");
	}
	*ret = x;
	return 0;
}

static const char *what_is_wanted(const struct where_node *n)
{
	if (n->field == WHERE_DURATION)
		return "a time, as 5ms";
	return is_numeric(n) ? "a number" : "a number or a \"string\"";
}

static int parse_number(struct parser *p, struct where_node *n)
{
	const char *begin = p->at;
	bool negative = take(p, "-"), is_time = false;
	uint64_t x = 0;
	if (!isdigit((unsigned char)*p->at))
		return expected(p, what_is_wanted(n));
	int r = parse_magnitude(p, &x, &is_time);
	if (r < 0)
		return r;
	if (n->field == WHERE_DURATION && x != 0 && !is_time) {
		p->at = begin;
		return expected(p, "a time with its unit, as 5ms");
	}
	if (negative && x > (uint64_t)INT64_MAX + 1) {
		p->at = begin;
		return expected(p, "a number not below -2^63");
	}
	n->number = (int64_t)(negative ? -x : x);
	n->is_signed = negative || (x == 0 && n->op != WHERE_EQ && n->op != WHERE_NE && !is_numeric(n)); /* those have no sign */
	return 0;
}

/* Which fields can be text, and by which operators text can be compared. */
static int parse_value(struct parser *p, struct where_node *n)
{
	bool needs_text = n->glob || n->field == WHERE_COMM;
	skip_blanks(p);
	if (*p->at != '"')
		return needs_text ? expected(p, "a \"string\"") : parse_number(p, n);
	if (is_numeric(n))
		return expected(p, what_is_wanted(n));
	if (n->op != WHERE_EQ && n->op != WHERE_NE)
		return expected(p, "a number (text compares by '==', '!=' and '~')");
	return parse_text(p, n);
}

static int parse_compare(struct parser *p, unsigned *ret)
{
	int r = new_node(p, WHERE_KIND_COMPARE, ret);
	if (r < 0)
		return r;
	struct where_node *n = &p->tree->nodes[*ret];
	skip_blanks(p);
	n->begin = position(p);
	r = parse_field(p, n);
	if (r == 0)
		r = parse_operator(p, n);
	if (r == 0)
		r = parse_value(p, n);
	n->end = position(p);
	return r;
}

static int parse_parenthesis(struct parser *p, unsigned *ret)
{
	size_t begin = position(p) - 1;
	int r = parse_or(p, ret);
	if (r < 0)
		return r;
	if (!take(p, ")"))
		return expected(p, "')', '&&' or '||'");
	p->tree->nodes[*ret].begin = begin;
	p->tree->nodes[*ret].end = position(p);
	return 0;
}

static int parse_negation(struct parser *p, unsigned *ret)
{
	unsigned operand;
	size_t begin = position(p) - 1;
	int r = parse_not(p, &operand);
	if (r == 0)
		r = new_node(p, WHERE_KIND_NOT, ret);
	if (r < 0)
		return r;
	p->tree->nodes[*ret].left = operand;
	p->tree->nodes[*ret].begin = begin;
	p->tree->nodes[*ret].end = p->tree->nodes[operand].end;
	return 0;
}

static int parse_not(struct parser *p, unsigned *ret)
{
	int (*parse_inner)(struct parser *, unsigned *) = take(p, "(") ? parse_parenthesis : take(p, "!") ? parse_negation : NULL;
	if (!parse_inner)
		return parse_compare(p, ret);
	if (p->depth == WHERE_MAX_DEPTH)
		return reason_set(p->why, -EINVAL, "%s, column %zu: more than %d parentheses and '!' inside one another", p->tree->option, position(p),
		                  WHERE_MAX_DEPTH);
	p->depth++;
	int r = parse_inner(p, ret);
	p->depth--;
	return r;
}

/* operand (token operand)*, grouped to the left. */
static int parse_chain(struct parser *p, const char *token, enum where_kind kind, int (*parse_operand)(struct parser *, unsigned *),
                       unsigned *ret)
{
	unsigned left, right;
	int r = parse_operand(p, &left);
	while (r == 0 && take(p, token)) {
		unsigned parent;
		r = parse_operand(p, &right);
		if (r == 0)
			r = new_node(p, kind, &parent);
		if (r < 0)
			return r;
		struct where_node *nodes = p->tree->nodes;
		nodes[parent].left = left;
		nodes[parent].right = right;
		nodes[parent].begin = nodes[left].begin;
		nodes[parent].end = nodes[right].end;
		left = parent;
	}
	*ret = r < 0 ? 0 : left;
	return r;
}

static int parse_and(struct parser *p, unsigned *ret)
{
	return parse_chain(p, "&&", WHERE_KIND_AND, parse_not, ret);
}

static int parse_or(struct parser *p, unsigned *ret)
{
	return parse_chain(p, "||", WHERE_KIND_OR, parse_and, ret);
}

int where_parse(struct where_tree *ret, const char *option, const char *text, struct reason *why)
{
	_cleanup_(where_tree_done) struct where_tree tree = { .option = option, .text = xstrdup(text) };
	struct parser p = { .tree = &tree, .at = tree.text, .why = why };
	int r = parse_or(&p, &tree.root);
	if (r < 0)
		return r;
	skip_blanks(&p);
	if (*p.at)
		return expected(&p, "'&&', '||' or the end");
	*ret = tree;
	tree = (struct where_tree){};
	return 0;
}
