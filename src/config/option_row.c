/* Finding a row, and writing what it governs. */
#include "config/option_row.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "config/typo.h"

static void *field_of(const struct option_row *row, struct options *o)
{
	return (char *)o + row->offset;
}

bool option_is_switch(const struct option_row *row)
{
	return row->kind == OPTION_ASK || option_can_be_negated(row);
}

bool option_can_be_negated(const struct option_row *row)
{
	return row->kind == OPTION_FLAG || row->kind == OPTION_NEGATED;
}

bool option_on_by_default(const struct option_row *row)
{
	return option_can_be_negated(row) && row->fallback && streq(row->fallback, "true");
}

bool option_in_environment(const struct option_row *row)
{
	return row->kind != OPTION_ASK && !(row->traits & OPTION_ONLY_COMMAND_LINE);
}

bool option_in_file(const struct option_row *row)
{
	return option_in_environment(row) && !(row->traits & OPTION_NOT_IN_FILE);
}

bool option_taken(const struct option_row *row, unsigned groups)
{
	return row->kind == OPTION_ASK || (row->groups & groups);
}

bool option_under(const struct option_row *row, const struct option_heading *heading, unsigned groups)
{
	unsigned shown = row->kind == OPTION_ASK ? OPTIONS_GENERAL : row->groups & groups;
	for (const struct option_heading *h = option_headings; h->title; h++)
		if (shown & h->groups)
			return h == heading;
	return false;
}

static struct option_name spelled(const char *prefix, const char *name, int (*change)(int))
{
	struct option_name spelling = {};
	size_t n = strlen(prefix);
	memcpy(spelling.text, prefix, n);
	for (; *name && n + 1 < sizeof(spelling.text); name++)
		spelling.text[n++] = *name == '-' ? '_' : (char)change((unsigned char)*name);
	return spelling;
}

struct option_name option_key(const struct option_row *row)
{
	return spelled("", row->name, tolower);
}

struct option_name option_environment(const struct option_row *row)
{
	return spelled("UTRACE_", row->name, toupper);
}

const struct option_row *option_by_name(const char *name, size_t len)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
			return row;
	return NULL;
}

const struct option_row *option_by_letter(char letter)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (row->letter && row->letter == letter)
			return row;
	return NULL;
}

const struct option_row *option_by_key(const char *key)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_in_file(row) && streq(option_key(row).text, key))
			return row;
	return NULL;
}

int option_unknown_key(const char *key, const char *origin, struct reason *why)
{
	struct option_name dashed = {};
	for (size_t i = 0; key[i] && i + 1 < sizeof(dashed.text); i++)
		dashed.text[i] = key[i] == '_' ? '-' : key[i];
	struct typo typo = { .want = dashed.text };
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_in_file(row))
			typo_offer(&typo, row->name);
	if (!typo.best)
		return reason_set(why, -ENOENT, "%sno setting is called '%.80s' (list them: utrace config explain)", origin, key);
	struct option_name nearest = option_key(option_by_name(typo.best, strlen(typo.best)));
	return reason_set(why, -ENOENT, "%sno setting is called '%.80s'; nearest: %s", origin, key, nearest.text);
}

void option_switch(const struct option_row *row, struct options *o, bool on)
{
	*(bool *)field_of(row, o) = row->kind == OPTION_NEGATED ? !on : on;
}

/* How many bytes of struct options a value that owns nothing takes: so that a reset leaves its neighbours alone. */
static size_t plain_size(enum option_kind kind)
{
	return kind == OPTION_SHARE ? sizeof(double) : kind == OPTION_WORD ? sizeof(int) : sizeof(uint64_t);
}

void option_reset(const struct option_row *row, struct options *o)
{
	const struct option_kind_ops *kind = &option_kinds[row->kind];
	if (row->kind == OPTION_ASK)
		return;
	if (option_is_switch(row)) {
		option_switch(row, o, option_on_by_default(row));
		return;
	}
	if (kind->clear)
		kind->clear(field_of(row, o));
	else
		memset(field_of(row, o), 0, plain_size(row->kind));
	if (row->fallback)
		kind->read(row, field_of(row, o), row->fallback);
}

static void add_words(struct strbuf *out, const struct option_row *row)
{
	for (size_t i = 0; row->words[i]; i++)
		strbuf_addf(out, "%s%s", i == 0 ? "" : row->words[i + 1] ? ", " : " or ", row->words[i]);
}

static void add_limit(struct strbuf *out, const struct option_row *row, uint64_t limit)
{
	static const char units[] = { 0, 'k', 'M', 'G', 'T' };
	size_t u = 0;
	if (row->kind == OPTION_BYTES)
		for (; limit && limit % 1024 == 0 && u + 1 < sizeof(units); u++)
			limit /= 1024;
	strbuf_addf(out, "%llu", (unsigned long long)limit);
	if (units[u])
		strbuf_addc(out, units[u]);
}

static int refuse(const struct option_row *row, int r, const char *text, const char *origin, struct reason *why)
{
	_cleanup_(strbuf_done) struct strbuf wanted = {};
	if (!*text)
		return reason_set(why, -EINVAL, "%s: empty; it takes %s", origin, row->metavar ? row->metavar : "1 or 0");
	if (row->kind == OPTION_WORD) {
		add_words(&wanted, row);
	} else if (r == -ERANGE) {
		strbuf_adds(&wanted, row->traits & OPTION_POWER_OF_TWO ? "a power of two from " : "in its range, from ");
		add_limit(&wanted, row, row->min);
		strbuf_adds(&wanted, row->max ? " to " : " up");
		if (row->max)
			add_limit(&wanted, row, row->max);
	} else {
		strbuf_adds(&wanted, option_kinds[row->kind].accepts);
	}
	return reason_set(why, -EINVAL, "%s: '%.80s' is not %s", origin, text, strbuf_str(&wanted));
}

int option_read(const struct option_row *row, struct options *o, const char *text, const char *origin, struct reason *why)
{
	int r = option_kinds[row->kind].read(row, field_of(row, o), text);
	return r < 0 ? refuse(row, r, text, origin, why) : 0;
}

static int read_switch(const char *text)
{
	static const char *const words[][2] = { { "0", "1" }, { "false", "true" }, { "no", "yes" }, { "off", "on" } };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int on = 0; on <= 1; on++)
			if (streq(words[i][on], text))
				return on;
	return -EINVAL;
}

int option_read_environment(const struct option_row *row, struct options *o, const char *text, struct reason *why)
{
	struct option_name origin = option_environment(row);
	if (option_is_switch(row)) {
		int on = read_switch(text);
		if (on < 0)
			return refuse(row, on, text, origin.text, why);
		option_switch(row, o, on);
		return 0;
	}
	option_reset(row, o);
	if (row->kind != OPTION_TEXTS)
		return option_read(row, o, text, origin.text, why);
	_cleanup_(free) char *copy = xstrdup(text);
	char *rest = copy, *item;
	while ((item = strsep(&rest, ","))) {
		int r = option_read(row, o, item, origin.text, why);
		if (r < 0)
			return r;
	}
	return 0;
}
