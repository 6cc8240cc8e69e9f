/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * func: calls of functions, as they end.
 *
 * Each thread has a stack of its open calls. An entry pushes a record, an exit completes and sends it: one record a
 * call, so that one lost record is one lost call, and what a filter drops at the end was never copied. Entry and exit
 * find each other by the stack pointer: at a RET it is what it was at the first instruction, after a return it is a
 * word higher. Calls that were left by longjmp or by an exception have a stack pointer below the present one: they are
 * closed, marked as never seen to end, by the next probe of the thread. Kernel functions cannot jump out of a call:
 * theirs are matched by the probe's number.
 */
#include "arch/x86_64/registers.abi.h"
#include "bpf/cookie.h"
#include "bpf/emit.h"
#include "bpf/fetch.h"
#include "bpf/hist.h"
#include "bpf/target.h"
#include "probe/func/func.abi.h"
#include "shape/where_eval.h"

#ifndef HAS_LOOP /* func-fallback.bpf.c */
#define HAS_LOOP true
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The shape of the program, set before it is loaded: what is not wanted is not even compiled in. */
const volatile bool want_calls = true;     /* send each call */
const volatile bool want_stat = false;     /* count and sum in the kernel instead */
const volatile bool want_hist = false;     /* histograms with the counts */
const volatile bool want_exits = true;     /* false: entries only */
const volatile bool want_fetch = false;    /* some probe has a fetch plan */
const volatile __u32 slot_bytes = sizeof(struct func_call_rec);
const volatile __u32 slots = FUNC_SLOTS_BYTES / sizeof(struct func_call_rec);
const volatile __u32 depth_max = 0xffffffff; /* --depth: deeper calls are not looked at */
const volatile __u64 min_ns = 0;
const volatile __u32 sample_one_in = 0;
const volatile bool links_by_memory = false; /* user probes fire in all that shares the process' memory: before uprobe_multi of 6.10 */
const volatile struct where_program where_program = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* tid */
	__type(value, struct func_thread);
} func_threads SEC(".maps");

struct { /* one entry, all zero: a new thread's beginning */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct func_thread);
} func_blank SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct func_probe);
} func_probes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fetch_plan);
} func_plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct func_stat);
} func_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct func_hist);
} func_hists SEC(".maps");

struct { /* what the probes of a process have cost it, in COST_UNIT_NS, by slot: for the overhead breaker */
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FUNC_COST_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} func_cost SEC(".maps");

struct { /* by slot: not 0 when a process has gone over from return probes to RET sites */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FUNC_COST_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} func_by_sites SEC(".maps");

#define SLOTS_MAX (FUNC_SLOTS_BYTES / sizeof(struct func_call_rec))
#define STALE_BY_PERF 4 /* closed at a time without bpf_loop and by perf buffers; the rest is lost */

static __always_inline struct func_call_rec *slot(struct func_thread *t, __u32 i)
{
	__u64 at = (__u64)i * slot_bytes;
	HIDE(at); /* the bound is checked on what is added to the pointer: verifiers before 6.3 lose it otherwise */
	if (i >= slots || at > FUNC_SLOTS_BYTES - sizeof(struct func_call_rec))
		return NULL;
	return (void *)(t->stack + at);
}

/* Open calls at the most that have a slot; those above are only counted. */
static __always_inline __u32 held_max(void)
{
	return depth_max < slots ? depth_max : slots;
}

/* How many of the thread's open calls have one. */
static __always_inline __u32 held(const struct func_thread *t)
{
	return t->depth > held_max() ? held_max() : t->depth;
}

static __always_inline struct func_thread *thread_of(__u32 tid)
{
	return bpf_map_lookup_elem(&func_threads, &tid);
}

static __always_inline struct func_thread *thread_new(__u32 tid)
{
	__u32 zero = 0;
	struct func_thread *blank = bpf_map_lookup_elem(&func_blank, &zero);
	if (!blank || bpf_map_update_elem(&func_threads, &tid, blank, BPF_NOEXIST))
		return NULL;
	struct func_thread *t = thread_of(tid);
	if (t)
		t->generation = task_generation(current_task());
	return t;
}

static __always_inline void count_cost(__u64 cookie)
{
	__u32 i = COOKIE_SLOT(cookie) & (FUNC_COST_SLOTS - 1);
	__u64 *cost = bpf_map_lookup_elem(&func_cost, &i);
	if (cost)
		__sync_fetch_and_add(cost, COOKIE_COST(cookie));
}

