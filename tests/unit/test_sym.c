#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "sym/demangle.h"
#include "sym/elf.h"
#include "sym/kallsyms.h"
#include "sym/nearest.h"

static void names_are_demangled_as_people_write_them(void **state)
{
	static const struct {
		const char *mangled, *wanted; /* NULL: left alone */
	} cases[] = {
		{ "main", NULL },
		{ "_start", NULL },
		{ "_DYNAMIC", NULL },
		{ "_Znonsense", NULL },
		{ "_Z", NULL },
		{ "_R", NULL },
		{ "", NULL },
		{ "_ZN3Foo3barEiPKc", "Foo::bar" },
		{ "_ZNK3Foo3barEv", "Foo::bar" },
		{ "_ZN3Foo3barEi.constprop.0", "Foo::bar.constprop.0" },
		{ "_ZN3Foo3barEi.cold", "Foo::bar.cold" },
		{ "_ZSt4sortIPiEvT_S1_", "std::sort<int*>" },
		{ "_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size" },
		{ "_ZZN4node4MainEvENKUlvE_clEv", "node::Main()::{lambda()#1}::operator()" },
		{ "_ZN3std2rt10lang_start17h0123456789abcdefE", "std::rt::lang_start" },
		{ "_ZN4core3fmt9Formatter3pad17h8b3a7c9de0f12345E.llvm.1234", "core::fmt::Formatter::pad" },
		{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
		  "<Test + 'static as foo::Bar<Test>>::bar" },
		{ "_RNvC6_123foo3bar", "123foo::bar" },
		{ "_RNvMs_NtC4core3strS_3len", NULL },
		{ "_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate", "<std::path::PathBuf>::new" },
		{ "_Dmain", "D main" },
		{ "_D3std5stdio7writelnFAyaZv", "std.stdio.writeln(immutable(char)[])" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(free) char *text = demangle(cases[i].mangled);
		if (!cases[i].wanted != !text || (text && !streq(text, cases[i].wanted)))
			fail_msg("%s: %s, not %s", cases[i].mangled, text ?: "(left alone)", cases[i].wanted ?: "(left alone)");
	}
}

static void names_of_libstdcxx_are_those_of_cxxfilt(void **state)
{
	static const char path[] = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
	_cleanup_(elf_close) struct elf *elf = NULL;
	if (elf_open(&elf, path, NULL) < 0)
		skip();
	const struct elf_func *funcs;
	size_t n, compared = 0;
	char path_in[] = "/tmp/test_sym.XXXXXX", command[200], line[8192];
	assert_int_equal(elf_functions(elf, &funcs, &n, NULL), 0);
	_cleanup_(fclose) FILE *in = fdopen(mkstemp(path_in), "w");
	for (size_t i = 0; i < n; i++)
		fprintf(in, "%s\n", funcs[i].linkage_name);
	fflush(in);
	snprintf(command, sizeof(command), "c++filt -p -i <%s", path_in);
	_cleanup_(pclose) FILE *theirs = popen(command, "r");
	for (size_t i = 0; i < n && fgets(line, sizeof(line), theirs); i++) {
		line[strcspn(line, "\n")] = '\0';
		compared += elf_func_name(elf, &funcs[i]) != funcs[i].linkage_name;
		assert_string_equal(elf_func_name(elf, &funcs[i]), line);
	}
	unlink(path_in);
	assert_true(compared > 1000);
}

static void a_name_over_4_kib_is_left_alone(void **state)
{
	char name[5100] = "_Z";
	snprintf(name + 2, 5, "%d", 4000);
	memset(name + 6, 'a', 4090);
	name[4006] = 'v';
	name[4007] = '\0';
	_cleanup_(free) char *fits = demangle(name);
	assert_int_equal(strlen(fits), 4000);
	snprintf(name + 2, 5, "%d", 5000);
	name[4007] = 'a';
	memset(name + 4090, 'a', 1000);
	strcpy(name + 5006, "v");
	_cleanup_(free) char *too_long = demangle(name);
	assert_null(too_long);
}

static void name_of(struct strbuf *ret, const char *head, const char *part, unsigned times, const char *tail)
{
	strbuf_adds(ret, head);
	for (unsigned i = 0; i < times; i++)
		strbuf_adds(ret, part);
	strbuf_adds(ret, tail);
}

/* Names that would take libiberty hours, gigabytes or more stack than there is. */
static void a_name_made_to_be_parsed_forever_is_left_alone(void **state)
{
	_cleanup_(strbuf_done) struct strbuf doubling = {}, conversions = {}, d_functions = {}, d_references = {}, pointers = {};
	/* B<A, A>, B<that, that> ...: each level is twice the text of the one before. */
	strbuf_adds(&doubling, "_Z1fI1AIiiE1BIS0_S0_E");
	for (const char *digit = "23456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"; *digit; digit++)
		strbuf_addf(&doubling, "S1_IS%c_S%c_E", *digit, *digit);
	strbuf_adds(&doubling, "Evv");
	name_of(&conversions, "_ZN1AcvT_I", "T_I", 40, "i");
	name_of(&d_functions, "_D1a", "FC1a", 40, "!");
	name_of(&d_references, "_D1aFG1a", "TQbQd", 60, "Zv");
	name_of(&pointers, "_Z1fI", "P", 4000, "iEvv");
	const struct strbuf *const names[] = { &doubling, &conversions, &d_functions, &d_references, &pointers };
	uint64_t start = clock_monotonic_ns();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(free) char *text = demangle(strbuf_str(names[i]));
		assert_null(text);
	}
	assert_true(clock_monotonic_ns() - start < 2 * NSEC_PER_SEC);
}

