/* What elf.h says about files against what binutils say about them, on programs made here and on the system's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "sym/elf.h"

static char dir[] = "/tmp/test_elf.XXXXXX";

static const char c_program[] = "#include <stdio.h>\n"
				"static __attribute__((noinline)) int twice(int x)\n{\n\treturn printf(\"%d\", x) * 2;\n}\n"
				"int thrice(int x)\n{\n\treturn twice(x) + x;\n}\n"
				"extern __typeof__(thrice) three_times __attribute__((alias(\"thrice\")));\n"
				"static int plain(void)\n{\n\treturn 7;\n}\n"
				"static int (*choose(void))(void)\n{\n\treturn plain;\n}\n"
				"int chosen(void) __attribute__((ifunc(\"choose\")));\n"
				"int data = 3;\n"
				"int main(int argc, char **argv)\n{\n\treturn thrice(argc) + chosen() + data;\n}\n";

static const char usdt_program[] =
	"#define NOTE(name, semaphore, arguments) \\\n"
	"\t__asm__ volatile(\"990: nop\\n.pushsection .note.stapsdt,\\\"\\\",\\\"note\\\"\\n.balign 4\\n\" \\\n"
	"\t\".4byte 992f-991f, 994f-993f, 3\\n991: .asciz \\\"stapsdt\\\"\\n992: .balign 4\\n\" \\\n"
	"\t\"993: .8byte 990b, _.stapsdt.base, \" semaphore \"\\n.asciz \\\"shop\\\"\\n.asciz \\\"\" name \"\\\"\\n\" \\\n"
	"\t\".asciz \\\"\" arguments \"\\\"\\n994: .balign 4\\n.popsection\\n\" \\\n"
	"\t\".ifndef _.stapsdt.base\\n.pushsection .stapsdt.base,\\\"aG\\\",\\\"progbits\\\",.stapsdt.base,comdat\\n\" \\\n"
	"\t\".weak _.stapsdt.base\\n.hidden _.stapsdt.base\\n_.stapsdt.base: .space 1\\n.size _.stapsdt.base, 1\\n\" \\\n"
	"\t\".popsection\\n.endif\\n\")\n"
	"__attribute__((section(\".probes\"), used)) unsigned short shop_sold_semaphore = 0x5afe;\n"
	"int main(void)\n{\n\tNOTE(\"open\", \"0\", \"\");\n\tNOTE(\"sold\", \"shop_sold_semaphore\", \"-4@%%edi "
        "8@-8(%%rbp)\");\n\treturn 0;\n}\n";

__attribute__((format(printf, 1, 2))) static bool shell(const char *fmt, ...)
{
	char command[4096];
	va_list ap;
	va_start(ap, fmt);
	int n = snprintf(command, sizeof(command), "cd %s && ", dir);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
	va_end(ap);
	fflush(NULL);
	return system(command) == 0;
}

static const char *in_dir(const char *name)
{
	static char path[4][256];
	static unsigned i;
	char *p = path[i++ % ARRAY_SIZE(path)];
	snprintf(p, sizeof(path[0]), "%s%s%s", name[0] == '/' ? "" : dir, name[0] == '/' ? "" : "/", name);
	return p;
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	_cleanup_(fclose) FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
}

static struct elf *open_elf(const char *name)
{
	struct reason why = {};
	struct elf *elf = NULL;
	if (elf_open(&elf, in_dir(name), &why) < 0)
		fail_msg("%s", why.text);
	return elf;
}

static const struct elf_func *functions_of(struct elf *elf, size_t *ret_n)
{
	struct reason why = {};
	const struct elf_func *funcs;
	if (elf_functions(elf, &funcs, ret_n, &why) < 0)
		fail_msg("%s", why.text);
	return funcs;
}

static const struct elf_func *find(struct elf *elf, const char *name)
{
	size_t n;
	const struct elf_func *funcs = functions_of(elf, &n);
	for (size_t i = 0; i < n; i++)
		if (streq(funcs[i].linkage_name, name))
			return &funcs[i];
	return NULL;
}

/* What we wrote to @ours equals what @command, an independent reader, prints. */
static void assert_same_as(const char *ours, const char *command)
{
	if (!shell("sort -u %s >ours.sorted && { %s; } | sort -u >theirs.sorted && test -s theirs.sorted && "
	           "diff theirs.sorted ours.sorted | head -20 && cmp -s theirs.sorted ours.sorted",
	           ours, command))
		fail_msg("differs from: %s", command);
}

