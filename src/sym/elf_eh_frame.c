/*
 * .eh_frame bounds every function that an exception or a backtrace may cross, which the x86_64 and arm64 ABIs make all of
 * them, also in stripped files. Format: Linux Standard Base, "Exception Frames"; DWARF 5 section 6.4.
 *
 * Read once, for three things: where functions are that no symbol names; which of those pieces are never called (the part
 * of a function that gcc moved to .text.unlikely: when it is entered the frame is there already, so its first rules differ
 * from those of a call); and whether exception tables have types to catch. C's cleanups (__gcc_personality_v0, of which
 * libc is full) never have: their tables leave the type table out, as those of C++ code that catches and of Rust's
 * catch_unwind cannot. So one look tells a static Rust program without any symbol from libc, whatever the personality's
 * name was.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sym/elf_inside.h"

#define FRAMES_MAX ELF_SYMBOLS_MAX

/* DW_EH_PE_*: low four bits the format, next three what is added, 0x80 indirect, 0xff omitted. */
#define APPLICATION 0x70
#define INDIRECT 0x80

struct cursor {
	const uint8_t *at, *end;
	const uint8_t *start; /* of the section */
	uint64_t addr;        /* of @start, in memory */
	unsigned word;        /* bytes of an address */
};

struct cie {
	uint64_t at; /* in the section; UINT64_MAX: none read yet */
	uint8_t pointers, lsda;
	bool ok, sized, has_lsda;
};

struct reader {
	struct elf *elf;
	struct frames *out;
	const unsigned char *ident;
	Elf_Data data;
	uint64_t addr; /* of the section */
	unsigned word;
	struct cie cie; /* of the entry before: they mostly share one */
};

static bool take_bytes(struct cursor *c, void *ret, size_t n)
{
	if ((size_t)(c->end - c->at) < n)
		return false;
	memcpy(ret, c->at, n);
	c->at += n;
	return true;
}

static bool take_leb128(struct cursor *c, uint64_t *ret, bool is_signed)
{
	uint64_t value = 0;
	for (unsigned shift = 0; c->at < c->end; shift += 7) {
		uint8_t byte = *c->at++;
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (is_signed && byte & 0x40 && shift + 7 < 64)
			value |= ~0ull << (shift + 7);
		*ret = value;
		return true;
	}
	return false;
}

static bool take_fixed(struct cursor *c, unsigned size, bool is_signed, uint64_t *ret)
{
	uint64_t value = 0; /* host byte order, as elf_open() saw to; little endian below 8 bytes */
	if (!take_bytes(c, &value, size))
		return false;
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		value >>= 64 - size * 8;
	if (is_signed && size < 8 && value >> (size * 8 - 1))
		value |= ~0ull << size * 8;
	*ret = value;
	return true;
}

/* One pointer encoded as @encoding says; only those that compilers write into .eh_frame. */
static bool take_pointer(struct cursor *c, uint8_t encoding, uint64_t *ret)
{
	uint64_t here = c->addr + (uint64_t)(c->at - c->start);
	bool ok = false;
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
		ok = take_fixed(c, c->word, false, ret);
		break;
	case DW_EH_PE_uleb128:
	case DW_EH_PE_sleb128:
		ok = take_leb128(c, ret, encoding & 0x08);
		break;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		ok = take_fixed(c, 2, encoding & 0x08, ret);
		break;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		ok = take_fixed(c, 4, encoding & 0x08, ret);
		break;
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		ok = take_fixed(c, 8, false, ret);
		break;
	}
	if (ok && (encoding & APPLICATION) == DW_EH_PE_pcrel && *ret)
		*ret += here;
	else if (encoding & APPLICATION)
		ok = ok && (encoding & APPLICATION) == DW_EH_PE_pcrel;
	if (ok && c->word == 4)
		*ret &= UINT32_MAX;
	return ok;
}

static struct cursor cursor_over(const struct reader *r, const uint8_t *from, const uint8_t *to)
{
	return (struct cursor){ from, to, r->data.d_buf, r->addr, r->word };
}

