/* record_file: what the fuzzers of recordings share: a file with sound checksums around the chunks that are fuzzed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"
#include "record/format.h"

struct record_file {
	struct strbuf bytes;
	uint64_t chunks;       /* so far */
	uint64_t index_offset; /* of the last INDEX chunk; 0: none */
};

void record_file_begin(struct record_file *f);
/* A chunk of @raw, compressed as the writer does it; of @what kind, flags and times are taken. */
void record_file_add(struct record_file *f, const struct record_chunk_header *what, struct slice raw);
/* A chunk whose stored bytes, and what @what says of them, may be anything. */
void record_file_add_stored(struct record_file *f, const struct record_chunk_header *what, struct slice stored);
/* META and LAYOUT, as every file begins. */
void record_file_add_beginning(struct record_file *f);
void record_file_end(struct record_file *f); /* with a footer */
int record_file_open(struct record_file *f); /* as a descriptor; frees @f */
void record_file_path(int fd, char ret[64]);
