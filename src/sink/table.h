/* table: rows of values with aligned columns, sorted at the end: how --stat is shown. */
#pragma once

#include "base/arena.h"
#include "base/reason.h"
#include "base/strbuf.h"
#include "event/event.h"
#include "sink/sink.h"

struct table_column {
	const char *name;    /* as in --sort and --columns, and the heading */
	unsigned field;      /* index into event.field[] */
	bool is_time;        /* nanoseconds */
	bool is_text;        /* left aligned, last */
};

struct table {
	const struct table_column *columns; /* all that there are, ends with a NULL name */
	const struct table_column *shown[16];
	size_t n_shown;
	const struct table_column *sort;
	struct value (*rows)[16];     /* by field */
	size_t n, cap;
	struct arena arena;
};

/* @default_sort: a name of a column; NULL: in the order in which rows came, unless the settings say otherwise. -EINVAL and @why: --sort or --columns names none. */
int table_init(struct table *t, const struct table_column *columns, const char *default_sort, const struct sink_settings *settings,
	       struct reason *why);
void table_done(struct table *t);
void table_add(struct table *t, const struct event *e); /* copies */
void table_sort(struct table *t);
void table_print(struct table *t, FILE *out); /* sorts, too */
