/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hist: durations by a session, which carries the time of the entry by itself (6.13). */
#include "hist.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe")
int session(struct registers *ctx)
{
	__u64 *start = bpf_session_cookie();
	if (bpf_session_is_return())
		count(bpf_get_attach_cookie(ctx), bpf_ktime_get_ns() - *start);
	else
		*start = bpf_ktime_get_ns();
	return 0;
}
