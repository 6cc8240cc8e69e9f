/*
 * A copy of the file that fills itself: anonymous address space of the file's size, read in blocks when they are first
 * asked for. Slices of it stay where they are until the file is closed, cost no memory for what nobody looks at (of node's
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

/* Zeros behind the file, so that a reader of text who trusts the file (libdw does) comes to an end. */
#define TAIL_BYTES BLOCK_BYTES

static bool copy_new(struct elf_image *image)
{
	if (image->copy || image->fd < 0)
		return image->copy;
	void *p =
		mmap(NULL, image->size + TAIL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	image->copy = p;
	image->copy_size = image->size;
	image->copied = xcalloc(image->size / BLOCK_BYTES / 8 + 1, 1);
	return true;
}

void image_copy_free(struct elf_image *image)
{
	if (image->copy)
		munmap(image->copy, image->size + TAIL_BYTES);
	free(image->copied);
	image->copy = NULL;
	image->copied = NULL;
}

static void copy_block(struct elf_image *image, uint64_t block)
{
	uint64_t at = block * BLOCK_BYTES;
	uint64_t end = MIN(at + BLOCK_BYTES, image->copy_size);
	while (at < end) {
		ssize_t n = pread(image->fd, image->copy + at, end - at, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* it shrank since it was opened: it ends here now */
			image->copy_size = at;
			return;
		}
		at += (uint64_t)n;
	}
	image->copied[block / 8] |= (uint8_t)(1u << block % 8);
}

struct slice image_bytes(struct elf_image *image, uint64_t offset, size_t len)
{
	if (!len || !copy_new(image) || offset >= image->copy_size)
		return (struct slice){};
	len = (size_t)MIN((uint64_t)len, image->copy_size - offset);
	for (uint64_t b = offset / BLOCK_BYTES; b <= (offset + len - 1) / BLOCK_BYTES; b++)
		if (!(image->copied[b / 8] & 1u << b % 8))
			copy_block(image, b);
	if (offset >= image->copy_size)
		return (struct slice){};
	return (struct slice){ image->copy + offset, (size_t)MIN((uint64_t)len, image->copy_size - offset) };
}
