/* span_fields: what the formats of spans say of a request. Values are borrowed from the event. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"

#define SPAN_FIELDS_MAX 48 /* 16 attributes, the thread, what else a request has, and room for attributes of other protocols */

/* An attribute by its name; an absent one has no kind. */
struct value span_attribute(const struct event *e, const char *name);

/*
 * All that a span has no place of its own for: the attributes, thread.id, and the request's other fields as utrace.NAME. Returns how
 * many; beyond SPAN_FIELDS_MAX they are left out.
 */
size_t span_fields(const struct event *e, struct named_value ret[SPAN_FIELDS_MAX]);

/* As a string of JSON, whatever its kind; lists and objects as the JSON that they are. */
void span_add_string(struct strbuf *out, const struct value *v);
