#include "base/protobuf.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define VARINT_MAX_BYTES 10

static size_t put_varint(char to[VARINT_MAX_BYTES], uint64_t v)
{
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		to[n++] = (char)(0x80 | (v & 0x7f));
	to[n++] = (char)v;
	return n;
}

void protobuf_varint(struct strbuf *b, uint64_t v)
{
	char bytes[VARINT_MAX_BYTES];
	strbuf_add(b, bytes, put_varint(bytes, v));
}

static void add_tag(struct strbuf *b, uint32_t field, enum protobuf_type type)
{
	protobuf_varint(b, (uint64_t)field << 3 | type);
}

void protobuf_add_uint(struct strbuf *b, uint32_t field, uint64_t v)
{
	add_tag(b, field, PROTOBUF_VARINT);
	protobuf_varint(b, v);
}

void protobuf_add_sint(struct strbuf *b, uint32_t field, int64_t v)
{
	protobuf_add_uint(b, field, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

void protobuf_add_fixed64(struct strbuf *b, uint32_t field, uint64_t v)
{
	uint64_t little = htole64(v);
	add_tag(b, field, PROTOBUF_FIXED64);
	strbuf_add(b, &little, sizeof(little));
}

void protobuf_add_double(struct strbuf *b, uint32_t field, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	protobuf_add_fixed64(b, field, bits);
}

void protobuf_add_bytes(struct strbuf *b, uint32_t field, struct slice bytes)
{
	add_tag(b, field, PROTOBUF_BYTES);
	protobuf_varint(b, bytes.len);
	strbuf_add_slice(b, bytes);
}

/* The length stands in front and is known last: there is room for one byte of it, which is enough for most. */
size_t protobuf_begin(struct strbuf *b, uint32_t field)
{
	add_tag(b, field, PROTOBUF_BYTES);
	strbuf_addc(b, '\0');
	return b->len;
}

void protobuf_end(struct strbuf *b, size_t begin)
{
	char bytes[VARINT_MAX_BYTES];
	size_t len = b->len - begin, n = put_varint(bytes, len), more = n - 1;
	if (more) {
		strbuf_pad(b, '\0', more);
		memmove(b->data + begin + more, b->data + begin, len);
	}
	memcpy(b->data + begin - 1, bytes, n);
}

static int take_varint(struct slice *in, uint64_t *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < in->len && i < VARINT_MAX_BYTES; i++) {
		v |= (uint64_t)(in->data[i] & 0x7f) << (7 * i);
		if (in->data[i] & 0x80)
			continue;
		*ret = v;
		*in = (struct slice){ in->data + i + 1, in->len - i - 1 };
		return 0;
	}
	return -EBADMSG;
}

static int take_bytes(struct slice *in, size_t len, struct slice *ret)
{
	if (len > in->len)
		return -EBADMSG;
	*ret = (struct slice){ in->data, len };
	*in = (struct slice){ in->data + len, in->len - len };
	return 0;
}

static int take_fixed(struct slice *in, size_t len, uint64_t *ret)
{
	struct slice bytes;
	uint64_t little = 0;
	if (take_bytes(in, len, &bytes) < 0)
		return -EBADMSG;
	memcpy(&little, bytes.data, len);
	*ret = le64toh(little);
	return 0;
}

static int take_value(struct slice *in, struct protobuf_field *f)
{
	uint64_t len;
	switch (f->type) {
	case PROTOBUF_VARINT:
		return take_varint(in, &f->u);
	case PROTOBUF_FIXED64:
		return take_fixed(in, 8, &f->u);
	case PROTOBUF_FIXED32:
		return take_fixed(in, 4, &f->u);
	case PROTOBUF_BYTES:
		return take_varint(in, &len) < 0 ? -EBADMSG : take_bytes(in, len, &f->bytes);
	}
	return -EBADMSG; /* groups are of protobuf's past */
}

int protobuf_next(struct slice *in, struct protobuf_field *ret)
{
	struct slice rest = *in;
	struct protobuf_field f = {};
	uint64_t tag;
	if (rest.len == 0)
		return 0;
	if (take_varint(&rest, &tag) < 0 || tag >> 3 == 0 || tag >> 32)
		return -EBADMSG;
	f.number = (uint32_t)(tag >> 3);
	f.type = (enum protobuf_type)(tag & 7);
	if (take_value(&rest, &f) < 0)
		return -EBADMSG;
	*ret = f;
	*in = rest;
	return 1;
}
