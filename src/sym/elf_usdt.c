/*
 * USDT probes: notes of owner "stapsdt" in .note.stapsdt. Each holds three addresses (the nop, the .stapsdt.base section
 * when it was linked, the semaphore or 0) and three texts. Prelink may have moved the program since: the section's real
 * address tells by how much.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "sym/elf_inside.h"

#define NOTE_TYPE 3
#define USDT_MAX (1u << 20)

/* The text at *@at, which moves behind it; NULL when @end comes first. */
static const char *take_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = memchr(text, '\0', (size_t)(end - text));
	*at = nul ? nul + 1 : end;
	return nul ? text : NULL;
}

static uint64_t address(const char *p, unsigned word)
{
	uint32_t narrow;
	uint64_t wide;
	if (word == 8)
		return memcpy(&wide, p, sizeof(wide)), wide;
	return memcpy(&narrow, p, sizeof(narrow)), narrow;
}

/* File offset of @addr; 0: it lies in none of the file's segments. */
static uint64_t file_offset(const struct elf *elf, uint64_t addr)
{
	const struct segment *s = elf_segment_at(elf, addr);
	return s ? s->offset + (addr - s->addr) : 0;
}

static void take_probe(struct elf *elf, struct slice desc, uint64_t base, unsigned word)
{
	const char *at = desc.data + 3 * word, *end = desc.data + desc.len;
	if (desc.len < 3 * word || elf->n_usdt >= USDT_MAX)
		return;
	uint64_t nop = address(desc.data, word), old_base = address(desc.data + word, word),
		 semaphore = address(desc.data + 2 * word, word);
	uint64_t moved = base && old_base ? base - old_base : 0;
	struct usdt_probe p = { .provider = take_text(&at, end) };
	p.name = p.provider ? take_text(&at, end) : NULL;
	p.arguments = p.name ? take_text(&at, end) : NULL;
	p.offset = file_offset(elf, nop + moved);
	p.semaphore = semaphore ? file_offset(elf, semaphore + moved) : 0;
	if (!p.arguments || !p.offset || (semaphore && !p.semaphore))
		return;
	GROW(elf->usdt, elf->n_usdt, elf->cap_usdt);
	elf->usdt[elf->n_usdt++] = p;
}

int elf_usdt(struct elf *elf, const struct usdt_probe **ret, size_t *ret_n, struct reason *why)
{
	GElf_Shdr shdr, base = {};
	if (!elf->usdt_known) {
		unsigned word = gelf_getclass(elf->self.elf) == ELFCLASS32 ? 4 : 8;
		Elf_Scn *scn = image_section(&elf->self, ".note.stapsdt", &shdr);
		Elf_Data *data = scn ? image_section_data(&elf->self, scn, &shdr) : NULL;
		if (scn && !data)
			return reason_set(why, -ENOEXEC, "the USDT probes of %s cannot be read", elf->name);
		if (!image_section(&elf->self, ".stapsdt.base", &base))
			base.sh_addr = 0;
		GElf_Nhdr note;
		size_t name, desc;
		for (size_t at = 0, next; data && (next = gelf_getnote(data, at, &note, &name, &desc)) > at; at = next)
			if (note.n_type == NOTE_TYPE && note.n_namesz == sizeof("stapsdt") &&
			    memcmp((const char *)data->d_buf + name, "stapsdt", sizeof("stapsdt")) == 0)
				take_probe(elf, (struct slice){ (const char *)data->d_buf + desc, note.n_descsz }, base.sh_addr,
				           word);
		elf->usdt_known = true;
	}
	*ret = elf->usdt;
	*ret_n = elf->n_usdt;
	return 0;
}
