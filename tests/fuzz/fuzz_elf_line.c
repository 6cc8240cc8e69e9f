/*
 * A file with any sections of DWARF, one behind the other: a byte that says which (with 0x80: compressed), two of its length,
 * its contents. libdw is the distribution's, not instrumented: what it does wrong shows as a crash.
 */
#include <elf.h>
#include <stdlib.h>

#include "base/macro.h"
#include "elf_file.h"

#define COMPRESSED 0x80
#define ADDRESSES_END 0x1000
#define ADDRESSES_STEP 8

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const names[] = {
	".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_line_str", ".debug_ranges", ".debug_rnglists",
	".debug_addr", ".debug_str_offsets", ".debug_aranges", ".debug_types", ".gnu_debugaltlink",
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct elf_part parts[ARRAY_SIZE(names)];
	size_t n = 0;
	for (; size >= 3 && n < ARRAY_SIZE(names); n++) {
		size_t len = MIN(size - 3, (size_t)(bytes[1] | bytes[2] << 8));
		parts[n] = (struct elf_part){ names[(bytes[0] & ~COMPRESSED) % ARRAY_SIZE(names)], SHT_PROGBITS,
					      bytes[0] & COMPRESSED ? SHF_COMPRESSED : 0, 0, { (const char *)bytes + 3, len } };
		bytes += 3 + len;
		size -= 3 + len;
	}
	_cleanup_(fd_close) int fd = elf_file(parts, n);
	_cleanup_(elf_close) struct elf *elf = NULL;
	const char *file;
	unsigned line = 0;
	if (elf_open_fd(&elf, fd, "fuzz", NULL) < 0)
		abort();
	for (uint64_t addr = 0; addr < ADDRESSES_END; addr += ADDRESSES_STEP)
		if (elf_line(elf, addr, &file, &line) == 0 && (!file || line == 0))
			abort();
	return 0;
}
