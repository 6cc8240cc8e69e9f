/*
 * Any bytes as an ELF file. libelf and libdw are the distribution's, not instrumented: what they do wrong shows as a crash.
 * Seeds: tests/fuzz/elf_seeds DIR. Run: fuzz_elf -max_len=65536 -timeout=10 -rss_limit_mb=2048 DIR
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "sym/elf.h"

#define LINES_MAX 64
#define NAMES_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_functions(struct elf *elf)
{
	const struct elf_func *funcs;
	const char *file;
	size_t n;
	unsigned line;
	if (elf_functions(elf, &funcs, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct slice code = elf_bytes(elf, funcs[i].offset, (size_t)funcs[i].size);
		if (code.len != funcs[i].size || (i && funcs[i].addr < funcs[i - 1].addr))
			abort(); /* elf.h promises that functions lie in the file, sorted */
		if (i < NAMES_MAX && !*elf_func_name(elf, &funcs[i]))
			abort();
		if (i < LINES_MAX)
			elf_line(elf, funcs[i].addr, &file, &line);
		elf_function_at(elf, funcs[i].offset);
	}
}

static void read_probes(struct elf *elf)
{
	const struct usdt_probe *probes;
	size_t n = 0;
	if (elf_usdt(elf, &probes, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (!elf_bytes(elf, probes[i].offset, 1).len || !probes[i].provider || !probes[i].name || !probes[i].arguments)
			abort();
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
	read_functions(elf);
	read_probes(elf);
	return 0;
}
