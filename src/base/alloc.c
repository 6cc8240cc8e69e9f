#include "base/alloc.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LARGE_BYTES (128 << 10) /* glibc's first M_MMAP_THRESHOLD, which setting it makes its last: mallopt(3) */

void alloc_init(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

void alloc_trim(void)
{
	malloc_trim(0);
}

static void *or_die(void *p)
{
	if (p)
		return p;
	log_error("out of memory; everything attached is taken away now, the target runs on");
	_exit(1);
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return s ? or_die(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t len)
{
	return or_die(strndup(s, len));
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}
