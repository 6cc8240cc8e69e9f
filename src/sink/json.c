/* json: one object a line, by the table of event types; no event type is known here by name. */
#include "base/strbuf.h"
#include "sink/json_value.h"
#include "sink/sink.h"
#include "sink/time_text.h"

struct json_state {
	FILE *out;
	struct strbuf line;
	struct rfc3339 clock;
};

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
	json_value_add(b, v);
}

static void add_task(struct strbuf *b, const struct event *e)
{
	if (!e->type->of_task)
		return;
	if (e->runtime) {
		add_name(b, "runtime");
		json_string_add(b, slice_of(e->runtime));
	}
	if (!e->pid)
		return;
	add_number(b, "process_id", e->pid);
	add_number(b, "thread_id", e->tid);
	if (e->process_name.len) {
		add_name(b, "process_name");
		json_string_add(b, e->process_name);
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
		json_string_add(b, v->type);
		strbuf_addc(b, ',');
	}
	strbuf_adds(b, "\"value\":");
	json_value_add(b, v);
	if (v->text.len) {
		strbuf_adds(b, ",\"text\":");
		json_string_add(b, v->text);
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
	.summary = "one object a line, all that is known (utrace explain tells the fields)",
	.suffixes = (const char *const[]){ ".json", ".jsonl", ".ndjson", NULL },
	.takes = ~0u,
	.state_size = sizeof(struct json_state),
	.open = json_open,
	.write = json_write,
	.close = json_close,
};
