#include "base/hashmap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum state { SLOT_FREE, SLOT_USED, SLOT_TOMB };

struct hashmap_slot {
	uint64_t key; /* for text: its hash */
	char *text;   /* NULL for u64 keys */
	void *value;
	enum state state;
};

/* Finaliser of splitmix64 (Steele, Lea, Flood 2014): spreads pids and addresses, which differ in few bits. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h;
}

static bool same(const struct hashmap_slot *s, uint64_t key, const char *text)
{
	if (s->key != key || !s->text != !text)
		return false;
	return !text || strcmp(s->text, text) == 0;
}

static struct hashmap_slot *find(const struct hashmap *m, uint64_t key, const char *text)
{
	if (!m->cap)
		return NULL;
	for (size_t i = mix(key) & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct hashmap_slot *s = &m->slots[i];
		if (s->state == SLOT_FREE)
			return NULL;
		if (s->state == SLOT_USED && same(s, key, text))
			return s;
	}
}

static void insert(struct hashmap *m, struct hashmap_slot item)
{
	size_t i = mix(item.key) & (m->cap - 1);
	while (m->slots[i].state == SLOT_USED)
		i = (i + 1) & (m->cap - 1);
	if (m->slots[i].state == SLOT_TOMB)
		m->tombs--;
	m->slots[i] = item;
	m->n++;
}

static void grow(struct hashmap *m)
{
	struct hashmap old = *m;
	m->cap = old.n * 2 < 16 ? 16 : old.cap;
	while (m->cap < old.n * 3)
		m->cap *= 2;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	m->n = m->tombs = 0;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].state == SLOT_USED)
			insert(m, old.slots[i]);
	free(old.slots);
}

static void *put(struct hashmap *m, uint64_t key, const char *text, void *value)
{
	struct hashmap_slot *s = find(m, key, text);
	if (s) {
		void *before = s->value;
		s->value = value;
		return before;
	}
	if ((m->n + m->tombs + 1) * 4 > m->cap * 3)
		grow(m);
	insert(m, (struct hashmap_slot){ .key = key, .text = xstrdup(text), .value = value, .state = SLOT_USED });
	return NULL;
}

static void *take(struct hashmap *m, struct hashmap_slot *s)
{
	if (!s)
		return NULL;
	void *value = s->value;
	free(s->text);
	*s = (struct hashmap_slot){ .state = SLOT_TOMB };
	m->n--;
	m->tombs++;
	return value;
}

void hashmap_done(struct hashmap *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->slots[i].text);
	free(m->slots);
	*m = (struct hashmap){};
}

void *hashmap_get(const struct hashmap *m, uint64_t key)
{
	struct hashmap_slot *s = find(m, key, NULL);
	return s ? s->value : NULL;
}

void *hashmap_put(struct hashmap *m, uint64_t key, void *value)
{
	return put(m, key, NULL, value);
}

void *hashmap_remove(struct hashmap *m, uint64_t key)
{
	return take(m, find(m, key, NULL));
}

void *hashmap_get_str(const struct hashmap *m, const char *key)
{
	struct hashmap_slot *s = find(m, hash_text(key), key);
	return s ? s->value : NULL;
}

void *hashmap_put_str(struct hashmap *m, const char *key, void *value)
{
	return put(m, hash_text(key), key, value);
}

void *hashmap_remove_str(struct hashmap *m, const char *key)
{
	return take(m, find(m, hash_text(key), key));
}

int hashmap_next(const struct hashmap *m, size_t *at, uint64_t *ret_key, void **ret_value)
{
	for (; *at < m->cap; (*at)++) {
		const struct hashmap_slot *s = &m->slots[*at];
		if (s->state != SLOT_USED)
			continue;
		*ret_key = s->key;
		*ret_value = s->value;
		(*at)++;
		return 1;
	}
	return 0;
}
