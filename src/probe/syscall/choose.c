/* choose: which calls are meant by names and globs; '!' in front takes away. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "probe/syscall/syscall.h"
#include "sym/nearest.h"

static int unknown(const char *word, struct reason *why)
{
	struct nearest near = { .want = word };
	char text[256];
	for (long nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = syscall_by_number(SYSCALL_ARCH_HERE, nr);
		if (row)
			nearest_offer(&near, row->name);
	}
	nearest_text(&near, text, sizeof(text));
	return reason_set(why, -EINVAL, "no system call is called '%.80s'%s%s (see: utrace sys -l)", word, text[0] ? "; " : "", text);
}

static int choose(bool *chosen, const char *word, struct reason *why)
{
	const struct syscall_row *rows[SYSCALL_MAX_NR];
	bool wanted = word[0] != '!';
	size_t n = syscall_match(SYSCALL_ARCH_HERE, word + !wanted, rows);
	if (n == 0)
		return unknown(word + !wanted, why);
	for (size_t i = 0; i < n; i++)
		chosen[syscall_number(SYSCALL_ARCH_HERE, rows[i])] = wanted;
	return 0;
}

/* "openat,close", as strace has it; '!' in front is of all of them. */
static int choose_each(bool *chosen, const char *word, struct reason *why)
{
	bool negated = word[0] == '!';
	int r = 0;
	const char *at = word + negated, *end;
	do {
		end = strchrnul(at, ',');
		_cleanup_(free) char *one = xasprintf("%s%.*s", negated ? "!" : "", (int)(end - at), at);
		r = choose(chosen, one, why);
		at = end + 1;
	} while (r == 0 && *end);
	return r;
}

int syscall_choose(bool chosen[SYSCALL_MAX_NR], char *const *words, size_t n, struct reason *why)
{
	/* Without a name, or when the first word takes away, all are meant, unknown numbers too. */
	memset(chosen, n == 0 || words[0][0] == '!', SYSCALL_MAX_NR * sizeof(*chosen));
	for (size_t i = 0; i < n; i++) {
		int r = choose_each(chosen, words[i], why);
		if (r < 0)
			return r;
	}
	return 0;
}
