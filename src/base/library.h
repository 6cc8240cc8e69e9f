/*
 * library: a shared library that few runs need is loaded when one needs it: what it links with (TLS, HTTP/2, Kerberos ...) would cost
 * every run of utrace its start and its memory.
 */
#pragma once

#include <stddef.h>

#include "base/reason.h"

struct library_symbol {
	const char *name;
	void *place; /* address of the pointer to the function */
};

/* Loads it for good and fills in every place; once more is as good as once. -ENOENT and @why: not here, or an older one. */
int library_load(const char *soname, const struct library_symbol *symbols, size_t n, struct reason *why);
