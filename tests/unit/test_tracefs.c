#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "priv/kernelfs.h"
#include "priv/tracefs.h"

#define COMMON                                                                    \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"    \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define HEAD "name: e\nID: 7\nformat:\n" COMMON

/* As Linux 6.18 and 5.10 write them. */
static const struct field_case {
	const char *declaration, *name, *type;
	bool is_array;
	uint8_t loc;
} field_cases[] = {
	{ "pid_t prev_pid", "prev_pid", "pid_t" },
	{ "unsigned long args[6]", "args", "unsigned long", .is_array = true },
	{ "char comm[TASK_COMM_LEN]", "comm", "char", .is_array = true },
	{ "const char * filename", "filename", "const char *" },
	{ "const char *const * argv", "argv", "const char *const *" },
	{ "const void* ip", "ip", "const void*" },
	{ "const struct landlock_ruleset_attr *const attr", "attr", "const struct landlock_ruleset_attr *const" },
	{ "__data_loc char[] filename", "filename", "char", .is_array = true, .loc = TRACEFS_DATA_LOC },
	{ "__data_loc unsigned int[] lengths", "lengths", "unsigned int", .is_array = true, .loc = TRACEFS_DATA_LOC },
	{ "__rel_loc char[] msg", "msg", "char", .is_array = true, .loc = TRACEFS_REL_LOC },
	{ "__data_location_t x", "x", "__data_location_t" },
};

static void a_declaration_is_split_into_name_type_and_place(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		_cleanup_(tracefs_format_done) struct tracefs_format f = {};
		_cleanup_(free) char *text =
			xasprintf(HEAD "\tfield:%s;\toffset:24;\tsize:8;\tsigned:1;\n\nprint fmt: \"\"\n", c->declaration);
		assert_int_equal(tracefs_format_parse(slice_of(text), &f), 0);
		assert_int_equal(f.n, 3);
		assert_string_equal(f.fields[2].name, c->name);
		assert_string_equal(f.fields[2].type, c->type);
		assert_int_equal(f.fields[2].is_array, c->is_array);
		assert_int_equal(f.fields[2].loc, c->loc);
		assert_int_equal(f.fields[2].offset, 24);
		assert_int_equal(f.fields[2].size, 8);
		assert_true(f.fields[2].is_signed);
		assert_false(f.fields[2].is_common);
		assert_true(f.fields[1].is_common);
	}
}

static void a_whole_format_gives_name_id_and_fields(void **state)
{
	_cleanup_(tracefs_format_done) struct tracefs_format f = {};
	static const char text[] = "name: sched_process_exec\nID: 365\nformat:\n" COMMON
				   "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
				   "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
				   "\nprint fmt: \"filename=%s pid=%d\", __get_str(filename), REC->pid\nfield:not one;\n";
	assert_int_equal(tracefs_format_parse(SLICE(text), &f), 0);
	assert_string_equal(f.name, "sched_process_exec");
	assert_int_equal(f.id, 365);
	assert_int_equal(f.n, 4);
	assert_int_equal(tracefs_field_find(&f, "pid")->offset, 12);
	assert_null(tracefs_field_find(&f, "pi"));
}

static const struct bad_case {
	const char *name, *text;
} bad_cases[] = {
	{ "empty", "" },
	{ "no ID", "name: e\nformat:\n" COMMON },
	{ "no name", "ID: 7\nformat:\n" COMMON },
	{ "ID is no number", "name: e\nID: seven\n" },
	{ "ID beyond 32 bits", "name: e\nID: 4294967296\n" },
	{ "field without offset", HEAD "field:int a;\tsize:4;\tsigned:1;\n" },
	{ "field without size", HEAD "field:int a;\toffset:4;\tsigned:1;\n" },
	{ "field without type", HEAD "field:a;\toffset:4;\tsize:4;\tsigned:1;\n" },
	{ "field without name", HEAD "field:int *;\toffset:4;\tsize:4;\tsigned:1;\n" },
	{ "field of brackets", HEAD "field:[];\toffset:4;\tsize:4;\tsigned:1;\n" },
	{ "cut in the middle", HEAD "field:int" },
	{ "beyond any record", HEAD "field:int a;\toffset:65535;\tsize:4;\tsigned:1;\n" },
	{ "offset wraps", HEAD "field:int a;\toffset:4294967295;\tsize:4;\tsigned:1;\n" },
};

static void what_is_not_a_format_is_refused_and_leaves_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_cases); i++) {
		struct tracefs_format f = {};
		if (tracefs_format_parse(slice_of(bad_cases[i].text), &f) != -EINVAL || f.n || f.name)
			fail_msg("%s: was accepted", bad_cases[i].name);
	}
	struct tracefs_format f = {};
	assert_int_equal(tracefs_format_parse(SLICE(HEAD "\tfield:\0int a;\toffset:8;\tsize:4;\tsigned:1;\n"), &f), -EINVAL);
}

