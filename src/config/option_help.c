/* The table as people read it: --help, man source, completion, `config explain`. */
#include <string.h>

#include "base/macro.h"
#include "config/option_row.h"
#include "config/text.h"

#define LEFT_COLUMNS 26 /* the longest ordinary option and its value; longer ones get a line of their own */

/* "-p, --pid PID", "    --no-follow" */
static void add_syntax(struct strbuf *out, const struct option_row *row, const char *no_letter)
{
	if (row->letter)
		strbuf_addf(out, "-%c, ", row->letter);
	else
		strbuf_adds(out, no_letter);
	strbuf_addf(out, "--%s%s", option_on_by_default(row) ? "no-" : "", row->name);
	if (row->metavar)
		strbuf_addf(out, " %s", row->metavar);
}

/* The help line and the default, where that is worth a word. */
static void add_help(struct strbuf *out, const struct option_row *row)
{
	strbuf_adds(out, row->help);
	if (row->fallback && !option_is_switch(row))
		strbuf_addf(out, " (default %s)", row->fallback);
}

static bool heading_shown(const struct option_heading *heading, unsigned groups)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_under(row, heading, groups))
			return true;
	return false;
}

void options_help(struct strbuf *out, unsigned groups)
{
	for (const struct option_heading *h = option_headings; h->title; h++) {
		if (!heading_shown(h, groups))
			continue;
		strbuf_addf(out, "\n%s:\n", h->title);
		for (const struct option_row *row = option_rows; row->name; row++) {
			if (!option_under(row, h, groups))
				continue;
			_cleanup_(strbuf_done) struct strbuf left = {}, help = {};
			add_syntax(&left, row, "    ");
			add_help(&help, row);
			text_row(out, strbuf_str(&left), strbuf_str(&help), LEFT_COLUMNS + 4);
		}
		if (h->term)
			text_row(out, h->term, h->help, LEFT_COLUMNS + 4);
	}
}

static void man_item(struct strbuf *out, const char *term, const char *help, const char *more)
{
	strbuf_adds(out, ".TP\n.B ");
	text_roff(out, term);
	strbuf_addc(out, '\n');
	text_roff(out, help);
	strbuf_adds(out, ".\n");
	if (more) {
		text_roff(out, more);
		strbuf_addc(out, '\n');
	}
}

static void man_option(struct strbuf *out, const struct option_row *row)
{
	_cleanup_(strbuf_done) struct strbuf syntax = {}, help = {};
	add_syntax(&syntax, row, "");
	add_help(&help, row);
	man_item(out, strbuf_str(&syntax), strbuf_str(&help), row->more);
}

void options_man(struct strbuf *out, unsigned groups)
{
	for (const struct option_heading *h = option_headings; h->title; h++) {
		if (!heading_shown(h, groups))
			continue;
		strbuf_addf(out, ".SS %s\n", h->title);
		for (const struct option_row *row = option_rows; row->name; row++)
			if (option_under(row, h, groups))
				man_option(out, row);
		if (h->term)
			man_item(out, h->term, h->help, NULL);
	}
}

void options_man_environment(struct strbuf *out)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_in_environment(row)) {
			strbuf_addf(out, ".TP\n.B %s\n", option_environment(row).text);
			strbuf_adds(out, "Default of ");
			text_roff(out, "--");
			text_roff(out, row->name);
			strbuf_adds(out, row->kind == OPTION_TEXTS ? "; several are separated by commas.\n"
			                 : option_is_switch(row)   ? ": 1 or 0.\n"
			                                           : ".\n");
		}
}

void options_complete(struct strbuf *out, unsigned groups)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_taken(row, groups))
			strbuf_addf(out, "--%s%s\t%s\n", option_on_by_default(row) ? "no-" : "", row->name, row->help);
}

void options_list(struct strbuf *out)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!option_in_file(row))
			continue;
		_cleanup_(strbuf_done) struct strbuf help = {};
		if (option_on_by_default(row))
			strbuf_adds(&help, "false: ");
		add_help(&help, row);
		text_row(out, option_key(row).text, strbuf_str(&help), 20);
	}
}

static void explain_default(struct strbuf *out, const struct option_row *row)
{
	strbuf_addf(out, "  default      %s\n",
	            row->fallback                   ? row->fallback
	            : option_is_switch(row)         ? "false"
	            : option_kinds[row->kind].clear ? "none"
	                                            : "0");
}

int options_explain(struct strbuf *out, const char *key, struct reason *why)
{
	const struct option_row *row = option_by_key(key);
	if (!row)
		return option_unknown_key(key, "", why);
	_cleanup_(strbuf_done) struct strbuf syntax = {};
	add_syntax(&syntax, row, "");
	strbuf_addf(out, "%s: ", option_key(row).text);
	text_wrap(out, row->help, strlen(row->name) + 2, 2);
	if (row->more)
		text_row(out, "", row->more, 4);
	strbuf_addf(out, "  command line %s\n  environment  %s\n", strbuf_str(&syntax), option_environment(row).text);
	explain_default(out, row);
	return 0;
}
