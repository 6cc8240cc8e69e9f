#include "config/typo.h"

#include <string.h>

#include "base/macro.h"

#define NAME_MAX_COMPARED 63

/* Optimal string alignment: Levenshtein and swaps of neighbours, three rows of the matrix at a time. */
unsigned typo_distance(const char *a, const char *b)
{
	unsigned row[3][NAME_MAX_COMPARED + 1];
	size_t n = strnlen(a, NAME_MAX_COMPARED), m = strnlen(b, NAME_MAX_COMPARED);
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			unsigned added = MIN(before[j], now[j - 1]) + 1;
			now[j] = MIN(added, before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], earlier[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

/* One edit in three letters is a slip; more is another word. What is cut short ("colum", "dur") counts as one slip. */
void typo_offer(struct typo *t, const char *name)
{
	size_t len = strlen(t->want);
	bool cut_short = len >= 2 && strncmp(name, t->want, len) == 0;
	unsigned distance = cut_short ? 1 : typo_distance(t->want, name);
	if (distance > MAX(len / 3, (size_t)1) || distance >= strlen(name))
		return;
	if (t->best && distance >= t->distance)
		return;
	t->best = name;
	t->distance = distance;
}
