/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls: the plaintext that traced processes give to TLS libraries and get from them, one record a call that passed some.
 *
 * What passed is known when the call has returned, so the entry only keeps where the buffer is. Entry and end find each other by the
 * thread and the stack pointer: calls may be nested (TLS inside of TLS), and one that never ends (longjmp) is overwritten by the next
 * that begins there. Nothing of the process is written.
 */
#include "arch/x86_64/registers.abi.h"
#include "bpf/cookie.h"
#include "bpf/emit.h"
#include "bpf/target.h"
#include "probe/tls/tls.abi.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 tls_capture_bytes = TLS_CAPTURE_BYTES;

struct tls_call_key {
	__u32 tid;
	__u32 sp; /* its low half */
};

struct tls_call {
	__u64 object; /* 0: the call is over */
	__u64 buffer;
	__u64 passed; /* TLS_RESULT_EX and _EX2: where the number of bytes will be */
	__u64 began_ns;
};

struct { /* calls that are open; those that have ended are used again */
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_call_key);
	__type(value, struct tls_call);
} tls_calls SEC(".maps");

struct tls_object_key {
	__u64 object;
	__u64 tgid;
};

struct tls_object {
	__u64 bytes[TLS_DIRECTIONS]; /* of plaintext, that have passed */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct tls_object_key);
	__type(value, struct tls_object);
} tls_objects SEC(".maps");

/* A record while it is built. It is the thread's, not the CPU's: another task may run here in the middle of it. */
struct tls_scratch {
	struct tls_data_rec rec;
	char bytes[TLS_CAPTURE_BYTES_MAX + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u32); /* tid */
	__type(value, struct tls_scratch);
} tls_scratches SEC(".maps");

struct { /* one entry, all zero: the beginning of a thread's */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tls_scratch);
} tls_blank SEC(".maps");

static __always_inline struct tls_scratch *scratch_of(__u32 tid)
{
	__u32 zero = 0;
	struct tls_scratch *s = bpf_map_lookup_elem(&tls_scratches, &tid);
	if (s)
		return s;
	struct tls_scratch *blank = bpf_map_lookup_elem(&tls_blank, &zero);
	if (!blank || bpf_map_update_elem(&tls_scratches, &tid, blank, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&tls_scratches, &tid);
}

/* Counts what passed; returns how many bytes passed before. */
static __always_inline __u64 count_bytes(__u64 object, __u32 tgid, __u32 direction, __u32 bytes)
{
	struct tls_object_key key = { .object = object, .tgid = tgid };
	struct tls_object *o = bpf_map_lookup_elem(&tls_objects, &key), blank = {};
	if (!o) {
		bpf_map_update_elem(&tls_objects, &key, &blank, BPF_NOEXIST);
		o = bpf_map_lookup_elem(&tls_objects, &key);
	}
	if (!o)
		return 0;
	__u64 *passed = &o->bytes[direction & (TLS_DIRECTIONS - 1)], before = *passed;
	*passed = before + bytes; /* one thread at a time uses an object; an atomic that tells what was there needs Linux 5.12 */
	return before;
}

static __always_inline int enter(const __u64 *regs, __u64 cookie)
{
	if (!target_wants_current())
		return 0;
	struct tls_call_key key = { .tid = bpf_get_current_pid_tgid(), .sp = regs[REG_SP] };
	__u64 fourth = regs[REG_CX], fifth = regs[REG_R8];
	HIDE(fourth); /* else one register is loaded from a computed place in the context, which is refused */
	HIDE(fifth);
	struct tls_call call = { .object = regs[REG_DI], .buffer = regs[REG_SI], .began_ns = bpf_ktime_get_ns() };
	call.passed = TLS_COOKIE_RESULT(cookie) == TLS_RESULT_EX2 ? fifth : fourth;
	struct tls_call *former = bpf_map_lookup_elem(&tls_calls, &key);
	if (former)
		*former = call;
	else if (bpf_map_update_elem(&tls_calls, &key, &call, BPF_ANY))
		lose(LOSS_TOO_MANY_THREADS);
	return 0;
}

/* How much the call passed; 0: nothing, or it failed. */
static __always_inline __u32 passed_by(const struct tls_call *call, __u64 returned, __u32 result)
{
	__s64 bytes = result == TLS_RESULT_LONG ? (__s64)returned : (int)returned;
	if (result == TLS_RESULT_EX || result == TLS_RESULT_EX2) {
		if (bytes <= 0 || bpf_probe_read_user(&bytes, sizeof(bytes), (void *)call->passed))
			return 0;
	}
	return bytes > 0 && bytes <= 0x7fffffff ? bytes : 0;
}

static __always_inline void tell(void *ctx, const struct tls_call *call, __u64 cookie, __u32 bytes)
{
	__u32 direction = TLS_COOKIE_DIRECTION(cookie);
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	__u64 offset = count_bytes(call->object, id >> 32, direction, bytes);
	struct tls_scratch *s = scratch_of(id);
	if (!s) {
		lose(LOSS_TOO_MANY_THREADS);
		return;
	}
	s->rec = (struct tls_data_rec){
		.head = { .type = TLS_DATA, .cpu = bpf_get_smp_processor_id(), .time_ns = now, .pid = id >> 32, .tid = id,
			  .generation = task_generation(current_task()) },
		.object = call->object, .offset = offset, .began_ns = call->began_ns, .bytes = bytes, .direction = direction,
		.flags = TLS_COOKIE_OWN_SOCKET(cookie) ? TLS_OWN_SOCKET : 0,
	};
	__u64 captured = bytes < tls_capture_bytes ? bytes : tls_capture_bytes;
	HIDE(captured);
	if (captured > TLS_CAPTURE_BYTES_MAX)
		return;
	if (captured && bpf_probe_read_user(s->bytes, captured, (void *)call->buffer)) {
		s->rec.flags |= TLS_UNREADABLE;
		captured = 0;
	}
	HIDE(captured);
	if (captured > TLS_CAPTURE_BYTES_MAX)
		return;
	s->rec.captured = captured;
	__builtin_memset(s->bytes + captured, 0, 8); /* what pads it is of nobody */
	__u64 length = sizeof(s->rec) + ((captured + 7) & ~7ull);
	s->rec.head.length = length;
	emit(ctx, &s->rec, length);
}

static __always_inline int leave(void *ctx, const __u64 *regs, __u64 cookie)
{
	/* a return has taken its address off the stack */
	struct tls_call_key key = { .tid = bpf_get_current_pid_tgid(), .sp = regs[REG_SP] - 8 * !TLS_COOKIE_AT_RET(cookie) };
	struct tls_call *open = bpf_map_lookup_elem(&tls_calls, &key);
	if (!open || !open->object)
		return 0; /* it began before we came */
	struct tls_call call = *open;
	open->object = 0;
	__u32 bytes = passed_by(&call, regs[REG_AX], TLS_COOKIE_RESULT(cookie));
	if (bytes)
		tell(ctx, &call, cookie, bytes);
	return 0;
}

SEC("uprobe")
int tls_enter(void *ctx)
{
	return enter(ctx, probe_cookie(ctx));
}

SEC("uprobe")
int tls_leave(void *ctx)
{
	return leave(ctx, ctx, probe_cookie(ctx));
}

/* Entry and end of a session are one program: after a return the instruction pointer is in the caller. */
SEC("uprobe")
int tls_session(void *ctx)
{
	const __u64 *regs = ctx;
	__u64 cookie = probe_cookie(ctx);
	return regs[REG_IP] == bpf_get_func_ip(ctx) ? enter(regs, cookie) : leave(ctx, regs, cookie);
}
