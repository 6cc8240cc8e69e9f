/*
 * elf_inside: what the elf*.c files share; nobody else includes it.
 *
 * Files are never mapped: a library that `cp` or a build overwrites while we read it would kill the tracer by SIGBUS.
 * libelf reads the sections that we ask for by pread (ELF_C_READ), image_bytes() copies block by block on demand.
 */
#pragma once

#include <elfutils/libdw.h>
#include <gelf.h>

#include "base/arena.h"
#include "base/macro.h"
#include "sym/elf.h"

/* What a hostile file can make us spend. Chromium, the largest that we know of, stays below all of them. */
#define ELF_SECTION_MAX_BYTES (1ull << 30)
#define ELF_DWARF_MAX_BYTES (2ull << 30)
#define ELF_DEBUGDATA_MAX_BYTES (256u << 20)
#define ELF_SYMBOLS_MAX (16u << 20)
#define ELF_SEGMENTS_MAX 256
#define ELF_DEMANGLED_MAX_BYTES (512ull << 20)
#define ELF_DEMANGLED_MAX_NS (10 * NSEC_PER_SEC)

/* One ELF file, or one in memory, as libelf sees it. */
struct elf_image {
	Elf *elf;       /* NULL: none */
	int fd;         /* owned; -1: the bytes are in @memory */
	void *memory;   /* owned */
	uint64_t size;  /* bytes, when it was opened */

	char *copy;     /* of the file, filled on demand, zeros elsewhere; address space of its size; NULL: not begun */
	uint8_t *copied; /* a bit for each block of @copy */
	uint64_t copy_size;
};

int image_open(struct elf_image *ret, int fd);                  /* takes @fd, also on failure */
int image_open_path(struct elf_image *ret, const char *path);   /* regular files only; never blocks */
int image_open_memory(struct elf_image *ret, void *memory, size_t size); /* takes @memory, also on failure */
void image_done(struct elf_image *image);
/* @len bytes at @offset, which stay until image_done(); shorter (empty) at the end of the file. */
struct slice image_bytes(struct elf_image *image, uint64_t offset, size_t len);
void image_copy_free(struct elf_image *image);
void image_forget(struct elf_image *image); /* what libelf and we have read of it; it stays open */

/* The section of that name; NULL: none. */
Elf_Scn *image_section(const struct elf_image *image, const char *name, GElf_Shdr *ret_shdr);
const char *image_section_name(const struct elf_image *image, const GElf_Shdr *shdr); /* "" when it has none */
/* Its contents, in host byte order; NULL when it has none, lies outside of the file or is larger than ELF_SECTION_MAX_BYTES. */
Elf_Data *image_section_data(const struct elf_image *image, Elf_Scn *scn, const GElf_Shdr *shdr);

struct segment { /* PT_LOAD: where a part of the file lies in memory */
	uint64_t addr, offset, file_size;
	bool code;
};

struct code_section {
	uint64_t start, end;
	bool plt;
};

struct frame_entry { /* one FDE of .eh_frame */
	uint64_t start, end;
	bool fragment; /* something is on the stack already when it is entered */
};

struct frames {
	struct frame_entry *items; /* sorted by start, one each */
	size_t n, cap;
	bool catches; /* an exception table has a type to catch */
	bool known;
};

struct line_range { /* addresses of one compilation unit */
	uint64_t low, high;
	Dwarf_Off die;
};

struct elf {
	char *name;
	struct elf_image self;
	struct arena arena; /* what is known from the beginning */
	struct arena names; /* that no string table holds as we want them */

	int machine;
	const char *interpreter, *soname;
	struct slice build_id;
	const char **needed;
	size_t n_needed;
	struct segment *segments;
	size_t n_segments;
	struct code_section *code;
	size_t n_code, cap_code;

	struct elf_image debug, mini; /* the separate debug file; .gnu_debugdata unpacked */
	bool debug_sought, mini_sought;

	struct frames frames;
	struct elf_func *funcs;
	size_t n_funcs;
	const char **func_names; /* in step with funcs; NULL: not asked for yet */
	bool funcs_known;
	uint64_t demangled_bytes, demangled_ns;

	struct usdt_probe *usdt;
	size_t n_usdt, cap_usdt;
	bool usdt_known;

	struct elf_image alt; /* of dwz: what several debug files share */
	struct dwarf_reader {
		Elf *elf; /* over the copy of the image's file */
		Dwarf *dwarf;
	} dwarf, alt_dwarf;
	struct line_range *lines;
	size_t n_lines, cap_lines;
	bool dwarf_sought;
};

/* The segment of @addr, or of the file's @offset; NULL: none. */
const struct segment *elf_segment_at(const struct elf *elf, uint64_t addr);
const struct segment *elf_segment_at_offset(const struct elf *elf, uint64_t offset);
const struct code_section *elf_code_at(const struct elf *elf, uint64_t addr); /* NULL: none */
struct slice elf_bytes_at(struct elf *elf, uint64_t addr, size_t len);         /* by virtual address; within one segment */

const struct frames *elf_frames(struct elf *elf);              /* never NULL */
const struct frame_entry *elf_frame_at(struct elf *elf, uint64_t addr); /* NULL: none */
struct elf_image *elf_debug_file(struct elf *elf);             /* NULL: none was found */
int elf_debug_alt_file(struct elf_image *ret, const struct elf_image *of, const char *name, struct slice build_id);
const struct elf_image *elf_debugdata(struct elf *elf);        /* NULL: it has none, or a bad one */
struct slice image_build_id(const struct elf_image *image);
void elf_lines_free(struct elf *elf);
