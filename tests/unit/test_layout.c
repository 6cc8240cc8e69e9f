/* Layouts of records: what an older or newer writer wrote is read by the names of its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/btf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "engine/fact.abi.h"
#include "probe/func/fact.abi.h"
#include "probe/func/func.abi.h"
#include "probe/syscall/syscall.abi.h"
#include "probe/task/task.abi.h"
#include "record/layout.h"

/* --- layouts made by libbpf --- */

struct made_field {
	const char *name;
	char kind;      /* 'u', 's': integer; 'a': array of bytes; 'p': a struct of two u32, low and high */
	uint32_t size;  /* bytes of the integer, elements of the array */
	uint32_t offset;
};

struct made_layout {
	uint32_t size; /* of the record */
	struct made_field fields[6];
};

static int add_head(struct btf *btf)
{
	static const char *const names[] = { "type", "length", "cpu", "flags" };
	int u16 = btf__add_int(btf, "__u16", 2, 0), u64 = btf__add_int(btf, "__u64", 8, 0);
	int u32 = btf__add_int(btf, "__u32", 4, 0);
	int head = btf__add_struct(btf, "rec_head", sizeof(struct rec_head));
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		btf__add_field(btf, names[i], u16, 16 * i, 0);
	btf__add_field(btf, "time_ns", u64, 64, 0);
	btf__add_field(btf, "pid", u32, 128, 0);
	return head;
}

static int add_type(struct btf *btf, const struct made_field *f)
{
	if (f->kind == 'a') {
		int byte = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
		return btf__add_array(btf, byte, byte, f->size);
	}
	if (f->kind == 'p') {
		int u32 = btf__add_int(btf, "__u32", 4, 0);
		int pair = btf__add_struct(btf, "pair", 8);
		btf__add_field(btf, "low", u32, 0, 0);
		btf__add_field(btf, "high", u32, 32, 0);
		return pair;
	}
	int number = btf__add_int(btf, "number", f->size, f->kind == 's' ? BTF_INT_SIGNED : 0);
	return btf__add_typedef(btf, "number_t", number);
}

/* A layout with one record type, 0x0301; the bytes are the caller's. */
static struct slice make_layout(const struct made_layout *made)
{
	struct btf *btf = btf__new_empty();
	int types[ARRAY_SIZE(made->fields)], head = add_head(btf);
	for (size_t i = 0; i < ARRAY_SIZE(types) && made->fields[i].name; i++)
		types[i] = add_type(btf, &made->fields[i]);
	int record = btf__add_struct(btf, "some_rec", made->size);
	btf__add_field(btf, "head", head, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(types) && made->fields[i].name; i++)
		btf__add_field(btf, made->fields[i].name, types[i], made->fields[i].offset * 8, 0);
	btf__add_struct(btf, "record_types", made->size);
	btf__add_field(btf, "r0301", record, 0, 0);
	uint32_t len;
	const void *raw = btf__raw_data(btf, &len);
	char *bytes = xmalloc(len);
	memcpy(bytes, raw, len);
	btf__free(btf);
	return (struct slice){ bytes, len };
}

/* --- records of such layouts --- */

union record {
	struct rec_head head;
	char bytes[256];
};

static union record make_record(uint16_t length, const char fixed[static 64])
{
	union record rec = { .head = { .type = 0x0301, .length = length, .cpu = 3, .time_ns = 12345, .pid = 77 } };
	memcpy(rec.bytes + sizeof(struct rec_head), fixed, 64);
	return rec;
}

struct adapt_case {
	const char *name;
	struct made_layout theirs, ours;
	char fixed[64]; /* bytes behind the head in their layout, and what follows */
	uint16_t length;
	char want[64];  /* the same in ours */
	uint16_t want_length;
};

