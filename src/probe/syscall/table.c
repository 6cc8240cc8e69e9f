/* table: rows by number and by name, and the plan that follows from a row. */
#include <fnmatch.h>

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
