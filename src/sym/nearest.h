/* nearest: what the user may have meant. */
#pragma once

#include <stddef.h>

struct nearest {
	const char *want;      /* glob signs are ignored in the comparison */
	const char *best[3];   /* borrowed from the caller's names; NULL: none close enough */
	unsigned distance[3];
};

void nearest_offer(struct nearest *n, const char *name); /* keeps the three closest (edit distance; a shared prefix or substring helps) */
/* "nearest: a, b" into @buf, or "" when nothing was close. Returns @buf. */
const char *nearest_text(const struct nearest *n, char *buf, size_t size);
