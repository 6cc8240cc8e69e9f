/* text_value: values as people read them. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"

void text_value(struct strbuf *out, const struct value *v);
void text_arguments(struct strbuf *out, const struct value *v); /* a=1, b="x" */
