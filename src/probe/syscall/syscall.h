/*
 * syscall: system calls as a table, and their records as events. Pure: reads nothing but its arguments, so it serves
 * live records, recordings, fuzzers and tests alike. Text follows strace's (6.1) so closely that a test compares them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/strbuf.h"
#include "event/event.h"
#include "probe/syscall/syscall.abi.h"

struct arg_type;

/* How a result is written. */
enum syscall_result {
	RESULT_INT,
	RESULT_UINT,
	RESULT_FD,
	RESULT_ADDRESS,
	RESULT_OCTAL,
	RESULT_NONE, /* does not return */
};

struct syscall_arg {
	const char *name;
	const struct arg_type *type; /* NULL ends the list */
};

struct syscall_row {
	const char *name;
	enum syscall_result result;
	unsigned flags; /* enum syscall_plan_flag, without SYSCALL_WANTED */
	const uint8_t *order; /* the order in which people expect the arguments; NULL: as they are */
	struct syscall_arg arg[SYSCALL_ARGS + 1];
};

#if defined(__x86_64__)
#define SYSCALL_ARCH_HERE SYSCALL_X86_64
#elif defined(__aarch64__)
#define SYSCALL_ARCH_HERE SYSCALL_ARM64
#endif

const struct syscall_row *syscall_by_number(enum syscall_arch arch, long nr); /* NULL: none known */
const struct syscall_row *syscall_by_name(const char *name);                  /* NULL: none on any architecture */
long syscall_number(enum syscall_arch arch, const struct syscall_row *row);   /* -1: not on this architecture */
unsigned syscall_n_args(const struct syscall_row *row);

/* The calls of @arch whose name matches @glob, by number, into @ret (up to SYSCALL_MAX_NR); returns how many. */
size_t syscall_match(enum syscall_arch arch, const char *glob, const struct syscall_row **ret);

/*
 * Marks by number the calls that @words mean: names and globs, '!' in front takes away; none: all. -EINVAL and @why (with
 * the nearest names): a word means none.
 */
int syscall_choose(bool chosen[SYSCALL_MAX_NR], char *const *words, size_t n, struct reason *why);

/* What the kernel half has to read for a call, keeping @string_bytes of each buffer. */
void syscall_plan(const struct syscall_row *row, unsigned string_bytes, struct syscall_plan *ret);

/*
 * syscall_decode() - one record as an EVENT_SYSCALL.
 * @rec: the record, of which @len bytes are there; its bytes may be anything
 * @a:   holds all that @ret points to
 *
 * Returns 0, or -EBADMSG when the record does not hold together.
 */
int syscall_decode(const struct syscall_rec *rec, size_t len, struct arena *a, struct event *ret);

/* "openat(AT_FDCWD, "/etc/x", O_RDONLY|O_CLOEXEC) = -1 ENOENT" */
void syscall_line(const struct event *e, struct strbuf *out);