static void dump_functions(struct elf *elf, bool nameless)
{
	size_t n;
	const struct elf_func *funcs = functions_of(elf, &n);
	_cleanup_(fclose) FILE *f = fopen(in_dir("functions"), "w");
	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		if ((funcs[i].source == FUNC_EH_FRAME) == nameless)
			fprintf(f, "%016llx %s\n", (unsigned long long)funcs[i].addr, funcs[i].linkage_name);
}

#define NAMES_BY_READELF                                                                                                         \
	"readelf -sW %1$s %2$s 2>/dev/null | sed 's/<OS specific>: 10/IFUNC/' | "                                                \
	"awk '($4==\"FUNC\"||$4==\"IFUNC\") && $7!=\"UND\" {sub(\"@.*\",\"\",$8); print $2, $8}'"

static void assert_names_are_those_of_readelf(const char *path, const char *debug_path)
{
	char command[1024];
	_cleanup_(elf_close) struct elf *elf = open_elf(path);
	dump_functions(elf, false);
	snprintf(command, sizeof(command), NAMES_BY_READELF, path, debug_path);
	assert_same_as("functions", command);
}

static void names_are_those_of_readelf(void **state)
{
	assert_names_are_those_of_readelf("program", "");
	assert_names_are_those_of_readelf("program.cpp", "");
	assert_names_are_those_of_readelf("static", "");
	assert_names_are_those_of_readelf("self", "");
}

static void names_of_a_stripped_file_come_from_its_debug_file(void **state)
{
	assert_names_are_those_of_readelf("linked", "linked.debug");
	assert_true(shell("mkdir -p .debug && mv linked.debug .debug/"));
	assert_names_are_those_of_readelf("linked", ".debug/linked.debug");
	_cleanup_(elf_close) struct elf *elf = open_elf("linked");
	assert_int_equal(find(elf, "twice")->source, FUNC_DEBUG_FILE);
}

static void names_of_libc_come_from_its_debug_file_by_build_id(void **state)
{
	char path[512] = "/usr/lib/debug/.build-id/";
	_cleanup_(elf_close) struct elf *elf = open_elf("libc.so");
	struct slice id = elf_build_id(elf);
	for (size_t i = 0; i < id.len; i++)
		sprintf(path + strlen(path), i == 1 ? "/%02x" : "%02x", (unsigned char)id.data[i]);
	strcat(path, ".debug");
	if (access(path, R_OK) < 0)
		skip();
	assert_names_are_those_of_readelf("libc.so", path);
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
	assert_true(
		shell("mkdir -p other && cp linked other/ && cp .debug/linked.debug other/ && printf x >>other/linked.debug"));
	_cleanup_(elf_close) struct elf *elf = open_elf("other/linked");
	assert_null(find(elf, "twice"));
}

static void names_come_from_gnu_debugdata(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("mini");
	assert_int_equal(find(elf, "twice")->source, FUNC_DEBUGDATA);
	assert_names_are_those_of_readelf("mini", "mini.debug");
}

static void a_bomb_in_gnu_debugdata_is_not_unpacked(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("bomb");
	assert_null(find(elf, "twice"));
}

static void code_without_a_name_is_found_by_eh_frame(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("stripped");
	dump_functions(elf, true);
	assert_same_as("functions",
	               "readelf -SW stripped | sed 's/^ *\\[ *[0-9]*\\]//' | awk '$1 ~ /^\\.plt/ {print $3, $5}' >plt; "
	               "readelf --debug-dump=frames stripped | sed -n 's/.* FDE .*pc=\\([0-9a-f]*\\)\\.\\..*/\\1/p' | "
	               "python3 -c 'import sys\n"
	               "plt = [(int(a, 16), int(n, 16)) for a, n in (l.split() for l in open(\"plt\"))]\n"
	               "for a in (int(l, 16) for l in sys.stdin):\n"
	               "    if not any(p <= a < p + n for p, n in plt): print(\"%016x func_0x%x\" % (a, a))'");
}

