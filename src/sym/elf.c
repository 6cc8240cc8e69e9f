#include "sym/elf_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

#define NEEDED_MAX 4096
#define PATH_MAX_BYTES 4096

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

const struct segment *elf_segment_at(const struct elf *elf, uint64_t addr)
{
	for (const struct segment *s = elf->segments; s < elf->segments + elf->n_segments; s++)
		if (addr >= s->addr && addr - s->addr < s->file_size)
			return s;
	return NULL;
}

const struct segment *elf_segment_at_offset(const struct elf *elf, uint64_t offset)
{
	const struct segment *found = NULL; /* two segments may share a page of the file: code wins */
	for (const struct segment *s = elf->segments; s < elf->segments + elf->n_segments; s++)
		if (offset >= s->offset && offset - s->offset < s->file_size && (!found || s->code))
			found = s;
	return found;
}

const struct code_section *elf_code_at(const struct elf *elf, uint64_t addr)
{
	for (size_t i = 0; i < elf->n_code; i++)
		if (addr >= elf->code[i].start && addr < elf->code[i].end)
			return &elf->code[i];
	return NULL;
}

struct slice elf_bytes(struct elf *elf, uint64_t offset, size_t len)
{
	return image_bytes(&elf->self, offset, len);
}

struct slice elf_bytes_at(struct elf *elf, uint64_t addr, size_t len)
{
	const struct segment *s = elf_segment_at(elf, addr);
	if (!s)
		return (struct slice){};
	uint64_t at = addr - s->addr;
	return elf_bytes(elf, s->offset + at, (size_t)MIN((uint64_t)len, s->file_size - at));
}

static int read_segments(struct elf *elf, struct reason *why)
{
	size_t n = 0;
	if (elf_getphdrnum(elf->self.elf, &n) < 0)
		n = 0;
	n = MIN(n, (size_t)ELF_SEGMENTS_MAX);
	elf->segments = xcalloc(n ?: 1, sizeof(*elf->segments));
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;
		if (!gelf_getphdr(elf->self.elf, (int)i, &p) || p.p_type != PT_LOAD || !p.p_filesz)
			continue;
		if (p.p_offset > elf->self.size || p.p_filesz > elf->self.size - p.p_offset)
			return reason_set(why, -ENOEXEC, "%s is truncated: it has %llu bytes, its segment %zu ends at %llu",
			                  elf->name, (unsigned long long)elf->self.size, i,
			                  (unsigned long long)(p.p_offset + p.p_filesz));
		if (p.p_vaddr + p.p_filesz < p.p_vaddr)
			continue;
		elf->segments[elf->n_segments++] = (struct segment){ p.p_vaddr, p.p_offset, p.p_filesz, p.p_flags & PF_X };
	}
	return 0;
}

static int check_sections(struct elf *elf, const GElf_Ehdr *ehdr, struct reason *why)
{
	/* With more than 0xff00 sections their number is elsewhere; libelf checks it then. */
	uint64_t bytes = (uint64_t)ehdr->e_shnum * ehdr->e_shentsize;
	if (!ehdr->e_shoff || (ehdr->e_shoff <= elf->self.size && bytes <= elf->self.size - ehdr->e_shoff))
		return 0;
	return reason_set(why, -ENOEXEC, "%s is truncated: it has %llu bytes, its section headers lie at %llu", elf->name,
	                  (unsigned long long)elf->self.size, (unsigned long long)ehdr->e_shoff);
}

static void read_code_sections(struct elf *elf)
{
	GElf_Shdr shdr;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf->self.elf, scn)) && elf->n_code < ELF_SEGMENTS_MAX;) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS || !(shdr.sh_flags & SHF_EXECINSTR) ||
		    shdr.sh_addr + shdr.sh_size <= shdr.sh_addr)
			continue;
		const char *name = image_section_name(&elf->self, &shdr);
		GROW(elf->code, elf->n_code, elf->cap_code);
		elf->code[elf->n_code++] = (struct code_section){
			.start = shdr.sh_addr,
			.end = shdr.sh_addr + shdr.sh_size,
			.plt = strncmp(name, ".plt", 4) == 0 || strncmp(name, ".iplt", 5) == 0,
		};
	}
}

/* Text at @addr of memory, at most to @end; NULL when it does not end before. */
static const char *text_at(struct elf *elf, uint64_t addr, uint64_t len)
{
	struct slice s = elf_bytes_at(elf, addr, (size_t)MIN(len, (uint64_t)PATH_MAX_BYTES));
	size_t n = s.len ? strnlen(s.data, s.len) : 0;
	return n && n < s.len ? arena_strndup(&elf->arena, s.data, n) : NULL;
}

struct dynamic {
	uint64_t strings, strings_size, soname; /* soname: offset in strings, plus 1 */
	uint64_t *needed;
	size_t n, cap;
};

static void dynamic_take(struct dynamic *d, const GElf_Dyn *dyn)
{
	if (dyn->d_tag == DT_STRTAB) {
		d->strings = dyn->d_un.d_ptr;
	} else if (dyn->d_tag == DT_STRSZ) {
		d->strings_size = dyn->d_un.d_val;
	} else if (dyn->d_tag == DT_SONAME) {
		d->soname = dyn->d_un.d_val + 1;
	} else if (dyn->d_tag == DT_NEEDED && d->n < NEEDED_MAX) {
		GROW(d->needed, d->n, d->cap);
		d->needed[d->n++] = dyn->d_un.d_val;
	}
}

