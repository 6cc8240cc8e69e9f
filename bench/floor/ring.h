/* ring.h: the ring of those that stream; what finds no room is counted. */
#pragma once

#include "floor.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static __always_inline void *reserve(const __u64 size)
{
	void *room = bpf_ringbuf_reserve(&ring, size, 0);
	__u32 zero = 0;
	__u64 *n = room ? NULL : bpf_map_lookup_elem(&lost, &zero);
	if (n)
		__sync_fetch_and_add(n, 1);
	return room;
}
