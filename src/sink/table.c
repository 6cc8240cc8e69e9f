#include "sink/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sink/text_value.h"
#include "sink/time_text.h"

#define FIELDS 16
#define LEAST_WIDTH 9u /* of a column of numbers, so that short tables look alike */

static const struct table_column *find_column(const struct table_column *columns, struct slice name)
{
	for (; columns->name; columns++)
		if (slice_eq_str(name, columns->name))
			return columns;
	return NULL;
}

static int unknown_column(const struct table_column *columns, const char *option, struct slice name, struct reason *why)
{
	_cleanup_(strbuf_done) struct strbuf names = {};
	for (const struct table_column *c = columns; c->name; c++)
		strbuf_addf(&names, "%s%s", c == columns ? "" : ", ", c->name);
	return reason_set(why, -EINVAL, "%s: there is no column '%.*s'; there are: %s", option, (int)name.len, name.data, strbuf_str(&names));
}

static int choose_columns(struct table *t, const char *list, struct reason *why)
{
	for (const char *at = list; *at;) {
		struct slice name = { at, strcspn(at, ",") };
		const struct table_column *c = find_column(t->columns, name);
		if (!c || t->n_shown == ARRAY_SIZE(t->shown))
			return unknown_column(t->columns, "--columns", name, why);
		t->shown[t->n_shown++] = c;
		at += name.len + (at[name.len] == ',');
	}
	return 0;
}

int table_init(struct table *t, const struct table_column *columns, const char *default_sort, const struct sink_settings *settings,
	       struct reason *why)
{
	*t = (struct table){ .columns = columns };
	const char *sort = settings->sort ? settings->sort : default_sort;
	t->sort = sort ? find_column(columns, slice_of(sort)) : NULL;
	if (sort && !t->sort)
		return unknown_column(columns, "--sort", slice_of(sort), why);
	if (settings->columns)
		return choose_columns(t, settings->columns, why);
	for (const struct table_column *c = columns; c->name; c++)
		t->shown[t->n_shown++] = c;
	return 0;
}

void table_done(struct table *t)
{
	free(t->rows);
	arena_done(&t->arena);
}

void table_add(struct table *t, const struct event *e)
{
	GROW(t->rows, t->n, t->cap);
	struct value *row = t->rows[t->n++];
	for (size_t i = 0; i < FIELDS; i++) {
		row[i] = e->field[i];
		if (row[i].kind == VALUE_STRING)
			row[i].s = arena_dup(&t->arena, row[i].s);
		else if (row[i].kind >= VALUE_LIST)
			row[i].kind = VALUE_NONE; /* the histogram is printed as it comes */
	}
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct table_column *c = arg;
	const struct value *x = (const struct value *)a + c->field, *y = (const struct value *)b + c->field;
	if (c->is_text) {
		int r = memcmp(x->s.data, y->s.data, MIN(x->s.len, y->s.len));
		return r ? r : (x->s.len > y->s.len) - (x->s.len < y->s.len);
	}
	return (x->u < y->u) - (x->u > y->u);
}

static void add_cell(struct strbuf *b, const struct table_column *c, const struct value *v)
{
	if (v->kind == VALUE_NONE)
		return;
	if (c->is_time)
		time_duration(b, v->u);
	else if (v->kind == VALUE_STRING)
		text_plain(b, v->s);
	else
		text_value(b, v);
}

/* @row NULL: the heading. */
static void cell_text(struct strbuf *cell, const struct table_column *c, const struct value *row)
{
	strbuf_clear(cell);
	if (row)
		add_cell(cell, c, &row[c->field]);
	else
		strbuf_adds(cell, c->name);
}

static size_t width_of(const struct table *t, const struct table_column *c)
{
	_cleanup_(strbuf_done) struct strbuf cell = {};
	cell_text(&cell, c, NULL);
	size_t width = cell.len;
	for (size_t i = 0; i < t->n; i++) {
		cell_text(&cell, c, t->rows[i]);
		width = MAX(width, cell.len);
	}
	return c->is_text ? width : MAX(width, LEAST_WIDTH);
}

/* Numbers to the right, text to the left; no blanks at the end of a line. */
static void print_row(const struct table *t, const struct value *row, const size_t *widths, FILE *out)
{
	_cleanup_(strbuf_done) struct strbuf line = {}, cell = {};
	for (size_t i = 0; i < t->n_shown; i++) {
		const struct table_column *c = t->shown[i];
		cell_text(&cell, c, row);
		strbuf_adds(&line, i ? (c->is_text ? "  " : " ") : "");
		if (!c->is_text)
			strbuf_pad(&line, ' ', widths[i] - cell.len);
		strbuf_add(&line, cell.data, cell.len);
		if (c->is_text && i + 1 < t->n_shown)
			strbuf_pad(&line, ' ', widths[i] - cell.len);
	}
	fprintf(out, "%s\n", strbuf_str(&line));
}

void table_sort(struct table *t)
{
	if (t->n && t->sort)
		qsort_r(t->rows, t->n, sizeof(t->rows[0]), compare, (void *)t->sort);
}

void table_print(struct table *t, FILE *out)
{
	if (t->n == 0)
		return;
	table_sort(t);
	size_t widths[ARRAY_SIZE(t->shown)];
	for (size_t i = 0; i < t->n_shown; i++)
		widths[i] = width_of(t, t->shown[i]);
	print_row(t, NULL, widths, out);
	for (size_t i = 0; i < t->n; i++)
		print_row(t, t->rows[i], widths, out);
}
