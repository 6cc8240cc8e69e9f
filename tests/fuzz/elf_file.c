#include "elf_file.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/strbuf.h"

#define PARTS_MAX 16
#define FILE_MIN_BYTES 0x2000 /* so that addresses of small programs lie in it */
#define NAMES_MAX 1000        /* that are asked for: each may be long */

static const char zeros[0xe00];
const struct elf_part elf_text_part = { ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x200, { zeros, sizeof(zeros) } };

static void pad_to(struct strbuf *b, uint64_t at)
{
	if (b->len < at)
		strbuf_pad(b, '\0', at - b->len);
}

static void add_part(struct strbuf *file, struct strbuf *names, const struct elf_part *p, Elf64_Shdr *ret)
{
	strbuf_pad(file, '\0', -file->len & 7);
	pad_to(file, p->at);
	*ret = (Elf64_Shdr){
		.sh_name = (uint32_t)names->len, .sh_type = p->type, .sh_flags = p->flags, .sh_addr = file->len, .sh_offset = file->len,
		.sh_size = p->bytes.len, .sh_link = p->link + 1, .sh_addralign = 1, .sh_entsize = p->entry_bytes,
	};
	strbuf_add(names, p->name, strlen(p->name) + 1);
	strbuf_add_slice(file, p->bytes);
}

static void write_heads(struct strbuf *file, uint64_t sections_at, size_t n_sections)
{
	Elf64_Ehdr ehdr = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(ehdr), .e_shoff = sections_at,
		.e_ehsize = sizeof(ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1, .e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (uint16_t)n_sections, .e_shstrndx = (uint16_t)(n_sections - 1),
	};
	Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = file->len, .p_memsz = file->len };
	memcpy(file->data, &ehdr, sizeof(ehdr));
	memcpy(file->data + sizeof(ehdr), &phdr, sizeof(phdr));
}

int elf_file(const struct elf_part *parts, size_t n)
{
	_cleanup_(strbuf_done) struct strbuf file = {}, names = {};
	_cleanup_(fd_close) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	Elf64_Shdr sections[PARTS_MAX + 2] = {};
	if (n > PARTS_MAX || fd < 0)
		abort();
	strbuf_pad(&file, '\0', sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
	strbuf_addc(&names, '\0');
	for (size_t i = 0; i < n; i++)
		add_part(&file, &names, &parts[i], &sections[i + 1]);
	strbuf_add(&names, ".shstrtab", sizeof(".shstrtab"));
	sections[n + 1] = (Elf64_Shdr){ .sh_name = (uint32_t)(names.len - sizeof(".shstrtab")), .sh_type = SHT_STRTAB, .sh_offset = file.len,
					.sh_size = names.len };
	strbuf_add_slice(&file, strbuf_slice(&names));
	strbuf_pad(&file, '\0', -file.len & 7);
	pad_to(&file, FILE_MIN_BYTES);
	uint64_t at = file.len;
	strbuf_add(&file, sections, (n + 2) * sizeof(sections[0]));
	write_heads(&file, at, n + 2);
	if (write(fd, file.data, file.len) != (ssize_t)file.len)
		abort();
	return take_fd(fd);
}

void elf_check_functions(struct elf *elf)
{
	const struct elf_func *funcs;
	size_t n;
	if (elf_functions(elf, &funcs, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct slice code = elf_bytes(elf, funcs[i].offset, (size_t)funcs[i].size);
		if (code.len != funcs[i].size || (i && funcs[i].addr < funcs[i - 1].addr))
			abort(); /* elf.h promises that functions lie in the file, sorted */
		if (i < NAMES_MAX && !*elf_func_name(elf, &funcs[i]))
			abort();
		elf_function_at(elf, funcs[i].offset);
	}
}

void elf_check_probes(struct elf *elf)
{
	const struct usdt_probe *probes;
	size_t n = 0;
	if (elf_usdt(elf, &probes, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (!elf_bytes(elf, probes[i].offset, 1).len || !probes[i].provider || !probes[i].name || !probes[i].arguments)
			abort();
}
