/*
 * chunked: the chunked transfer coding as a machine that keeps nothing but its place, RFC 9112 section 7.1.
 *
 * chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF, until one of size 0; then trailers and an empty line, which are not
 * read here. Lines may end with LF alone and sizes with blanks, as servers send and take them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define CHUNK_LINE_BYTES 16384 /* of a size and its extensions: the most that nginx, apache2 or node take */

enum chunk_place {
	CHUNK_SIZE,      /* at the first digit: what a new struct says */
	CHUNK_DIGITS,
	CHUNK_EXTENSION, /* and blanks after the size */
	CHUNK_SIZE_LF,   /* after the CR of the size line */
	CHUNK_DATA,
	CHUNK_DATA_CR,   /* after the data */
	CHUNK_DATA_LF,
	CHUNK_LAST,      /* a chunk of size 0 was read: trailers follow */
	CHUNK_BAD,
};

struct chunked {
	enum chunk_place place;
	uint32_t line_bytes; /* of the size line so far */
	uint64_t left;       /* of the data */
	uint64_t data_bytes; /* of all chunks so far */
};

/* Returns how many bytes of @in were read: all of them, unless the place is CHUNK_LAST or CHUNK_BAD then. */
size_t chunked_feed(struct chunked *c, struct slice in);

/*
 * So many bytes were not seen. False: a size may have been among them, so that the place is not known any more. A gap that ends
 * 5 bytes after a chunk hides the last one, "0 CRLF CRLF", trailers excluded: any other takes 6; then the place is CHUNK_LAST, with
 * *ret_ended true: nothing follows.
 */
bool chunked_gap(struct chunked *c, uint64_t bytes, bool *ret_ended);
