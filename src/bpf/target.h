/* target.h: which processes are looked at. The set is kept in the kernel: user space fills it, forks inherit it at once. */
#pragma once

#include "bpf/kernel.h"
#include "bpf/target.abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TARGETS_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct target);
} targets SEC(".maps");

const volatile bool target_all = false; /* --all without any other kind of target */
const volatile __u32 target_not = 0;    /* the tracer itself */

static __always_inline bool target_wants_pid(__u32 tgid)
{
	if (target_all)
		return tgid != target_not;
	return bpf_map_lookup_elem(&targets, &tgid) != NULL;
}

static __always_inline bool target_wants_current(void)
{
	return target_wants_pid(bpf_get_current_pid_tgid() >> 32);
}
