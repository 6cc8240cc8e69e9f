#include "record/chunk.h"

#include <errno.h>
#include <stddef.h>

#include <zstd.h>

#include "record/crc32c.h"

#define ZSTD_LEVEL 1

/* Returns the bytes stored; 0: it does not become smaller, or fails. */
static size_t compress_to(ZSTD_CCtx *zstd, struct slice raw, char *to, size_t room)
{
	size_t n = ZSTD_compressCCtx(zstd, to, room, raw.data, raw.len, ZSTD_LEVEL);
	return ZSTD_isError(n) || n >= raw.len ? 0 : n;
}

void chunk_seal(ZSTD_CCtx *zstd, const struct record_chunk_header *what, struct slice raw, struct strbuf *out)
{
	struct record_chunk_header h = *what;
	size_t room = ZSTD_compressBound(raw.len);
	strbuf_clear(out);
	strbuf_reserve(out, sizeof(h) + room);
	char *to = out->data + sizeof(h);
	size_t stored = compress_to(zstd, raw, to, room);
	h.compression = stored ? RECORD_ZSTD : RECORD_PLAIN;
	if (!stored && raw.len)
		memcpy(to, raw.data, raw.len);
	h.magic = RECORD_CHUNK_MAGIC;
	h.header_bytes = sizeof(h);
	h.raw_bytes = (uint32_t)raw.len;
	h.stored_bytes = (uint32_t)(stored ? stored : raw.len);
	h.stored_crc32c = crc32c(to, h.stored_bytes);
	memcpy(out->data, &h, sizeof(h));
	out->len = sizeof(h) + h.stored_bytes;
}

void chunk_number(struct strbuf *sealed, uint64_t number)
{
	struct record_chunk_header h;
	memcpy(&h, sealed->data, sizeof(h));
	h.number = number;
	h.crc32c = crc32c(&h, offsetof(struct record_chunk_header, crc32c));
	memcpy(sealed->data, &h, sizeof(h));
}

int record_header_sum_holds(const void *header, size_t header_bytes)
{
	uint32_t sum;
	memcpy(&sum, (const char *)header + header_bytes - sizeof(sum), sizeof(sum));
	return sum == crc32c(header, header_bytes - sizeof(sum));
}

int chunk_header_read(const void *at, size_t len, struct record_chunk_header *ret)
{
	struct record_chunk_header h;
	if (len < sizeof(h))
		return -EAGAIN;
	memcpy(&h, at, sizeof(h));
	if (h.magic != RECORD_CHUNK_MAGIC || h.header_bytes < sizeof(h) || h.header_bytes > RECORD_HEADER_MAX_BYTES)
		return -EBADMSG;
	if (h.header_bytes > len)
		return -EAGAIN;
	if (!record_header_sum_holds(at, h.header_bytes))
		return -EBADMSG;
	if (h.stored_bytes > RECORD_CHUNK_MAX_BYTES || h.raw_bytes > RECORD_CHUNK_MAX_BYTES)
		return -EBADMSG;
	*ret = h;
	return 0;
}

static int decompress(ZSTD_DCtx *zstd, const struct record_chunk_header *h, struct slice stored, struct strbuf *raw)
{
	size_t n = ZSTD_decompressDCtx(zstd, raw->data, h->raw_bytes, stored.data, stored.len);
	return ZSTD_isError(n) || n != h->raw_bytes ? -EBADMSG : 0;
}

int chunk_open(ZSTD_DCtx *zstd, const struct record_chunk_header *h, struct slice stored, struct strbuf *raw)
{
	if (stored.len != h->stored_bytes || h->stored_crc32c != crc32c(stored.data, stored.len))
		return -EBADMSG;
	if (h->cipher != RECORD_OPEN || h->compression > RECORD_ZSTD)
		return -ENOTSUP;
	strbuf_clear(raw);
	if (h->compression == RECORD_PLAIN) {
		strbuf_add(raw, stored.data, stored.len);
		return h->raw_bytes == h->stored_bytes ? 0 : -EBADMSG;
	}
	strbuf_reserve(raw, h->raw_bytes);
	int r = decompress(zstd, h, stored, raw);
	if (r < 0)
		return r;
	raw->len = h->raw_bytes;
	raw->data[raw->len] = '\0';
	return 0;
}
