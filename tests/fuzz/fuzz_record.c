/*
 * The reader of recordings takes any bytes: it ends, and what it gives are records that hold together. The first byte tells
 * what the rest is: a layout, or a file, whose checksums are made right when it is odd, so that what lies behind them is
 * reached as well. Without a corpus it begins with a recording that it writes itself.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "probe/func/func.abi.h"
#include "record/crc32c.h"
#include "record/format.h"
#include "record/layout.h"
#include "record/reader.h"
#include "record/writer.h"

enum { AS_IT_IS, SUMS_MADE_RIGHT, A_LAYOUT, WAYS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void set_sum(uint8_t *header, size_t header_bytes)
{
	uint32_t sum = crc32c(header, header_bytes - sizeof(sum));
	memcpy(header + header_bytes - sizeof(sum), &sum, sizeof(sum));
}

/* Sizes are brought into the bytes that there are, then both sums of each chunk are set. */
static void make_sums_right(uint8_t *bytes, size_t size)
{
	struct record_chunk_header h;
	size_t at = sizeof(struct record_file_header);
	if (size < at)
		return;
	set_sum(bytes, at);
	for (; at + sizeof(h) <= size; at += sizeof(h) + h.stored_bytes) {
		memcpy(&h, bytes + at, sizeof(h));
		h.stored_bytes = (uint32_t)MIN((size_t)h.stored_bytes, size - at - sizeof(h));
		h.raw_bytes = MIN(h.raw_bytes, 1u << 20);
		h.stored_crc32c = crc32c(bytes + at + sizeof(h), h.stored_bytes);
		memcpy(bytes + at, &h, sizeof(h));
		set_sum(bytes + at, sizeof(h));
	}
	if (size >= sizeof(struct record_footer))
		set_sum(bytes + size - sizeof(struct record_footer), offsetof(struct record_footer, magic));
}

static void read_all(struct record_reader *r)
{
	const struct rec_head *rec;
	uint64_t first, last;
	unsigned int sum = 0;
	while (record_reader_next(r, &rec, NULL) == 1) {
		if (rec->length < sizeof(*rec) || rec->length % 8)
			abort();
		for (size_t i = 0; i < rec->length; i++)
			sum += ((const uint8_t *)rec)[i]; /* all of it can be read */
	}
	if (record_reader_span(r, &first, &last) == 0 && first > last && sum == 1)
		abort();
}

static void try_file(const char *path, uint64_t since_ns, uint64_t until_ns)
{
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	struct reason why = {};
	if (record_reader_open(&r, path, &why) < 0)
		return;
	record_reader_seek(r, since_ns, until_ns);
	read_all(r);
}

static void try_bytes(const uint8_t *data, size_t size)
{
	char path[64];
	_cleanup_(fd_close) int fd = memfd_create("recording", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	try_file(path, 0, UINT64_MAX);
	try_file(path, 3000, 9000);
}

static void try_layout(struct slice layout)
{
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	if (record_layout_new(&l, layout, NULL) < 0)
		return;
	for (uint16_t length = 40; length < 400; length += 72) {
		_cleanup_(free) struct rec_head *rec = calloc(1, length);
		*rec = (struct rec_head){ .type = FUNC_CALL, .length = length };
		record_layout_adapt(l, rec, &scratch);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	uint8_t *bytes = malloc(size);
	memcpy(bytes, data + 1, size - 1);
	if (data[0] % WAYS == SUMS_MADE_RIGHT)
		make_sums_right(bytes, size - 1);
	if (data[0] % WAYS == A_LAYOUT)
		try_layout((struct slice){ (const char *)bytes, size - 1 });
	else
		try_bytes(bytes, size - 1);
	free(bytes);
	return 0;
}
