/* registers.abi.h: x86-64 registers in the order of struct pt_regs (arch/x86/include/asm/ptrace.h, all kernels since 5.10). */
#pragma once

enum arch_register {
	REG_R15, REG_R14, REG_R13, REG_R12, REG_BP, REG_BX, REG_R11, REG_R10, REG_R9, REG_R8,
	REG_AX, REG_CX, REG_DX, REG_SI, REG_DI, REG_ORIG_AX, REG_IP, REG_CS, REG_FLAGS, REG_SP, REG_SS,
	REG_COUNT
};
