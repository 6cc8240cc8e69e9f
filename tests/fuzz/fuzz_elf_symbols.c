/*
 * A file with any symbol table: a byte of bits, two of the table's length, the table, the rest its strings.
 *   1: it is .dynsym, not .symtab   2: beside a .text, outside of which no function lies
 *   4, and no higher bit: in a file within .gnu_debugdata, which is slow
 */
#include <elf.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "elf_file.h"

enum { DYNAMIC = 1, WITH_TEXT = 2, PACKED = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int file_of(struct slice symbols, struct slice strings, unsigned how)
{
	struct elf_part parts[] = {
		{ ".strtab", SHT_STRTAB, 0, 0, strings },
		{ ".symtab", how & DYNAMIC ? SHT_DYNSYM : SHT_SYMTAB, 0, 0, symbols, 0, sizeof(Elf64_Sym) },
		elf_text_part,
	};
	return elf_file(parts, how & WITH_TEXT ? 3 : 2);
}

/* A stripped file around the one behind @fd, which is closed. */
static int pack(int fd)
{
	_cleanup_(fd_close) int inner = fd;
	size_t len = (size_t)lseek(inner, 0, SEEK_END), room = lzma_stream_buffer_bound(len), packed = 0;
	_cleanup_(free) uint8_t *plain = xmalloc(len), *xz = xmalloc(room);
	if (pread(inner, plain, len, 0) != (ssize_t)len ||
	    lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, plain, len, xz, &packed, room) != LZMA_OK)
		abort();
	struct elf_part parts[] = { elf_text_part, { ".gnu_debugdata", SHT_PROGBITS, 0, 0, { (const char *)xz, packed } } };
	return elf_file(parts, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 3)
		return 0;
	const char *at = (const char *)bytes + 3;
	size_t left = size - 3, len = MIN(left, (size_t)(bytes[1] | bytes[2] << 8));
	int whole = file_of((struct slice){ at, len }, (struct slice){ at + len, left - len }, bytes[0]);
	_cleanup_(fd_close) int fd = (bytes[0] & ~3) == PACKED ? pack(whole) : whole;
	_cleanup_(elf_close) struct elf *elf = NULL;
	if (elf_open_fd(&elf, fd, "fuzz", NULL) < 0)
		abort();
	elf_has_unwinder(elf);
	elf_check_functions(elf);
	return 0;
}
