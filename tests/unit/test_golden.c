/* The recordings of tests/golden hold every record type that there is, so that each stays readable. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <bpf/btf.h>

#include "base/macro.h"
#include "record/layout.h"
#include "record/reader.h"

#define TYPES 65536

static void note_types(const char *path, bool *seen)
{
	_cleanup_(record_reader_free) struct record_reader *r = NULL;
	const struct rec_head *rec;
	struct reason why = {};
	struct record_damage damage;
	if (record_reader_open(&r, path, &why) < 0)
		fail_msg("%s", why.text);
	while (record_reader_next(r, &rec, &why) > 0)
		seen[rec->type] = true;
	record_reader_damage(r, &damage);
	if (damage.chunks || damage.records || damage.not_closed)
		fail_msg("%s is damaged", path);
}

static void note_all(bool *seen)
{
	DIR *folder = opendir(GOLDEN);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		char path[1024];
		const char *suffix = strrchr(entry->d_name, '.');
		snprintf(path, sizeof(path), "%s/%s", GOLDEN, entry->d_name);
		if (suffix && streq(suffix, ".utr"))
			note_types(path, seen);
	}
	closedir(folder);
}

static void each_record_type_is_in_a_golden_recording(void **state)
{
	static bool seen[TYPES];
	struct slice own = record_layout_own();
	struct btf *types = btf__new(own.data, (uint32_t)own.len);
	int id = btf__find_by_name_kind(types, "record_types", BTF_KIND_STRUCT), missing = 0;
	assert_true(id > 0);
	note_all(seen);
	const struct btf_type *t = btf__type_by_id(types, (uint32_t)id);
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		unsigned type;
		const char *name = btf__name_by_offset(types, btf_members(t)[i].name_off);
		assert_int_equal(sscanf(name, "r%4x", &type), 1);
		if (!seen[type])
			print_error("no golden recording holds %s (tests/golden/make.py)\n", name);
		missing += !seen[type];
	}
	btf__free(types);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_record_type_is_in_a_golden_recording) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
