#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "base/reason.h"
#include "base/strbuf.h"

static void hashmap_survives_growth_and_removal(void **state)
{
	_cleanup_(hashmap_done) struct hashmap m = {};
	for (uintptr_t i = 1; i <= 10000; i++)
		assert_null(hashmap_put(&m, i << 12, (void *)i));
	for (uintptr_t i = 1; i <= 10000; i += 2)
		assert_ptr_equal(hashmap_remove(&m, i << 12), (void *)i);
	assert_int_equal(m.n, 5000);
	for (uintptr_t i = 1; i <= 10000; i++)
		assert_ptr_equal(hashmap_get(&m, i << 12), i % 2 ? NULL : (void *)i);
	assert_ptr_equal(hashmap_put(&m, 2 << 12, (void *)7), (void *)2);
}

static void hashmap_keys_may_be_text(void **state)
{
	_cleanup_(hashmap_done) struct hashmap m = {};
	hashmap_put_str(&m, "open", (void *)1);
	hashmap_put_str(&m, "openat", (void *)2);
	assert_ptr_equal(hashmap_get_str(&m, "open"), (void *)1);
	assert_ptr_equal(hashmap_remove_str(&m, "open"), (void *)1);
	assert_null(hashmap_get_str(&m, "open"));
	assert_ptr_equal(hashmap_get_str(&m, "openat"), (void *)2);
}

static void strbuf_formats_beyond_its_first_room(void **state)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&b, "%03d,", i);
	assert_int_equal(b.len, 4000);
	assert_memory_equal(b.data + 3996, "999,", 5);
}

static void arena_memory_is_zero_after_reset(void **state)
{
	_cleanup_(arena_done) struct arena a = {};
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			unsigned char *p = arena_alloc(&a, 3000);
			for (int j = 0; j < 3000; j++) {
				assert_int_equal(p[j], 0);
				p[j] = 0xff;
			}
		}
		arena_reset(&a);
	}
}

static void reason_keeps_the_innermost_cause(void **state)
{
	struct reason why = {};
	assert_int_equal(reason_set(&why, -2, "no such file '%s'", "x"), -2);
	assert_int_equal(reason_set(&why, -1, "cannot open"), -1);
	assert_string_equal(why.text, "no such file 'x'");
}

static void strbuf_writes_numbers_as_printf_does(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 4294967295, 4294967296, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		_cleanup_(strbuf_done) struct strbuf b = {};
		char want[96];
		strbuf_add_uint(&b, numbers[i]);
		strbuf_addc(&b, ' ');
		strbuf_add_int(&b, (int64_t)numbers[i]);
		strbuf_addc(&b, ' ');
		strbuf_add_hex(&b, numbers[i]);
		snprintf(want, sizeof(want), "%" PRIu64 " %" PRId64 " 0x%" PRIx64, numbers[i], (int64_t)numbers[i], numbers[i]);
		assert_string_equal(strbuf_str(&b), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashmap_survives_growth_and_removal),
		cmocka_unit_test(hashmap_keys_may_be_text),
		cmocka_unit_test(strbuf_formats_beyond_its_first_room),
		cmocka_unit_test(strbuf_writes_numbers_as_printf_does),
		cmocka_unit_test(arena_memory_is_zero_after_reset),
		cmocka_unit_test(reason_keeps_the_innermost_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
