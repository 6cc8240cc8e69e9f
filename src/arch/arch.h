/*
 * arch: what the tracer knows of the processor: its registers by name and by role. One folder an architecture; everything
 * else asks here. Registers are numbers of enum arch_register, in the order of struct pt_regs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#if defined(__x86_64__)
#include "arch/x86_64/registers.abi.h"
#else
#error "no registers.abi.h for this architecture"
#endif

/* Where a function finds its integer and pointer arguments, and a system call its own (psABI x86-64 1.0, A.2.1; syscall(2)). */
#define ARCH_ARGUMENTS 6
extern const uint8_t arch_argument_registers[ARCH_ARGUMENTS];
extern const uint8_t arch_syscall_registers[ARCH_ARGUMENTS];

struct arch_part { /* a register, or the part of it that a name means: eax, r10d, ah */
	uint8_t index;  /* enum arch_register */
	uint8_t size;   /* bytes: 1, 2, 4 or 8 */
	uint8_t offset; /* bytes from the low end: 1 for ah, bh, ch and dh, else 0 */
};

/*
 * Finds a register by its name, without '%'. -ENOENT: there is none of that name; -ENOTSUP: there is, but a probe does not
 * see it (vector, floating point, mask, segment, control).
 */
int arch_register_find(struct slice name, struct arch_part *ret);
const char *arch_register_name(enum arch_register index); /* of the whole register: "rax" */