static void sizes_reach_to_the_next_function(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("sizeless");
	const struct elf_func *first = find(elf, "first"), *second = find(elf, "second"), *last = find(elf, "last");
	assert_int_equal(first->size, 3);
	assert_int_equal(second->addr - first->addr, 3);
	assert_int_equal(second->size, 5); /* its FDE ends before the next function begins */
	assert_int_equal(last->size, 2);   /* to the end of the section */
}

static void a_further_name_of_a_function_is_an_alias(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("program");
	const struct elf_func *thrice = find(elf, "thrice"), *alias = find(elf, "three_times");
	assert_true(alias->alias && !thrice->alias && thrice->addr == alias->addr && thrice < alias);
	assert_true(find(elf, "twice")->local && !thrice->local);
	assert_true(find(elf, "chosen")->ifunc && !thrice->ifunc);
	assert_null(find(elf, "data"));
	assert_null(find(elf, "printf"));
}

static void versions_are_no_part_of_names(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("versioned");
	size_t n, found = 0;
	const struct elf_func *funcs = functions_of(elf, &n);
	for (size_t i = 0; i < n; i++) {
		assert_null(strchr(funcs[i].linkage_name, '@'));
		found += streq(funcs[i].linkage_name, "answer");
	}
	assert_int_equal(found, 2); /* answer@V1 and answer@@V2 are two functions of one name */
}

static void parts_that_are_jumped_to_are_fragments(void **state)
{
	_cleanup_(elf_close) struct elf *named = open_elf("cold"), *nameless = open_elf("cold.stripped");
	const struct elf_func *part = find(named, "worker.cold"), *whole = find(named, "worker");
	if (!part)
		skip(); /* this compiler does not split it */
	assert_true(part->fragment && !whole->fragment && !find(named, "main")->fragment);
	assert_true(elf_function_at(nameless, part->offset)->fragment);
	assert_false(elf_function_at(nameless, whole->offset)->fragment);
}

int exported_for_the_test(int x);
int exported_for_the_test(int x)
{
	return x * 3 + 1;
}

static void offsets_lead_to_the_code(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("/proc/self/exe");
	const struct elf_func *f = find(elf, "exported_for_the_test");
	struct slice code = elf_bytes(elf, f->offset, f->size);
	assert_true(f->size > 0 && code.len == f->size);
	assert_memory_equal(code.data, (const void *)exported_for_the_test, f->size);
	assert_ptr_equal(elf_function_at(elf, f->offset), f);
	assert_ptr_equal(elf_function_at(elf, f->offset + f->size - 1), f);
	assert_ptr_not_equal(elf_function_at(elf, f->offset + f->size), f);
	struct stat st;
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(elf_bytes(elf, (uint64_t)st.st_size - 3, 100).len, 3);
	assert_int_equal(elf_bytes(elf, (uint64_t)st.st_size, 100).len, 0);
}

static void offsets_are_not_addresses(void **state)
{
	unsigned long long addr, offset;
	assert_true(shell(
		"readelf -SW static | sed -n 's/.* \\.text  *PROGBITS  *\\([0-9a-f]*\\) \\([0-9a-f]*\\).*/\\1 \\2/p' >text.at"));
	_cleanup_(fclose) FILE *f = fopen(in_dir("text.at"), "r");
	assert_int_equal(fscanf(f, "%llx %llx", &addr, &offset), 2);
	_cleanup_(elf_close) struct elf *elf = open_elf("static");
	const struct elf_func *main_func = find(elf, "main");
	assert_int_equal(main_func->addr - addr, main_func->offset - offset);
	assert_true(addr != offset);
}

