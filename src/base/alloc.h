/*
 * alloc: memory or the end of the tracer. utrace works from bounded tables; when even those cannot be had, the kernel
 * takes our links away with us and the target runs on, which is the best that can be done.
 */
#pragma once

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size); /* zeroed */
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);         /* NULL stays NULL */
char *xstrndup(const char *s, size_t len);
/*
 * Large blocks go back to the system when they are freed, for good: else glibc learns from the first of them to keep those of
 * its size. Once, before anything is allocated.
 */
void alloc_init(void);
void alloc_trim(void); /* what small blocks have left behind goes back too; some milliseconds */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more item in a growing array: `GROW(v->items, v->n, v->cap)`, then `v->items[v->n++] = ...`. */
#define GROW(items, n, cap)                                                     \
	do {                                                                    \
		if ((n) == (cap)) {                                             \
			(cap) = (cap) ? (cap)*2 : 8;                            \
			(items) = xrealloc((items), (size_t)(cap) * sizeof(*(items))); \
		}                                                               \
	} while (0)