/* "zPLR" and so on: what the bytes of the augmentation mean. */
static bool read_augmentation(const struct reader *r, const Dwarf_CIE *raw, struct cie *cie)
{
	const uint8_t *data = raw->augmentation_data;
	struct cursor c = cursor_over(r, data, data + (data ? raw->augmentation_data_size : 0));
	const char *s = raw->augmentation;
	cie->sized = *s == 'z';
	for (s += cie->sized; *s; s++) {
		uint8_t personality;
		uint64_t skipped;
		switch (*s) {
		case 'R':
			if (!take_bytes(&c, &cie->pointers, 1))
				return false;
			break;
		case 'L':
			if (!take_bytes(&c, &cie->lsda, 1))
				return false;
			cie->has_lsda = cie->lsda != DW_EH_PE_omit;
			break;
		case 'P':
			if (!take_bytes(&c, &personality, 1) || !take_pointer(&c, personality, &skipped))
				return false;
			break;
		case 'S': /* signal frame */
		case 'B': /* arm64: return addresses signed with key B */
		case 'G': /* arm64: tagged stack */
			break;
		default:
			return false;
		}
	}
	return true;
}

static const struct cie *cie_of(struct reader *r, uint64_t at)
{
	Dwarf_Off next;
	Dwarf_CFI_Entry entry;
	if (r->cie.at == at)
		return r->cie.ok ? &r->cie : NULL;
	r->cie = (struct cie){ .at = at };
	if (at >= r->data.d_size || dwarf_next_cfi(r->ident, &r->data, true, at, &next, &entry) != 0 ||
	    !dwarf_cfi_cie_p(&entry) || !entry.cie.augmentation)
		return NULL;
	r->cie.ok = read_augmentation(r, &entry.cie, &r->cie);
	return r->cie.ok ? &r->cie : NULL;
}

/*
 * Do the rules change before the first instruction? At a call nothing but the return address is on the stack, which is
 * what the CIE says; who starts with another frame was not called.
 */
static bool begins_inside_a_frame(struct cursor c)
{
	for (; c.at < c.end; c.at++) {
		if ((*c.at & 0xc0) == DW_CFA_offset)
			return true;
		if (*c.at != DW_CFA_nop)
			return (*c.at >= DW_CFA_def_cfa && *c.at <= DW_CFA_def_cfa_expression) || *c.at == DW_CFA_def_cfa_sf ||
			       *c.at == DW_CFA_def_cfa_offset_sf;
	}
	return false;
}

/* The head of a table of .gcc_except_table: landing pad base, then the encoding of its types, 0xff when it has none. */
static bool table_catches(struct elf *elf, uint64_t addr, unsigned word)
{
	struct slice s = elf_bytes_at(elf, addr, 24);
	if (!s.len)
		return false;
	const uint8_t *p = (const uint8_t *)s.data;
	struct cursor c = { p, p + s.len, p, addr, word };
	uint8_t base, types;
	uint64_t skipped;
	if (!take_bytes(&c, &base, 1) || (base != DW_EH_PE_omit && !take_pointer(&c, base, &skipped)))
		return false;
	return take_bytes(&c, &types, 1) && types != DW_EH_PE_omit;
}

static void look_at_table(struct reader *r, const struct cie *cie, struct cursor c)
{
	uint64_t table;
	if (r->out->catches || !cie->has_lsda || !take_pointer(&c, cie->lsda, &table) || !table || cie->lsda & INDIRECT)
		return;
	r->out->catches = table_catches(r->elf, table, r->word);
}

static void read_fde(struct reader *r, const Dwarf_FDE *fde)
{
	const struct cie *cie = cie_of(r, fde->CIE_pointer);
	if (!cie || r->out->n >= FRAMES_MAX)
		return;
	struct cursor c = cursor_over(r, fde->start, fde->end);
	uint64_t start, size, augmentation = 0;
	if (!take_pointer(&c, cie->pointers, &start) || !take_pointer(&c, cie->pointers & 0x0f, &size) || start + size <= start)
		return;
	if (cie->sized) {
		if (!take_leb128(&c, &augmentation, false) || augmentation > (uint64_t)(c.end - c.at))
			return;
		look_at_table(r, cie, (struct cursor){ c.at, c.at + augmentation, c.start, c.addr, c.word });
		c.at += augmentation;
	}
	const struct segment *s = elf_segment_at(r->elf, start);
	if (!s || !s->code)
		return;
	GROW(r->out->items, r->out->n, r->out->cap);
	r->out->items[r->out->n++] = (struct frame_entry){ start, start + size, begins_inside_a_frame(c) };
}

