#include "base/arena.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

#define BLOCK_BYTES (64u * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char bytes[] __attribute__((aligned(16)));
};

static void free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
}

void arena_done(struct arena *a)
{
	free_blocks(a->block);
	*a = (struct arena){};
}

void arena_reset(struct arena *a)
{
	if (!a->block)
		return;
	free_blocks(a->block->next);
	a->block->next = NULL;
	a->block->used = 0;
	a->used_bytes = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (!a->block || a->block->size - a->block->used < size) {
		size_t room = MAX(size, (size_t)BLOCK_BYTES);
		struct arena_block *b = xmalloc(sizeof(*b) + room);
		*b = (struct arena_block){ .next = a->block, .size = room };
		a->block = b;
	}
	void *p = a->block->bytes + a->block->used;
	a->block->used += size;
	a->used_bytes += size;
	return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	if (len)
		memcpy(p, s, len);
	return p;
}

struct slice arena_dup(struct arena *a, struct slice s)
{
	return (struct slice){ arena_strndup(a, s.data, s.len), s.len };
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = arena_alloc(a, (size_t)MAX(n, 0) + 1);
	vsnprintf(p, (size_t)MAX(n, 0) + 1, fmt, again);
	va_end(again);
	return (struct slice){ p, (size_t)MAX(n, 0) };
}
