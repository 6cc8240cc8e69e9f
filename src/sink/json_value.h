/* json_value: values as JSON writes them. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"

/* With its quotes. A string of JSON is text; a byte that is no text is written as the code point of the same number. */
void json_string_add(struct strbuf *out, struct slice s);
void json_value_add(struct strbuf *out, const struct value *v);