static __always_inline void count_call(const struct func_call_rec *call)
{
	__u32 probe = call->probe;
	struct func_stat *s = bpf_map_lookup_elem(&func_stats, &probe);
	if (!s)
		return;
	if (!(call->flags & CALL_EXIT_SEEN)) {
		__sync_fetch_and_add(&s->entries, 1);
		return;
	}
	__u64 ns = call->duration_ns;
	__sync_fetch_and_add(&s->calls, 1);
	__sync_fetch_and_add(&s->total_ns, ns);
	__sync_fetch_and_add(&s->self_ns, ns > call->below_ns ? ns - call->below_ns : 0);
	if (ns < s->min_and_1_ns - 1) /* nothing yet is 0, less 1 the largest */
		s->min_and_1_ns = ns + 1;
	if (ns > s->max_ns)
		s->max_ns = ns;
	if (!want_hist)
		return;
	struct func_hist *h = bpf_map_lookup_elem(&func_hists, &probe);
	__u32 i = hist_bucket(ns, HIST_BUCKETS);
	if (h && i < HIST_BUCKETS)
		__sync_fetch_and_add(&h->bucket[i], 1);
}

/* Entries alone are counted, all of them: neither the time nor the thread matters. */
static __always_inline bool only_counts(void)
{
	return want_stat && !want_exits && !want_calls && !min_ns && sample_one_in < 2 && !where_program.n;
}

static __always_inline void count_entry(__u32 probe)
{
	struct func_stat *s = bpf_map_lookup_elem(&func_stats, &probe);
	if (s)
		__sync_fetch_and_add(&s->entries, 1);
}

static __always_inline bool where_passes(struct func_thread *t, const struct func_call_rec *call)
{
	if (!where_program.n)
		return true;
	__s64 *values = t->where_values;
	for (int i = 0; i < 6; i++)
		values[WHERE_ARG1 + i] = call->argument[i];
	values[WHERE_RET] = call->return_value;
	values[WHERE_DURATION] = call->duration_ns;
	values[WHERE_PID] = call->head.pid;
	values[WHERE_TID] = call->head.tid;
	values[WHERE_UID] = (__u32)bpf_get_current_uid_gid();
	__u32 known = (1u << WHERE_FIELDS) - 1;
	if (!(call->flags & CALL_EXIT_SEEN))
		known &= ~(1u << WHERE_RET | 1u << WHERE_DURATION);
	return where_eval(&where_program, values, known);
}

/* A call is over, one way or the other: count it or send it, unless a filter leaves it out. */
static __always_inline void finish(void *ctx, struct func_thread *t, struct func_call_rec *call)
{
	if (call->flags & CALL_SKIPPED)
		return;
	if (min_ns && (!(call->flags & CALL_EXIT_SEEN) || call->duration_ns < min_ns))
		return;
	if (!where_passes(t, call))
		return;
	if (want_stat)
		count_call(call);
	if (!want_calls)
		return;
	__u64 length = sizeof(*call) + call->fetched_bytes;
	HIDE(length);
	if (length > slot_bytes)
		length = slot_bytes;
	if (length < sizeof(*call) || length > sizeof(*call) + FUNC_FETCH_BYTES)
		return;
	call->head.length = length;
	call->head.cpu = bpf_get_smp_processor_id();
	call->head.generation = t->generation;
	call->head.seq = ++t->seq;
	if (emit_uncounted(ctx, call, length) && call->probe != CALIBRATION_PROBE)
		lose(LOSS_RING_FULL);
}

/* The topmost recorded call, when it cannot be open any more because the stack is already above it. */
static __always_inline struct func_call_rec *stale_top(struct func_thread *t, __u64 sp, bool same_too)
{
	__u32 n = held(t);
	if (n == 0)
		return NULL;
	struct func_call_rec *top = slot(t, n - 1);
	if (!top || (top->sp > sp && !(top->head.flags & REC_KERNEL)) || (top->sp == sp && !same_too))
		return NULL;
	return top;
}

struct closing {
	void *ctx;
	struct func_thread *t;
	__u64 sp;
	bool same_too;
};

