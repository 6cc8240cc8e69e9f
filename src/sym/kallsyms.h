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
int kallsyms_new(struct kallsyms **ret, struct reason *why); /* reads /proc/kallsyms: text symbols only */
void kallsyms_free(struct kallsyms *k);
DEFINE_CLEANUP(struct kallsyms *, kallsyms_free)
size_t kallsyms_functions(const struct kallsyms *k, const struct kernel_func **ret); /* sorted by name */
