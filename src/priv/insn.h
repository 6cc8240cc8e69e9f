/* insn: BPF instructions by hand, for programs of a few. linux/bpf.h describes their fields; the registers are BPF_REG_*. */
#pragma once

#include <linux/bpf.h>

#define INSN_MOV_IMM(dst, n) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (n) }
#define INSN_MOV_REG(dst, src) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src) }
#define INSN_CALL(helper) { .code = BPF_JMP | BPF_CALL, .imm = (helper) }
#define INSN_EXIT { .code = BPF_JMP | BPF_EXIT }
/* Two instructions: @kind is BPF_PSEUDO_MAP_FD, BPF_PSEUDO_FUNC ... */
#define INSN_LOAD(dst, kind, n) { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (dst), .src_reg = (kind), .imm = (n) }, {}
