/*
 * format: how a recording lies on disk. Version 1. All numbers are little-endian.
 *
 *   file header · chunk · chunk · ... · index chunk · footer
 *
 * The first chunks of every file are META (JSON: what ran, where, when) and LAYOUT (BTF of the records, so that fields are
 * found by name and an old recording stays readable). RECORDS chunks hold records as the pipeline saw them, in its order.
 * A STATE chunk holds facts that restore what a reader must know at that point (names of probes, of processes ...): every
 * file begins with one, and a reader that comes from the chunk before skips it. Index and footer are there when the
 * recording was closed well; without them the chunk headers are walked. What stands behind the last whole chunk is ignored,
 * and said. A chunk whose checksum is wrong is left out, and counted.
 *
 * A header may grow at its end; its last four bytes, as header_bytes has it, are always its checksum: the CRC-32C of all
 * bytes of it before them.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#define RECORD_FILE_MAGIC "\x89UTRACE\n" /* 8 bytes: not text, and a line-ending conversion would show */
#define RECORD_CHUNK_MAGIC 0x4b484355u    /* "UCHK" */
#define RECORD_FOOTER_MAGIC 0x444e4555u   /* "UEND" */
#define RECORD_VERSION 1

#define RECORD_CHUNK_BYTES (1024 * 1024u)           /* raw bytes, about, of a full RECORDS chunk */
#define RECORD_HEADER_MAX_BYTES 512u                /* a reader refuses more */
#define RECORD_CHUNK_MAX_BYTES (64 * 1024 * 1024u) /* a reader refuses more, stored or raw */

struct record_file_header {
	char magic[8];
	uint16_t version;       /* a reader refuses a higher one */
	uint16_t header_bytes;  /* of this structure */
	uint32_t segment;       /* 0, 1, 2 ... of a rotated recording */
	uint8_t id[16];         /* random; the same in all segments of a recording */
	uint64_t created_ns;    /* CLOCK_REALTIME */
	uint32_t reserved[5];
	uint32_t crc32c;
};
_Static_assert(sizeof(struct record_file_header) == 64, "layout");

enum record_chunk_kind { RECORD_META = 1, RECORD_LAYOUT = 2, RECORD_STATE = 3, RECORD_RECORDS = 4, RECORD_INDEX = 5 };
enum record_compression { RECORD_PLAIN = 0, RECORD_ZSTD = 1 };
enum record_cipher { RECORD_OPEN = 0 }; /* AES-256-GCM will be 1 */

enum record_chunk_flag {
	RECORD_HAS_FACTS = 1 << 0, /* some of its records are facts: a reader that seeks must look at them (rec_is_fact) */
};

struct record_chunk_header {
	uint32_t magic;
	uint16_t header_bytes;  /* of this structure */
	uint8_t kind;           /* enum record_chunk_kind; an unknown one is skipped */
	uint8_t compression;    /* enum record_compression */
	uint8_t cipher;         /* enum record_cipher: of the stored bytes, after compression */
	uint8_t pad;
	uint16_t flags;         /* enum record_chunk_flag */
	uint32_t n_records;     /* of STATE and RECORDS */
	uint32_t stored_bytes;  /* that follow this header */
	uint32_t raw_bytes;     /* after decryption and decompression */
	uint64_t first_ns;      /* least and greatest head.time_ns of its records that are no facts: CLOCK_MONOTONIC; 0: none */
	uint64_t last_ns;
	uint64_t number;        /* counts all chunks of the recording: a gap tells of chunks that are missing */
	uint64_t key_id;        /* of the cipher; 0: none */
	uint8_t nonce[12];      /* of the cipher; its MAC: */
	uint8_t mac[16];
	uint32_t stored_crc32c; /* of the stored bytes */
	uint32_t reserved[3];
	uint32_t crc32c;
};
_Static_assert(sizeof(struct record_chunk_header) == 104, "layout");

/* The payload of an INDEX chunk: one for each chunk before it, in order. */
struct record_index_entry {
	uint64_t offset;        /* of the chunk's header in this file */
	uint64_t first_ns, last_ns;
	uint32_t n_records;
	uint8_t kind, pad;
	uint16_t flags;
};
_Static_assert(sizeof(struct record_index_entry) == 32, "layout");

/* The last bytes of a file that was closed well. */
struct record_footer {
	uint64_t index_offset;  /* of the INDEX chunk's header */
	uint64_t reserved;
	uint32_t crc32c;        /* of the bytes before it */
	uint32_t magic;
};
_Static_assert(sizeof(struct record_footer) == 24, "layout");
