/*
 * The configuration file: one JSON object, a key for each setting. Whatever is wrong in it is an error that names the
 * file, the line and the key: a setting that is ignored because of a typo is worse than none.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "config/option_row.h"

#define CONFIG_MAX_BYTES (1 << 20) /* a thousand times what a full configuration takes */

DEFINE_CLEANUP(json_t *, json_decref)

static const struct {
	unsigned form; /* enum json_form */
	const char *text;
} forms[] = {
	{ FORM_BOOLEAN, "true or false" },     { FORM_TEXT, "a string" },
	{ FORM_INTEGER, "an integer" },        { FORM_REAL, "a number" },
	{ FORM_TEXTS, "an array of strings" }, { FORM_INTEGERS, "an array of integers" },
};

static unsigned form_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_TRUE:
	case JSON_FALSE:
		return FORM_BOOLEAN;
	case JSON_INTEGER:
		return FORM_INTEGER;
	case JSON_REAL:
		return FORM_REAL;
	case JSON_STRING:
		return FORM_TEXT;
	default:
		return 0;
	}
}

static bool fits(const struct option_kind_ops *kind, const json_t *value)
{
	if (!json_is_array(value))
		return form_of(value) & kind->forms;
	unsigned wanted = kind->forms & FORM_TEXTS ? FORM_TEXT : kind->forms & FORM_INTEGERS ? FORM_INTEGER : 0;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!(form_of(json_array_get(value, i)) & wanted))
			return false;
	return wanted;
}

static int wrong_form(const struct option_row *row, const char *origin, struct reason *why)
{
	_cleanup_(strbuf_done) struct strbuf wanted = {};
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (option_kinds[row->kind].forms & forms[i].form)
			strbuf_addf(&wanted, "%s%s", wanted.len ? " or " : "", forms[i].text);
	return reason_set(why, -EINVAL, "%s must be %s", origin, strbuf_str(&wanted));
}

/* A JSON string or number as it would be typed, so that one reader serves both. */
static int read_item(const struct option_row *row, struct options *o, const json_t *value, const char *origin, struct reason *why)
{
	if (json_is_string(value))
		return option_read(row, o, json_string_value(value), origin, why);
	_cleanup_(free) char *text = json_is_real(value) ? xasprintf("%.9f", json_real_value(value))
	                                                 : xasprintf("%lld", (long long)json_integer_value(value));
	return option_read(row, o, text, origin, why);
}

/* null is the default. */
static int read_member(const struct option_row *row, struct options *o, const json_t *value, const char *origin,
                       struct reason *why)
{
	option_reset(row, o);
	if (json_is_null(value))
		return 0;
	if (!fits(&option_kinds[row->kind], value))
		return wrong_form(row, origin, why);
	if (json_is_boolean(value)) {
		option_switch(row, o, json_is_true(value));
		return 0;
	}
	if (!json_is_array(value))
		return read_item(row, o, value, origin, why);
	int r = 0;
	for (size_t i = 0; i < json_array_size(value) && r == 0; i++)
		r = read_item(row, o, json_array_get(value, i), origin, why);
	return r;
}

/*
 * The line of the @nth key of the outermost object. jansson keeps no positions, but it keeps the order, and has accepted
 * the text before: a string at depth 1 after { or a comma is a key.
 */
static int line_of_key(struct slice text, size_t nth)
{
	int line = 1, depth = 0;
	bool in_string = false, key_next = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		line += c == '\n';
		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
			if (depth == 1 && key_next && nth-- == 0)
				return line;
			key_next = false;
		} else if (strchr("{[", c) && c) {
			key_next = ++depth == 1;
		} else if (strchr("}]", c) && c) {
			depth--;
		} else if (c == ',') {
			key_next = true;
		}
	}
	return line;
}

int options_read_json(struct options *o, struct slice text, const char *name, struct reason *why)
{
	json_error_t error;
	_cleanup_(json_decref) json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return reason_set(why, -EINVAL, "%.200s:%d: %s", name, MAX(error.line, 1), error.text);
	if (!json_is_object(root))
		return reason_set(why, -EINVAL, "%.200s:1: a configuration is one JSON object: { \"max_threads\": 4096 }", name);
	const char *key;
	json_t *value;
	size_t nth = 0;
	json_object_foreach (root, key, value) {
		int line = line_of_key(text, nth++);
		const struct option_row *row = option_by_key(key);
		if (!row) {
			_cleanup_(free) char *origin = xasprintf("%.200s:%d: ", name, line);
			return option_unknown_key(key, origin, why);
		}
		_cleanup_(free) char *origin = xasprintf("%.200s:%d: %s", name, line, key);
		int r = read_member(row, o, value, origin, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_whole(FILE *f, struct strbuf *ret)
{
	char chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		strbuf_add(ret, chunk, n);
		if (ret->len > CONFIG_MAX_BYTES)
			return -EFBIG;
	}
	return ferror(f) ? -errno : 0;
}

int options_read_file(struct options *o, const char *path, struct reason *why)
{
	_cleanup_(fclose) FILE *f = fopen(path, "re");
	_cleanup_(strbuf_done) struct strbuf text = {};
	int r = f ? read_whole(f, &text) : -errno;
	if (r < 0)
		return reason_set(why, r, "cannot read the configuration '%.200s': %s", path, strerror(-r));
	return options_read_json(o, strbuf_slice(&text), path, why);
}
