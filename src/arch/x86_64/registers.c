#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "base/macro.h"

const uint8_t arch_argument_registers[ARCH_ARGUMENTS] = { REG_DI, REG_SI, REG_DX, REG_CX, REG_R8, REG_R9 };
const uint8_t arch_syscall_registers[ARCH_ARGUMENTS] = { REG_DI, REG_SI, REG_DX, REG_R10, REG_R8, REG_R9 };

/* The names of one register by size; the columns of r8 to r15 follow a rule. */
static const struct {
	uint8_t index;
	const char *name64, *name32, *name16, *name8, *name8_high;
} legacy[] = {
	{ REG_AX, "rax", "eax", "ax", "al", "ah" },
	{ REG_BX, "rbx", "ebx", "bx", "bl", "bh" },
	{ REG_CX, "rcx", "ecx", "cx", "cl", "ch" },
	{ REG_DX, "rdx", "edx", "dx", "dl", "dh" },
	{ REG_SI, "rsi", "esi", "si", "sil", "" },
	{ REG_DI, "rdi", "edi", "di", "dil", "" },
	{ REG_BP, "rbp", "ebp", "bp", "bpl", "" },
	{ REG_SP, "rsp", "esp", "sp", "spl", "" },
	{ REG_IP, "rip", "eip", "ip", "", "" },
	{ REG_FLAGS, "rflags", "eflags", "flags", "", "" },
};

static const uint8_t numbered[] = { REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static bool find_legacy(struct slice name, struct arch_part *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(legacy); i++) {
		const char *names[] = { legacy[i].name64, legacy[i].name32, legacy[i].name16, legacy[i].name8,
			                legacy[i].name8_high };
		static const uint8_t sizes[] = { 8, 4, 2, 1, 1 };
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			if (!slice_eq_str(name, names[j]))
				continue;
			*ret = (struct arch_part){ legacy[i].index, sizes[j], j == 4 };
			return true;
		}
	}
	return false;
}

/* r8 r8d r8w r8b (GNU as writes r8b, Intel's manual r8l too). */
static bool find_numbered(struct slice name, struct arch_part *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbered); i++) {
		char whole[4];
		size_t len = (size_t)snprintf(whole, sizeof(whole), "r%zu", i + 8);
		if (name.len < len || name.len > len + 1 || memcmp(name.data, whole, len) != 0)
			continue;
		char suffix = name.len > len ? name.data[len] : '\0';
		uint8_t size = suffix == '\0' ? 8 : suffix == 'd' ? 4 : suffix == 'w' ? 2 : suffix == 'b' || suffix == 'l' ? 1 : 0;
		if (size == 0)
			continue;
		*ret = (struct arch_part){ numbered[i], size, 0 };
		return true;
	}
	return false;
}

/* A stem and a number ("xmm12"), or a name that stands alone ("fs"). */
static bool is_unseen(struct slice name)
{
	static const char *const stems[] = { "xmm", "ymm", "zmm", "tmm", "mm", "st", "k", "bnd", "cr", "dr" };
	static const char *const alone[] = { "st", "cs", "ds", "es", "fs", "gs", "ss", "mxcsr" };
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (slice_eq_str(name, alone[i]))
			return true;
	size_t stem = name.len;
	while (stem > 0 && name.data[stem - 1] >= '0' && name.data[stem - 1] <= '9')
		stem--;
	for (size_t i = 0; i < ARRAY_SIZE(stems) && stem < name.len; i++)
		if (slice_eq_str((struct slice){ name.data, stem }, stems[i]))
			return true;
	return false;
}

int arch_register_find(struct slice name, struct arch_part *ret)
{
	if (name.len == 0)
		return -ENOENT;
	if (find_legacy(name, ret) || find_numbered(name, ret))
		return 0;
	return is_unseen(name) ? -ENOTSUP : -ENOENT;
}

const char *arch_register_name(enum arch_register index)
{
	static const char *const names[REG_COUNT] = {
		[REG_R15] = "r15", [REG_R14] = "r14", [REG_R13] = "r13", [REG_R12] = "r12", [REG_BP] = "rbp",
		[REG_BX] = "rbx",  [REG_R11] = "r11", [REG_R10] = "r10", [REG_R9] = "r9",   [REG_R8] = "r8",
		[REG_AX] = "rax",  [REG_CX] = "rcx",  [REG_DX] = "rdx",  [REG_SI] = "rsi",  [REG_DI] = "rdi",
		[REG_IP] = "rip",  [REG_CS] = "cs",   [REG_SP] = "rsp",  [REG_SS] = "ss",   [REG_FLAGS] = "rflags",
		[REG_ORIG_AX] = "orig_rax",
	};
	return (unsigned)index < REG_COUNT ? names[index] : NULL;
}