static void the_nearest_names_are_those_that_one_means(void **state)
{
	static const char *const names[] = { "ngx_http_init_connection",
		                             "ngx_http_handler",
		                             "ngx_hex_dump",
		                             "ngx_palloc",
		                             "malloc",
		                             "calloc",
		                             "realloc",
		                             "malloc_usable_size",
		                             "main",
		                             "std::sort<int*>",
		                             "ngx_event_accept" };
	static const struct {
		const char *want, *text;
	} cases[] = {
		{ "ngx_htp_*", "nearest: ngx_http_handler, ngx_http_init_connection, ngx_hex_dump" },
		{ "mallco", "nearest: malloc, malloc_usable_size" },
		{ "Malloc", "nearest: malloc, calloc, malloc_usable_size" },
		{ "ngx_handler", NULL },
		{ "accept", "nearest: ngx_event_accept" },
		{ "*_acept", "nearest: ngx_event_accept" },
		{ "std::sotr", "nearest: std::sort<int*>" },
		{ "completely_else", "" },
		{ "*", "" },
		{ "", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[200];
		struct nearest n = { .want = cases[i].want };
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			nearest_offer(&n, names[j]);
			nearest_offer(&n, names[j]); /* the same name from another table */
		}
		nearest_text(&n, buf, sizeof(buf));
		if (cases[i].text && !streq(buf, cases[i].text))
			fail_msg("%s: '%s', not '%s'", cases[i].want, buf, cases[i].text);
		if (!cases[i].text)
			assert_ptr_equal(n.best[0], names[1]);
	}
}

