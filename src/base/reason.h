/*
 * reason: why something that the user asked for cannot be had, in one line.
 *
 * A library function never prints. One that fails for a cause which only it can name (the nearest function names, the
 * missing capability, the byte of the file) writes it here; the command prints it once, after "utrace: ".
 */
#pragma once

#include "base/cleanup.h"

struct reason {
	char text[768]; /* empty: none given. No "error:", no newline; what failed, on which object, what to do next. */
};

/* Writes the reason unless @why is NULL or holds one already (the first, innermost cause is kept). Returns @r. */
int reason_set(struct reason *why, int r, const char *fmt, ...) _printf_(3, 4);
