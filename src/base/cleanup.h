/* cleanup: scope-bound ownership. `_cleanup_(elf_close) struct elf *elf = NULL;` calls elf_close(elf) when the scope ends. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(func) __attribute__((cleanup(func##_at)))
#define _unused_ __attribute__((unused))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))

/* Makes `func(type)`, which accepts NULL, usable by _cleanup_(func). */
#define DEFINE_CLEANUP(type, func)                     \
	static inline _unused_ void func##_at(type *p) \
	{                                              \
		if (*p)                                \
			func(*p);                      \
	}

/* Makes `func(type *)`, for a value that lives in place, usable by _cleanup_(func). */
#define DEFINE_CLEANUP_IN_PLACE(type, func)            \
	static inline _unused_ void func##_at(type *p) \
	{                                              \
		func(p);                               \
	}

static inline _unused_ void free_at(void *p)
{
	free(*(void **)p);
}

/* fd_close: -1 stands for "none". */
static inline _unused_ void fd_close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose)
DEFINE_CLEANUP(FILE *, pclose)

#define take_ptr(p)                      \
	({                               \
		typeof(p) *at_ = &(p);   \
		typeof(p) val_ = *at_;   \
		*at_ = NULL;             \
		val_;                    \
	})

#define take_fd(fd)                      \
	({                               \
		int *at_ = &(fd);        \
		int val_ = *at_;         \
		*at_ = -1;               \
		val_;                    \
	})
