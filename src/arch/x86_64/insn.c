#include "arch/x86_64/insn.h"

#include <string.h>

#include "base/macro.h"

/* Counts a legacy prefix; false for any other byte. */
static bool take_prefix(struct insn *i, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0xf0:
		i->refused_prefix = true;
		break;
	case 0x66:
		i->operand16 = true;
		break;
	case 0xf3:
		i->rep = true;
		break;
	case 0x64:
	case 0x65:
	case 0x67:
	case 0xf2:
		break;
	default:
		return false;
	}
	i->prefixes++;
	return true;
}

/* Bytes of the vector prefix that begins with @byte: VEX (c5 x, c4 x x) or EVEX (62 x x x); 0: it is none. */
static size_t vector_prefix(uint8_t byte)
{
	return byte == 0xc5 ? 2 : byte == 0xc4 ? 3 : byte == 0x62 ? 4 : 0;
}

bool insn_read(const uint8_t *code, size_t len, struct insn *ret)
{
	struct insn i = {};
	size_t at = 0;
	while (at < len && take_prefix(&i, code[at]))
		at++;
	if (at < len && (code[at] & 0xf0) == 0x40)
		i.rex = code[at++];
	if (at >= len)
		return false;
	size_t vector = vector_prefix(code[at]);
	if (vector > 0) {
		i.map = INSN_VECTOR;
		at += vector;
	} else if (code[at] == 0x0f) {
		i.map = INSN_0F;
		at++;
	}
	if (at >= len)
		return false;
	i.opcode = code[at];
	i.modrm = at + 1 < len ? code[at + 1] : 0;
	*ret = i;
	return true;
}

/*
 * One-byte opcodes that the kernel refuses in 64-bit code: those that are no instructions there, those that only the
 * kernel may execute, and int, whose effect under single-stepping is fragile. It looks the opcode of a VEX or EVEX
 * instruction up in the same table, so that some of those cannot be probed either: vmovdqu (6f), vpxor (ef).
 * Kernel: arch/x86/kernel/uprobes.c, good_insns_64; 3.18 to 6.18.
 */
static bool is_refused(uint8_t opcode)
{
	static const uint8_t refused[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61,
		                           0x62, 0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a, 0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5,
		                           0xd6, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa,
		                           0xfb };
	return memchr(refused, opcode, sizeof(refused)) != NULL;
}

/*
 * Opcodes behind 0f that leave user mode or end the program. The kernel has them in its list of bad ones too, but never
 * looks there in 64-bit code; stepped in a copy, syscall would show its caller (or a new thread) the copy's address.
 */
static bool leaves_user_mode(uint8_t opcode)
{
	static const uint8_t leaving[] = { 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x30, 0x34, 0x35, 0x37, 0x78, 0x79 };
	return memchr(leaving, opcode, sizeof(leaving)) != NULL;
}

/* call, jmp and jcc with a relative target, which the kernel refuses under 66: processors differ in what it means there. */
static bool is_relative_branch(const struct insn *i)
{
	if (i->map == INSN_0F)
		return (i->opcode & 0xf0) == 0x80;
	return i->map == INSN_ONE_BYTE && ((i->opcode & 0xf0) == 0x70 || i->opcode == 0xe8 || i->opcode == 0xe9 || i->opcode == 0xeb);
}

bool insn_can_be_probed(const struct insn *i)
{
	if (i->refused_prefix || (i->operand16 && is_relative_branch(i)))
		return false;
	if (i->map == INSN_0F)
		return !leaves_user_mode(i->opcode);
	bool loads_ss = i->opcode == 0x8e && (i->modrm >> 3 & 7) == 2; /* masks the next trap; VEX ones with it by the same oversight */
	return !loads_ss && !is_refused(i->opcode);
}

bool insn_is_nop(const struct insn *i)
{
	if (i->map == INSN_0F)
		return i->opcode == 0x1f;
	return i->map == INSN_ONE_BYTE && i->opcode == 0x90 && !i->rep && !(i->rex & 1); /* f3: pause; rex.b: xchg with r8 */
}

bool insn_is_push(const struct insn *i)
{
	return i->map == INSN_ONE_BYTE && (i->opcode & 0xf8) == 0x50 && i->prefixes == 0 && (i->rex == 0 || i->rex == 0x41);
}

bool insn_is_emulated(const struct insn *i)
{
	return insn_is_push(i) || is_relative_branch(i) || insn_is_nop(i);
}

bool insn_is_foreign(const struct insn *i)
{
	static const uint8_t foreign[] = { 0x6c, 0x6d, 0x6e, 0x6f, 0xca, 0xcb, 0xcf, 0xe4, 0xe5, 0xe6, 0xe7,
		                           0xec, 0xed, 0xee, 0xef, 0xf1, 0xfa, 0xfb };
	if (i->map == INSN_0F)
		return i->opcode != 0x05 && i->opcode != 0x0b && leaves_user_mode(i->opcode);
	return i->map == INSN_ONE_BYTE && memchr(foreign, i->opcode, sizeof(foreign)) != NULL;
}
