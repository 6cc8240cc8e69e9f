/* arena: memory of one batch, freed at once. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/slice.h"

struct arena_block;
struct arena {
	struct arena_block *block; /* newest first */
	size_t used_bytes;         /* over all blocks, for bounds */
};

void arena_done(struct arena *a);
DEFINE_CLEANUP_IN_PLACE(struct arena, arena_done)

void arena_reset(struct arena *a);                  /* keeps one block */
void *arena_alloc(struct arena *a, size_t size);    /* zeroed, aligned to 16 */
char *arena_strndup(struct arena *a, const char *s, size_t len);
struct slice arena_dup(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);

#define arena_new(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
