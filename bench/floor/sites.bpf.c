/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sites: durations from the first instruction to a RET, by two programs and a map of start times by thread. */
#include "hist.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} starts SEC(".maps");

SEC("uprobe")
int entry(struct registers *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();
	bpf_map_update_elem(&starts, &tid, &now, BPF_ANY);
	return 0;
}

SEC("uprobe")
int at_return(struct registers *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 *start = bpf_map_lookup_elem(&starts, &tid);
	if (start)
		count(bpf_get_attach_cookie(ctx), bpf_ktime_get_ns() - *start);
	return 0;
}
