/* layout_fields: what BTF says of the records, flat: the numbers and arrays of numbers of each record type, by path. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"

struct layout_field {
	const char *path;  /* "head.time_ns", "part.1.size" */
	uint32_t offset;   /* bytes from the beginning of the record */
	uint32_t size;     /* bytes of one element */
	uint32_t count;    /* elements: 1, or those of an array */
	bool is_number;    /* an integer or enum of 1, 2, 4 or 8 bytes; else bytes of no known meaning */
	bool is_signed;
};

struct layout_record {
	uint16_t type;
	uint32_t size; /* of the fixed part, a multiple of 8 */
	uint32_t n, cap;
	struct layout_field *fields;
};

struct layout_fields {
	struct arena names;
	struct layout_record *records;
	uint32_t n, cap;
};

/*
 * Fills @f, which is empty, from a BTF that may be anything: -EBADMSG and @why when it does not hold together. What is in @f
 * afterwards lies inside of its record and does not overlap to more bytes than the record has.
 */
int layout_fields_read(struct layout_fields *f, struct slice btf, struct reason *why);
void layout_fields_done(struct layout_fields *f);
DEFINE_CLEANUP_IN_PLACE(struct layout_fields, layout_fields_done)

const struct layout_record *layout_fields_find(const struct layout_fields *f, uint16_t type);