/* Numbers are written as text: "abcd" is one of four bytes. */
static const struct adapt_case cases[] = {
	{ "a field was added behind",
	  { 48, { { "a", 'u', 8, 40 } } }, { 56, { { "a", 'u', 8, 40 }, { "b", 'u', 8, 48 } } },
	  "aaaaaaaatailtail", 56, "aaaaaaaa\0\0\0\0\0\0\0\0tailtail", 64 },
	{ "a field was added before",
	  { 48, { { "a", 'u', 8, 40 } } }, { 56, { { "b", 'u', 8, 40 }, { "a", 'u', 8, 48 } } },
	  "aaaaaaaatailtail", 56, "\0\0\0\0\0\0\0\0aaaaaaaatailtail", 64 },
	{ "a field was removed",
	  { 56, { { "a", 'u', 8, 40 }, { "b", 'u', 8, 48 } } }, { 48, { { "b", 'u', 8, 40 } } },
	  "aaaaaaaabbbbbbbbtailtail", 64, "bbbbbbbbtailtail", 56 },
	{ "fields changed places",
	  { 48, { { "a", 'u', 4, 40 }, { "b", 'u', 4, 44 } } }, { 48, { { "b", 'u', 4, 40 }, { "a", 'u', 4, 44 } } },
	  "aaaabbbb", 48, "bbbbaaaa", 48 },
	{ "a number without sign was widened",
	  { 48, { { "a", 'u', 4, 40 } } }, { 48, { { "a", 'u', 8, 40 } } },
	  "\1\2\3\xff", 48, "\1\2\3\xff\0\0\0\0", 48 },
	{ "a negative number was widened",
	  { 48, { { "a", 's', 4, 40 } } }, { 48, { { "a", 's', 8, 40 } } },
	  "\1\2\3\xff", 48, "\1\2\3\xff\xff\xff\xff\xff", 48 },
	{ "a positive number with sign was widened",
	  { 48, { { "a", 's', 1, 40 } } }, { 48, { { "a", 's', 2, 40 } } },
	  "\x7f", 48, "\x7f\0", 48 },
	{ "a number was narrowed",
	  { 48, { { "a", 'u', 8, 40 } } }, { 48, { { "a", 'u', 2, 40 } } },
	  "abcdefgh", 48, "ab\0\0\0\0\0\0", 48 },
	{ "an array has grown",
	  { 48, { { "a", 'a', 8, 40 } } }, { 56, { { "a", 'a', 12, 40 } } },
	  "namename", 48, "namename\0\0\0\0\0\0\0\0", 56 },
	{ "an array has shrunk",
	  { 56, { { "a", 'a', 16, 40 } } }, { 48, { { "a", 'a', 8, 40 } } },
	  "namename-and-mortailtail", 64, "namenametailtail", 56 },
	{ "a structure inside has moved",
	  { 56, { { "a", 'u', 8, 40 }, { "p", 'p', 0, 48 } } }, { 48, { { "p", 'p', 0, 40 } } },
	  "aaaaaaaalow-high", 56, "low-high", 48 },
	{ "the record ends before its fixed part does",
	  { 64, { { "a", 'u', 8, 40 }, { "path", 'a', 16, 48 } } }, { 72, { { "n", 'u', 8, 40 }, { "a", 'u', 8, 48 }, { "path", 'a', 16, 56 } } },
	  "aaaaaaaa", 48, "\0\0\0\0\0\0\0\0aaaaaaaa\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 72 },
	{ "a number became text",
	  { 48, { { "a", 'u', 8, 40 } } }, { 48, { { "a", 'a', 8, 40 } } },
	  "aaaaaaaa", 48, "a\0\0\0\0\0\0\0", 48 },
};

static void assert_adapts(const struct adapt_case *c)
{
	struct slice theirs = make_layout(&c->theirs), ours = make_layout(&c->ours);
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	union record in = make_record(c->length, c->fixed), want = make_record(c->want_length, c->want);
	struct reason why = {};
	if (record_layout_between(&l, theirs, ours, &why) < 0)
		fail_msg("%s: %s", c->name, why.text);
	const struct rec_head *got = record_layout_adapt(l, &in.head, &scratch);
	if (!got || got->length != c->want_length || memcmp(got, want.bytes, c->want_length) != 0)
		fail_msg("%s", c->name);
	free((char *)theirs.data);
	free((char *)ours.data);
}

static void fields_are_found_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_adapts(&cases[i]);
}

static void what_did_not_change_is_passed_on_as_it_is(void **state)
{
	/* Another order of types and another name, but the same fields. */
	static const struct made_layout made = { 48, { { "a", 'u', 4, 40 }, { "b", 's', 4, 44 } } };
	static const struct made_layout unsigned_b = { 48, { { "a", 'u', 4, 40 }, { "b", 'u', 4, 44 } } };
	struct slice theirs = make_layout(&made), ours = make_layout(&unsigned_b);
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	union record rec = make_record(48, (char[64]){ "aaaabbbb" });
	assert_int_equal(record_layout_between(&l, theirs, ours, NULL), 0);
	assert_ptr_equal(record_layout_adapt(l, &rec.head, &scratch), &rec);
	rec.head.type = 0x0302;
	assert_null(record_layout_adapt(l, &rec.head, &scratch));
	free((char *)theirs.data);
	free((char *)ours.data);
}

