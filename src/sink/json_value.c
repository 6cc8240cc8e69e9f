#include "sink/json_value.h"

#include <math.h>

#include "sink/utf8.h"

/* Bytes at the beginning that are written as they are. */
static size_t plain_length(struct slice s)
{
	size_t i = 0;
	while (i < s.len && s.data[i] >= 0x20 && s.data[i] < 0x7f && s.data[i] != '"' && s.data[i] != '\\')
		i++;
	return i;
}

void json_string_add(struct strbuf *b, struct slice s)
{
	strbuf_addc(b, '"');
	for (size_t i = 0; i < s.len;) {
		size_t plain = plain_length((struct slice){ s.data + i, s.len - i });
		strbuf_add(b, s.data + i, plain);
		i += plain;
		if (i == s.len)
			break;
		unsigned char c = (unsigned char)s.data[i];
		size_t n = utf8_length((struct slice){ s.data + i, s.len - i });
		if (c == '"' || c == '\\')
			strbuf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || n == 0)
			strbuf_addf(b, "\\u%04x", c);
		else
			strbuf_add(b, s.data + i, n);
		i += n ? n : 1;
	}
	strbuf_addc(b, '"');
}

static void add_arguments(struct strbuf *b, const struct value *v)
{
	strbuf_addc(b, '[');
	for (size_t i = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		strbuf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		json_string_add(b, item->name);
		if (item->type.len) {
			strbuf_adds(b, ",\"type\":");
			json_string_add(b, item->type);
		}
		strbuf_adds(b, ",\"value\":");
		json_value_add(b, &item->value);
		if (item->value.text.len) {
			strbuf_adds(b, ",\"text\":");
			json_string_add(b, item->value.text);
		}
		strbuf_adds(b, item->value.truncated ? ",\"truncated\":true}" : "}");
	}
	strbuf_addc(b, ']');
}

static void add_list(struct strbuf *b, const struct value *v, bool named)
{
	strbuf_addc(b, named ? '{' : '[');
	for (size_t i = 0; i < v->list.n; i++) {
		if (i)
			strbuf_addc(b, ',');
		if (named) {
			json_string_add(b, v->list.items[i].name);
			strbuf_addc(b, ':');
		}
		json_value_add(b, &v->list.items[i].value);
	}
	strbuf_addc(b, named ? '}' : ']');
}

void json_value_add(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		strbuf_adds(b, "null");
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
		strbuf_addf(b, isfinite(v->d) ? "%.17g" : "null", v->d);
		break;
	case VALUE_STRING:
		json_string_add(b, v->s);
		break;
	case VALUE_ADDRESS:
		strbuf_addc(b, '"');
		strbuf_add_hex(b, v->u);
		strbuf_addc(b, '"');
		break;
	case VALUE_UNREADABLE:
		strbuf_adds(b, "\"?\"");
		break;
	case VALUE_ARGUMENTS:
		add_arguments(b, v);
		break;
	case VALUE_LIST:
	case VALUE_STRUCT:
		add_list(b, v, v->kind == VALUE_STRUCT);
		break;
	}
}
