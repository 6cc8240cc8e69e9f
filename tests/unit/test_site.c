#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch/site.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"

#define ENDBR "\xf3\x0f\x1e\xfa"
#define NOP5 "\x0f\x1f\x44\x00\x00"
#define CODE(bytes) { (bytes), sizeof(bytes) - 1 }

struct entry_case {
	const char *name;
	struct slice code;
	enum site_refusal want;
	uint32_t offset;
	enum site_cost cost;
};

static const struct entry_case entry_cases[] = {
	{ "push %rbp", CODE("\x55\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "push %r15", CODE("\x41\x57\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "push %rax with rex.w", CODE("\x48\x50\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "push $1", CODE("\x6a\x01\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "push $imm32", CODE("\x68\x01\x02\x03\x04\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "push (%rdi)", CODE("\xff\x37\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "endbr64; push", CODE(ENDBR "\x55\xc3"), SITE_OK, 4, SITE_EMULATED },
	{ "endbr64; mov", CODE(ENDBR "\x89\xf8\xc3"), SITE_OK, 4, SITE_STEPPED },
	{ "endbr64 alone", CODE(ENDBR), SITE_OK, 0, SITE_STEPPED },
	{ "endbr64, and a loop back behind it", CODE(ENDBR "\xff\xcf\x75\xfc\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "endbr64, and a far loop back behind it", CODE(ENDBR "\xff\xcf\x0f\x85\xf8\xff\xff\xff\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "bytes like a jump behind endbr64, in a constant", CODE(ENDBR "\x53\xb8\x75\xf9\x00\x00\xc3"), SITE_OK, 4, SITE_EMULATED },
	{ "endbr64; hlt", CODE(ENDBR "\xf4"), SITE_OK, 0, SITE_STEPPED },
	{ "jmp rel32", CODE("\xe9\x00\x01\x00\x00"), SITE_OK, 0, SITE_EMULATED },
	{ "jmp rel8", CODE("\xeb\x10"), SITE_OK, 0, SITE_EMULATED },
	{ "bnd jmp", CODE("\xf2\xe9\x00\x01\x00\x00"), SITE_OK, 0, SITE_EMULATED },
	{ "je", CODE("\x74\x10\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "jg near", CODE("\x0f\x8f\x00\x01\x00\x00\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "jrcxz", CODE("\xe3\x10\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "call", CODE("\xe8\x00\x01\x00\x00\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "call *(%rax)", CODE("\xff\x10\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "call under 66", CODE("\x66\xe8\x00\x01\x00\x00\xc3"), SITE_INVALID_INSN },
	{ "nop", CODE("\x90\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "nop of two bytes", CODE("\x66\x90\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "nop of nine bytes", CODE("\x66\x0f\x1f\x84\x00\x00\x00\x00\x00\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "nop under cs", CODE("\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00\xc3"), SITE_INVALID_INSN },
	{ "pause", CODE("\xf3\x90\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "xchg %r8,%rax", CODE("\x49\x90\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "ret", CODE("\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "mov %fs:0x28,%rax", CODE("\x64\x48\x8b\x04\x25\x28\x00\x00\x00\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "lea 0x10(%rip)", CODE("\x48\x8d\x05\x10\x00\x00\x00\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "lock incl (%rdi)", CODE("\xf0\xff\x07\xc3"), SITE_INVALID_INSN },
	{ "notrack jmp *%rax", CODE("\x3e\xff\xe0"), SITE_INVALID_INSN },
	{ "hlt", CODE("\xf4\xc3"), SITE_INVALID_INSN },
	{ "int3", CODE("\xcc\xc3"), SITE_INVALID_INSN },
	{ "int $0x80", CODE("\xcd\x80\xc3"), SITE_INVALID_INSN },
	{ "in", CODE("\xec\xc3"), SITE_INVALID_INSN },
	{ "syscall", CODE("\x0f\x05\xc3"), SITE_INVALID_INSN },
	{ "ud2", CODE("\x0f\x0b"), SITE_INVALID_INSN },
	{ "mov %eax,%ss", CODE("\x8e\xd0\xc3"), SITE_INVALID_INSN },
	{ "vmovups (%rsi),%ymm0", CODE("\xc5\xfc\x10\x06\xc3"), SITE_OK, 0, SITE_STEPPED },
	{ "vmovdqu (%rsi),%ymm0", CODE("\xc5\xfe\x6f\x06\xc3"), SITE_INVALID_INSN },
	{ "vpxor, three-byte prefix", CODE("\xc4\xc1\x7d\xef\xc0\xc3"), SITE_INVALID_INSN },
	{ "vmovdqu64 (%rsi),%ymm16 (EVEX)", CODE("\x62\xe1\xfe\x28\x6f\x06\xc3"), SITE_INVALID_INSN },
	{ "nothing", CODE(""), SITE_NO_CODE },
	{ "half an instruction", CODE("\x48\x8d\x05\x10"), SITE_NO_CODE },
	{ "no instruction", CODE("\x06\xc3"), SITE_NO_CODE },
	{ "nop5, no red zone", CODE(NOP5 "\x89\xf8\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "nop5, then a load above the stack pointer", CODE(NOP5 "\x8b\x44\x24\x08\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "nop5, then a store below the stack pointer", CODE(NOP5 "\x89\x7c\x24\xfc\x8b\x44\x24\xfc\xc3"), SITE_OK, 5, SITE_STEPPED },
	{ "nop5 in a leaf with a frame pointer", CODE(NOP5 "\x55\x48\x89\xe5\x89\x7d\xfc\x5d\xc3"), SITE_OK, 5, SITE_EMULATED },
	{ "nop5 in a caller with a frame pointer", CODE(NOP5 "\x55\x48\x89\xe5\xe8\x00\x01\x00\x00\x5d\xc3"), SITE_OK, 0, SITE_EMULATED },
	{ "endbr64; nop5; red zone", CODE(ENDBR NOP5 "\x89\x7c\x24\xfc\xc3"), SITE_OK, 9, SITE_STEPPED },
	{ "nop5, red zone, loop back behind the nop", CODE(NOP5 "\x89\x7c\x24\xfc\x75\xfa\xc3"), SITE_RED_ZONE_NOP5 },
	{ "endbr64, the same", CODE(ENDBR NOP5 "\x89\x7c\x24\xfc\x75\xfa\xc3"), SITE_OK, 0, SITE_STEPPED },
};

static void an_entry_is_put_where_it_is_safe_and_cheap(void **state)
{
	for (const struct entry_case *c = entry_cases; c < entry_cases + ARRAY_SIZE(entry_cases); c++) {
		struct site s = {};
		enum site_refusal r = site_entry(c->code, &s);
		if (r != c->want || (r == SITE_OK && (s.offset != c->offset || s.cost != c->cost)))
			fail_msg("%s: %s, offset %u, cost %d", c->name, site_refusal_text(r), s.offset, s.cost);
		assert_int_equal(s.pushed, 0);
	}
}

struct return_case {
	const char *name;
	struct slice code;
	enum site_refusal want;
	size_t n;
	uint32_t offsets[4];
};

static const struct return_case return_cases[] = {
	{ "one", CODE("\x55\x5d\xc3"), SITE_OK, 1, { 2 } },
	{ "two", CODE("\x74\x01\xc3\x90\xc3"), SITE_OK, 2, { 2, 4 } },
	{ "ret $8, rep ret, bnd ret", CODE("\x74\x03\xc2\x08\x00\x75\x02\xf3\xc3\xf2\xc3"), SITE_OK, 3, { 2, 7, 9 } },
	{ "c3 in an operand", CODE("\xb8\xc3\xc3\xc3\xc3\xc3"), SITE_OK, 1, { 5 } },
	{ "a tail call alone", CODE("\xe9\x00\x01\x00\x00"), SITE_OK, 0, {} },
	{ "one that does not return", CODE("\xe8\x00\x01\x00\x00\x0f\x0b"), SITE_OK, 0, {} },
	{ "hlt behind the call that ends _start", CODE("\xe8\x00\x01\x00\x00\xf4"), SITE_OK, 0, {} },
	{ "a jump over a lock", CODE("\x74\x01\xf0\xff\x07\xc3"), SITE_OK, 1, { 5 } },
	{ "a jump table behind an indirect jump", CODE("\xff\xe0\x20\x00\x00\x00\x28\x00\x00\x00\xc3"), SITE_UNDECODABLE },
	{ "a jump into the middle of an instruction", CODE("\xeb\x01\xb8\xc3\x00\x00\x00\xc3"), SITE_UNDECODABLE },
	{ "in, of a byte table", CODE("\x90\xec\xc3"), SITE_UNDECODABLE },
	{ "half an instruction", CODE("\xc3\x48"), SITE_UNDECODABLE },
	{ "ret under ds", CODE("\x3e\xc3"), SITE_INVALID_INSN },
	{ "no size", CODE(""), SITE_NO_SIZE },
};

static void returns_are_found(void **state)
{
	for (const struct return_case *c = return_cases; c < return_cases + ARRAY_SIZE(return_cases); c++) {
		struct site s[4] = {};
		size_t n = 99;
		enum site_refusal r = site_returns(c->code, s, ARRAY_SIZE(s), &n);
		if (r != c->want || (r == SITE_OK && n != c->n))
			fail_msg("%s: %s, %zu", c->name, site_refusal_text(r), n);
		for (size_t i = 0; r == SITE_OK && i < n; i++) {
			assert_int_equal(s[i].offset, c->offsets[i]);
			assert_int_equal(s[i].cost, SITE_STEPPED);
		}
		assert_true(r == SITE_OK || n == 99);
	}
}

static void more_returns_than_room_are_counted(void **state)
{
	struct site s[2] = {};
	size_t n = 0;
	assert_int_equal(site_returns((struct slice)CODE("\x74\x01\xc3\x75\x01\xc3\xc3"), s, 1, &n), SITE_OK);
	assert_int_equal(n, 3);
	assert_int_equal(s[0].offset, 2);
	assert_int_equal(s[1].offset, 0);
}

/* As OpenSSL is in Debian 12 (3.0) and 13 (3.5), but for the addresses. */
static const struct {
	const char *name;
	struct slice code;
	int64_t wraps;
} wrapper_cases[] = {
	{ "SSL_read_ex of 3.0", CODE("\x48\x83\xec\x08\xe8\xc7\xfd\xff\xff\x31\xd2\x85\xc0\x0f\x48\xc2"), -0x230 },
	{ "SSL_read_ex of 3.5", CODE(ENDBR "\x48\x83\xec\x08\xe8\x53\xfd\xff\xff\x31\xd2"), 13 - 0x2ad },
	{ "behind pushes", CODE("\x55\x53\xe8\x00\x01\x00\x00\xc3"), 0x107 },
	{ "SSL_write_ex of 3.5: arguments are moved", CODE(ENDBR "\x49\x89\xc8\x31\xc9\xe9\xe2\x7c\xfe\xff"), 0 },
	{ "SSL_read: another argument", CODE("\x48\x83\xec\x18\x31\xc0\x48\x89\xe1\xe8\x00\x01\x00\x00"), 0 },
	{ "cut", CODE("\x48\x83\xec\x08\xe8\xc7"), 0 },
};

static void a_wrapper_tells_what_it_wraps(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrapper_cases); i++) {
		int64_t wraps = site_wrapped(wrapper_cases[i].code);
		if (wraps != wrapper_cases[i].wraps)
			fail_msg("%s: %lld", wrapper_cases[i].name, (long long)wraps);
		if (wraps)
			assert_true(site_calls(wrapper_cases[i].code, wraps) && !site_calls(wrapper_cases[i].code, wraps + 1));
	}
}

static void every_refusal_has_a_text(void **state)
{
	for (int r = SITE_OK; r <= SITE_UNDECODABLE; r++)
		assert_true(strlen(site_refusal_text((enum site_refusal)r)) > 5);
}

/* A file as it lies on disk, and its segments. */
struct binary {
	const uint8_t *bytes;
	size_t len;
};

static void binary_done(struct binary *b)
{
	if (b->bytes)
		munmap((void *)b->bytes, b->len);
}
DEFINE_CLEANUP_IN_PLACE(struct binary, binary_done)

static struct binary binary_open(const char *path)
{
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return (struct binary){};
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? (struct binary){} : (struct binary){ p, (size_t)st.st_size };
}

static struct slice code_at(const struct binary *b, uint64_t address, uint64_t size)
{
	const Elf64_Ehdr *e = (const void *)b->bytes;
	const Elf64_Phdr *p = (const void *)(b->bytes + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) && address - p[i].p_vaddr < p[i].p_filesz)
			return (struct slice){ (const char *)b->bytes + p[i].p_offset + (address - p[i].p_vaddr), size };
	return (struct slice){};
}

/* Addresses of all RETs, as objdump sees them. */
struct addresses {
	uint64_t *items;
	size_t n, cap;
};

static void addresses_done(struct addresses *a)
{
	free(a->items);
}
DEFINE_CLEANUP_IN_PLACE(struct addresses, addresses_done)

static void objdump_returns(struct addresses *ret, const char *path)
{
	char command[512], line[128];
	snprintf(command, sizeof(command),
	         "objdump -d --no-show-raw-insn %s | grep -E '^ *[0-9a-f]+:\t(bnd |repz |rep |notrack )*ret' | tr -d ' '", path);
	_cleanup_(pclose) FILE *f = popen(command, "re");
	while (fgets(line, sizeof(line), f)) {
		GROW(ret->items, ret->n, ret->cap);
		ret->items[ret->n++] = strtoull(line, NULL, 16);
	}
}

struct tally {
	size_t functions, refused, returns;
	uint64_t ns;
};

static void compare_function(const char *path, const char *name, struct slice code, uint64_t address, const struct addresses *truth,
                             struct tally *t)
{
	struct site sites[512];
	size_t n = 0, at = 0;
	uint64_t begin = clock_monotonic_ns();
	enum site_refusal r = site_returns(code, sites, ARRAY_SIZE(sites), &n);
	t->ns += clock_monotonic_ns() - begin;
	t->functions++;
	if (r != SITE_OK) {
		print_message("%s:%s: %s\n", path, name, site_refusal_text(r));
		t->refused++;
		return;
	}
	assert_true(n <= ARRAY_SIZE(sites));
	while (at < truth->n && truth->items[at] < address)
		at++;
	for (size_t i = 0; i < n; i++, at++)
		if (at == truth->n || truth->items[at] != address + sites[i].offset)
			fail_msg("%s:%s: RET %zu is at +%#x, objdump has +%#lx", path, name, i, sites[i].offset,
			         (unsigned long)(at < truth->n ? truth->items[at] - address : 0));
	if (at < truth->n && truth->items[at] < address + code.len)
		fail_msg("%s:%s: objdump has one more RET, at +%#lx", path, name, (unsigned long)(truth->items[at] - address));
	t->returns += n;
}

static void compare_with_objdump(const char *path)
{
	char command[512], line[1024], name[900], type;
	unsigned long address, size;
	_cleanup_(binary_done) struct binary b = binary_open(path);
	if (!b.bytes)
		return;
	_cleanup_(addresses_done) struct addresses truth = {};
	objdump_returns(&truth, path);
	snprintf(command, sizeof(command), "nm -D -S --defined-only %s", path);
	_cleanup_(pclose) FILE *f = popen(command, "re");
	struct tally t = {};
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %lx %c %899s", &address, &size, &type, name) != 4 || !strchr("TtWi", type))
			continue;
		compare_function(path, name, code_at(&b, address, size), address, &truth, &t);
	}
	print_message("%s: %zu functions, %zu RETs, %zu refused, %lu us\n", path, t.functions, t.returns, t.refused,
	              (unsigned long)(t.ns / 1000));
	assert_true(t.functions == 0 || t.refused * 100 <= t.functions);
}

static void returns_are_those_of_objdump(void **state)
{
	compare_with_objdump("/lib/x86_64-linux-gnu/libc.so.6");
	compare_with_objdump("/lib/x86_64-linux-gnu/libsqlite3.so.0");
	compare_with_objdump("/lib/x86_64-linux-gnu/libssl.so.3");
	compare_with_objdump("/usr/sbin/nginx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_put_where_it_is_safe_and_cheap),
		cmocka_unit_test(returns_are_found),
		cmocka_unit_test(more_returns_than_room_are_counted),
		cmocka_unit_test(a_wrapper_tells_what_it_wraps),
		cmocka_unit_test(every_refusal_has_a_text),
		cmocka_unit_test(returns_are_those_of_objdump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
