/*
 * site: where in a function's code a probe can go, and what it costs there. Pure: bytes in, offsets out.
 *
 * A uprobe replaces one instruction. The kernel either emulates it (push, jmp/jcc, call, nops: 0.5 us) or steps over it
 * in a copy (10 us under virtualisation, 1 us on bare metal; kernel: arch/x86/kernel/uprobes.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum site_cost { SITE_EMULATED, SITE_STEPPED };

struct site {
	uint32_t offset;     /* from the function's first byte */
	enum site_cost cost;
	uint32_t pushed;     /* bytes that were pushed between the first instruction and this one: sp at entry = sp + pushed */
};

enum site_refusal {
	SITE_OK,
	SITE_NO_CODE,        /* no bytes, or not code */
	SITE_INVALID_INSN,   /* the kernel would refuse it: lock/rep-prefixed oddities, hlt, in/out ... */
	SITE_RED_ZONE_NOP5,  /* a nop5 that 6.18's optimisation would turn into a call in a function that uses the red zone */
	SITE_NO_SIZE,        /* its end is not known, so its RETs cannot be listed */
	SITE_UNDECODABLE,    /* bytes that are no instruction before the end: RETs may be missed */
};
const char *site_refusal_text(enum site_refusal r);

/* Where the entry probe goes: the first instruction, or the one behind endbr64 (or behind a nop5 that must not be probed). */
enum site_refusal site_entry(struct slice code, struct site *ret);

/* May a probe sit on the instruction at @offset of the function @code, as a USDT probe's nop? */
enum site_refusal site_at(struct slice code, uint32_t offset, struct site *ret);

/* Does the function keep values below its stack pointer? True also when that cannot be told. */
bool site_uses_red_zone(struct slice code);

/*
 * Every RET of the function, in order. @ret is the caller's, of @max items; *ret_n may be larger than @max, then only @max
 * are filled. *ret_n is 0 for a function that only jumps away or never returns.
 */
enum site_refusal site_returns(struct slice code, struct site *ret, size_t max, size_t *ret_n);

/*
 * The function that this one hands its arguments on to: how far its first byte is from ours, when we begin by calling it with all registers
 * of arguments as they were; 0: something else is done first.
 */
int64_t site_wrapped(struct slice code);
bool site_calls(struct slice code, int64_t distance); /* Does the function call that one? By the bytes that such a call has. */
