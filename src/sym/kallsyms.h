/* kallsyms: the kernel's own functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"

struct kernel_func {
	const char *name;
	const char *module; /* "kernel" for what is built in */
	uint64_t addr;      /* 0 where kptr_restrict hides it */
};

struct kallsyms;
/*
 * Reads /proc/kallsyms: functions of the kernel and its modules. Left out: data, BPF programs and trampolines, and the
 * padding before functions that has names of its own (__pfx_*, __cfi_*).
 */
int kallsyms_new(struct kallsyms **ret, struct reason *why);
int kallsyms_new_from(struct kallsyms **ret, const char *path, struct reason *why); /* a copy of that file */
void kallsyms_free(struct kallsyms *k);
DEFINE_CLEANUP(struct kallsyms *, kallsyms_free)
size_t kallsyms_functions(const struct kallsyms *k, const struct kernel_func **ret); /* sorted by name */
