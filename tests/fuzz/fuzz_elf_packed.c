/* A file with any bytes as .gnu_debugdata (first byte even) or .gnu_debuglink. */
#include <elf.h>
#include <stdlib.h>

#include "elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 1)
		return 0;
	const char *name = bytes[0] & 1 ? ".gnu_debuglink" : ".gnu_debugdata";
	struct elf_part parts[] = { elf_text_part, { name, SHT_PROGBITS, 0, 0, { (const char *)bytes + 1, size - 1 } } };
	_cleanup_(fd_close) int fd = elf_file(parts, 2);
	_cleanup_(elf_close) struct elf *elf = NULL;
	if (elf_open_fd(&elf, fd, "fuzz", NULL) < 0)
		abort();
	elf_check_functions(elf);
	return 0;
}
