/* table: rows by number and by name, and the plan that follows from a row. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "probe/syscall/decode.h"

enum call_id {
#define CALL(name, ...) ID_##name,
#include "probe/syscall/numbers.def"
#undef CALL
	ID_COUNT
};

static const struct syscall_row *const rows[ID_COUNT] = {
#define CALL(name, ...) [ID_##name] = &row_##name,
#include "probe/syscall/numbers.def"
#undef CALL
};

static const int16_t numbers[SYSCALL_ARCHS][ID_COUNT] = {
	[SYSCALL_X86_64] = {
#define CALL(name, x86_64, arm64) [ID_##name] = x86_64,
#include "probe/syscall/numbers.def"
#undef CALL
	},
	[SYSCALL_ARM64] = {
#define CALL(name, x86_64, arm64) [ID_##name] = arm64,
#include "probe/syscall/numbers.def"
#undef CALL
	},
};

/* By number: 1 + id, 0 where there is none. A call without a number on the architecture gets a slot beyond the numbers. */
#define SLOT(name, nr) ((nr) < 0 ? SYSCALL_MAX_NR + ID_##name : (nr))
static const uint16_t ids[SYSCALL_ARCHS][SYSCALL_MAX_NR + ID_COUNT] = {
	[SYSCALL_X86_64] = {
#define CALL(name, x86_64, arm64) [SLOT(name, x86_64)] = 1 + ID_##name,
#include "probe/syscall/numbers.def"
#undef CALL
	},
	[SYSCALL_ARM64] = {
#define CALL(name, x86_64, arm64) [SLOT(name, arm64)] = 1 + ID_##name,
#include "probe/syscall/numbers.def"
#undef CALL
	},
};

const struct syscall_row *syscall_by_number(enum syscall_arch arch, long nr)
{
	if ((unsigned)arch >= SYSCALL_ARCHS || nr < 0 || nr >= SYSCALL_MAX_NR || !ids[arch][nr])
		return NULL;
	return rows[ids[arch][nr] - 1];
}

static int find_id(const char *name)
{
	for (int i = 0; i < ID_COUNT; i++)
		if (streq(rows[i]->name, name))
			return i;
	return -1;
}

const struct syscall_row *syscall_by_name(const char *name)
{
	int id = find_id(name);
	return id < 0 ? NULL : rows[id];
}

long syscall_number(enum syscall_arch arch, const struct syscall_row *row)
{
	int id = find_id(row->name);
	return id < 0 || (unsigned)arch >= SYSCALL_ARCHS ? -1 : numbers[arch][id];
}

unsigned syscall_n_args(const struct syscall_row *row)
{
	unsigned n = 0;
	while (n < SYSCALL_ARGS && row->arg[n].type)
		n++;
	return n;
}

size_t syscall_match(enum syscall_arch arch, const char *glob, const struct syscall_row **ret)
{
	size_t n = 0;
	for (long nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = syscall_by_number(arch, nr);
		if (row && fnmatch(glob, row->name, 0) == 0)
			ret[n++] = row;
	}
	return n;
}

/* Edits between two short names (Levenshtein), one row of the matrix at a time. */
static unsigned edits(const char *a, const char *b)
{
	unsigned row[64];
	size_t len = strnlen(b, ARRAY_SIZE(row) - 1);
	for (size_t j = 0; j <= len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= len; j++) {
			unsigned changed = diagonal + (a[i - 1] != b[j - 1]), longer = MIN(row[j], row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = MIN(changed, longer);
		}
	}
	return row[len];
}

struct candidate {
	const char *name;
	unsigned distance;
};

static int by_distance(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->distance != y->distance ? (x->distance < y->distance ? -1 : 1) : strcmp(x->name, y->name);
}

void syscall_nearest(enum syscall_arch arch, const char *glob, unsigned max, struct strbuf *out)
{
	struct candidate c[SYSCALL_MAX_NR];
	size_t n = 0;
	for (long nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = syscall_by_number(arch, nr);
		if (row)
			c[n++] = (struct candidate){ row->name, edits(row->name, glob) };
	}
	qsort(c, n, sizeof(*c), by_distance);
	for (size_t i = 0; i < n && i < max; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", c[i].name);
}
