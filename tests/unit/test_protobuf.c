/* protobuf's wire format against the bytes of its own documentation, protobuf.dev/programming-guides/encoding. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/protobuf.h"

static void must_be(struct strbuf *b, struct slice want)
{
	assert_int_equal(b->len, want.len);
	assert_memory_equal(b->data, want.data, want.len);
	strbuf_clear(b);
}

static void fields_are_written_as_the_documentation_has_them(void **state)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	protobuf_add_uint(&b, 1, 150);
	must_be(&b, SLICE("\x08\x96\x01"));
	protobuf_add_bytes(&b, 2, SLICE("testing"));
	must_be(&b, SLICE("\x12\x07testing"));
	size_t begin = protobuf_begin(&b, 3);
	protobuf_add_uint(&b, 1, 150);
	protobuf_end(&b, begin);
	must_be(&b, SLICE("\x1a\x03\x08\x96\x01"));
	begin = protobuf_begin(&b, 6); /* packed */
	for (size_t i = 0; i < 3; i++)
		protobuf_varint(&b, (uint64_t[]){ 3, 270, 86942 }[i]);
	protobuf_end(&b, begin);
	must_be(&b, SLICE("\x32\x06\x03\x8e\x02\x9e\xa7\x05"));
	protobuf_add_uint(&b, 1, (uint64_t)-2);
	must_be(&b, SLICE("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
	protobuf_add_sint(&b, 1, -2);
	must_be(&b, SLICE("\x08\x03"));
	protobuf_add_sint(&b, 1, INT32_MAX);
	must_be(&b, SLICE("\x08\xfe\xff\xff\xff\x0f"));
	protobuf_add_double(&b, 16, 1);
	must_be(&b, SLICE("\x81\x01\0\0\0\0\0\0\xf0\x3f"));
}

static void what_is_written_is_read(void **state)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	struct protobuf_field f;
	protobuf_add_uint(&b, 1, UINT64_MAX);
	protobuf_add_fixed64(&b, 536870911, 7);
	size_t begin = protobuf_begin(&b, 3);
	strbuf_pad(&b, 'x', 70000);
	protobuf_end(&b, begin);
	struct slice in = strbuf_slice(&b);
	assert_int_equal(protobuf_next(&in, &f), 1);
	assert_true(f.number == 1 && f.type == PROTOBUF_VARINT && f.u == UINT64_MAX);
	assert_int_equal(protobuf_next(&in, &f), 1);
	assert_true(f.number == 536870911 && f.type == PROTOBUF_FIXED64 && f.u == 7);
	assert_int_equal(protobuf_next(&in, &f), 1);
	assert_true(f.number == 3 && f.type == PROTOBUF_BYTES && f.bytes.len == 70000 && f.bytes.data[69999] == 'x');
	assert_int_equal(protobuf_next(&in, &f), 0);
}

static void rubbish_is_no_message(void **state)
{
	static const struct slice rubbish[] = {
		SLICE("\x08"), SLICE("\x08\x80"), SLICE("\x12\x02x"), SLICE("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), SLICE("\x0b"), SLICE("\x00\x00"),
		SLICE("\x09\x01\x02"), SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++) {
		struct slice in = rubbish[i];
		struct protobuf_field f;
		assert_int_equal(protobuf_next(&in, &f), -EBADMSG);
		assert_ptr_equal(in.data, rubbish[i].data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_written_as_the_documentation_has_them),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(rubbish_is_no_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
