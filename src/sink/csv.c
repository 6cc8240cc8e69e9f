/*
 * csv: RFC 4180, with a heading of the fields' names as JSON has them.
 *
 * A run that brings a table (--stat) gives that table, sorted, times in nanoseconds. Any other gives one row an event: what all
 * events have, then each field of the types that the run may bring; a cell is empty where its event has no such field. Of a recording
 * it is not known before which it holds: the first event tells.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "sink/sink.h"
#include "sink/tables.h"
#include "sink/text_value.h"
#include "sink/time_text.h"
#include "sink/utf8.h"

#define COLUMNS_MAX 64 /* fields of all types that come one by one */
#define NO_FIELD 255

enum csv_shape { SHAPE_UNKNOWN, SHAPE_TABLE, SHAPE_ROWS };

struct csv_state {
	FILE *out;
	enum csv_shape shape;
	const struct table_kind *kind; /* of the table, if one may come */
	struct table table;
	const char *columns[COLUMNS_MAX];
	size_t n_columns;
	uint8_t field[EVENT_TYPES][COLUMNS_MAX]; /* where a type has that column, or NO_FIELD */
	struct strbuf line, cell;
	size_t cells; /* in the line so far */
	struct rfc3339 clock;
};

/* Most cells: nothing in them that a reader of CSV, or of UTF-8, would stop at. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == ',' || text.data[i] == '"')
			return false;
	return true;
}

/* Few readers take a NUL: it is written as the sign for it. */
static void add_quoted(struct strbuf *b, struct slice text)
{
	strbuf_addc(b, '"');
	for (size_t i = 0, n; i < text.len; i += n) {
		struct slice rest = { text.data + i, text.len - i };
		n = MAX(utf8_length(rest), (size_t)1);
		strbuf_adds(b, rest.data[0] == '"' ? "\"" : "");
		if (rest.data[0])
			utf8_add(b, (struct slice){ rest.data, n });
		else
			strbuf_adds(b, "\u2400");
	}
	strbuf_addc(b, '"');
}

static void add_cell(struct csv_state *s, struct slice text)
{
	if (s->cells++)
		strbuf_addc(&s->line, ',');
	if (is_plain(text))
		strbuf_add_slice(&s->line, text);
	else
		add_quoted(&s->line, text);
}

static void end_row(struct csv_state *s)
{
	strbuf_adds(&s->line, "\r\n");
	fwrite(s->line.data, 1, s->line.len, s->out);
	strbuf_clear(&s->line);
	s->cells = 0;
}

/* Strings as they are, all else as people read it; of a function without a result its type, void. */
static void add_value(struct csv_state *s, const struct value *v)
{
	if (v->kind == VALUE_STRING && !v->text.len) {
		add_cell(s, v->s);
		return;
	}
	strbuf_clear(&s->cell);
	text_value(&s->cell, v);
	add_cell(s, v->kind == VALUE_NONE ? v->type : strbuf_slice(&s->cell));
}

static void add_number(struct csv_state *s, uint64_t n)
{
	add_value(s, &(struct value){ .kind = n ? VALUE_UINT : VALUE_NONE, .u = n });
}

/* In the order of event_common_fields. */
static void add_common(struct csv_state *s, const struct event *e)
{
	strbuf_clear(&s->cell);
	time_rfc3339(&s->cell, &s->clock, e->time_ns + (uint64_t)e->realtime_offset_ns);
	add_cell(s, strbuf_slice(&s->cell));
	add_cell(s, slice_of(e->type->name));
	add_cell(s, slice_of(e->type->of_task && e->runtime ? e->runtime : ""));
	add_number(s, e->pid);
	add_number(s, e->tid);
	add_cell(s, e->process_name);
	add_number(s, e->strand_id);
}

static void write_event(struct csv_state *s, const struct event *e)
{
	const uint8_t *field = s->field[e->type - event_types];
	add_common(s, e);
	for (size_t i = 0; i < s->n_columns; i++)
		add_value(s, field[i] == NO_FIELD ? &(struct value){} : &e->field[field[i]]);
	end_row(s);
}

static size_t column_of(struct csv_state *s, const char *name)
{
	size_t i = 0;
	while (i < s->n_columns && !streq(s->columns[i], name))
		i++;
	if (i == s->n_columns && i < COLUMNS_MAX)
		s->columns[s->n_columns++] = name;
	return i;
}

