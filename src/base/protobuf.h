/*
 * protobuf: the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), written and read field by field. What a
 * field means is told by the .proto file that its user names; there is no schema here, and nothing is allocated but the buffer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

enum protobuf_type { PROTOBUF_VARINT = 0, PROTOBUF_FIXED64 = 1, PROTOBUF_BYTES = 2, PROTOBUF_FIXED32 = 5 };

void protobuf_varint(struct strbuf *b, uint64_t v); /* without a field: an item of a packed list */
void protobuf_add_uint(struct strbuf *b, uint32_t field, uint64_t v); /* int64, enum and bool too */
void protobuf_add_sint(struct strbuf *b, uint32_t field, int64_t v);  /* sint32, sint64 */
void protobuf_add_fixed64(struct strbuf *b, uint32_t field, uint64_t v);
void protobuf_add_double(struct strbuf *b, uint32_t field, double v);
void protobuf_add_bytes(struct strbuf *b, uint32_t field, struct slice bytes);

/* A message inside, or a packed list: what is added until the end belongs to it. */
size_t protobuf_begin(struct strbuf *b, uint32_t field);
void protobuf_end(struct strbuf *b, size_t begin);

struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t u;         /* of all but PROTOBUF_BYTES */
	struct slice bytes; /* borrowed from what is read */
};

/* The next field of @in, which moves behind it: 1; 0 at the end; -EBADMSG: these bytes are no message. */
int protobuf_next(struct slice *in, struct protobuf_field *ret);
