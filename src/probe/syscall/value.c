/* value: building values, and writing them as strace does. */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

static bool is_octal_digit(int ch)
{
	return ch >= '0' && ch <= '7';
}

/* The shortest octal escape that the next byte does not lengthen. */
static void write_octal(struct strbuf *out, unsigned char ch, int next)
{
	bool all = is_octal_digit(next);
	strbuf_addc(out, '\\');
	if (all || ch >= 0100)
		strbuf_addc(out, (char)('0' + (ch >> 6)));
	if (all || ch >= 010)
		strbuf_addc(out, (char)('0' + (ch >> 3 & 7)));
	strbuf_addc(out, (char)('0' + (ch & 7)));
}

static void write_char(struct strbuf *out, unsigned char ch, int next)
{
	static const char escaped[] = "\"\"\\\\\tt\nn\vv\ff\rr"; /* pairs: byte, letter behind the backslash */
	for (size_t i = 0; i + 1 < sizeof(escaped); i += 2)
		if (escaped[i] == (char)ch)
			return strbuf_add(out, (char[]){ '\\', escaped[i + 1] }, 2);
	if (ch >= ' ' && ch < 0x7f)
		strbuf_addc(out, (char)ch);
	else
		write_octal(out, ch, next);
}

static bool is_plain(unsigned char ch)
{
	return ch >= ' ' && ch < 0x7f && ch != '"' && ch != '\\';
}

static void write_string(struct strbuf *out, struct slice s, bool truncated)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < s.len;) {
		size_t plain = 0;
		while (i + plain < s.len && is_plain((unsigned char)s.data[i + plain]))
			plain++;
		strbuf_add(out, s.data + i, plain);
		i += plain;
		if (i == s.len)
			break;
		write_char(out, (unsigned char)s.data[i], i + 1 < s.len ? (unsigned char)s.data[i + 1] : -1);
		i++;
	}
	strbuf_adds(out, truncated ? "\"..." : "\"");
}

static void write_items(struct strbuf *out, const struct value *v, char open, char close)
{
	strbuf_addc(out, open);
	for (size_t i = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		strbuf_adds(out, i ? ", " : "");
		if (v->kind == VALUE_STRUCT && item->name.len) {
			strbuf_add_slice(out, item->name);
			strbuf_addc(out, '=');
		}
		value_write(out, &item->value);
	}
	if (v->truncated)
		strbuf_adds(out, v->list.n ? ", ..." : "...");
	strbuf_addc(out, close);
}

static void write_kind(struct strbuf *out, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		return;
	case VALUE_BOOL:
		return strbuf_adds(out, v->boolean ? "true" : "false");
	case VALUE_UINT:
		return strbuf_add_uint(out, v->u);
	case VALUE_INT:
		return strbuf_add_int(out, v->i);
	case VALUE_DOUBLE:
		return strbuf_addf(out, "%g", v->d);
	case VALUE_STRING:
		return write_string(out, v->s, v->truncated);
	case VALUE_ADDRESS:
		return v->u ? strbuf_add_hex(out, v->u) : strbuf_adds(out, "NULL");
	case VALUE_UNREADABLE:
		return strbuf_addc(out, '?');
	case VALUE_STRUCT:
		return write_items(out, v, '{', '}');
	case VALUE_LIST:
	case VALUE_ARGUMENTS:
		return write_items(out, v, '[', ']');
	}
}

void value_write(struct strbuf *out, const struct value *v)
{
	if (v->text.data)
		strbuf_add_slice(out, v->text);
	else
		write_kind(out, v);
}

struct value value_text(struct call *c, struct value v, const char *fmt, ...)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&b, fmt, ap);
	va_end(ap);
	return value_taken(c, v, &b);
}

struct value value_named(struct value v, const char *text)
{
	v.text = slice_of(text);
	return v;
}

struct value value_taken(struct call *c, struct value v, const struct strbuf *text)
{
	v.text = arena_dup(c->arena, strbuf_slice(text));
	return v;
}

struct value value_address(struct call *c, uint64_t addr)
{
	return addr ? ADDRESS_VALUE(addr) : value_named(ADDRESS_VALUE(0), "NULL");
}

struct value value_hex(struct call *c, uint64_t x)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	if (!x)
		return UINT_VALUE(x);
	strbuf_add_hex(&b, x);
	return value_taken(c, UINT_VALUE(x), &b);
}

/* As %#03o: 0644, 000. */
void add_octal(struct strbuf *out, uint64_t x)
{
	char digits[24];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + (x & 7));
		x >>= 3;
	} while (x);
	if (digits[at] != '0')
		digits[--at] = '0';
	while (sizeof(digits) - at < 3)
		digits[--at] = '0';
	strbuf_add(out, digits + at, sizeof(digits) - at);
}

struct value value_octal(struct call *c, uint64_t x)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	add_octal(&b, x);
	return value_taken(c, UINT_VALUE(x), &b);
}

struct value value_string(struct call *c, struct slice s, bool truncated)
{
	struct value v = STRING_VALUE(arena_dup(c->arena, s));
	v.truncated = truncated;
	_cleanup_(strbuf_done) struct strbuf b = {};
	write_string(&b, s, truncated);
	return value_taken(c, v, &b);
}

struct value value_hex_string(struct call *c, struct slice s, bool truncated)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	struct value v = value_string(c, s, truncated);
	strbuf_addc(&b, '"');
	for (size_t i = 0; i < s.len; i++)
		strbuf_addf(&b, "\\x%02x", (unsigned char)s.data[i]);
	strbuf_adds(&b, truncated ? "\"..." : "\"");
	return value_taken(c, v, &b);
}

struct value value_bytes(struct call *c, enum arg_when when, uint64_t addr, uint64_t len)
{
	struct slice s = {};
	if (addr == 0 || !memory_some(c, when, addr, len, &s))
		return value_address(c, addr);
	return value_string(c, s, s.len < len);
}

void fields_add(struct fields *f, const char *name, struct value v)
{
	if (f->n < FIELDS_MAX)
		f->item[f->n++] = (struct named_value){ .name = slice_of(name), .value = v };
}

static struct value fields_value(struct call *c, enum value_kind kind, const struct fields *f, bool more)
{
	struct named_value *items = arena_new(c->arena, struct named_value, f->n + 1);
	memcpy(items, f->item, f->n * sizeof(*items));
	struct value v = { .kind = kind, .truncated = more, .list = { items, f->n } };
	_cleanup_(strbuf_done) struct strbuf b = {};
	write_items(&b, &v, kind == VALUE_STRUCT ? '{' : '[', kind == VALUE_STRUCT ? '}' : ']');
	return value_taken(c, v, &b);
}

struct value fields_struct(struct call *c, const struct fields *f, bool more)
{
	return fields_value(c, VALUE_STRUCT, f, more);
}

struct value fields_list(struct call *c, const struct fields *f, bool more)
{
	return fields_value(c, VALUE_LIST, f, more);
}

struct value value_bracketed(struct call *c, struct value v)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	value_write(&b, &v);
	return value_text(c, v, "[%s]", strbuf_str(&b));
}
