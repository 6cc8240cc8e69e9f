#include "sink/otlp_value.h"

#include "base/macro.h"
#include "base/protobuf.h"
#include "sink/json_value.h"
#include "sink/utf8.h"

enum { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2, ARRAY_VALUES = 1, RESOURCE_ATTRIBUTES = 1, SCOPE_NAME = 1, SCOPE_VERSION = 2 };
enum { ANY_STRING = 1, ANY_BOOL = 2, ANY_INT = 3, ANY_DOUBLE = 4, ANY_ARRAY = 5 };

void otlp_add_text(struct strbuf *b, uint32_t field, struct slice text)
{
	size_t begin = protobuf_begin(b, field);
	utf8_add(b, text);
	protobuf_end(b, begin);
}

static int nibble(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

void otlp_add_id(struct strbuf *b, uint32_t field, struct slice hex)
{
	char bytes[16];
	size_t n = MIN(hex.len / 2, sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(nibble(hex.data[2 * i]) << 4 | nibble(hex.data[2 * i + 1]));
	protobuf_add_bytes(b, field, (struct slice){ bytes, n });
}

static void add_any(struct strbuf *b, uint32_t field, const struct value *v);

static void add_array(struct strbuf *b, const struct value *v)
{
	size_t begin = protobuf_begin(b, ANY_ARRAY);
	for (size_t i = 0; i < v->list.n; i++)
		add_any(b, ARRAY_VALUES, &v->list.items[i].value);
	protobuf_end(b, begin);
}

/* Objects are the text of their JSON. */
static void add_as_text(struct strbuf *b, const struct value *v)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	if (v->kind == VALUE_ADDRESS)
		strbuf_add_hex(&text, v->u);
	else if (v->kind == VALUE_UNREADABLE)
		strbuf_addc(&text, '?');
	else
		json_value_add(&text, v);
	otlp_add_text(b, ANY_STRING, strbuf_slice(&text));
}

static void add_any(struct strbuf *b, uint32_t field, const struct value *v)
{
	size_t begin = protobuf_begin(b, field);
	if ((v->kind == VALUE_UINT && v->u <= INT64_MAX) || v->kind == VALUE_INT)
		protobuf_add_uint(b, ANY_INT, v->u);
	else if (v->kind == VALUE_BOOL)
		protobuf_add_uint(b, ANY_BOOL, v->boolean);
	else if (v->kind == VALUE_DOUBLE)
		protobuf_add_double(b, ANY_DOUBLE, v->d);
	else if (v->kind == VALUE_LIST)
		add_array(b, v);
	else if (v->kind == VALUE_STRING)
		otlp_add_text(b, ANY_STRING, v->s);
	else
		add_as_text(b, v);
	protobuf_end(b, begin);
}

void otlp_add_attribute(struct strbuf *b, uint32_t field, const struct named_value *item)
{
	size_t begin = protobuf_begin(b, field);
	otlp_add_text(b, KEY_VALUE_KEY, item->name);
	add_any(b, KEY_VALUE_VALUE, &item->value);
	protobuf_end(b, begin);
}

void otlp_add_resource(struct strbuf *b, uint32_t field, const struct named_value *attributes, size_t n)
{
	size_t begin = protobuf_begin(b, field);
	for (size_t i = 0; i < n; i++)
		otlp_add_attribute(b, RESOURCE_ATTRIBUTES, &attributes[i]);
	protobuf_end(b, begin);
}

void otlp_add_scope(struct strbuf *b, uint32_t field)
{
	size_t begin = protobuf_begin(b, field);
	otlp_add_text(b, SCOPE_NAME, SLICE("utrace"));
	otlp_add_text(b, SCOPE_VERSION, SLICE(UTRACE_VERSION));
	protobuf_end(b, begin);
}
