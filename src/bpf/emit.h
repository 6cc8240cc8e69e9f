/*
 * emit.h: the way out of the kernel, for every family: two rings shared by all objects, and the account of losses.
 *
 * Records are built in memory that belongs to the thread (never per CPU: uprobe programs can be preempted by another
 * task that runs the same program) and copied out whole. The ring wakes its reader once in EVENTS_WAKE_BYTES of
 * records: a wake-up costs 6.5 us, fifteen times a record, and to wake whenever so much is pending would do that for every
 * record while the reader is at work. User space looks at least every 50 ms by itself, so a wake-up that two CPUs leave to
 * each other is no harm.
 */
#pragma once

#include "bpf/kernel.h"
#include "bpf/record.abi.h"

const volatile __u32 wake_bytes = EVENTS_WAKE_BYTES; /* a power of two */
const volatile bool emit_by_perf = false; /* perf buffers instead of ring buffers: kernels before 5.8 */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} facts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

static __always_inline void lose_many(__u32 cause, __u64 many)
{
	__u64 *n = bpf_map_lookup_elem(&losses, &cause);
	if (n)
		__sync_fetch_and_add(n, many);
}

static __always_inline void lose(__u32 cause)
{
	lose_many(cause, 1);
}

/* Sends a record, 0 unless the ring is full. @len: bytes, a multiple of 8. */
static __always_inline long emit_uncounted(void *ctx, const void *rec, __u64 len)
{
	if (emit_by_perf)
		return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, (void *)rec, len);
	__u64 at = bpf_ringbuf_query(&events, BPF_RB_PROD_POS), end = at + len + BPF_RINGBUF_HDR_SZ;
	__u64 flags = (at ^ end) >= wake_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
	return bpf_ringbuf_output(&events, (void *)rec, len, flags);
}

/* Sends a record; a full ring is counted. */
static __always_inline void emit(void *ctx, const void *rec, __u64 len)
{
	if (emit_uncounted(ctx, rec, len))
		lose(LOSS_RING_FULL);
}

/* Sends a fact: rare, and waited for, so the reader is woken. */
static __always_inline void emit_fact(void *ctx, const void *rec, __u64 len)
{
	long r;
	if (emit_by_perf)
		r = bpf_perf_event_output(ctx, &facts, BPF_F_CURRENT_CPU, (void *)rec, len);
	else
		r = bpf_ringbuf_output(&facts, (void *)rec, len, BPF_RB_FORCE_WAKEUP);
	if (r)
		lose(LOSS_FACTS_FULL);
}
