/* text_value: values as people read them. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"

/*
 * A name, or text of a decoder, as it is: but the traced program, or a recording, chose it, so that what a terminal would
 * obey is written in octal ("\\033").
 */
void text_plain(struct strbuf *out, struct slice s);
void text_value(struct strbuf *out, const struct value *v);
void text_arguments(struct strbuf *out, const struct value *v); /* a=1, b="x" */
/* The same of a call. Nothing is known of registers without a type: the first three, and see text_register(). */
void text_call_arguments(struct strbuf *out, const struct value *v);
/* A register of which nothing is known: a small number, also a negative int or long, in decimal, anything else in hex. */
void text_register(struct strbuf *out, uint64_t u);

void text_bytes(struct strbuf *out, uint64_t bytes); /* "412B" "8.1kB" "3.2MB": by 1000, three digits */
