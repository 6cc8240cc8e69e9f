/* json: one object a line, by the table of event types; no event type is known here by name. */
#include <math.h>

#include "base/strbuf.h"
#include "sink/sink.h"
#include "sink/time_text.h"

struct json_state {
	FILE *out;
	struct strbuf line;
	struct rfc3339 clock;
};

/* Length of the well-formed UTF-8 sequence at @s, 0 when there is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Bytes at the beginning that are written as they are. */
static size_t plain_length(struct slice s)
{
	size_t i = 0;
	while (i < s.len && s.data[i] >= 0x20 && s.data[i] < 0x7f && s.data[i] != '"' && s.data[i] != '\\')
		i++;
	return i;
}

/* A string of JSON is text; a byte that is no text is written as the code point of the same number. */
static void add_string(struct strbuf *b, struct slice s)
{
	strbuf_addc(b, '"');
	for (size_t i = 0; i < s.len;) {
		size_t plain = plain_length((struct slice){ s.data + i, s.len - i });
		strbuf_add(b, s.data + i, plain);
		i += plain;
		if (i == s.len)
			break;
		unsigned char c = (unsigned char)s.data[i];
		size_t n = utf8_length((const unsigned char *)s.data + i, s.len - i);
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

static void add_value(struct strbuf *b, const struct value *v);

static void add_arguments(struct strbuf *b, const struct value *v)
{
	strbuf_addc(b, '[');
	for (size_t i = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		strbuf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		add_string(b, item->name);
		if (item->type.len) {
			strbuf_adds(b, ",\"type\":");
			add_string(b, item->type);
		}
		strbuf_adds(b, ",\"value\":");
		add_value(b, &item->value);
		if (item->value.text.len) {
			strbuf_adds(b, ",\"text\":");
			add_string(b, item->value.text);
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
			add_string(b, v->list.items[i].name);
			strbuf_addc(b, ':');
		}
		add_value(b, &v->list.items[i].value);
	}
	strbuf_addc(b, named ? '}' : ']');
}

static void add_value(struct strbuf *b, const struct value *v)
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
		add_string(b, v->s);
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

static void add_name(struct strbuf *b, const char *name)
{
	strbuf_adds(b, ",\"");
	strbuf_adds(b, name);
	strbuf_adds(b, "\":");
}

static void add_number(struct strbuf *b, const char *name, uint64_t n)
{
	add_name(b, name);
	strbuf_add_uint(b, n);
}

static void add_member(struct strbuf *b, const char *name, const struct value *v)
{
	add_name(b, name);
	add_value(b, v);
}

static void add_task(struct strbuf *b, const struct event *e)
{
	if (!e->type->of_task)
		return;
	if (e->runtime) {
		add_name(b, "runtime");
		add_string(b, slice_of(e->runtime));
	}
	if (!e->pid)
		return;
	add_number(b, "process_id", e->pid);
	add_number(b, "thread_id", e->tid);
	if (e->process_name.len) {
		add_name(b, "process_name");
		add_string(b, e->process_name);
	}
	if (e->strand_id)
		add_number(b, "strand_id", e->strand_id);
}

/* {"type": ..., "value": ...}, as function results are written. */
static void add_typed(struct strbuf *b, const char *name, const struct value *v)
{
	add_name(b, name);
	strbuf_addc(b, '{');
	if (v->type.len) {
		strbuf_adds(b, "\"type\":");
		add_string(b, v->type);
		strbuf_addc(b, ',');
	}
	strbuf_adds(b, "\"value\":");
	add_value(b, v);
	if (v->text.len) {
		strbuf_adds(b, ",\"text\":");
		add_string(b, v->text);
	}
	strbuf_addc(b, '}');
}

static int json_open(void *state, const struct sink_settings *settings, struct reason *why)
{
	((struct json_state *)state)->out = settings->out;
	return 0;
}

static void json_write(void *state, const struct event *e)
{
	struct json_state *s = state;
	struct strbuf *b = &s->line;
	strbuf_clear(b);
	strbuf_adds(b, "{\"timestamp\":\"");
	time_rfc3339(b, &s->clock, e->time_ns + (uint64_t)e->realtime_offset_ns);
	strbuf_adds(b, "\",\"event_type\":\"");
	strbuf_adds(b, e->type->name);
	strbuf_addc(b, '"');
	add_task(b, e);
	for (uint32_t i = 0; i < e->type->n_fields; i++) {
		const struct value *v = &e->field[i];
		if (e->type->fields[i].kind[0] == 'v' && (v->kind != VALUE_NONE || v->type.len))
			add_typed(b, e->type->fields[i].name, v);
		else if (v->kind != VALUE_NONE)
			add_member(b, e->type->fields[i].name, v);
	}
	strbuf_adds(b, "}\n");
	fwrite(b->data, 1, b->len, s->out);
}

static void json_close(void *state)
{
	strbuf_done(&((struct json_state *)state)->line);
}

const struct sink_ops json_sink = {
	.name = "json",
	.state_size = sizeof(struct json_state),
	.open = json_open,
	.write = json_write,
	.close = json_close,
};
