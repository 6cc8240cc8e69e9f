/*
 * insn: of one x86-64 instruction, what the kernel's uprobes look at: its prefixes and its opcode. How long it is and
 * whether it is one at all is capstone's matter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_map { INSN_ONE_BYTE, INSN_0F, INSN_VECTOR /* VEX and EVEX, of all maps */ };

struct insn {
	enum insn_map map;
	uint8_t opcode; /* the byte behind prefixes, escape and vector prefix */
	uint8_t modrm;  /* the byte behind it; 0 when there is none */
	uint8_t rex;    /* 0: none */
	uint8_t prefixes; /* bytes before the opcode, escape and rex not counted */
	bool operand16; /* 66 */
	bool rep;       /* f3 */
	bool refused_prefix; /* lock, or es, cs, ss, ds */
};

/* False when @len bytes end before the opcode. */
bool insn_read(const uint8_t *code, size_t len, struct insn *ret);

/* Would the kernel put a probe on it (or does it only by an oversight)? */
bool insn_can_be_probed(const struct insn *i);
/* Does the kernel emulate it? Nops longer than one byte since 6.18, all else in all kernels since 5.10. */
bool insn_is_emulated(const struct insn *i);
bool insn_is_push(const struct insn *i); /* of a register, in the two forms that the kernel emulates: 50+r and 41 50+r */
bool insn_is_nop(const struct insn *i);
/* Never in a program's code (or ends it with a signal): met in a sweep, it tells of data among the code. */
bool insn_is_foreign(const struct insn *i);
