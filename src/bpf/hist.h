/* hist.h: which bucket of a histogram a value is counted in; user space reads them by base/histogram.h, where the buckets are told. */
#pragma once

#include "bpf/kernel.h"

/* Index of the bucket of @value, the last of @buckets for all that is larger. */
static __always_inline __u32 hist_bucket(__u64 value, __u32 buckets)
{
	__u64 x = value;
	__u32 e = 0;
	if (x >> 32) { e += 32; x >>= 32; }
	if (x >> 16) { e += 16; x >>= 16; }
	if (x >> 8) { e += 8; x >>= 8; }
	if (x >> 4) { e += 4; x >>= 4; }
	if (x >> 2) { e += 2; x >>= 2; }
	if (x >> 1)
		e += 1;
	__u32 i = value < 8 ? value : (e - 2) * 8 + ((value >> (e - 3)) & 7);
	return i < buckets ? i : buckets - 1;
}
