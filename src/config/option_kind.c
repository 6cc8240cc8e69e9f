/* The kinds of values: how each is read, freed and described. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "config/option_row.h"

static int in_bounds(const struct option_row *row, uint64_t value)
{
	if (value < row->min || (row->max && value > row->max))
		return -ERANGE;
	if ((row->traits & OPTION_POWER_OF_TWO) && (value & (value - 1)))
		return -ERANGE;
	return 0;
}

static int read_bounded(const struct option_row *row, void *field, const char *text, int (*parse)(const char *, uint64_t *))
{
	uint64_t value;
	int r = parse(text, &value);
	if (r == 0)
		r = in_bounds(row, value);
	if (r == 0)
		*(uint64_t *)field = value;
	return r;
}

static int read_number(const struct option_row *row, void *field, const char *text)
{
	return read_bounded(row, field, text, parse_number);
}

static int read_time(const struct option_row *row, void *field, const char *text)
{
	return read_bounded(row, field, text, parse_time_ns);
}

static int read_bytes(const struct option_row *row, void *field, const char *text)
{
	return read_bounded(row, field, text, parse_bytes);
}

static int read_ratio(const struct option_row *row, void *field, const char *text)
{
	uint64_t value;
	if (strncmp(text, "1/", 2) != 0 || parse_number(text + 2, &value) < 0 || value == 0)
		return -EINVAL;
	*(uint64_t *)field = value;
	return 0;
}

/* Not strtod() alone: it takes blanks, signs, hexadecimal, "inf" and "nan" as well. */
static int read_share(const struct option_row *row, void *field, const char *text)
{
	double *share = field;
	if (streq(text, "auto") || streq(text, "none")) {
		*share = text[0] == 'a' ? OVERHEAD_DEFAULT : OVERHEAD_NONE;
		return 0;
	}
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 15)
		return -EINVAL;
	if (text[n] == '.')
		n += 1 + strspn(text + n + 1, "0123456789");
	if (!streq(text + n, "%") || text[n - 1] == '.')
		return -EINVAL;
	double percent = strtod(text, NULL);
	if (!(percent > 0 && percent <= 100))
		return -EINVAL;
	*share = percent / 100;
	return 0;
}

static int read_word(const struct option_row *row, void *field, const char *text)
{
	for (int i = 0; row->words[i]; i++)
		if (streq(row->words[i], text)) {
			*(int *)field = i; /* the enums of struct options are ints: they begin at 0 and are small */
			return 0;
		}
	return -EINVAL;
}

static int read_text(const struct option_row *row, void *field, const char *text)
{
	char **at = field;
	if (!*text)
		return -EINVAL;
	free(*at);
	*at = xstrdup(text);
	return 0;
}

static void clear_text(void *field)
{
	char **at = field;
	free(*at);
	*at = NULL;
}

static int read_texts(const struct option_row *row, void *field, const char *text)
{
	if (!*text)
		return -EINVAL;
	text_list_add(field, text);
	return 0;
}

void text_list_done(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){};
}

static void clear_texts(void *field)
{
	text_list_done(field);
}

static int read_numbers(const struct option_row *row, void *field, const char *text)
{
	_cleanup_(free) char *copy = xstrdup(text);
	char *rest = copy, *item;
	while ((item = strsep(&rest, ","))) {
		uint64_t value = 0;
		int r = read_bounded(row, &value, item, parse_number);
		if (r < 0)
			return r;
		number_list_add(field, value);
	}
	return 0;
}

static void clear_numbers(void *field)
{
	struct number_list *list = field;
	free(list->items);
	*list = (struct number_list){};
}

void text_list_add(struct text_list *list, const char *text)
{
	list->items = xrealloc(list->items, (list->n + 2) * sizeof(*list->items));
	list->items[list->n++] = xstrdup(text);
	list->items[list->n] = NULL;
}

void number_list_add(struct number_list *list, uint64_t number)
{
	list->items = xrealloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n++] = number;
}

static void write_number(const struct option_row *row, const void *field, struct strbuf *out)
{
	strbuf_add_uint(out, *(const uint64_t *)field);
}

static void write_time(const struct option_row *row, const void *field, struct strbuf *out)
{
	write_number(row, field, out);
	strbuf_adds(out, "ns");
}

static void write_ratio(const struct option_row *row, const void *field, struct strbuf *out)
{
	strbuf_adds(out, "1/");
	write_number(row, field, out);
}

static void write_share(const struct option_row *row, const void *field, struct strbuf *out)
{
	double share = *(const double *)field;
	if (share < 0)
		strbuf_adds(out, share == OVERHEAD_NONE ? "none" : "auto");
	else
		strbuf_addf(out, "%.9f%%", share * 100);
}

static void write_word(const struct option_row *row, const void *field, struct strbuf *out)
{
	strbuf_adds(out, row->words[*(const int *)field]);
}

static void write_text(const struct option_row *row, const void *field, struct strbuf *out)
{
	const char *text = *(char *const *)field;
	strbuf_adds(out, text ? text : "");
}

#define UNITS_TIME "(\\.[0-9]+)?(ns|us|ms|s|m|h)?$"
#define UNITS_BYTES "(\\.[0-9]+)?[kKmMgGT]?$"

const struct option_kind_ops option_kinds[OPTION_KINDS] = {
	[OPTION_FLAG] = { .accepts = "1 or 0, true or false, yes or no, on or off", .forms = FORM_BOOLEAN },
	[OPTION_NEGATED] = { .accepts = "1 or 0, true or false, yes or no, on or off", .forms = FORM_BOOLEAN },
	[OPTION_TEXT] = { read_text, clear_text, "a text that is not empty", FORM_TEXT, ".", write_text },
	[OPTION_TEXTS] = { read_texts, clear_texts, "a text that is not empty", FORM_TEXTS, "." },
	[OPTION_NUMBER] = { read_number, NULL, "a number (42 or 0x2a)", FORM_INTEGER, .write = write_number },
	[OPTION_NUMBERS] = { read_numbers, clear_numbers, "a number (42 or 0x2a) or several (12,13)", FORM_INTEGERS },
	[OPTION_TIME] = { read_time, NULL, "a time (100ns, 10us, 5ms, 1.5s, 2m, 1h; a bare number is seconds)",
	                  FORM_TEXT | FORM_INTEGER | FORM_REAL, "^[0-9]+" UNITS_TIME, write_time },
	[OPTION_BYTES] = { read_bytes, NULL, "a size (512, 64k, 16M or 1G)", FORM_TEXT | FORM_INTEGER, "^[0-9]+" UNITS_BYTES, write_number },
	[OPTION_RATIO] = { read_ratio, NULL, "a ratio (1/100: one of a hundred)", FORM_TEXT, "^1/0*[1-9][0-9]*$", write_ratio },
	[OPTION_SHARE] = { read_share, NULL, "a share (50%: above 0% and at most 100%), auto or none", FORM_TEXT,
	                   "^([0-9]+(\\.[0-9]+)?%|auto|none)$", write_share },
	[OPTION_WORD] = { .read = read_word, .accepts = "one of its words", .forms = FORM_TEXT, .write = write_word },
	[OPTION_ASK] = { .accepts = "nothing" },
};
