/* strbuf: text that grows. Never fails: an allocation that cannot be had ends the program (the tracer, not the target). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/slice.h"

struct strbuf {
	char *data; /* NUL-terminated once anything was added; NULL before */
	size_t len, cap;
};

void strbuf_done(struct strbuf *b);
DEFINE_CLEANUP_IN_PLACE(struct strbuf, strbuf_done)

void strbuf_clear(struct strbuf *b); /* keeps the memory */
void strbuf_reserve(struct strbuf *b, size_t more); /* room for so many bytes, and a NUL */

/* These are here because streams of JSON are made of them: most add a literal, whose copy is then one or two instructions. */
static inline void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
	if (b->len + len >= b->cap)
		strbuf_reserve(b, len);
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

static inline void strbuf_adds(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_add_slice(struct strbuf *b, struct slice s);
void strbuf_add_uint(struct strbuf *b, uint64_t n); /* decimal */
void strbuf_add_int(struct strbuf *b, int64_t n);
void strbuf_add_hex(struct strbuf *b, uint64_t n);  /* with 0x before it */
void strbuf_pad(struct strbuf *b, char c, size_t n); /* n times c */
void strbuf_addf(struct strbuf *b, const char *fmt, ...) _printf_(2, 3);
void strbuf_addv(struct strbuf *b, const char *fmt, va_list ap);
const char *strbuf_str(const struct strbuf *b); /* "" when empty */
struct slice strbuf_slice(const struct strbuf *b);