static long close_one(__u32 i, struct closing *c)
{
	struct func_call_rec *top = stale_top(c->t, c->sp, c->same_too);
	if (!top)
		return 1;
	c->t->depth = held(c->t) - 1; /* what it called is over, too */
	finish(c->ctx, c->t, top);
	return 0;
}

/*
 * The same for kernels without bpf_loop (5.17), where each turn of a loop is verified anew: a global function is verified once.
 * It gets no context, so it cannot write to perf buffers.
 */
__attribute__((noinline)) int close_top(__u32 tid, __u64 sp, __u32 same_too)
{
	struct closing c = { .t = thread_of(tid), .sp = sp, .same_too = same_too };
	return !emit_by_perf && c.t && !close_one(0, &c);
}

/* The topmost goes untold, where too many are stale to tell them all. */
__attribute__((noinline)) int drop_top(__u32 tid, __u64 sp, __u32 same_too)
{
	struct func_thread *t = thread_of(tid);
	if (!t || !stale_top(t, sp, same_too))
		return 0;
	t->depth = held(t) - 1;
	lose(LOSS_UNWOUND);
	return 1;
}

static __always_inline void close_all(__u32 tid, __u64 sp, bool same_too)
{
	for (__u32 i = 0; i < SLOTS_MAX; i++)
		if (!close_top(tid, sp, same_too))
			return;
}

static __always_inline void close_some(struct closing *c, __u32 tid)
{
	for (__u32 i = 0; i < STALE_BY_PERF; i++)
		if (close_one(i, c))
			return;
	for (__u32 i = 0; i < SLOTS_MAX; i++)
		if (!drop_top(tid, c->sp, c->same_too))
			return;
}

/* Closes, from the top, calls of the thread @tid that cannot be open any more. Rare. */
static __always_inline void close_stale(void *ctx, struct func_thread *t, __u32 tid, __u64 sp, bool same_too)
{
	if (!stale_top(t, sp, same_too))
		return;
	struct closing c = { .ctx = ctx, .t = t, .sp = sp, .same_too = same_too };
	if (HAS_LOOP)
		bpf_loop(SLOTS_MAX, close_one, &c, 0);
	else if (emit_by_perf)
		close_some(&c, tid);
	else
		close_all(tid, sp, same_too);
}

static __always_inline void run_plan(struct func_thread *t, __u32 probe, char *out)
{
	struct func_probe *p = bpf_map_lookup_elem(&func_probes, &probe);
	if (!p || !p->plan)
		return;
	__u32 i = p->plan;
	struct fetch_plan *plan = bpf_map_lookup_elem(&func_plans, &i);
	if (plan)
		fetch_run(&t->fetch, plan, out, FUNC_FETCH_BYTES, HAS_LOOP);
}

static __always_inline void fetch_into(struct func_thread *t, struct func_call_rec *call, void *regs, bool at_exit)
{
	t->fetch.registers = (__u64)regs;
	t->fetch.returned = call->return_value;
	t->fetch.room = slot_bytes - sizeof(*call);
	t->fetch.used = call->fetched_bytes;
	t->fetch.n = call->fetched_n;
	t->fetch.at_exit = at_exit;
	run_plan(t, call->probe, (char *)(call + 1));
	call->fetched_bytes = t->fetch.used;
	call->fetched_n = t->fetch.n;
}

static __always_inline void begin(struct func_call_rec *call, struct func_thread *t, const __u64 *regs, __u64 cookie, bool kernel, __u64 now)
{
	__u64 id = bpf_get_current_pid_tgid();
	call->probe = COOKIE_PROBE(cookie);
	call->flags = 0;
	call->overhead_ns = 0;
	call->below_ns = 0;
	call->head.time_ns = now;
	call->head.flags = kernel ? REC_KERNEL : 0;
	call->head.pid = id >> 32;
	call->head.tid = id;
	call->fetched_bytes = 0;
	call->fetched_n = 0;
	if (!want_calls && !where_program.n)
		return;
	call->head.type = FUNC_CALL;
	call->head.strand = 0;
	call->call = ++t->calls;
	call->duration_ns = 0;
	call->return_value = 0;
	call->argument[0] = regs[REG_DI];
	call->argument[1] = regs[REG_SI];
	call->argument[2] = regs[REG_DX];
	call->argument[3] = regs[REG_CX];
	call->argument[4] = regs[REG_R8];
	call->argument[5] = regs[REG_R9];
}

