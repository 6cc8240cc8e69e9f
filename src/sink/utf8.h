/* utf8: strings of targets hold any bytes; what we write is text. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"

/* Length of the well-formed sequence at the beginning of @s, which is not empty; 0: there is none (RFC 3629, section 4). */
size_t utf8_length(struct slice s);
/* A byte that is no text is written as the code point of the same number, as JSON has it. */
void utf8_add(struct strbuf *out, struct slice s);
