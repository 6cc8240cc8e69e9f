/*
 * Source lines by libdw. Which compilation unit an address belongs to is read once from the units themselves, not from
 * .debug_aranges: clang writes none, and a file linked from both compilers' objects would be half found.
 */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <elfutils/libdwelf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sym/elf_inside.h"

#define RANGES_MAX (8u << 20) /* a hostile file may let all its units share one long list */

static bool is_dwarf(const struct elf_image *image, const GElf_Shdr *shdr)
{
	const char *name = image_section_name(image, shdr);
	return strncmp(name, ".debug", 6) == 0 || strncmp(name, ".zdebug", 7) == 0 || strncmp(name, ".gnu.debuglto", 13) == 0 ||
	       strcmp(name, ".gnu_debugaltlink") == 0;
}

/* libdw reads and unpacks all sections of DWARF at once. */
static bool dwarf_is_bounded(const struct elf_image *image)
{
	uint64_t total = 0;
	GElf_Shdr shdr;
	GElf_Chdr chdr;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		if (!is_dwarf(image, &shdr))
			continue;
		if (strstr(image_section_name(image, &shdr), "zdebug"))
			return false; /* of before 2015; its size is inside of it */
		if (shdr.sh_size > ELF_DWARF_MAX_BYTES)
			return false;
		total += shdr.sh_size;
		if (shdr.sh_flags & SHF_COMPRESSED)
			total += gelf_getchdr(scn, &chdr) ? MIN((uint64_t)chdr.ch_size, ELF_DWARF_MAX_BYTES + 1) : 0;
		if (total > ELF_DWARF_MAX_BYTES)
			return false;
	}
	return true;
}

/* What libdw will ask for, in our copy of the file: headers, names of sections, and the sections of DWARF. */
static bool copy_dwarf(struct elf_image *image)
{
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;
	size_t n = 0;
	if (!gelf_getehdr(image->elf, &ehdr) || elf_getshdrnum(image->elf, &n) < 0 || !image_bytes(image, 0, ehdr.e_ehsize).len ||
	    !image_bytes(image, ehdr.e_shoff, n * ehdr.e_shentsize).len)
		return false;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));)
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type != SHT_NOBITS && !(shdr.sh_flags & SHF_EXECINSTR) &&
		    shdr.sh_size <= ELF_DWARF_MAX_BYTES && (is_dwarf(image, &shdr) || shdr.sh_type == SHT_STRTAB))
			image_bytes(image, shdr.sh_offset, (size_t)shdr.sh_size);
	return true;
}

/*
 * libdw reads texts to their NUL wherever that is, and buffers of its own that are as long as a section end in nothing.
 * Over our copy of the file it runs on into zeros.
 */
static bool open_dwarf(struct dwarf_reader *ret, struct elf_image *image)
{
	GElf_Shdr shdr;
	if (!image || !image_section(image, ".debug_line", &shdr) || shdr.sh_type == SHT_NOBITS || !dwarf_is_bounded(image) ||
	    !copy_dwarf(image))
		return false;
	ret->elf = elf_memory(image->copy, (size_t)image->copy_size);
	ret->dwarf = ret->elf ? dwarf_begin_elf(ret->elf, DWARF_C_READ, NULL) : NULL;
	return ret->dwarf;
}

static void close_dwarf(struct dwarf_reader *d)
{
	if (d->dwarf)
		dwarf_end(d->dwarf);
	if (d->elf)
		elf_end(d->elf);
	*d = (struct dwarf_reader){};
}

/*
 * dwz keeps what several debug files share in a file of its own. When it is missing we know no lines: libdw would look for
 * it by itself, at whatever path a stranger's file names, and wait there if that is a pipe.
 */
static bool open_alt(struct elf *elf, const struct elf_image *image)
{
	const char *name;
	const void *id;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(elf->dwarf.dwarf, &name, &id);
	if (n == 0)
		return true;
	if (n < 0 || elf_debug_alt_file(&elf->alt, image, name, (struct slice){ id, (size_t)n }) < 0 ||
	    !open_dwarf(&elf->alt_dwarf, &elf->alt))
		return false;
	dwarf_setalt(elf->dwarf.dwarf, elf->alt_dwarf.dwarf);
	return true;
}

static int by_low(const void *a, const void *b)
{
	const struct line_range *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low;
}

static void read_ranges(struct elf *elf)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	size_t seen = 0;
	while (seen < RANGES_MAX && dwarf_get_units(elf->dwarf.dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
		Dwarf_Addr base, low, high;
		ptrdiff_t at = 0;
		for (seen++; seen < RANGES_MAX && (at = dwarf_ranges(&die, at, &base, &low, &high)) > 0; seen++) {
			const struct segment *s = elf_segment_at(elf, low);
			if (!s || !s->code || low >= high)
				continue; /* of a function that the linker dropped */
			GROW(elf->lines, elf->n_lines, elf->cap_lines);
			elf->lines[elf->n_lines++] = (struct line_range){ low, high, dwarf_dieoffset(&die) };
		}
	}
	if (elf->n_lines)
		qsort(elf->lines, elf->n_lines, sizeof(*elf->lines), by_low);
}

static void find_dwarf(struct elf *elf)
{
	struct elf_image *image = &elf->self;
	elf->dwarf_sought = true;
	if (!open_dwarf(&elf->dwarf, image)) {
		close_dwarf(&elf->dwarf);
		image = elf_debug_file(elf);
		if (!open_dwarf(&elf->dwarf, image))
			return;
	}
	if (open_alt(elf, image))
		read_ranges(elf);
}

static const struct line_range *range_at(const struct elf *elf, uint64_t addr)
{
	size_t low = 0, high = elf->n_lines;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (elf->lines[middle].low <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < elf->lines[low - 1].high ? &elf->lines[low - 1] : NULL;
}

int elf_line(struct elf *elf, uint64_t addr, const char **ret_file, unsigned *ret_line)
{
	Dwarf_Die die;
	int number = 0;
	if (!elf->dwarf_sought)
		find_dwarf(elf);
	const struct line_range *range = range_at(elf, addr);
	if (!range || !dwarf_offdie(elf->dwarf.dwarf, range->die, &die))
		return -ENOENT;
	Dwarf_Line *line = dwarf_getsrc_die(&die, addr);
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(line, &number) < 0 || number <= 0)
		return -ENOENT;
	*ret_file = file;
	*ret_line = (unsigned)number;
	return 0;
}

void elf_lines_free(struct elf *elf)
{
	close_dwarf(&elf->dwarf);
	close_dwarf(&elf->alt_dwarf);
	image_done(&elf->alt);
	free(elf->lines);
	elf->lines = NULL;
	elf->n_lines = elf->cap_lines = 0;
	elf->dwarf_sought = false;
}