/* Sampling is of outermost calls, each with all that it calls. */
static __always_inline __u16 sampled_out(const struct func_call_rec *parent)
{
	if (sample_one_in < 2)
		return 0;
	if (parent)
		return parent->flags & CALL_SKIPPED;
	return bpf_get_prandom_u32() % sample_one_in ? CALL_SKIPPED : 0;
}

static __always_inline void push(void *ctx, struct func_thread *t, const __u64 *regs, __u64 cookie, bool kernel, __u64 now)
{
	__u64 sp = kernel ? 0 : regs[REG_SP];
	if (!kernel)
		close_stale(ctx, t, bpf_get_current_pid_tgid(), sp, COOKIE_FLAGS(cookie) & COOKIE_SITE_EXIT);
	__u32 depth = t->depth;
	bool alone = !want_exits || COOKIE_FLAGS(cookie) & COOKIE_ENTRY_ALONE;
	if (!alone)
		t->depth = depth + 1;
	if (depth >= depth_max)
		return;
	struct func_call_rec *call = slot(t, depth);
	if (!call) {
		lose(LOSS_TOO_DEEP);
		return;
	}
	struct func_call_rec *parent = depth ? slot(t, depth - 1) : NULL;
	begin(call, t, regs, cookie, kernel, now);
	call->sp = sp;
	call->depth = depth;
	call->parent = parent ? parent->call : 0;
	call->flags = sampled_out(parent);
	if (want_fetch)
		fetch_into(t, call, ctx, false);
	if (alone) {
		call->flags |= CALL_NO_EXIT_PROBE;
		finish(ctx, t, call);
	}
}

static __always_inline void complete(void *ctx, struct func_thread *t, struct func_call_rec *call, __u64 returned, __u64 now)
{
	__u32 probe = call->probe;
	struct func_probe *p = bpf_map_lookup_elem(&func_probes, &probe);
	__u64 inside = p ? p->inside_ns : 0, outside = p ? p->outside_ns : 0;
	__u64 raw = now - call->head.time_ns, overhead = call->overhead_ns + inside;
	call->duration_ns = raw > overhead ? raw - overhead : 0;
	if (call->duration_ns < call->below_ns) /* what is subtracted is an estimate: no call is shorter than those inside it */
		call->duration_ns = call->below_ns;
	call->overhead_ns = raw - call->duration_ns; /* what there was to subtract: both together are what the clock showed */
	call->return_value = returned;
	call->flags |= CALL_EXIT_SEEN;
	struct func_call_rec *parent = call->depth ? slot(t, call->depth - 1) : NULL;
	if (parent) {
		parent->overhead_ns += overhead + outside;
		parent->below_ns += call->duration_ns;
	}
	if (want_fetch)
		fetch_into(t, call, ctx, true);
	finish(ctx, t, call);
}

/* Is the call at the top of the stack the one that ends here? It may have begun under the number of the return probe. */
static __always_inline bool ends_here(const struct func_call_rec *top, __u64 cookie, __u64 sp)
{
	__u32 probe = COOKIE_PROBE(cookie);
	if (top->sp != sp || top->probe == probe)
		return top->sp == sp;
	struct func_probe *p = bpf_map_lookup_elem(&func_probes, &probe);
	return p && p->twin == top->probe;
}

/* A call that has no slot is over: what its probe took is in the time of the deepest one that has. */
static __always_inline void leave_hidden(struct func_thread *t, struct func_call_rec *top, __u64 cookie)
{
	__u32 probe = COOKIE_PROBE(cookie);
	struct func_probe *p = bpf_map_lookup_elem(&func_probes, &probe);
	if (p)
		top->overhead_ns += p->hidden_ns;
	t->depth--;
}

static __always_inline void pop(void *ctx, struct func_thread *t, const __u64 *regs, __u64 cookie, bool kernel, __u64 now)
{
	/* a return has taken its address off the stack, a RET instruction is about to */
	__u64 sp = kernel ? 0 : regs[REG_SP] - 8 * !(COOKIE_FLAGS(cookie) & COOKIE_SITE_EXIT);
	__u32 depth = t->depth;
	if (depth == 0)
		return; /* it was entered before we came */
	if (depth > held_max()) {
		struct func_call_rec *top = slot(t, held_max() - 1);
		if (top && (kernel || sp < top->sp)) {
			leave_hidden(t, top, cookie);
			return;
		}
		t->depth = held_max();
	}
	if (!kernel)
		close_stale(ctx, t, bpf_get_current_pid_tgid(), sp, false);
	depth = t->depth;
	struct func_call_rec *top = depth ? slot(t, depth - 1) : NULL;
	if (!top || !ends_here(top, cookie, sp))
		return;
	t->depth = depth - 1;
	complete(ctx, t, top, regs[REG_AX], now);
}