static const char *dynamic_text(struct elf *elf, const struct dynamic *d, uint64_t at)
{
	return at < d->strings_size ? text_at(elf, d->strings + at, d->strings_size - at) : NULL;
}

static void read_dynamic(struct elf *elf, const GElf_Phdr *p)
{
	struct dynamic d = {};
	GElf_Dyn dyn;
	if (p->p_filesz > ELF_SECTION_MAX_BYTES)
		return;
	Elf_Data *data = elf_getdata_rawchunk(elf->self.elf, (int64_t)p->p_offset, p->p_filesz, ELF_T_DYN);
	for (int i = 0; data && gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++)
		dynamic_take(&d, &dyn);
	elf->needed = xcalloc(d.n ?: 1, sizeof(*elf->needed));
	for (size_t i = 0; i < d.n; i++) {
		const char *name = dynamic_text(elf, &d, d.needed[i]);
		if (name)
			elf->needed[elf->n_needed++] = name;
	}
	if (d.soname)
		elf->soname = dynamic_text(elf, &d, d.soname - 1);
	free(d.needed);
}

static void read_facts(struct elf *elf)
{
	size_t n = 0;
	GElf_Phdr p;
	if (elf_getphdrnum(elf->self.elf, &n) < 0)
		n = 0;
	for (size_t i = 0; i < MIN(n, (size_t)ELF_SEGMENTS_MAX); i++) {
		if (!gelf_getphdr(elf->self.elf, (int)i, &p))
			continue;
		if (p.p_type == PT_INTERP && !elf->interpreter)
			elf->interpreter = text_at(elf, p.p_vaddr, p.p_filesz);
		if (p.p_type == PT_DYNAMIC && !elf->needed)
			read_dynamic(elf, &p);
	}
	elf->build_id = arena_dup(&elf->arena, image_build_id(&elf->self));
	read_code_sections(elf);
}

static int read_header(struct elf *elf, struct reason *why)
{
	GElf_Ehdr ehdr;
	if (!gelf_getehdr(elf->self.elf, &ehdr))
		return reason_set(why, -ENOEXEC, "%s is truncated: it ends within its ELF header", elf->name);
	if (ehdr.e_ident[EI_DATA] != HOST_DATA)
		return reason_set(why, -ENOEXEC, "%s is for a machine of the other byte order", elf->name);
	elf->machine = ehdr.e_machine;
	int r = check_sections(elf, &ehdr, why);
	if (r < 0)
		return r;
	return read_segments(elf, why);
}

/* Takes @fd. */
static int open_taken(struct elf **ret, int fd, const char *name, struct reason *why)
{
	_cleanup_(elf_close) struct elf *elf = xcalloc(1, sizeof(*elf));
	elf->name = xstrdup(name);
	int r = image_open(&elf->self, fd);
	if (r < 0)
		return reason_set(why, r, "%s is not an ELF file", name);
	r = read_header(elf, why);
	if (r < 0)
		return r;
	read_facts(elf);
	*ret = take_ptr(elf);
	return 0;
}

int elf_open(struct elf **ret, const char *path, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return reason_set(why, -errno, "cannot open %s: %m", path);
	return open_taken(ret, fd, path, why);
}

int elf_open_fd(struct elf **ret, int fd, const char *name, struct reason *why)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return reason_set(why, -errno, "cannot open %s: %m", name);
	return open_taken(ret, own, name, why);
}

void elf_forget_bytes(struct elf *elf)
{
	if (!elf->dwarf.elf) /* it lies over them */
		image_copy_free(&elf->self);
}

static void forget_functions(struct elf *elf)
{
	free(elf->frames.items);
	elf->frames = (struct frames){};
	free(elf->funcs);
	elf->funcs = NULL;
	free(elf->func_names);
	elf->func_names = NULL;
	elf->n_funcs = 0;
	elf->funcs_known = false;
	arena_done(&elf->names);
}

static void forget_probes(struct elf *elf)
{
	free(elf->usdt);
	elf->usdt = NULL;
	elf->n_usdt = elf->cap_usdt = 0;
	elf->usdt_known = false;
}

void elf_forget(struct elf *elf)
{
	elf_lines_free(elf);
	forget_functions(elf);
	forget_probes(elf);
	image_done(&elf->debug);
	image_done(&elf->mini);
	elf->debug_sought = elf->mini_sought = false;
	image_forget(&elf->self);
}

void elf_close(struct elf *elf)
{
	if (!elf)
		return;
	elf_lines_free(elf);
	forget_functions(elf);
	forget_probes(elf);
	image_done(&elf->debug);
	image_done(&elf->mini);
	image_done(&elf->self);
	free(elf->segments);
	free(elf->code);
	free(elf->needed);
	arena_done(&elf->arena);
	free(elf->name);
	free(elf);
}

const char *elf_name(const struct elf *elf)
{
	return elf->name;
}

int elf_machine(const struct elf *elf)
{
	return elf->machine;
}

const char *elf_interpreter(const struct elf *elf)
{
	return elf->interpreter;
}

struct slice elf_build_id(const struct elf *elf)
{
	return elf->build_id;
}

size_t elf_needed(const struct elf *elf, const char *const **ret_names)
{
	*ret_names = elf->needed;
	return elf->n_needed;
}

bool elf_has_section(const struct elf *elf, const char *name)
{
	GElf_Shdr shdr;
	return image_section(&elf->self, name, &shdr) != NULL;
}
