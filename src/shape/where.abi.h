/*
 * where.abi.h: a --where expression as the kernel runs it: at most WHERE_MAX steps in postfix order over a small stack of
 * booleans. Plain C for both compilers; probe/func evaluates it in the kernel half, unit tests natively.
 */
#pragma once

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define WHERE_MAX 16

enum where_op { WHERE_END, WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE, WHERE_AND, WHERE_OR, WHERE_NOT };

enum where_field {
	WHERE_ARG1, WHERE_ARG2, WHERE_ARG3, WHERE_ARG4, WHERE_ARG5, WHERE_ARG6, WHERE_RET, WHERE_DURATION, WHERE_PID, WHERE_TID, WHERE_UID,
	WHERE_FIELDS
};

struct where_step {
	__u8 op;       /* enum where_op; a comparison pushes a boolean, AND, OR and NOT take theirs from the stack */
	__u8 field;    /* enum where_field, of a comparison */
	__u8 is_signed; /* compare as signed numbers: see where.h */
	__u8 pad[5];
	__s64 number;
};

struct where_program {
	__u32 n; /* 0: everything passes */
	__u32 wide; /* bit set of enum where_field: known to have 64 bits, no int lies in their low half */
	struct where_step step[WHERE_MAX];
};
