/* chunk: the unit of a recording, bytes to bytes: raw ones are sealed (compressed, summed) and opened again. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include "record/format.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

/*
 * Replaces @out by header and stored bytes of @raw (at most RECORD_CHUNK_MAX_BYTES). Of @what kind, flags, n_records and
 * times are taken. The chunk has no number yet, so its header no checksum: chunk_number() completes it.
 */
void chunk_seal(struct ZSTD_CCtx_s *zstd, const struct record_chunk_header *what, struct slice raw, struct strbuf *out);
void chunk_number(struct strbuf *sealed, uint64_t number);

/*
 * The header that the @len bytes at @at begin with, fields behind those that we know left out. -EBADMSG: none, or damaged;
 * -EAGAIN: cut off by the end of the bytes.
 */
int chunk_header_read(const void *at, size_t len, struct record_chunk_header *ret);

/*
 * Replaces @raw by the raw bytes of a chunk. -EBADMSG: the stored bytes are damaged; -ENOTSUP: encrypted or compressed in a
 * way that we do not know.
 */
int chunk_open(struct ZSTD_DCtx_s *zstd, const struct record_chunk_header *h, struct slice stored, struct strbuf *raw);

/* True when the last four of @header_bytes are the checksum of those before them. */
int record_header_sum_holds(const void *header, size_t header_bytes);
