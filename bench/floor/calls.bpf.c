/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* calls: each call when it ends, with time, duration, three arguments and result; what the entry knew waits in a map by thread. */
#include "ring.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct open_call {
	__u64 time_ns;
	__u64 argument[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct open_call);
} open_calls SEC(".maps");

static __always_inline int begin(struct registers *ctx, __u32 tid)
{
	struct open_call call = { bpf_ktime_get_ns(), { ctx->di, ctx->si, ctx->dx } };
	bpf_map_update_elem(&open_calls, &tid, &call, BPF_ANY);
	return 0;
}

static __always_inline int end(struct registers *ctx, __u64 pid_tgid)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 tid = pid_tgid;
	struct open_call *open = bpf_map_lookup_elem(&open_calls, &tid);
	struct floor_call *call = open ? reserve(sizeof(*call)) : NULL;
	if (!call)
		return 0;
	call->time_ns = open->time_ns;
	call->pid_tgid = pid_tgid;
	call->function = bpf_get_attach_cookie(ctx);
	call->argument[0] = open->argument[0];
	call->argument[1] = open->argument[1];
	call->argument[2] = open->argument[2];
	call->duration_ns = now - open->time_ns;
	call->returned = ctx->ax;
	bpf_ringbuf_submit(call, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("uprobe")
int session(struct registers *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	return bpf_session_is_return() ? end(ctx, pid_tgid) : begin(ctx, pid_tgid);
}