static void read_entries(struct reader *r)
{
	Dwarf_Off at = 0, next = 0; /* left as it is for an entry that ends beyond the section */
	Dwarf_CFI_Entry entry;
	while (at < r->data.d_size && r->data.d_size - at >= sizeof(uint32_t)) {
		uint32_t length;
		memcpy(&length, (const char *)r->data.d_buf + at, sizeof(length));
		int got = length ? dwarf_next_cfi(r->ident, &r->data, true, at, &next, &entry) : 1;
		if (got > 0 || (got < 0 && (next <= at || next == (Dwarf_Off)-1)))
			return; /* the zero that ends it, or nothing that could be stepped over */
		if (got == 0 && !dwarf_cfi_cie_p(&entry))
			read_fde(r, &entry.fde);
		at = next;
	}
}

/* Where .eh_frame lies: by its section, or without section headers by the segment that the unwinder itself uses. */
static struct slice find_eh_frame(struct elf *elf, unsigned word, uint64_t *ret_addr)
{
	GElf_Shdr shdr;
	GElf_Phdr p;
	size_t n = 0;
	if (image_section(&elf->self, ".eh_frame", &shdr) && shdr.sh_type != SHT_NOBITS &&
	    shdr.sh_size <= ELF_SECTION_MAX_BYTES) {
		*ret_addr = shdr.sh_addr;
		return elf_bytes(elf, shdr.sh_offset, shdr.sh_size);
	}
	if (elf_getphdrnum(elf->self.elf, &n) < 0)
		return (struct slice){};
	for (size_t i = 0; i < MIN(n, (size_t)ELF_SEGMENTS_MAX); i++) {
		if (!gelf_getphdr(elf->self.elf, (int)i, &p) || p.p_type != PT_GNU_EH_FRAME)
			continue;
		struct slice s = elf_bytes_at(elf, p.p_vaddr, 32);
		const uint8_t *b = (const uint8_t *)s.data;
		if (s.len <= 4 || b[0] != 1)
			continue;
		struct cursor c = { b + 4, b + s.len, b, p.p_vaddr, word };
		if (take_pointer(&c, b[1], ret_addr))
			return elf_bytes_at(elf, *ret_addr, ELF_SECTION_MAX_BYTES);
	}
	return (struct slice){};
}

static int by_start(const void *a, const void *b)
{
	const struct frame_entry *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

static void sort_entries(struct frames *f)
{
	size_t kept = 0;
	if (f->n)
		qsort(f->items, f->n, sizeof(*f->items), by_start);
	for (size_t i = 0; i < f->n; i++)
		if (!kept || f->items[kept - 1].start != f->items[i].start)
			f->items[kept++] = f->items[i];
	f->n = kept;
}

const struct frames *elf_frames(struct elf *elf)
{
	if (elf->frames.known)
		return &elf->frames;
	elf->frames.known = true;
	const char *ident = elf_getident(elf->self.elf, NULL);
	struct reader r = { .elf = elf, .out = &elf->frames, .ident = (const unsigned char *)ident, .cie.at = UINT64_MAX };
	r.word = ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
	struct slice s = find_eh_frame(elf, r.word, &r.addr);
	r.data = (Elf_Data){ .d_buf = (void *)s.data, .d_size = s.len, .d_type = ELF_T_BYTE, .d_version = EV_CURRENT };
	if (s.len)
		read_entries(&r);
	sort_entries(&elf->frames);
	elf_forget_bytes(elf); /* of node's .eh_frame and exception tables 9 MB */
	return &elf->frames;
}

const struct frame_entry *elf_frame_at(struct elf *elf, uint64_t addr)
{
	const struct frames *f = elf_frames(elf);
	size_t low = 0, high = f->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (f->items[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < f->items[low - 1].end ? &f->items[low - 1] : NULL;
}