static __always_inline struct func_thread *thread_of_current(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct func_thread *t = thread_of(tid);
	return t ? t : thread_new(tid);
}

/* Two sets of probes are attached while one takes over from the other: an entry is of the one or of the other. */
static __always_inline bool counts_now(__u64 cookie)
{
	__u32 flags = COOKIE_FLAGS(cookie) & (COOKIE_UNTIL_SITES | COOKIE_FROM_SITES), i = COOKIE_SLOT(cookie) & (FUNC_COST_SLOTS - 1);
	if (!flags)
		return true;
	__u32 *by_sites = bpf_map_lookup_elem(&func_by_sites, &i);
	return by_sites && !*by_sites == !(flags & COOKIE_FROM_SITES);
}

/* Not for a child of vfork() that runs in the memory of another process, whose links fire there as well as its own. */
static __always_inline bool fires_for_current(__u64 cookie)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	if (!links_by_memory || !COOKIE_PROBE(cookie))
		return true;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	return target && target->slot % FUNC_COST_SLOTS == COOKIE_SLOT(cookie);
}

static __always_inline int enter(void *ctx, const __u64 *regs, __u64 cookie, bool kernel)
{
	if (kernel ? !target_wants_current() : !counts_now(cookie) || !fires_for_current(cookie))
		return 0;
	if (only_counts()) {
		count_cost(cookie);
		count_entry(COOKIE_PROBE(cookie));
		return 0;
	}
	struct func_thread *t = thread_of_current();
	if (!t || t->busy) {
		lose(t ? LOSS_NESTED : LOSS_TOO_MANY_THREADS);
		return 0;
	}
	t->busy = 1;
	count_cost(cookie);
	push(ctx, t, regs, cookie, kernel, bpf_ktime_get_ns());
	t->busy = 0;
	return 0;
}

static __always_inline int leave(void *ctx, const __u64 *regs, __u64 cookie, bool kernel)
{
	__u64 now = bpf_ktime_get_ns();
	struct func_thread *t = thread_of(bpf_get_current_pid_tgid());
	if (!t || t->busy)
		return 0;
	t->busy = 1;
	count_cost(cookie);
	pop(ctx, t, regs, cookie, kernel, now);
	t->busy = 0;
	return 0;
}

SEC("uprobe")
int func_entry(void *ctx)
{
	return enter(ctx, ctx, probe_cookie(ctx), false);
}

SEC("uprobe")
int func_exit(void *ctx)
{
	return leave(ctx, ctx, probe_cookie(ctx), false);
}

/*
 * Entry and exit of a session are one program. At an entry the instruction pointer is at the probed instruction, in the kernel
 * maybe behind endbr64 and the call of __fentry__ (functions are 16 bytes apart there); after a return it is in the caller. The
 * kfunc that tells, bpf_session_is_return, has an argument in 7.x and none before; libbpf before 1.3 takes only one kind.
 */
#define KERNEL_ENTRY_BYTES 9

static __always_inline bool returned(void *ctx, bool kernel)
{
	const __u64 *regs = ctx;
	return regs[REG_IP] - bpf_get_func_ip(ctx) > (kernel ? KERNEL_ENTRY_BYTES : 0);
}

SEC("uprobe")
int func_session(void *ctx)
{
	__u64 cookie = probe_cookie(ctx);
	return returned(ctx, false) ? leave(ctx, ctx, cookie, false) : enter(ctx, ctx, cookie, false);
}

/* Kernel functions. The same, in programs of their own: a multi link wants them loaded for it. */
SEC("kprobe")
int func_kernel_entry(void *ctx)
{
	return enter(ctx, ctx, probe_cookie(ctx), true);
}

SEC("kprobe")
int func_kernel_exit(void *ctx)
{
	return leave(ctx, ctx, probe_cookie(ctx), true);
}