static void a_record_that_would_be_too_long_is_refused(void **state)
{
	static const struct made_layout small = { 48, { { "a", 'u', 8, 40 } } };
	static const struct made_layout large = { 56, { { "a", 'u', 8, 40 }, { "b", 'u', 8, 48 } } };
	struct slice theirs = make_layout(&small), ours = make_layout(&large);
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	_cleanup_(free) struct rec_head *rec = xcalloc(1, UINT16_MAX);
	assert_int_equal(record_layout_between(&l, theirs, ours, NULL), 0);
	*rec = (struct rec_head){ .type = 0x0301, .length = 65528 };
	assert_null(record_layout_adapt(l, rec, &scratch));
	rec->length = 65520;
	assert_int_equal(record_layout_adapt(l, rec, &scratch)->length, 65528);
	free((char *)theirs.data);
	free((char *)ours.data);
}

static void every_record_type_is_known_by_its_own_size(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t size;
	} types[] = {
		{ TASK_FORK, sizeof(struct task_rec) }, { TASK_EXEC, sizeof(struct task_rec) },
		{ TASK_EXIT, sizeof(struct task_rec) }, { TASK_MAP, sizeof(struct task_rec) },
		{ RUN_TICK, sizeof(struct rec_head) }, { RUN_LOSS, sizeof(struct run_loss_rec) },
		{ RUN_CLOCK, sizeof(struct run_clock_rec) }, { RUN_PROCESS, sizeof(struct run_process_rec) },
		{ RUN_PROCESS_END, sizeof(struct rec_head) }, { RUN_NOTE, sizeof(struct run_note_rec) },
		{ RUN_ACCOUNT, sizeof(struct run_account_rec) }, { RUN_THREAD, sizeof(struct run_thread_rec) },
		{ FUNC_CALL, sizeof(struct func_call_rec) }, { FUNC_POINT, sizeof(struct func_point_rec) },
		{ FUNC_PROBE_FACT, sizeof(struct func_probe_fact) }, { REC_SYSCALL_CALL, sizeof(struct syscall_rec) },
	};
	struct slice own = record_layout_own();
	struct btf *btf = btf__new(own.data, (uint32_t)own.len);
	const struct btf_type *all = btf__type_by_id(btf, (uint32_t)btf__find_by_name_kind(btf, "record_types", BTF_KIND_STRUCT));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char name[8];
		uint32_t member = 0;
		snprintf(name, sizeof(name), "r%04x", types[i].type);
		while (member < btf_vlen(all) && !streq(btf__name_by_offset(btf, btf_members(all)[member].name_off), name))
			member++;
		if (member == btf_vlen(all))
			fail_msg("%s has no line in records.bpf.c", name);
		assert_int_equal(btf__resolve_size(btf, btf_members(all)[member].type), types[i].size);
	}
	btf__free(btf);
}

/* Any bytes instead of a layout are refused or understood; what is understood is applied within its bounds (sanitizers). */
static void try_layout(struct slice theirs)
{
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	if (record_layout_new(&l, theirs, NULL) < 0)
		return;
	for (uint16_t length = 40; length < 400; length += 72) {
		_cleanup_(free) struct rec_head *rec = xcalloc(1, length);
		*rec = (struct rec_head){ .type = FUNC_CALL, .length = length };
		record_layout_adapt(l, rec, &scratch);
	}
}

static void any_bytes_may_stand_for_a_layout(void **state)
{
	struct slice own = record_layout_own();
	_cleanup_(free) char *bytes = xmalloc(own.len);
	uint64_t random = 1;
	for (size_t i = 0; i < own.len; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			memcpy(bytes, own.data, own.len);
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			bytes[i] ^= (char)(1 << bit);
			bytes[random % own.len] ^= (char)(random >> 56);
			try_layout((struct slice){ bytes, own.len });
		}
	for (size_t len = 0; len < own.len; len++) {
		_cleanup_(free) char *part = xmalloc(len + !len);
		memcpy(part, own.data, len);
		try_layout((struct slice){ part, len });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_by_name),
		cmocka_unit_test(what_did_not_change_is_passed_on_as_it_is),
		cmocka_unit_test(a_record_that_would_be_too_long_is_refused),
		cmocka_unit_test(every_record_type_is_known_by_its_own_size),
		cmocka_unit_test(any_bytes_may_stand_for_a_layout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
