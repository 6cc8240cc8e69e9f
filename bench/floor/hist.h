/* hist.h: a histogram of powers of two for each function. */
#pragma once

#include "floor.h"

struct floor_hist {
	__u64 bucket[FLOOR_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FLOOR_FUNCTIONS);
	__type(key, __u32);
	__type(value, struct floor_hist);
} counts SEC(".maps");

static __always_inline __u32 log2_of(__u64 x)
{
	__u32 e = 0;
	if (x >> 32) { e += 32; x >>= 32; }
	if (x >> 16) { e += 16; x >>= 16; }
	if (x >> 8) { e += 8; x >>= 8; }
	if (x >> 4) { e += 4; x >>= 4; }
	if (x >> 2) { e += 2; x >>= 2; }
	return e + (x >> 1);
}

static __always_inline void count(__u32 function, __u64 ns)
{
	struct floor_hist *h = bpf_map_lookup_elem(&counts, &function);
	if (h)
		h->bucket[log2_of(ns) & (FLOOR_BUCKETS - 1)]++;
}
