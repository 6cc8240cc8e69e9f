/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* args: each entry with its time, thread and three arguments. */
#include "ring.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe")
int entry(struct registers *ctx)
{
	struct floor_hit *hit = reserve(sizeof(*hit));
	if (!hit)
		return 0;
	hit->time_ns = bpf_ktime_get_ns();
	hit->pid_tgid = bpf_get_current_pid_tgid();
	hit->function = bpf_get_attach_cookie(ctx);
	hit->argument[0] = ctx->di;
	hit->argument[1] = ctx->si;
	hit->argument[2] = ctx->dx;
	bpf_ringbuf_submit(hit, BPF_RB_NO_WAKEUP);
	return 0;
}
