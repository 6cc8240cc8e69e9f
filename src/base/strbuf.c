#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void strbuf_done(struct strbuf *b)
{
	free(b->data);
	*b = (struct strbuf){};
}

void strbuf_clear(struct strbuf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void strbuf_reserve(struct strbuf *b, size_t more)
{
	if (b->len + more + 1 <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < b->len + more + 1)
		cap *= 2;
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
}

/* Digits are made here, not by printf: they are most of what a stream of JSON consists of, and cost a tenth. */
void strbuf_add_uint(struct strbuf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	strbuf_add(b, digits + at, sizeof(digits) - at);
}

void strbuf_add_int(struct strbuf *b, int64_t n)
{
	if (n < 0)
		strbuf_addc(b, '-');
	strbuf_add_uint(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void strbuf_add_hex(struct strbuf *b, uint64_t n)
{
	char digits[18];
	size_t at = sizeof(digits);
	do
		digits[--at] = "0123456789abcdef"[n & 15];
	while (n >>= 4);
	digits[--at] = 'x';
	digits[--at] = '0';
	strbuf_add(b, digits + at, sizeof(digits) - at);
}

void strbuf_add_slice(struct strbuf *b, struct slice s)
{
	strbuf_add(b, s.data, s.len);
}

void strbuf_pad(struct strbuf *b, char c, size_t n)
{
	strbuf_reserve(b, n);
	memset(b->data + b->len, c, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void strbuf_addv(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		strbuf_reserve(b, (size_t)n);
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(b, fmt, ap);
	va_end(ap);
}

const char *strbuf_str(const struct strbuf *b)
{
	return b->data ? b->data : "";
}

struct slice strbuf_slice(const struct strbuf *b)
{
	return (struct slice){ strbuf_str(b), b->len };
}
