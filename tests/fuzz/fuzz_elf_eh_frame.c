/* A file with any .eh_frame: two bytes of its address, then its contents. Exception tables are where they happen to point. */
#include <elf.h>
#include <stdlib.h>

#include "elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2)
		return 0;
	struct elf_part part = { ".eh_frame", SHT_PROGBITS, SHF_ALLOC, bytes[0] | bytes[1] << 8, { (const char *)bytes + 2, size - 2 } };
	_cleanup_(fd_close) int fd = elf_file(&part, 1);
	_cleanup_(elf_close) struct elf *elf = NULL;
	if (elf_open_fd(&elf, fd, "fuzz", NULL) < 0)
		abort();
	elf_has_unwinder(elf);
	elf_check_functions(elf);
	return 0;
}
