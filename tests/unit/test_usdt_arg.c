#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "arch/usdt_arg.h"
#include "base/cleanup.h"
#include "base/macro.h"

#define REG(r, n, ...) { .from = FETCH_REGISTER, .size = (n), .index = REG_##r, __VA_ARGS__ }
#define MEM(r, n, off, ...) { .from = FETCH_REGISTER, .size = (n), .index = REG_##r, .offset = (off), .flags = FETCH_DEREF __VA_ARGS__ }
#define CONSTANT(x, n, ...) { .from = FETCH_CONSTANT, .size = (n), .offset = (int64_t)(x), __VA_ARGS__ }

struct usdt_case {
	const char *text;
	int want;
	struct fetch fetch;
	size_t consumed; /* 0: all of the text */
};

static const struct usdt_case cases[] = {
	{ "-4@%edi", 0, REG(DI, 4, .flags = FETCH_SIGNED) },
	{ "8@%rax", 0, REG(AX, 8) },
	{ "4@%r10d", 0, REG(R10, 4) },
	{ "2@%r8w", 0, REG(R8, 2) },
	{ "1@%bpl", 0, REG(BP, 1) },
	{ "-8@%rsp", 0, REG(SP, 8, .flags = FETCH_SIGNED) },
	{ "4@%rax", 0, REG(AX, 4) },
	{ "8@%eax", 0, REG(AX, 4) },
	{ "8@-8(%rbp)", 0, MEM(BP, 8, -8) },
	{ "8@(%r15)", 0, MEM(R15, 8, 0) },
	{ "-8@8(%rsp,%rbx,4)", 0, MEM(SP, 8, 8, | FETCH_SIGNED | FETCH_INDEXED, .index2 = REG_BX, .scale = 2) },
	{ "1@(%rdi,%rcx)", 0, MEM(DI, 1, 0, | FETCH_INDEXED, .index2 = REG_CX) },
	{ "4@0x10(%rax)", 0, MEM(AX, 4, 16) },
	{ "4@8+16(%rsp)", 0, MEM(SP, 4, 24) },
	{ "4@-16+4(%rsp)", 0, MEM(SP, 4, -12) },
	{ "8f@-8(%rbp)", 0, MEM(BP, 8, -8, | FETCH_FLOAT) },
	{ "4@$5", 0, CONSTANT(5, 4) },
	{ "-4@$-1", 0, CONSTANT(-1, 4, .flags = FETCH_SIGNED) },
	{ "8@$0x7fffffffffffffff", 0, CONSTANT(0x7fffffffffffffff, 8) },
	{ "8@$18446744073709551615", 0, CONSTANT(-1, 8) },
	{ "  4@%edi 8@%rax", 0, REG(DI, 4), 8 },
	{ "8@%rax ", 0, REG(AX, 8), 6 },
	{ "8f@%xmm0", -ENOTSUP },
	{ "16@%xmm3 4@%eax", -ENOTSUP, .consumed = 8 },
	{ "32@(%rdi)", -ENOTSUP },
	{ "4@sym(%rip)", -ENOTSUP },
	{ "4@sym+16(%rip)", -ENOTSUP },
	{ "-4@40+CheckpointStats(%rip)", -ENOTSUP },
	{ "4@-4(%rip)", -ENOTSUP },
	{ "8@$sym", -ENOTSUP },
	{ "4@sym", -ENOTSUP },
	{ "4@1024", -ENOTSUP },
	{ "4@(,%rcx,8)", -ENOTSUP },
	{ "4@%fs:-4", -ENOTSUP },
	{ "1@%ah", -ENOTSUP },
	{ "4@(%eax)", -ENOTSUP },
	{ "", -ENODATA },
	{ "   ", -ENODATA },
	{ "%rax", -EINVAL },
	{ "4%eax", -EINVAL },
	{ "4@", -EINVAL },
	{ "@%eax", -EINVAL },
	{ "0@%eax", -EINVAL },
	{ "-@%eax", -EINVAL },
	{ "4@%", -EINVAL },
	{ "4@%nothing", -EINVAL },
	{ "4@%eax,", -EINVAL },
	{ "4@8(%rax", -EINVAL },
	{ "4@8(rax)", -EINVAL },
	{ "4@8(%rax))", -EINVAL },
	{ "4@8(%rax,%rbx,3)", -EINVAL },
	{ "4@8(%rax,%rbx,)", -EINVAL },
	{ "4@8(%rax,)", -EINVAL },
	{ "4@--8(%rax)", -EINVAL },
	{ "4@8-(%rax)", -EINVAL },
	{ "4@$", -EINVAL },
	{ "4@$5x", -EINVAL },
	{ "4@$99999999999999999999", -EINVAL },
	{ "4@8 (%rax)", -ENOTSUP, .consumed = 3 },
	{ "9999@%eax", -EINVAL },
};

