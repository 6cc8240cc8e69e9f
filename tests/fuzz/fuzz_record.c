/*
 * A recording of any bytes. The first byte is of bits:
 *   1: the rest is the file   2: it has a footer   4: a part of its time is read   8: it begins as it should
 * Otherwise chunks follow, with sound checksums: kind, bits, two bytes of length, contents. Of the bits of a chunk:
 *   0x80: the contents are its stored bytes, the first four the size that it claims   0x40: they are not compressed
 *   0x20: it has facts   0x0f: its time
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "record/reader.h"
#include "record_file.h"

enum { IS_FILE = 1, HAS_FOOTER = 2, SEEKS = 4, HAS_BEGINNING = 8 };
enum { IS_STORED = 0x80, IS_PLAIN = 0x40, WITH_FACTS = 0x20, TIMES = 0x0f };
#define RECORDS_MAX 100000 /* looked at: a few bytes may be many records */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void add_chunk(struct record_file *f, uint8_t kind, uint8_t how, struct slice content)
{
	struct record_chunk_header h = {
		.kind = kind % 8, .compression = how & IS_PLAIN ? RECORD_PLAIN : RECORD_ZSTD, .flags = how & WITH_FACTS ? RECORD_HAS_FACTS : 0,
		.first_ns = (how & TIMES) * 100, .last_ns = (how & TIMES) * 100 + 150,
	};
	if (!(how & IS_STORED)) {
		record_file_add(f, &h, content);
		return;
	}
	if (content.len < sizeof(h.raw_bytes))
		return;
	memcpy(&h.raw_bytes, content.data, sizeof(h.raw_bytes));
	content.data += sizeof(h.raw_bytes);
	content.len -= sizeof(h.raw_bytes);
	record_file_add_stored(f, &h, content);
}

static int make_file(const uint8_t *bytes, size_t size)
{
	struct record_file f = {};
	uint8_t how = *bytes++;
	size--;
	if (how & IS_FILE) {
		strbuf_add(&f.bytes, bytes, size);
		return record_file_open(&f);
	}
	record_file_begin(&f);
	if (how & HAS_BEGINNING)
		record_file_add_beginning(&f);
	while (size >= 4) {
		size_t len = MIN(size - 4, (size_t)(bytes[2] | bytes[3] << 8));
		add_chunk(&f, bytes[0], bytes[1], (struct slice){ (const char *)bytes + 4, len });
		bytes += 4 + len;
		size -= 4 + len;
	}
	if (how & HAS_FOOTER)
		record_file_end(&f);
	return record_file_open(&f);
}

static void check_record(const struct rec_head *rec)
{
	if (rec->length < sizeof(*rec) || rec->length % 8 || ((uintptr_t)rec & 7))
		abort();
	/* All of it is there. */
	volatile const char *at = (const char *)rec;
	for (size_t i = 0; i < rec->length; i++)
		(void)at[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	if (size == 0)
		return 0;
	_cleanup_(fd_close) int fd = make_file(bytes, size);
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	const struct rec_head *rec;
	struct record_damage damage;
	struct reason why = {};
	uint64_t first_ns = 0, last_ns = 0;
	record_file_path(fd, path);
	if (record_reader_open(&r, path, &why) < 0) {
		if (!why.text[0])
			abort();
		return 0;
	}
	if (record_reader_span(r, &first_ns, &last_ns) == 0 && last_ns == 0)
		abort();
	if (bytes[0] & SEEKS)
		record_reader_seek(r, 200, 500);
	for (int i = 0; i < RECORDS_MAX && record_reader_next(r, &rec, &why) > 0; i++)
		check_record(rec);
	record_reader_damage(r, &damage);
	return 0;
}
