/* hashmap: u64 or text to a pointer, open addressing. The map owns copies of text keys, never the values. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct hashmap_slot;
struct hashmap {
	struct hashmap_slot *slots;
	size_t n, cap, tombs;
};

void hashmap_done(struct hashmap *m);
DEFINE_CLEANUP_IN_PLACE(struct hashmap, hashmap_done)

void *hashmap_get(const struct hashmap *m, uint64_t key);              /* NULL: absent */
void *hashmap_put(struct hashmap *m, uint64_t key, void *value);       /* returns what was there before */
void *hashmap_remove(struct hashmap *m, uint64_t key);
void *hashmap_get_str(const struct hashmap *m, const char *key);
void *hashmap_put_str(struct hashmap *m, const char *key, void *value);
void *hashmap_remove_str(struct hashmap *m, const char *key);

/* Walks in no particular order: `size_t at = 0; while (hashmap_next(&m, &at, &key, &value)) ...`. Removing the current item is allowed. */
int hashmap_next(const struct hashmap *m, size_t *at, uint64_t *ret_key, void **ret_value);
