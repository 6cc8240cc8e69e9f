#include "sink/text_value.h"

#include <ctype.h>

#include "base/macro.h"

#define REGISTERS_SHOWN 3    /* most functions have no more parameters; JSON has all six */
#define SMALL_POSITIVE 65535 /* no address of a program lies below (vm.mmap_min_addr) */
#define SMALL_NEGATIVE 4095  /* the largest error number of the kernel (MAX_ERRNO) */

/* As C writes it; bytes that are no text in octal, as strace does. */
static void add_quoted(struct strbuf *b, struct slice s, bool truncated)
{
	static const char letters[] = "abtnvfr"; /* \a .. \r are 7..13 */
	strbuf_addc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		bool digit_next = i + 1 < s.len && isdigit((unsigned char)s.data[i + 1]);
		if (c == '"' || c == '\\')
			strbuf_addf(b, "\\%c", c);
		else if (c >= 7 && c <= 13)
			strbuf_addf(b, "\\%c", letters[c - 7]);
		else if (isprint(c))
			strbuf_addc(b, (char)c);
		else
			strbuf_addf(b, digit_next ? "\\%03o" : "\\%o", c);
	}
	strbuf_adds(b, truncated ? "\"..." : "\"");
}

/* What a terminal may obey: C0 with DEL, and C1 as UTF-8 writes it (c2 80..9f; ECMA-48). */
static bool is_control(const char *at, size_t left)
{
	unsigned char c = (unsigned char)at[0];
	return c < ' ' || c == 0x7f || (c == 0xc2 && left > 1 && ((unsigned char)at[1] & 0xe0) == 0x80);
}

void text_plain(struct strbuf *b, struct slice s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_control(s.data + i, s.len - i))
			continue;
		strbuf_add(b, s.data + from, i - from);
		strbuf_addf(b, "\\%03o", (unsigned char)s.data[i]);
		from = i + 1;
	}
	if (s.len > from)
		strbuf_add(b, s.data + from, s.len - from);
}

static void add_list(struct strbuf *b, const struct value *v, char open, char close)
{
	strbuf_addc(b, open);
	text_arguments(b, v);
	strbuf_adds(b, v->truncated ? ", ..." : "");
	strbuf_addc(b, close);
}

void text_value(struct strbuf *b, const struct value *v)
{
	if (v->text.len) {
		text_plain(b, v->text);
		return;
	}
	switch (v->kind) {
	case VALUE_NONE:
		break;
	case VALUE_BOOL:
		strbuf_adds(b, v->boolean ? "true" : "false");
		break;
	case VALUE_UINT:
		strbuf_add_uint(b, v->u);
		break;
	case VALUE_INT:
		strbuf_add_int(b, v->i);
		break;
	case VALUE_DOUBLE:
		strbuf_addf(b, "%.9g", v->d);
		break;
	case VALUE_STRING:
		add_quoted(b, v->s, v->truncated);
		break;
	case VALUE_ADDRESS:
		strbuf_add_hex(b, v->u);
		break;
	case VALUE_UNREADABLE:
		strbuf_addc(b, '?');
		break;
	case VALUE_LIST:
		add_list(b, v, '[', ']');
		break;
	case VALUE_STRUCT:
		add_list(b, v, '{', '}');
		break;
	case VALUE_ARGUMENTS:
		text_arguments(b, v);
		break;
	}
}

static void add_name(struct strbuf *b, const struct value *list, size_t i)
{
	if (i)
		strbuf_adds(b, ", ");
	if (list->list.items[i].name.len) {
		text_plain(b, list->list.items[i].name);
		strbuf_addc(b, '=');
	}
}

void text_arguments(struct strbuf *b, const struct value *v)
{
	for (size_t i = 0; i < v->list.n; i++) {
		add_name(b, v, i);
		text_value(b, &v->list.items[i].value);
	}
}

void text_register(struct strbuf *b, uint64_t u)
{
	int64_t number = u > UINT32_MAX || u < UINT32_MAX - SMALL_NEGATIVE ? (int64_t)u : (int32_t)(uint32_t)u;
	if (number >= -SMALL_NEGATIVE && number <= SMALL_POSITIVE)
		strbuf_addf(b, "%lld", (long long)number);
	else
		strbuf_addf(b, "0x%llx", (unsigned long long)u);
}

void text_call_arguments(struct strbuf *b, const struct value *v)
{
	for (size_t i = 0, registers = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		bool known = item->type.len || item->value.kind != VALUE_ADDRESS;
		if (!known && ++registers > REGISTERS_SHOWN)
			return;
		add_name(b, v, i);
		if (known)
			text_value(b, &item->value);
		else
			text_register(b, item->value.u);
	}
}

void text_bytes(struct strbuf *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double n = (double)bytes;
	size_t u = 0;
	for (; n >= 999.5 && u + 1 < ARRAY_SIZE(units); u++)
		n /= 1000;
	strbuf_addf(out, "%.*f%s", u && n < 9.95 ? 1 : 0, n, units[u]);
}