static void lines_are_those_of_addr2line(void **state)
{
	static const char *const programs[] = { "program", "program.clang", "program.zdebug", "linked", "program.dwz" };
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		char command[512];
		if (access(in_dir(programs[i]), R_OK) < 0)
			continue; /* no such tool here */
		_cleanup_(elf_close) struct elf *elf = open_elf(programs[i]);
		_cleanup_(fclose) FILE *lines = fopen(in_dir("lines"), "w"), *addrs = fopen(in_dir("addrs"), "w");
		size_t n, known = 0;
		const struct elf_func *funcs = functions_of(elf, &n);
		for (size_t j = 0; j < n; j++) {
			const char *file;
			unsigned line;
			if (funcs[j].source == FUNC_EH_FRAME || elf_line(elf, funcs[j].addr, &file, &line) < 0)
				continue;
			known++;
			fprintf(addrs, "0x%llx\n", (unsigned long long)funcs[j].addr);
			fprintf(lines, "%s:%u\n", file, line);
		}
		fflush(NULL);
		assert_true(known >= 4);
		snprintf(command, sizeof(command), "addr2line -e %s <addrs | sed 's/ (disc.*//'", programs[i]);
		assert_same_as("lines", command);
	}
}

static void usdt_probes_are_those_of_readelf(void **state)
{
	struct reason why = {};
	const struct usdt_probe *probes;
	size_t n;
	_cleanup_(elf_close) struct elf *elf = open_elf("usdt");
	assert_int_equal(elf_usdt(elf, &probes, &n, &why), 0);
	assert_int_equal(n, 2);
	_cleanup_(fclose) FILE *f = fopen(in_dir("probes"), "w");
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "Provider: %s\nName: %s\nArguments: %s\n", probes[i].provider, probes[i].name, probes[i].arguments);
		assert_int_equal((unsigned char)elf_bytes(elf, probes[i].offset, 1).data[0], 0x90);
	}
	fflush(f);
	assert_same_as("probes", "readelf -n usdt | sed -n 's/^ *\\(\\(Provider\\|Name\\|Arguments\\):.*\\)/\\1/p'");
	assert_int_equal(probes[0].semaphore, 0);
	assert_memory_equal(elf_bytes(elf, probes[1].semaphore, 2).data, "\xfe\x5a", 2);
}

static void facts_are_those_of_readelf(void **state)
{
	_cleanup_(elf_close) struct elf *elf = open_elf("program"), *none = open_elf("static");
	const char *const *needed;
	_cleanup_(fclose) FILE *f = fopen(in_dir("facts"), "w");
	for (size_t i = 0; i < elf_needed(elf, &needed); i++)
		fprintf(f, "%s\n", needed[i]);
	fprintf(f, "%s\n", elf_interpreter(elf));
	for (size_t i = 0; i < elf_build_id(elf).len; i++)
		fprintf(f, "%02x", (unsigned char)elf_build_id(elf).data[i]);
	fprintf(f, "\n");
	fflush(f);
	assert_same_as("facts", "readelf -dlnW program | sed -n 's/.*Shared library: \\[\\(.*\\)\\]/\\1/p; "
	                        "s/.*interpreter: \\(.*\\)\\]/\\1/p; s/.*Build ID: //p'");
	assert_null(elf_interpreter(none));
	assert_int_equal(elf_needed(none, &needed), 0);
}

