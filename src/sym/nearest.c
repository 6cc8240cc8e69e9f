/*
 * Edit distance in bit-parallel form (Myers 1999, as simplified by Hyyrö 2003): one column of the matrix is two words, so
 * 200,000 names are compared in some 20 ms. Hence at most 64 letters of what was wanted count.
 */
#include "sym/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

#define WANT_MAX 64
#define SHARED_MIN 4 /* letters in common that tell something */

struct pattern {
	char text[WANT_MAX];
	size_t len;
	bool free_start, free_end; /* it began or ended with '*' */
	uint64_t holds[256];       /* for each letter, at which places it stands */
};

static unsigned char fold(char c)
{
	return (unsigned char)tolower((unsigned char)c);
}

static void pattern_init(struct pattern *p, const char *want)
{
	*p = (struct pattern){ .free_start = want[0] == '*' };
	for (; *want; want++) {
		p->free_end = *want == '*' || p->len == WANT_MAX;
		if (strchr("*?[]!", *want) || p->len == WANT_MAX)
			continue;
		p->holds[fold(*want)] |= 1ull << p->len;
		p->text[p->len++] = *want;
	}
}

/* Fewest letters to add, drop or change; with a free end, to match some part of @name that starts or ends there. */
static unsigned distance(const struct pattern *p, const char *name, bool free_start, bool free_end)
{
	uint64_t more = ~0ull, less = 0, last = 1ull << (p->len - 1);
	unsigned now = (unsigned)p->len, best = now;
	for (; *name; name++) {
		uint64_t same = p->holds[fold(*name)];
		uint64_t v = same | less;
		uint64_t h = (((same & more) + more) ^ more) | same;
		uint64_t up = less | ~(h | more), down = more & h;
		now += !!(up & last) - !!(down & last);
		best = MIN(best, now);
		up = up << 1 | !free_start;
		down <<= 1;
		more = down | ~(v | up);
		less = up & v;
	}
	return free_end ? best : now;
}

static size_t shared_prefix(const struct pattern *p, const char *name)
{
	size_t n = 0;
	while (n < p->len && fold(p->text[n]) == fold(name[n]))
		n++;
	return n;
}

/* A word inside of the name, or the same beginning, is nearer than the letters alone say. */
static unsigned judge(const struct pattern *p, const char *name)
{
	unsigned d = distance(p, name, p->free_start, p->free_end);
	size_t shared = shared_prefix(p, name), len = strlen(name);
	if (p->len >= SHARED_MIN && len > p->len) {
		unsigned inside = distance(p, name, true, true) + 1 + (unsigned)MIN((len - p->len) / 16, (size_t)8);
		d = MIN(d, inside);
	}
	if (shared >= SHARED_MIN && d > 2 && !p->free_end)
		d -= (unsigned)MIN((size_t)d - 2, shared / SHARED_MIN);
	return d;
}

static size_t length_apart(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);
	return x > y ? x - y : y - x;
}

static bool is_nearer(const struct nearest *n, size_t i, const char *name, unsigned d)
{
	if (!n->best[i] || d != n->distance[i])
		return !n->best[i] || d < n->distance[i];
	return length_apart(n->want, name) < length_apart(n->want, n->best[i]);
}

void nearest_offer(struct nearest *n, const char *name)
{
	struct pattern p;
	pattern_init(&p, n->want);
	if (!p.len || !*name)
		return;
	unsigned d = judge(&p, name);
	if (d > MAX(2u, (unsigned)p.len / 3))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(n->best); i++)
		if (n->best[i] && streq(n->best[i], name))
			return;
	for (size_t i = 0; i < ARRAY_SIZE(n->best); i++) {
		if (!is_nearer(n, i, name, d))
			continue;
		size_t behind = ARRAY_SIZE(n->best) - 1 - i;
		memmove(&n->best[i + 1], &n->best[i], behind * sizeof(n->best[0]));
		memmove(&n->distance[i + 1], &n->distance[i], behind * sizeof(n->distance[0]));
		n->best[i] = name;
		n->distance[i] = d;
		return;
	}
}

const char *nearest_text(const struct nearest *n, char *buf, size_t size)
{
	size_t len = 0;
	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(n->best) && n->best[i]; i++) {
		const char *before = i ? ", " : "nearest: ";
		if (strlen(before) + strlen(n->best[i]) >= size - MIN(len, size))
			break; /* a name is shown whole or not at all */
		len += (size_t)snprintf(buf + len, size - len, "%s%s", before, n->best[i]);
	}
	return buf;
}
