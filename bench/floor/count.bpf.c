/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* count: how often each function is entered. */
#include "floor.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FLOOR_FUNCTIONS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("uprobe")
int entry(struct registers *ctx)
{
	__u32 function = bpf_get_attach_cookie(ctx);
	__u64 *n = bpf_map_lookup_elem(&counts, &function);
	if (n)
		(*n)++;
	return 0;
}