static unsigned plain_distance(const char *a, const char *b)
{
	unsigned row[70];
	size_t n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned above = row[j];
			unsigned gap = MIN(above, row[j - 1]) + 1;
			row[j] = MIN(gap, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

static void distances_are_those_of_the_plain_method(void **state)
{
	unsigned seed = 7, close = 0;
	for (int round = 0; round < 20000; round++) {
		char want[40], name[40];
		size_t n = 20 + (size_t)rand_r(&seed) % 15;
		for (size_t i = 0; i < n; i++)
			want[i] = (char)('a' + rand_r(&seed) % 3);
		want[n] = '\0';
		strcpy(name, want);
		for (int edits = rand_r(&seed) % 8; edits > 0; edits--)
			name[2 + (size_t)rand_r(&seed) % (n - 2)] = 'x';
		name[0] = 'y'; /* no shared beginning */
		struct nearest nearest = { .want = want };
		nearest_offer(&nearest, name);
		unsigned d = plain_distance(want, name);
		assert_int_equal(!!nearest.best[0], d <= MAX(2u, (unsigned)n / 3));
		if (nearest.best[0])
			assert_int_equal(nearest.distance[0], d);
		close += nearest.best[0] != NULL;
	}
	assert_true(close > 1000);
}

static void a_short_buffer_holds_whole_names(void **state)
{
	struct nearest n = { .want = "malloc" };
	char buf[20];
	nearest_offer(&n, "malloc");
	nearest_offer(&n, "calloc");
	assert_string_equal(nearest_text(&n, buf, sizeof(buf)), "nearest: malloc");
	assert_string_equal(nearest_text(&n, buf, 10), "");
}

static void kernel_functions_are_the_text_symbols(void **state)
{
	static const char text[] =
		"ffffffff81000000 T _text\nffffffff81000010 t __pfx_do_one\nffffffff81000020 t do_one\n"
		"ffffffff82000000 D jiffies\nffffffff81000300 W arch_weak\n0000000000000000 A fixed_percpu_data\n"
		"ffffffffc0001000 t nf_init\t[nf_nat]\nffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]\n"
		"ffffffffc0003000 t ftrace_trampoline\t[__builtin__ftrace]\nbroken\n\nffffffff81000400 t do_one";
	static const struct kernel_func want[] = {
		{ "_text", "kernel", 0xffffffff81000000 },   { "arch_weak", "kernel", 0xffffffff81000300 },
		{ "do_one", "kernel", 0xffffffff81000020 },  { "do_one", "kernel", 0xffffffff81000400 },
		{ "nf_init", "nf_nat", 0xffffffffc0001000 },
	};
	char path[] = "/tmp/test_sym.XXXXXX";
	_cleanup_(fd_close) int fd = mkstemp(path);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	_cleanup_(kallsyms_free) struct kallsyms *k = NULL;
	const struct kernel_func *funcs;
	int r = kallsyms_new_from(&k, path, NULL);
	unlink(path);
	assert_int_equal(r, 0);
	assert_int_equal(kallsyms_functions(k, &funcs), ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(funcs[i].name, want[i].name);
		assert_string_equal(funcs[i].module, want[i].module);
		assert_int_equal(funcs[i].addr, want[i].addr);
	}
}

static void this_kernel_has_as_many_functions_as_awk_counts(void **state)
{
	_cleanup_(kallsyms_free) struct kallsyms *k = NULL;
	const struct kernel_func *funcs;
	unsigned long count = 0;
	_cleanup_(pclose) FILE *awk = popen("awk '$2 ~ /^[tTwW]$/ && $3 !~ /^__(pfx|cfi)_/ && $4 !~ /^\\[(bpf|__builtin__)/' "
	                                    "/proc/kallsyms 2>/dev/null | wc -l",
	                                    "r");
	if (fscanf(awk, "%lu", &count) != 1 || !count)
		skip(); /* no kallsyms here */
	assert_int_equal(kallsyms_new(&k, NULL), 0);
	assert_int_equal(kallsyms_functions(k, &funcs), count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_demangled_as_people_write_them),
		cmocka_unit_test(names_of_libstdcxx_are_those_of_cxxfilt),
		cmocka_unit_test(a_name_over_4_kib_is_left_alone),
		cmocka_unit_test(a_name_made_to_be_parsed_forever_is_left_alone),
		cmocka_unit_test(the_nearest_names_are_those_that_one_means),
		cmocka_unit_test(distances_are_those_of_the_plain_method),
		cmocka_unit_test(a_short_buffer_holds_whole_names),
		cmocka_unit_test(kernel_functions_are_the_text_symbols),
		cmocka_unit_test(this_kernel_has_as_many_functions_as_awk_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