/* The same field line again, as the kernel would have printed it, but for where the brackets stand. */
static void write_field(struct strbuf *out, const struct tracefs_field *f, const char *brackets)
{
	static const char *const locs[] = { "", "__data_loc ", "__rel_loc " };
	strbuf_addf(out, "\tfield:%s%s%s %s%s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", locs[f->loc], f->type,
		    f->loc && f->is_array ? "[]" : "", f->name, f->loc ? "" : brackets, f->offset, f->size, f->is_signed);
}

static void check_event(int fd, const char *system, const char *event)
{
	struct reason why = {};
	_cleanup_(free) char *text = NULL;
	_cleanup_(free) char *path = xasprintf("events/%s/%s/format", system, event);
	_cleanup_(tracefs_format_done) struct tracefs_format f = {};
	assert_int_equal(kernelfs_read(fd, path, &text), 0);
	if (tracefs_format(fd, system, event, &f, &why) < 0)
		fail_msg("%s", why.text);
	const char *line = text;
	for (size_t i = 0; i < f.n; i++) {
		_cleanup_(strbuf_done) struct strbuf again = {};
		line = strstr(line, "\tfield:");
		assert_non_null(line);
		const char *end = strchr(line, '\n'), *open = memchr(line, '[', (size_t)(strchr(line, ';') - line));
		_cleanup_(free) char *brackets = open ? xstrndup(open, strcspn(open, ";")) : xstrdup("");
		write_field(&again, &f.fields[i], brackets);
		if (strncmp(line, again.data, (size_t)(end - line) + 1) != 0)
			fail_msg("%s:%s: %.*s became %s", system, event, (int)(end - line), line, again.data);
		line = end;
	}
	assert_null(strstr(line, "\tfield:"));
}

static void every_event_of_this_kernel_survives_a_round_trip(void **state)
{
	struct reason why = {};
	_cleanup_(fd_close) int fd = tracefs_open(&why);
	if (fd < 0) {
		print_message("%s\n", why.text);
		skip();
	}
	_cleanup_(tracefs_events_done) struct tracefs_events all = {};
	assert_int_equal(tracefs_events(fd, "*", &all, &why), 0);
	assert_true(all.n > 100);
	for (size_t i = 0; i < all.n; i++) {
		char *event = strchr(all.names[i], ':');
		*event = '\0';
		check_event(fd, all.names[i], event + 1);
	}
}

static void events_are_listed_by_glob_and_absent_ones_are_named(void **state)
{
	struct reason why = {};
	_cleanup_(fd_close) int fd = tracefs_open(&why);
	if (fd < 0)
		skip();
	_cleanup_(tracefs_events_done) struct tracefs_events sched = {}, none = {};
	assert_int_equal(tracefs_events(fd, "sched:sched_process_e*", &sched, &why), 0);
	assert_int_equal(sched.n, 2);
	assert_string_equal(sched.names[0], "sched:sched_process_exec");
	assert_string_equal(sched.names[1], "sched:sched_process_exit");
	assert_int_equal(tracefs_events(fd, "nothing:*", &none, &why), 0);
	assert_int_equal(none.n, 0);
	struct tracefs_format f = {};
	assert_int_equal(tracefs_format(fd, "sched", "nothing", &f, &why), -ENOENT);
	assert_string_equal(why.text, "this kernel has no tracepoint 'sched:nothing'");
	assert_int_equal(tracefs_format(fd, "sched/sched_switch", "..", &f, NULL), -ENOENT);
}

static void a_detached_mount_changes_no_mount_table(void **state)
{
	_cleanup_(free) char *before = NULL, *after = NULL;
	assert_int_equal(kernelfs_read(AT_FDCWD, "/proc/self/mountinfo", &before), 0);
	_cleanup_(fd_close) int fd = tracefs_open(NULL);
	if (fd < 0)
		skip();
	assert_int_equal(kernelfs_read(AT_FDCWD, "/proc/self/mountinfo", &after), 0);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_declaration_is_split_into_name_type_and_place),
		cmocka_unit_test(a_whole_format_gives_name_id_and_fields),
		cmocka_unit_test(what_is_not_a_format_is_refused_and_leaves_nothing),
		cmocka_unit_test(every_event_of_this_kernel_survives_a_round_trip),
		cmocka_unit_test(events_are_listed_by_glob_and_absent_ones_are_named),
		cmocka_unit_test(a_detached_mount_changes_no_mount_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
