/* The values of options as words that a command line could hold, so that a recording can be shown as it was made. */
#include "base/macro.h"
#include "config/option_row.h"

static const void *field_of(const struct option_row *row, const struct options *o)
{
	return (const char *)o + row->offset;
}

static void add_switch(const struct option_row *row, const struct options *o, struct text_list *ret)
{
	bool on = *(const bool *)field_of(row, o) != (row->kind == OPTION_NEGATED);
	if (on == option_on_by_default(row))
		return;
	_cleanup_(strbuf_done) struct strbuf word = {};
	strbuf_addf(&word, "--%s%s", on ? "" : "no-", row->name);
	text_list_add(ret, word.data);
}

static void add_list(const struct option_row *row, const struct options *o, struct text_list *ret)
{
	const struct text_list *list = field_of(row, o);
	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(strbuf_done) struct strbuf word = {};
		strbuf_addf(&word, "--%s=%s", row->name, list->items[i]);
		text_list_add(ret, word.data);
	}
}

static void add_numbers(const struct option_row *row, const struct options *o, struct text_list *ret)
{
	const struct number_list *list = field_of(row, o);
	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(strbuf_done) struct strbuf word = {};
		strbuf_addf(&word, "--%s=%llu", row->name, (unsigned long long)list->items[i]);
		text_list_add(ret, word.data);
	}
}

static void add_value(const struct option_row *row, const struct options *o, const struct options *defaults, struct text_list *ret)
{
	_cleanup_(strbuf_done) struct strbuf word = {}, by_default = {};
	strbuf_addf(&word, "--%s=", row->name);
	strbuf_addf(&by_default, "--%s=", row->name);
	option_kinds[row->kind].write(row, field_of(row, o), &word);
	option_kinds[row->kind].write(row, field_of(row, defaults), &by_default);
	if (!streq(word.data, by_default.data))
		text_list_add(ret, word.data);
}

void options_words(const struct options *o, unsigned groups, struct text_list *ret)
{
	_cleanup_(options_done) struct options defaults;
	options_init(&defaults);
	for (size_t i = 0; i < o->patterns.n; i++)
		text_list_add(ret, o->patterns.items[i]);
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (row->kind == OPTION_ASK || !(row->groups & groups))
			continue;
		if (option_can_be_negated(row))
			add_switch(row, o, ret);
		else if (row->kind == OPTION_TEXTS)
			add_list(row, o, ret);
		else if (row->kind == OPTION_NUMBERS)
			add_numbers(row, o, ret);
		else if (option_kinds[row->kind].write)
			add_value(row, o, &defaults, ret);
	}
}