SEC("kprobe")
int func_kernel_session(void *ctx)
{
	__u64 cookie = probe_cookie(ctx);
	return returned(ctx, true) ? leave(ctx, ctx, cookie, true) : enter(ctx, ctx, cookie, true);
}

/*
 * Kernel functions by trampolines: one copy of the object a function. The context is the words of its arguments, then its
 * result. They are read as memory: as fields of the context old verifiers give no pointers to plain types (5.10), and the
 * helpers for it are of 5.17.
 */
const volatile __u32 argument_words = 0;
const volatile bool has_result = false;

SEC("fentry")
int func_fentry(__u64 *ctx)
{
	static const __u8 order[] = { REG_DI, REG_SI, REG_DX, REG_CX, REG_R8, REG_R9 };
	__u64 regs[REG_COUNT] = {};
#pragma unroll
	for (__u32 i = 0; i < sizeof(order); i++)
		if (i < argument_words)
			bpf_probe_read_kernel(&regs[order[i]], sizeof(*ctx), ctx + i);
	return enter(ctx, regs, own_cookie, true);
}

SEC("fexit")
int func_fexit(__u64 *ctx)
{
	__u64 regs[REG_COUNT] = {};
	if (has_result)
		bpf_probe_read_kernel(&regs[REG_AX], sizeof(*ctx), ctx + argument_words);
	return leave(ctx, regs, own_cookie, true);
}

/* A point: no duration, all values by its plan. */
static __always_inline int hit(void *ctx, __u64 regs, __u64 context, __u64 cookie)
{
	struct func_thread *t = thread_of_current();
	if (!t || t->busy) {
		lose(t ? LOSS_NESTED : LOSS_TOO_MANY_THREADS);
		return 0;
	}
	t->busy = 1;
	count_cost(cookie);
	struct func_point_rec *point = &t->point;
	__u64 id = bpf_get_current_pid_tgid();
	point->probe = COOKIE_PROBE(cookie);
	point->head.type = FUNC_POINT;
	point->head.flags = context ? REC_KERNEL : 0;
	point->head.time_ns = bpf_ktime_get_ns();
	point->head.pid = id >> 32;
	point->head.tid = id;
	point->head.generation = t->generation;
	point->head.cpu = bpf_get_smp_processor_id();
	t->fetch.registers = regs;
	t->fetch.context = context;
	t->fetch.room = FUNC_FETCH_BYTES;
	t->fetch.used = 0;
	t->fetch.n = 0;
	t->fetch.at_exit = 0;
	run_plan(t, point->probe, t->tail);
	point->fetched_bytes = t->fetch.used;
	point->fetched_n = t->fetch.n;
	__u64 length = sizeof(*point) + t->fetch.used;
	HIDE(length);
	if (length > sizeof(*point) + FUNC_FETCH_BYTES)
		length = sizeof(*point);
	point->head.length = length;
	point->head.seq = ++t->seq;
	emit(ctx, point, length);
	t->busy = 0;
	return 0;
}

SEC("uprobe")
int func_usdt(void *ctx)
{
	__u64 cookie = probe_cookie(ctx);
	return fires_for_current(cookie) ? hit(ctx, (__u64)ctx, 0, cookie) : 0;
}

SEC("tracepoint")
int func_tracepoint(void *ctx)
{
	return target_wants_current() ? hit(ctx, 0, (__u64)ctx, probe_cookie(ctx)) : 0;
}

/* The thread ends, or becomes another program: its open calls will not return. */
static __always_inline void close_thread(void *ctx, __u32 tid)
{
	struct func_thread *t = thread_of(tid);
	if (t)
		close_stale(ctx, t, tid, ~0ull, true);
}

/*
 * The first thread's numbers are kept until the last thread ends: another one that executes a file takes over its tid and its
 * start time, so nothing but the numbers would tell their calls apart.
 */
SEC("raw_tp/sched_process_exit")
int func_thread_exit(struct raw_tracepoint *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id, first = id >> 32;
	close_thread(ctx, tid);
	if (tid != first)
		bpf_map_delete_elem(&func_threads, &tid);
	if (task_is_last(current_task()))
		bpf_map_delete_elem(&func_threads, &first);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int func_thread_exec(struct raw_tracepoint *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid(), former = ctx->args[1];
	close_thread(ctx, former); /* before it was the first thread, if it was not */
	if (former != tid)
		bpf_map_delete_elem(&func_threads, &former);
	return 0;
}