static void operands_are_read_as_the_assembler_would(void **state)
{
	for (const struct usdt_case *c = cases; c < cases + ARRAY_SIZE(cases); c++) {
		struct fetch f = {};
		size_t consumed = 99;
		int r = usdt_argument_parse(c->text, &f, &consumed);
		if (r != c->want || memcmp(&f, &c->fetch, sizeof(f)) != 0)
			fail_msg("'%s': %d, from %u index %u offset %ld size %u flags %#x index2 %u scale %u", c->text, r, f.from, f.index,
			         (long)f.offset, f.size, f.flags, f.index2, f.scale);
		size_t want = r != 0 && r != -ENOTSUP ? 99 : c->consumed ? c->consumed : strlen(c->text);
		if (consumed != want)
			fail_msg("'%s': consumed %zu, not %zu", c->text, consumed, want);
	}
}

static void every_truncation_of_an_operand_is_survived(void **state)
{
	for (const struct usdt_case *c = cases; c < cases + ARRAY_SIZE(cases); c++) {
		for (size_t n = 0; n < strlen(c->text); n++) {
			_cleanup_(free) char *text = strndup(c->text, n);
			struct fetch f;
			size_t consumed;
			int r = usdt_argument_parse(text, &f, &consumed);
			assert_true(r == 0 || r == -EINVAL || r == -ENOTSUP || r == -ENODATA);
		}
	}
}

static void registers_are_found_by_every_name(void **state)
{
	static const struct {
		const char *name;
		int want;
		struct arch_part part;
	} names[] = {
		{ "rax", 0, { REG_AX, 8, 0 } },    { "eax", 0, { REG_AX, 4, 0 } },   { "ax", 0, { REG_AX, 2, 0 } },
		{ "al", 0, { REG_AX, 1, 0 } },     { "ah", 0, { REG_AX, 1, 1 } },    { "dil", 0, { REG_DI, 1, 0 } },
		{ "r8", 0, { REG_R8, 8, 0 } },     { "r8d", 0, { REG_R8, 4, 0 } },   { "r15b", 0, { REG_R15, 1, 0 } },
		{ "r15l", 0, { REG_R15, 1, 0 } },  { "r10w", 0, { REG_R10, 2, 0 } }, { "rip", 0, { REG_IP, 8, 0 } },
		{ "xmm31", -ENOTSUP, {} },         { "st", -ENOTSUP, {} },           { "st0", -ENOTSUP, {} },
		{ "fs", -ENOTSUP, {} },            { "k1", -ENOTSUP, {} },           { "r16", -ENOENT, {} },
		{ "r1", -ENOENT, {} },             { "r10x", -ENOENT, {} },          { "xmm", -ENOENT, {} },
		{ "", -ENOENT, {} },               { "rax ", -ENOENT, {} },          { "e", -ENOENT, {} },
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct arch_part part = {};
		assert_int_equal(arch_register_find(slice_of(names[i].name), &part), names[i].want);
		assert_memory_equal(&part, &names[i].part, sizeof(part));
	}
	for (int i = 0; i < REG_COUNT; i++)
		assert_non_null(arch_register_name((enum arch_register)i));
	assert_string_equal(arch_register_name((enum arch_register)arch_argument_registers[0]), "rdi");
	assert_string_equal(arch_register_name((enum arch_register)arch_syscall_registers[3]), "r10");
}

/* "    Arguments: 8@%rax -4@%edi" */
static void parse_line(const char *file, const char *text, size_t *read, size_t *unsupported)
{
	for (int r = 0; r != -ENODATA;) {
		struct fetch f;
		size_t consumed = 0;
		r = usdt_argument_parse(text, &f, &consumed);
		if (r == -EINVAL)
			fail_msg("%s: '%s' is malformed", file, text);
		*read += r == 0;
		*unsupported += r == -ENOTSUP;
		text += consumed;
	}
}

static void arguments_of_real_programs_are_understood(void **state)
{
	static const char *const files[] = {
		"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libm.so.6",
		"/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/x86_64-linux-gnu/libgcc_s.so.1", "/usr/bin/python3",
		"/usr/lib/postgresql/15/bin/postgres", "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so",
	};
	size_t total = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (access(files[i], R_OK) < 0)
			continue;
		char command[256], line[4096];
		size_t read = 0, unsupported = 0;
		snprintf(command, sizeof(command), "readelf -nW %s 2>&1", files[i]);
		_cleanup_(pclose) FILE *f = popen(command, "re");
		while (fgets(line, sizeof(line), f)) {
			char *arguments = strstr(line, "Arguments: ");
			if (!arguments)
				continue;
			line[strcspn(line, "\n")] = '\0';
			parse_line(files[i], arguments + strlen("Arguments: "), &read, &unsupported);
		}
		print_message("%s: %zu arguments, %zu out of reach\n", files[i], read, unsupported);
		total += read;
	}
	assert_true(total > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_are_read_as_the_assembler_would),
		cmocka_unit_test(every_truncation_of_an_operand_is_survived),
		cmocka_unit_test(registers_are_found_by_every_name),
		cmocka_unit_test(arguments_of_real_programs_are_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
