/* typo: which of several names was meant. */
#pragma once

struct typo {
	const char *want;
	const char *best; /* borrowed; NULL: none was close */
	unsigned distance;
};

/* Edits (insert, delete, replace, swap neighbours) from @a to @b; of names longer than 63 only the head is compared. */
unsigned typo_distance(const char *a, const char *b);
/* Keeps @name if it is closer than what was offered before. Far names are never kept. */
void typo_offer(struct typo *t, const char *name);
