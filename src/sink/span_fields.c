#include "sink/span_fields.h"

#include "base/macro.h"
#include "sink/json_value.h"

/* Fields without a place in a span, by the names that they have as attributes: ours, as no convention has them. */
static const struct {
	enum request_field field;
	const char *name;
} others[] = {
	{ REQUEST_ASKING, "utrace.asking_ns" },
	{ REQUEST_PROCESSING, "utrace.processing_ns" },
	{ REQUEST_ANSWERING, "utrace.answering_ns" },
	{ REQUEST_SENT, "utrace.request_bytes" },
	{ REQUEST_RECEIVED, "utrace.response_bytes" },
	{ REQUEST_INCOMPLETE, "utrace.incomplete" },
};

#define ATTRIBUTES_MAX (SPAN_FIELDS_MAX - 1 - ARRAY_SIZE(others))

static size_t attributes_of(const struct event *e, const struct named_value **ret)
{
	const struct value *all = &e->field[REQUEST_ATTRIBUTES];
	*ret = all->list.items;
	return all->kind == VALUE_STRUCT ? all->list.n : 0;
}

struct value span_attribute(const struct event *e, const char *name)
{
	const struct named_value *items;
	size_t n = attributes_of(e, &items);
	for (size_t i = 0; i < n; i++)
		if (slice_eq_str(items[i].name, name))
			return items[i].value;
	return (struct value){};
}

size_t span_fields(const struct event *e, struct named_value ret[SPAN_FIELDS_MAX])
{
	const struct named_value *items;
	size_t given = attributes_of(e, &items), n = 0;
	while (n < MIN(given, ATTRIBUTES_MAX)) {
		ret[n] = items[n];
		n++;
	}
	if (e->tid)
		ret[n++] = (struct named_value){ .name = SLICE("thread.id"), .value = UINT_VALUE(e->tid) };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (e->field[others[i].field].kind != VALUE_NONE)
			ret[n++] = (struct named_value){ .name = slice_of(others[i].name), .value = e->field[others[i].field] };
	return n;
}

void span_add_string(struct strbuf *out, const struct value *v)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	json_value_add(&text, v);
	if (v->kind == VALUE_STRING || v->kind == VALUE_ADDRESS || v->kind == VALUE_UNREADABLE)
		strbuf_add_slice(out, strbuf_slice(&text)); /* a string already */
	else
		json_string_add(out, strbuf_slice(&text));
}
