/*
 * What a format file looks like (kernel: kernel/trace/trace_events.c, f_show):
 *
 *	name: sched_process_exec
 *	ID: 365
 *	format:
 *		field:int common_pid;	offset:4;	size:4;	signed:1;
 *
 *		field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
 *
 *	print fmt: ...
 *
 * The common fields end with the first empty line.
 */
#include "priv/tracefs.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

static void field_done(struct tracefs_field *f)
{
	free(f->name);
	free(f->type);
}

void tracefs_format_done(struct tracefs_format *f)
{
	for (size_t i = 0; i < f->n; i++)
		field_done(&f->fields[i]);
	free(f->fields);
	free(f->name);
	*f = (struct tracefs_format){};
}

/* Takes what lies before @end, or all, from @s; false when nothing is left. */
static bool take_until(struct slice *s, char end, struct slice *ret_part)
{
	if (s->len == 0)
		return false;
	const char *at = memchr(s->data, end, s->len);
	size_t len = at ? (size_t)(at - s->data) : s->len;
	*ret_part = (struct slice){ s->data, len };
	len += at ? 1 : 0;
	*s = (struct slice){ s->data + len, s->len - len };
	return true;
}

static struct slice trim(struct slice s)
{
	while (s.len && isspace((unsigned char)s.data[0]))
		s = (struct slice){ s.data + 1, s.len - 1 };
	while (s.len && isspace((unsigned char)s.data[s.len - 1]))
		s.len--;
	return s;
}

static bool take_prefix(struct slice *s, struct slice prefix)
{
	if (s->len < prefix.len || memcmp(s->data, prefix.data, prefix.len) != 0)
		return false;
	*s = trim((struct slice){ s->data + prefix.len, s->len - prefix.len });
	return true;
}

static int read_u32(struct slice s, uint32_t *ret)
{
	uint64_t v = 0;
	if (s.len == 0 || s.len > 10)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.data[i]))
			return -EINVAL;
		v = v * 10 + (uint64_t)(s.data[i] - '0');
	}
	if (v > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Takes a "[...]" off the end of @s. */
static bool take_brackets(struct slice *s)
{
	if (s->len == 0 || s->data[s->len - 1] != ']')
		return false;
	size_t len = s->len - 1;
	while (len > 0 && s->data[len] != '[')
		len--;
	*s = trim((struct slice){ s->data, len });
	return true;
}

/* "__data_loc char[] filename", "unsigned long args[6]", "const char *const * argv": the name is the last word. */
static int parse_declaration(struct slice d, struct tracefs_field *ret)
{
	if (take_prefix(&d, SLICE("__data_loc ")))
		ret->loc = TRACEFS_DATA_LOC;
	else if (take_prefix(&d, SLICE("__rel_loc ")))
		ret->loc = TRACEFS_REL_LOC;
	ret->is_array = take_brackets(&d);
	size_t at = d.len;
	while (at > 0 && is_word(d.data[at - 1]))
		at--;
	struct slice type = trim((struct slice){ d.data, at });
	ret->is_array |= take_brackets(&type);
	if (at == d.len || type.len == 0)
		return -EINVAL;
	ret->name = xstrndup(d.data + at, d.len - at);
	ret->type = xstrndup(type.data, type.len);
	return 0;
}

/* One "field:" line, without that word: parts that end with ';'. */
static int parse_field(struct slice line, struct tracefs_field *ret)
{
	struct slice declaration, part;
	uint32_t is_signed = 0;
	bool offset = false, size = false;
	if (!take_until(&line, ';', &declaration))
		return -EINVAL;
	while (take_until(&line, ';', &part)) {
		part = trim(part);
		int r = 0;
		if (take_prefix(&part, SLICE("offset:")))
			r = read_u32(part, &ret->offset), offset = true;
		else if (take_prefix(&part, SLICE("size:")))
			r = read_u32(part, &ret->size), size = true;
		else if (take_prefix(&part, SLICE("signed:")))
			r = read_u32(part, &is_signed);
		if (r < 0)
			return r;
	}
	if (!offset || !size || ret->offset > TRACEFS_RECORD_MAX_BYTES || ret->size > TRACEFS_RECORD_MAX_BYTES - ret->offset)
		return -EINVAL;
	ret->is_signed = is_signed;
	return parse_declaration(trim(declaration), ret);
}

static int add_field(struct tracefs_format *f, struct slice line, bool common)
{
	struct tracefs_field field = { .is_common = common };
	int r = parse_field(line, &field);
	if (r < 0)
		return r;
	GROW(f->fields, f->n, f->cap);
	f->fields[f->n++] = field;
	return 0;
}

int tracefs_format_parse(struct slice text, struct tracefs_format *ret)
{
	_cleanup_(tracefs_format_done) struct tracefs_format f = {};
	struct slice line;
	bool common = true, has_id = false;
	if (text.len && memchr(text.data, '\0', text.len))
		return -EINVAL;
	while (take_until(&text, '\n', &line)) {
		int r = 0;
		line = trim(line);
		if (take_prefix(&line, SLICE("print fmt:")))
			break;
		if (take_prefix(&line, SLICE("field:")))
			r = add_field(&f, line, common);
		else if (line.len == 0 && f.n > 0)
			common = false;
		else if (!has_id && take_prefix(&line, SLICE("ID:")))
			r = read_u32(line, &f.id), has_id = true;
		else if (!f.name && take_prefix(&line, SLICE("name:")))
			f.name = xstrndup(line.data, line.len);
		if (r < 0)
			return r;
	}
	if (!f.name || !f.name[0] || !has_id)
		return -EINVAL;
	*ret = f;
	f = (struct tracefs_format){};
	return 0;
}

const struct tracefs_field *tracefs_field_find(const struct tracefs_format *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (streq(f->fields[i].name, name))
			return &f->fields[i];
	return NULL;
}
