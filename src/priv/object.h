/* object: what tools/embed.py put into this binary, as bytes: the kernel halves and their budgets. The loader's lowest door. */
#pragma once

#include <stdint.h>

#include "base/slice.h"

/* One embedded file; tools/embed.py writes the table in assembler, and its last row is all zero. */
struct object_row {
	const char *name;  /* of the family: "func"; its budgets: "func/budget.json" */
	const void *bytes; /* aligned to 16 */
	uint64_t len;
};

extern const struct object_row bpf_object_table[];

/* The file of that name, borrowed for the life of the program; .data is NULL when this build has none. */
struct slice object_bytes(const char *name);
