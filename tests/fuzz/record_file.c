#include "record_file.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zstd.h>

#include "base/cleanup.h"
#include "record/chunk.h"
#include "record/crc32c.h"
#include "record/layout.h"

void record_file_begin(struct record_file *f)
{
	struct record_file_header h = { .magic = RECORD_FILE_MAGIC, .version = RECORD_VERSION, .header_bytes = sizeof(h), .id = "fuzz" };
	h.crc32c = crc32c(&h, offsetof(struct record_file_header, crc32c));
	strbuf_add(&f->bytes, &h, sizeof(h));
}

static void add_sealed(struct record_file *f, const struct record_chunk_header *what, struct strbuf *sealed)
{
	if (what->kind == RECORD_INDEX)
		f->index_offset = f->bytes.len;
	chunk_number(sealed, f->chunks++);
	strbuf_add_slice(&f->bytes, strbuf_slice(sealed));
}

void record_file_add(struct record_file *f, const struct record_chunk_header *what, struct slice raw)
{
	_cleanup_(strbuf_done) struct strbuf sealed = {};
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	chunk_seal(zstd, what, raw, &sealed);
	ZSTD_freeCCtx(zstd);
	add_sealed(f, what, &sealed);
}

void record_file_add_stored(struct record_file *f, const struct record_chunk_header *what, struct slice stored)
{
	_cleanup_(strbuf_done) struct strbuf sealed = {};
	struct record_chunk_header h = *what;
	h.magic = RECORD_CHUNK_MAGIC;
	h.header_bytes = sizeof(h);
	h.stored_bytes = (uint32_t)stored.len;
	h.stored_crc32c = crc32c(stored.data, stored.len);
	strbuf_add(&sealed, &h, sizeof(h));
	strbuf_add_slice(&sealed, stored);
	add_sealed(f, what, &sealed);
}

void record_file_add_beginning(struct record_file *f)
{
	record_file_add(f, &(struct record_chunk_header){ .kind = RECORD_META }, SLICE("{\"command\":\"func\",\"words\":[]}"));
	record_file_add(f, &(struct record_chunk_header){ .kind = RECORD_LAYOUT }, record_layout_own());
}

void record_file_end(struct record_file *f)
{
	struct record_footer footer = { .index_offset = f->index_offset, .magic = RECORD_FOOTER_MAGIC };
	footer.crc32c = crc32c(&footer, offsetof(struct record_footer, crc32c));
	strbuf_add(&f->bytes, &footer, sizeof(footer));
}

int record_file_open(struct record_file *f)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, f->bytes.data, f->bytes.len) != (ssize_t)f->bytes.len)
		abort();
	strbuf_done(&f->bytes);
	return fd;
}

void record_file_path(int fd, char ret[64])
{
	snprintf(ret, 64, "/proc/self/fd/%d", fd);
}
