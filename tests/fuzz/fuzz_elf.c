/*
 * Any bytes as an ELF file: headers, segments, sections, and all that is read of it. The sections' own fuzzers go deeper.
 * libelf and libdw are the distribution's, not instrumented: what they do wrong shows as a crash.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf_file.h"

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_lines(struct elf *elf)
{
	const struct elf_func *funcs;
	const char *file;
	size_t n;
	unsigned line;
	if (elf_functions(elf, &funcs, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n && i < LINES_MAX; i++)
		elf_line(elf, funcs[i].addr, &file, &line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(fd_close) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_(elf_close) struct elf *elf = NULL;
	struct reason why = {};
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || elf_open_fd(&elf, fd, "fuzz", &why) < 0)
		return 0;
	const char *const *needed;
	for (size_t i = elf_needed(elf, &needed); i-- > 0;)
		if (!*needed[i])
			abort();
	elf_has_unwinder(elf);
	elf_check_functions(elf);
	read_lines(elf);
	elf_check_probes(elf);
	return 0;
}
