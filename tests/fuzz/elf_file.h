/*
 * elf_file: what the fuzzers of ELF share: a sound file around the sections that are fuzzed, so that no input is spent on
 * headers; and what must hold of any file that could be opened.
 */
#pragma once

#include <stdint.h>

#include "base/slice.h"
#include "sym/elf.h"

struct elf_part { /* a section */
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t at;     /* file offset and address in memory; moved up when the part before it ends later */
	struct slice bytes;
	uint32_t link;   /* number of the part that has its strings, from 0 */
	uint64_t entry_bytes;
};

/* A file of this machine that nobody else sees; one segment, code, holds all of it at address 0. Returns its descriptor. */
int elf_file(const struct elf_part *parts, size_t n);

/* A sound .text of zeros, 0x200 to 0x1000: as much as the code of small programs. */
extern const struct elf_part elf_text_part;

void elf_check_functions(struct elf *elf); /* sorted, in the file, named; aborts */
void elf_check_probes(struct elf *elf);
