/* object: the kernel halves that tools/embed.py put into this binary, as bytes. The loader's lowest door. */
#pragma once

#include <stdint.h>

#include "base/slice.h"

/* One embedded BPF object; tools/embed.py writes the table in assembler, and its last row is all zero. */
struct object_row {
	const char *name;  /* of the family: "func" */
	const void *bytes; /* an ELF file, aligned to 16 */
	uint64_t len;
};

extern const struct object_row bpf_object_table[];

/* The object of family @name, borrowed for the life of the program; .data is NULL when this build has none. */
struct slice object_bytes(const char *name);
