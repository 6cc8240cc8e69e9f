#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>
#include <elf.h>

#include "base/macro.h"
#include "priv/object.h"

static void every_embedded_object_is_found_by_its_name(void **state)
{
	for (const struct object_row *row = bpf_object_table; row->name; row++) {
		struct slice s = object_bytes(row->name);
		assert_ptr_equal(s.data, row->bytes);
		assert_int_equal(s.len, row->len);
	}
}

static void every_embedded_object_is_an_elf_file_for_bpf(void **state)
{
	for (const struct object_row *row = bpf_object_table; row->name; row++) {
		const Elf64_Ehdr *head = row->bytes;
		if (strchr(row->name, '/'))
			continue; /* the budgets of a family */
		assert_int_equal((uintptr_t)row->bytes % 8, 0);
		assert_true(row->len > sizeof(*head));
		assert_memory_equal(head->e_ident, ELFMAG, SELFMAG);
		assert_int_equal(head->e_machine, EM_BPF);
	}
}

static void a_family_without_an_object_has_no_bytes(void **state)
{
	assert_null(object_bytes("no such family").data);
	assert_null(object_bytes("").data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_embedded_object_is_found_by_its_name),
		cmocka_unit_test(every_embedded_object_is_an_elf_file_for_bpf),
		cmocka_unit_test(a_family_without_an_object_has_no_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
