/*
 * A copy of the file that fills itself: anonymous address space of the file's size, read in blocks when they are first
 * asked for. Slices of it stay where they are until the elf is closed, cost no memory for what nobody looks at (of node's
 * 99 MB the unwinder check reads 3), and cannot fault when the file shrinks, as a mapping of the file would.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sym/elf_inside.h"

#define BLOCK_BYTES (64u << 10)

int elf_copy_new(struct elf *elf)
{
	elf->copy_size = elf->self.size;
	void *p = mmap(NULL, elf->copy_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	elf->copy = p;
	elf->copied = xcalloc(elf->copy_size / BLOCK_BYTES / 8 + 1, 1);
	return 0;
}

void elf_copy_free(struct elf *elf)
{
	if (elf->copy)
		munmap(elf->copy, elf->self.size);
	free(elf->copied);
}

static void copy_block(struct elf *elf, uint64_t block)
{
	uint64_t at = block * BLOCK_BYTES;
	uint64_t end = MIN(at + BLOCK_BYTES, elf->copy_size);
	while (at < end) {
		ssize_t n = pread(elf->self.fd, elf->copy + at, end - at, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* it shrank since it was opened: it ends here now */
			elf->copy_size = at;
			return;
		}
		at += (uint64_t)n;
	}
	elf->copied[block / 8] |= (uint8_t)(1u << block % 8);
}

struct slice elf_bytes(struct elf *elf, uint64_t offset, size_t len)
{
	if (offset >= elf->copy_size || !len)
		return (struct slice){};
	len = (size_t)MIN((uint64_t)len, elf->copy_size - offset);
	for (uint64_t b = offset / BLOCK_BYTES; b <= (offset + len - 1) / BLOCK_BYTES; b++)
		if (!(elf->copied[b / 8] & 1u << b % 8))
			copy_block(elf, b);
	if (offset >= elf->copy_size)
		return (struct slice){};
	return (struct slice){ elf->copy + offset, (size_t)MIN((uint64_t)len, elf->copy_size - offset) };
}