static void who_throws_or_catches_has_an_unwinder(void **state)
{
	static const struct {
		const char *path;
		bool unwinds;
	} cases[] = {
		{ "program", false },
		{ "program.cpp", true },
		{ "stripped.cpp", true },
		{ "static.stripped.cpp", true },
		{ "exceptions.c.out", false },
		{ "exceptions.static.stripped", false },
		{ "static", false },
		{ "static.stripped", false },
		{ "thrower.so", true },
		{ "program.rs", true },
		{ "static.stripped.rs", true },
		{ "libc.so", false },
		{ "libgcc_s.so", true },
		{ "libstdc++.so", true },
		{ "/usr/lib/x86_64-linux-gnu/libunwind.so.8", true },
		{ "/usr/sbin/nginx", false },
		{ "/usr/bin/redis-server", false },
		{ "/usr/bin/cmake", true },
		{ "/lib64/ld-linux-x86-64.so.2", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (access(in_dir(cases[i].path), R_OK) < 0)
			continue; /* not installed, or no compiler for it */
		_cleanup_(elf_close) struct elf *elf = open_elf(cases[i].path);
		if (elf_has_unwinder(elf) != cases[i].unwinds)
			fail_msg("%s: has unwinder: %d", cases[i].path, !cases[i].unwinds);
	}
}

static int read_all(struct elf *elf)
{
	const struct elf_func *funcs;
	const struct usdt_probe *probes;
	const char *file;
	unsigned line;
	size_t n;
	elf_has_unwinder(elf);
	elf_usdt(elf, &probes, &n, NULL);
	int r = elf_functions(elf, &funcs, &n, NULL);
	for (size_t i = 0; r == 0 && i < n; i++) {
		elf_line(elf, funcs[i].addr, &file, &line);
		elf_bytes(elf, funcs[i].offset, 16);
	}
	return r;
}

static void every_truncation_is_an_error_or_harmless(void **state)
{
	struct stat st;
	assert_true(shell("cp program cut"));
	assert_int_equal(stat(in_dir("cut"), &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= st.st_size / 200 + (size < 2000 ? 7 : 1)) {
		struct reason why = {};
		_cleanup_(elf_close) struct elf *elf = NULL;
		assert_int_equal(truncate(in_dir("cut"), size), 0);
		assert_int_equal(elf_open(&elf, in_dir("cut"), &why), -ENOEXEC);
		assert_non_null(strstr(why.text, "cut is "));
	}
}

static void what_is_no_elf_file_says_so(void **state)
{
	struct reason why = {};
	struct elf *elf = NULL;
	assert_true(shell("echo hello >text && mkfifo -m 600 pipe"));
	assert_int_equal(elf_open(&elf, in_dir("text"), &why), -ENOEXEC);
	assert_non_null(strstr(why.text, "text is not an ELF file"));
	assert_int_equal(elf_open(&elf, in_dir("pipe"), NULL), -ENOEXEC);
	assert_int_equal(elf_open(&elf, dir, NULL), -ENOEXEC);
	assert_int_equal(elf_open(&elf, in_dir("absent"), NULL), -ENOENT);
}

/* A device may act when it is opened: a watchdog begins to run, a tape winds back. A pipe stands for it here. */
static void what_a_file_names_is_not_opened_unless_it_is_a_file(void **state)
{
	const struct elf_func *funcs;
	size_t n;
	char event[512];
	assert_true(shell("gcc -s -O2 -Wl,--build-id=none c.c -o naming && echo x >device && objcopy --add-gnu-debuglink=device naming && rm device && "
			  "mkfifo -m 600 device"));
	_cleanup_(fd_close) int seen = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(inotify_add_watch(seen, in_dir("device"), IN_OPEN) >= 0);
	_cleanup_(elf_close) struct elf *elf = open_elf("naming");
	assert_int_equal(elf_functions(elf, &funcs, &n, NULL), 0);
	assert_int_equal(read(seen, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	_cleanup_(fd_close) int other = open(in_dir("device"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(other >= 0);
	assert_true(read(seen, event, sizeof(event)) > 0); /* it would have been seen */
}

static void a_file_that_shrinks_under_us_does_no_harm(void **state)
{
	for (int when = 0; when < 2; when++) {
		assert_true(shell("cp -f static shrinking"));
		_cleanup_(elf_close) struct elf *elf = open_elf("shrinking");
		if (when)
			assert_int_equal(read_all(elf), 0);
		assert_int_equal(truncate(in_dir("shrinking"), 64), 0);
		assert_int_equal(read_all(elf), 0);
		if (!when) /* what was not read before is gone */
			assert_int_equal(elf_bytes(elf, 700 << 10, 16).len, 0);
	}
}

static void make_cpp_and_rust(void)
{
	static const char cpp[] =
		"#include <stdexcept>\nnamespace shop { template <class T> T sell(T x) { if (x > 7) throw "
		"std::runtime_error(\"x\"); return x; } }\n"
		"int main(int c, char **) { try { return shop::sell(c); } catch (std::exception &) { return 1; } }\n";
	static const char rust[] = "fn main() { if std::env::args().count() > 7 { panic!(\"many\") } println!(\"hello\"); }\n";
	write_file("p.cc", cpp, strlen(cpp));
	write_file("p.rs", rust, strlen(rust));
	write_file("t.cc", "int f(int x) { if (x) throw x; return 1; }\n", 43);
	if (!shell("g++ -O1 p.cc -o program.cpp && strip program.cpp -o stripped.cpp && g++ -static p.cc -o s.cpp && "
	           "strip s.cpp -o static.stripped.cpp && g++ -shared -fPIC -static-libgcc t.cc -o thrower.so"))
		print_message("no C++ compiler: its programs are left out\n");
	if (!shell("rustc p.rs -o program.rs 2>/dev/null && rustc -C target-feature=+crt-static -C strip=symbols p.rs "
	           "-o static.stripped.rs 2>/dev/null"))
		print_message("no Rust compiler: its programs are left out\n");
}

static bool make_variants(void)
{
	return shell("gcc -O1 -g c.c -o program && gcc -O1 -g -Wl,--build-id=none c.c -o whole && gcc -static -no-pie c.c -o "
	             "static") &&
	       shell("strip static -o static.stripped && strip program -o stripped") &&
	       shell("objcopy --only-keep-debug whole linked.debug && strip whole -o linked && "
	             "objcopy --add-gnu-debuglink=linked.debug linked") &&
	       shell("gcc -g -gz c.c -o program.zdebug && gcc u.c -o usdt && gcc -O2 -shared -fPIC -Wl,--version-script=v.map "
	             "v.c -o versioned") &&
	       shell("gcc -O2 -fno-inline cold.c -o cold && strip cold -o cold.stripped && gcc -nostdlib -shared sizeless.s -o "
	             "sizeless") &&
	       shell("gcc -fexceptions -O1 e.c -o exceptions.c.out && gcc -static -fexceptions -O1 e.c -o e.static && "
	             "strip e.static -o exceptions.static.stripped") &&
	       shell("ln -s \"$(gcc -print-file-name=libgcc_s.so.1)\" libgcc_s.so && ln -s \"$(gcc "
	             "-print-file-name=libstdc++.so)\" "
	             "libstdc++.so && ln -s \"$(gcc -print-file-name=libc.so.6)\" libc.so");
}

/* As Fedora's find-debuginfo does: the .symtab alone, packed. @more: zeros behind it. */
static void make_debugdata(const char *name, size_t more)
{
	static uint8_t in[1 << 20], out[1 << 20];
	lzma_stream xz = LZMA_STREAM_INIT;
	lzma_ret r = LZMA_OK;
	assert_int_equal(lzma_easy_encoder(&xz, 0, LZMA_CHECK_NONE), LZMA_OK);
	assert_true(
		shell("objcopy --only-keep-debug whole mini.debug && strip --strip-debug mini.debug && strip whole -o %s", name));
	_cleanup_(fclose) FILE *f = fopen(in_dir("mini.debug"), "r"), *packed = fopen(in_dir("packed"), "w");
	xz.avail_in = fread(in, 1, sizeof(in), f);
	xz.next_in = in;
	while (r != LZMA_STREAM_END) {
		if (!xz.avail_in && more) {
			memset(in, 0, sizeof(in));
			xz.next_in = in;
			xz.avail_in = MIN(more, sizeof(in));
			more -= xz.avail_in;
		}
		xz.next_out = out;
		xz.avail_out = sizeof(out);
		r = lzma_code(&xz, more ? LZMA_RUN : LZMA_FINISH);
		assert_true(r == LZMA_OK || r == LZMA_STREAM_END);
		fwrite(out, 1, sizeof(out) - xz.avail_out, packed);
	}
	lzma_end(&xz);
	fflush(packed);
	assert_true(shell("objcopy --add-section .gnu_debugdata=packed %s", name));
}

static int make_programs(void **state)
{
	static const struct {
		const char *name, *text;
	} sources[] = {
		{ "c.c", c_program },
		{ "u.c", usdt_program },
		{ "v.map", "V1 { global: answer; local: *; };\nV2 { global: answer; } V1;\n" },
		{ "v.c", "__asm__(\".symver one, answer@V1\\n.symver two, answer@@V2\");\nint one(int x) { return x; }\nint "
		         "two(void) { return 42; }\n" },
		{ "cold.c", "int puts(const char *);\nint worker(int a, int b)\n{\n\tint x = puts(\"a\");\n\tif (a > 5) {\n"
		            "\t\tb += puts(\"b\");\n\t\tif (b > 3)\n\t\t\t__builtin_trap();\n\t\t*(volatile int *)0 = b + x;\n"
		            "\t\t__builtin_trap();\n\t}\n"
		            "\treturn puts(\"c\") + b + x;\n}\nint main(int c, char **v)\n{\n\treturn worker(c, c);\n}\n" },
		{ "sizeless.s",
		  ".text\n.globl first, second, last\n.type first,@function\n.type second,@function\n.type last,@function\n"
		  "first: nop\nnop\nret\nsecond: .cfi_startproc\nnop\nnop\nnop\nnop\nret\n.cfi_endproc\n.balign 16\n"
		  "last: nop\nret\n.section .note.GNU-stack,\"\",@progbits\n" },
		{ "e.c", "int puts(const char *);\nstatic void done(int *x)\n{\n\tputs(\"done\");\n}\n"
		         "int main(void)\n{\n\t__attribute__((cleanup(done))) int x = 1;\n\treturn puts(\"x\");\n}\n" },
	};
	char self[512] = "";
	if (!mkdtemp(dir) || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || symlink(self, in_dir("self")) < 0 ||
	    !shell("gcc --version >gcc.version && readelf --version >readelf.version"))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		write_file(sources[i].name, sources[i].text, strlen(sources[i].text));
	if (!make_variants())
		return -1;
	make_debugdata("mini", 0);
	make_debugdata("bomb", 257u << 20);
	make_cpp_and_rust();
	shell("clang -g c.c -o program.clang 2>/dev/null");
	/* dwz moves only what is worth it. */
	shell("dwz --version >dwz.version 2>&1 && for i in $(seq 200); do echo \"struct s$i { int a$i; char *b$i; } v$i;\"; done "
	      ">d.c && "
	      "cat c.c >>d.c && gcc -g d.c -o program.dwz && cp program.dwz other.dwz && dwz -m %s/shared.dwz program.dwz "
	      "other.dwz && "
	      "readelf -SW program.dwz | grep -q debugaltlink",
	      dir);
	return 0;
}

static int remove_programs(void **state)
{
	return shell("rm -rf %s", dir) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_readelf),
		cmocka_unit_test(names_of_a_stripped_file_come_from_its_debug_file),
		cmocka_unit_test(names_of_libc_come_from_its_debug_file_by_build_id),
		cmocka_unit_test(a_debug_file_of_another_build_is_refused),
		cmocka_unit_test(names_come_from_gnu_debugdata),
		cmocka_unit_test(a_bomb_in_gnu_debugdata_is_not_unpacked),
		cmocka_unit_test(code_without_a_name_is_found_by_eh_frame),
		cmocka_unit_test(sizes_reach_to_the_next_function),
		cmocka_unit_test(a_further_name_of_a_function_is_an_alias),
		cmocka_unit_test(versions_are_no_part_of_names),
		cmocka_unit_test(parts_that_are_jumped_to_are_fragments),
		cmocka_unit_test(offsets_lead_to_the_code),
		cmocka_unit_test(offsets_are_not_addresses),
		cmocka_unit_test(lines_are_those_of_addr2line),
		cmocka_unit_test(usdt_probes_are_those_of_readelf),
		cmocka_unit_test(facts_are_those_of_readelf),
		cmocka_unit_test(who_throws_or_catches_has_an_unwinder),
		cmocka_unit_test(every_truncation_is_an_error_or_harmless),
		cmocka_unit_test(what_is_no_elf_file_says_so),
		cmocka_unit_test(what_a_file_names_is_not_opened_unless_it_is_a_file),
		cmocka_unit_test(a_file_that_shrinks_under_us_does_no_harm),
	};
	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
