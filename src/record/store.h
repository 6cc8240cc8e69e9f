/*
 * store: the files of a recording as they are written, one after the other. Used by the writer's thread alone. After the
 * first error every call returns it and does nothing; the file then ends at its last whole chunk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "record/format.h"

/* Chunks of one file, so that the index stays a chunk like others and its memory small; store_is_full() tells. */
#define STORE_MAX_CHUNKS (1u << 20)

struct ZSTD_CCtx_s;

struct store {
	char *path;          /* of the first file */
	char *meta, *layout; /* what every file begins with */
	size_t meta_len, layout_len;
	struct ZSTD_CCtx_s *zstd;
	struct strbuf sealed;

	int fd, error;
	uint8_t id[16];
	bool is_partial;    /* the first file is still called PATH.partial: see store_keep() */
	uint32_t files;     /* made so far: the suffix of the next one's name */
	uint32_t segment;   /* of the current recording: number of the next file */
	uint64_t offset;    /* end of the current file */
	uint64_t number;    /* of the next chunk */
	struct record_index_entry *index;
	size_t n_index, cap_index;
	uint64_t records, bytes; /* in all files: records of RECORDS chunks, stored bytes */
	uint64_t dirty_ns;  /* since when something waits for a sync: CLOCK_MONOTONIC; 0: nothing does */
};

int store_init(struct store *s, const char *path, struct slice meta, struct slice layout);
void store_done(struct store *s);
DEFINE_CLEANUP_IN_PLACE(struct store, store_done)

/* The next file: created, and begun with header, META and LAYOUT. @anew: of another recording, not a segment of this one. */
int store_begin(struct store *s, bool anew, struct reason *why);
/*
 * With is_partial the first file is written as PATH.partial, so that a run that does not come about leaves what was there before.
 * store_keep() gives it its name, and touches names alone: any thread may call it.
 */
int store_keep(const struct store *s);
/* A chunk as chunk_seal() made it; it gets its number. */
int store_chunk(struct store *s, struct strbuf *sealed);
bool store_is_full(const struct store *s);
int store_sync(struct store *s);
/* Index, footer, sync. Does nothing when no file is open. */
int store_finish(struct store *s);
