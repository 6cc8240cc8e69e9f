/*
 * fetch.abi.h: what to read when a probe fires, as data.
 *
 * One small program of fetches serves the arguments of functions, of USDT probes, of tracepoints and of system calls:
 * each takes a base value (a register, a word of the event's context, a constant), may follow it into memory, and
 * leaves a `struct fetched` (and bytes) behind the record.
 */
#pragma once

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

enum fetch_from {
	FETCH_REGISTER, /* @index: enum arch_register (arch/x86_64/registers.abi.h) of the task's user or kernel registers */
	FETCH_CONTEXT,  /* the word at @offset of the event's context (a tracepoint's record) */
	FETCH_CONSTANT, /* @offset itself */
	FETCH_RETURN,   /* the return value; only at an exit */
};

enum fetch_kind {
	FETCH_VALUE,   /* @size bytes, sign extended if FETCH_SIGNED */
	FETCH_STRING,  /* NUL-terminated, at most @max bytes */
	FETCH_BYTES,   /* a buffer: @max bytes, or fewer as @length_from tells */
};

enum fetch_flag {
	FETCH_SIGNED = 1 << 0,
	FETCH_DEREF = 1 << 1,      /* the base is an address: what is wanted lies at base + @offset (+ index << scale) */
	FETCH_INDEXED = 1 << 2,    /* add register @index2 << @scale to the address */
	FETCH_AT_EXIT = 1 << 3,    /* read when the call ends, not when it begins */
	FETCH_KERNEL = 1 << 4,     /* the memory is the kernel's */
	FETCH_FLOAT = 1 << 5,      /* the value is a float or double of @size */
	FETCH_LENGTH = 1 << 6,     /* length of bytes in register @length_from (at exit: in the return value if it is 255) */
	FETCH_DATA_LOC = 1 << 7,   /* context word is __data_loc: offset in the low half, length in the high */
};

struct fetch {
	__u8 from;  /* enum fetch_from */
	__u8 kind;  /* enum fetch_kind */
	__u8 flags; /* enum fetch_flag */
	__u8 size;  /* 1, 2, 4 or 8 */
	__u8 index;
	__u8 index2;
	__u8 scale; /* 0..3: times 1, 2, 4, 8 */
	__u8 length_from;
	__s64 offset;
	__u16 max; /* bytes, at most FETCH_MAX_BYTES */
	__u16 pad[3];
};
_Static_assert(sizeof(struct fetch) == 24, "layout");

#define FETCH_MAX 12        /* of one probe: a USDT probe has at most 12 arguments */
#define FETCH_MAX_BYTES 512 /* one fetch keeps at most */

struct fetch_plan {
	__u32 n;
	__u32 pad;
	struct fetch fetch[FETCH_MAX];
};

enum fetched_status {
	FETCHED_OK,
	FETCHED_UNREADABLE, /* the memory could not be read (not mapped, or paged out) */
	FETCHED_TRUNCATED,  /* there was more */
	FETCHED_NO_ROOM,    /* the record was full */
};

/* Lies behind the record's fixed part, once for each fetch of the plan that ran, each padded to 8 bytes. */
struct fetched {
	__u8 which;  /* index in the plan */
	__u8 status; /* enum fetched_status */
	__u16 length; /* bytes that follow, without padding; strings without their NUL */
	__u32 pad;
	__u64 value; /* of FETCH_VALUE; otherwise the address that was read */
};
_Static_assert(sizeof(struct fetched) == 16, "layout");

/* Where a plan reads from. Kept in one place so that the loop below has one state for the verifier. */
struct fetch_source {
	__u64 registers; /* address of a struct pt_regs in kernel memory; 0: none */
	__u64 context;   /* address of a tracepoint's record */
	__s64 returned;  /* FETCH_RETURN */
	__u32 room;      /* bytes at the output */
	__u32 used;      /* so far */
	__u32 n;         /* items so far */
	__u32 at_exit;
};
