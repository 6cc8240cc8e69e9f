/*
 * where_eval.h: runs a where_program; in the kernel half of a probe family, and natively in tests.
 *
 * Booleans have three values, for what is not known yet (ret and duration at the entry of a call): a stack of bits says
 * what may be true, another what may be false. An event is dropped only when it cannot come true any more.
 */
#pragma once

#include <stdbool.h>

#include "shape/where.abi.h"

static __always_inline bool where_compare(__u8 op, bool is_signed, __u64 a, __u64 b)
{
	bool less = is_signed ? (__s64)a < (__s64)b : a < b;
	switch (op) {
	case WHERE_EQ:
		return a == b;
	case WHERE_NE:
		return a != b;
	case WHERE_LT:
		return less;
	case WHERE_LE:
		return less || a == b;
	case WHERE_GT:
		return !less && a != b;
	default:
		return !less;
	}
}

/* What is compared with sign and is not known to be @wide may be an int that fills only the low half of its register. */
static __always_inline __u64 where_widen(__u64 value, bool is_signed, bool wide)
{
	return is_signed && !wide && value >> 31 == 1 ? value | 0xffffffffull << 32 : value;
}

/*
 * @p:      volatile, as it may be a constant that is set before the program is loaded, and the compiler must not look at it
 * @values: 64 bits each; a register as it is. On kernels before 5.12 they must lie in a map.
 * @known:  bit set of the fields of @values that are known now, 1 << enum where_field
 *
 * True: the event passes, or may still pass. A malformed program lets everything pass.
 */
static __always_inline bool where_eval(const volatile struct where_program *p, const __s64 values[WHERE_FIELDS], unsigned known)
{
	__u32 may_true = 1, may_false = 0; /* below the bottom: an empty program passes */
	for (unsigned i = 0; i < WHERE_MAX; i++) {
		if (i >= p->n)
			break;
		const volatile struct where_step *s = &p->step[i];
		__u32 field = s->field, a = may_true, b = may_false;
		switch (s->op) {
		case WHERE_AND:
			may_true = (a >> 1 & ~1u) | (a & a >> 1 & 1);
			may_false = (b >> 1 & ~1u) | ((b | b >> 1) & 1);
			break;
		case WHERE_OR:
			may_true = (a >> 1 & ~1u) | ((a | a >> 1) & 1);
			may_false = (b >> 1 & ~1u) | (b & b >> 1 & 1);
			break;
		case WHERE_NOT:
			may_true = (a & ~1u) | (b & 1);
			may_false = (b & ~1u) | (a & 1);
			break;
		default:
			if (field >= WHERE_FIELDS)
				return true;
			bool is_known = known >> field & 1, wide = p->wide >> field & 1;
			bool holds = where_compare(s->op, s->is_signed, where_widen((__u64)values[field], s->is_signed, wide), (__u64)s->number);
			may_true = a << 1 | (!is_known || holds);
			may_false = b << 1 | (!is_known || !holds);
		}
	}
	return may_true & 1;
}
