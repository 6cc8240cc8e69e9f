/* A file with any .note.stapsdt: two bytes of the address of .stapsdt.base, then the notes. */
#include <elf.h>
#include <stdlib.h>

#include "elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2)
		return 0;
	struct elf_part parts[] = {
		{ ".note.stapsdt", SHT_NOTE, 0, 0, { (const char *)bytes + 2, size - 2 } },
		{ ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, bytes[0] | bytes[1] << 8, SLICE("\0") },
	};
	_cleanup_(fd_close) int fd = elf_file(parts, 2);
	_cleanup_(elf_close) struct elf *elf = NULL;
	if (elf_open_fd(&elf, fd, "fuzz", NULL) < 0)
		abort();
	elf_check_probes(elf);
	return 0;
}