static void take_fields(struct csv_state *s, enum event_type_id id)
{
	const struct event_type *type = &event_types[id];
	for (uint32_t i = 0; i < type->n_fields; i++) {
		size_t column = column_of(s, type->fields[i].name);
		if (column < COLUMNS_MAX)
			s->field[id][column] = (uint8_t)i;
	}
}

static void write_heading(struct csv_state *s)
{
	for (const struct event_field *f = event_common_fields; f->name; f++)
		add_cell(s, slice_of(f->name));
	for (size_t i = 0; i < s->n_columns; i++)
		add_cell(s, slice_of(s->columns[i]));
	end_row(s);
}

static bool is_table(unsigned id)
{
	for (size_t i = 0; i < TABLE_KINDS; i++)
		if (table_kinds[i].type == id)
			return true;
	return false;
}

static int prepare_table(struct csv_state *s, const struct sink_settings *settings, struct reason *why)
{
	for (size_t i = 0; i < TABLE_KINDS; i++) {
		if (!(settings->events & EVENT_BIT(table_kinds[i].type)))
			continue;
		if (s->kind)
			return reason_set(why, -EINVAL, "csv holds one table, and there are two; json has room for both");
		s->kind = &table_kinds[i];
	}
	return s->kind ? table_init(&s->table, s->kind->columns, s->kind->sort, settings, why) : 0;
}

static void choose_shape(struct csv_state *s, enum csv_shape shape)
{
	if (s->shape == SHAPE_UNKNOWN && shape == SHAPE_ROWS)
		write_heading(s);
	if (s->shape == SHAPE_UNKNOWN)
		s->shape = shape;
}

static int csv_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	struct csv_state *s = state;
	bool rows = false;
	s->out = settings->out;
	memset(s->field, NO_FIELD, sizeof(s->field));
	for (unsigned id = 0; id < EVENT_TYPES; id++) {
		if (is_table(id) || (!(settings->events & EVENT_BIT(id)) && id != EVENT_LOST))
			continue;
		take_fields(s, (enum event_type_id)id);
		rows |= id != EVENT_LOST;
	}
	int r = prepare_table(s, settings, why);
	if (r == 0 && !(rows && s->kind))
		choose_shape(s, rows ? SHAPE_ROWS : SHAPE_TABLE);
	return r;
}

static void csv_write(void *state, const struct event *e)
{
	struct csv_state *s = state;
	bool is_row = !is_table((unsigned)(e->type - event_types));
	if (e->type != &event_types[EVENT_LOST]) /* it says nothing; one before all else is left to the summary on stderr */
		choose_shape(s, is_row ? SHAPE_ROWS : SHAPE_TABLE);
	if (s->shape == SHAPE_ROWS && is_row)
		write_event(s, e);
	else if (s->shape == SHAPE_TABLE && s->kind && e->type == &event_types[s->kind->type])
		table_add(&s->table, e);
}

static void write_table(struct csv_state *s)
{
	const struct event_field *fields = event_types[s->kind->type].fields;
	table_sort(&s->table);
	for (size_t i = 0; i < s->table.n_shown; i++)
		add_cell(s, slice_of(fields[s->table.shown[i]->field].name));
	end_row(s);
	for (size_t row = 0; row < s->table.n; row++) {
		for (size_t i = 0; i < s->table.n_shown; i++)
			add_value(s, &s->table.rows[row][s->table.shown[i]->field]);
		end_row(s);
	}
}

static void csv_close(void *state)
{
	struct csv_state *s = state;
	choose_shape(s, SHAPE_ROWS);
	if (s->shape == SHAPE_TABLE && s->kind)
		write_table(s);
	table_done(&s->table);
	strbuf_done(&s->line);
	strbuf_done(&s->cell);
}

const struct sink_ops csv_sink = {
	.name = "csv",
	.summary = "RFC 4180: the table of --stat, or one row an event; for spreadsheets and databases",
	.suffixes = (const char *const[]){ ".csv", NULL },
	.takes = EVENT_BIT(EVENT_FUNCTION_CALL) | EVENT_BIT(EVENT_FUNCTION_STAT) | EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_SYSCALL_STAT) |
		 EVENT_BIT(EVENT_TRACEPOINT) | EVENT_BIT(EVENT_USDT) | EVENT_BIT(EVENT_REQUEST) | EVENT_BIT(EVENT_REQUEST_STAT) |
		 EVENT_BIT(EVENT_CONNECTION) | EVENT_BIT(EVENT_LOST),
	.state_size = sizeof(struct csv_state),
	.open = csv_open,
	.write = csv_write,
	.close = csv_close,
};
