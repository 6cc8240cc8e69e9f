/* floor.h: the little that the floor's kernel halves share with their loader. */
#pragma once

#ifdef __bpf__
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct registers { /* struct pt_regs of x86-64: arch/x86/include/asm/ptrace.h */
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

extern __u64 *bpf_session_cookie(void) __ksym;
extern _Bool bpf_session_is_return(void) __ksym;
#else
#include <linux/types.h>
#endif

#define FLOOR_FUNCTIONS 64 /* attached at once; the cookie is the index */
#define FLOOR_BUCKETS 64   /* powers of two of nanoseconds */

struct floor_call {
	__u64 time_ns;
	__u64 pid_tgid;
	__u64 function;
	__u64 argument[3];
	__u64 duration_ns;
	__u64 returned;
};

struct floor_hit {
	__u64 time_ns;
	__u64 pid_tgid;
	__u64 function;
	__u64 argument[3];
};

struct floor_bare_hit {
	__u64 time_ns;
	__u64 pid_tgid;
	__u64 function;
};
