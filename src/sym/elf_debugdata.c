/* .gnu_debugdata ("MiniDebugInfo"): a second ELF file, xz-packed, with the .symtab that was stripped. Fedora ships all so. */
#include <lzma.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sym/elf_inside.h"

#define FIRST_BYTES (1u << 20)

/* Unpacks all of @packed; NULL when it is damaged, or larger than any real one. free() it. */
static void *unpack(const Elf_Data *packed, size_t *ret_size)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&xz, ELF_DEBUGDATA_MAX_BYTES, 0) != LZMA_OK)
		return NULL;
	size_t room = 0;
	char *out = NULL;
	lzma_ret r = LZMA_OK;
	xz.next_in = packed->d_buf;
	xz.avail_in = packed->d_size;
	while (r == LZMA_OK && room < ELF_DEBUGDATA_MAX_BYTES) {
		size_t more = room ? room : FIRST_BYTES;
		out = xrealloc(out, room + more);
		xz.next_out = (uint8_t *)out + room;
		xz.avail_out = more;
		room += more;
		while (r == LZMA_OK && xz.avail_out)
			r = lzma_code(&xz, LZMA_FINISH);
	}
	*ret_size = (size_t)xz.total_out;
	lzma_end(&xz);
	if (r == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

const struct elf_image *elf_debugdata(struct elf *elf)
{
	GElf_Shdr shdr;
	if (!elf->mini_sought) {
		elf->mini_sought = true;
		Elf_Scn *scn = image_section(&elf->self, ".gnu_debugdata", &shdr);
		Elf_Data *packed = scn ? image_section_data(&elf->self, scn, &shdr) : NULL;
		size_t size = 0;
		void *bytes = packed ? unpack(packed, &size) : NULL;
		if (bytes)
			image_open_memory(&elf->mini, bytes, size);
	}
	return elf->mini.elf ? &elf->mini : NULL;
}
