/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall: system calls, as they end.
 *
 * The entry begins a record in the thread's memory, with what the caller gave; the exit adds what the kernel left and sends
 * it: one record a call. Memory that is not there at the entry (a path in a page that was never touched) is read at the
 * exit, when the kernel has brought it in.
 *
 * A record is built in memory of the CPU: programs on these tracepoints are not preempted, and each of the two has its own.
 * The functions that read memory are global, so that the verifier looks at each once and not once for every step that
 * calls it; they take numbers only, because kernels before 5.12 allow nothing else.
 */
#include "arch/x86_64/registers.abi.h"
#include "bpf/emit.h"
#include "bpf/hist.h"
#include "bpf/target.h"
#include "probe/syscall/syscall.abi.h"
#include "shape/where_eval.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile bool want_calls = true; /* send each call */
const volatile bool want_stat = false; /* count in the kernel instead */
const volatile __u64 min_ns = 0;
const volatile __u32 string_bytes = 64;
const volatile struct where_program where_program = {};
const volatile bool where_needs_end = false; /* it asks for what only a call that returned has */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYSCALL_MAX_NR);
	__type(key, __u32);
	__type(value, struct syscall_plan);
} syscall_plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* tid */
	__type(value, struct syscall_thread);
} syscall_threads SEC(".maps");

struct { /* one entry, all zero: a new thread's beginning */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct syscall_thread);
} syscall_blank SEC(".maps");

enum side { ENTRY, EXIT, SIDES };

/* A record while it is built. */
struct syscall_scratch {
	__u64 regs;
	__u32 used, failed, steps_n, retry; /* retry: fetches that failed at the entry */
	__s64 where_values[WHERE_FIELDS];
	struct syscall_step step[SYSCALL_STEPS];
	struct syscall_rec rec;
	char tail[SYSCALL_FETCH_BYTES_MAX + SYSCALL_PIECE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SIDES);
	__type(key, __u32);
	__type(value, struct syscall_scratch);
} syscall_scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct syscall_stat);
} syscall_stats SEC(".maps");

/* x86 keeps the way into the kernel beside the task; other architectures have no such field. */
struct thread_info___x86 {
	unsigned int status;
} __attribute__((preserve_access_index));

struct mm_struct___args {
	unsigned long env_end;
} __attribute__((preserve_access_index));

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
	struct mm_struct___args *mm;
} __attribute__((preserve_access_index));

#define TS_COMPAT 2             /* arch/x86/include/asm/thread_info.h: a 32-bit system call */
#define X32_BIT 0x40000000      /* __X32_SYSCALL_BIT */
#define CONTEXT_MASK_OFFSET 296 /* struct ucontext: flags, link, stack, struct sigcontext, then the mask */
#define MAX_ERRNO 4095
#define NO_CALL 0xffffffff

static __always_inline bool is_error(__s64 ret)
{
	return ret < 0 && ret >= -MAX_ERRNO;
}

static __always_inline __u8 abi_flags(__u64 nr)
{
	struct task_struct___x86 *task = (void *)current_task();
	if (bpf_core_field_exists(task->thread_info.status) && BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return SYSCALL_COMPAT;
	return nr >> 30 == 1 ? SYSCALL_X32 : 0; /* and not a number below zero */
}

static __always_inline struct syscall_plan *plan_of(__u32 nr)
{
	__u32 i = nr < SYSCALL_MAX_NR ? nr : SYSCALL_OTHER;
	return bpf_map_lookup_elem(&syscall_plans, &i);
}

static __always_inline struct syscall_scratch *scratch_of(__u32 side)
{
	return bpf_map_lookup_elem(&syscall_scratches, &side);
}

static __always_inline struct syscall_thread *thread_of(__u32 tid)
{
	return bpf_map_lookup_elem(&syscall_threads, &tid);
}

static __always_inline struct syscall_thread *thread_of_current(void)
{
	__u32 zero = 0, tid = bpf_get_current_pid_tgid();
	struct syscall_thread *t = thread_of(tid);
	if (t)
		return t;
	struct syscall_thread *blank = bpf_map_lookup_elem(&syscall_blank, &zero);
	if (!blank || bpf_map_update_elem(&syscall_threads, &tid, blank, BPF_NOEXIST)) {
		lose(LOSS_TOO_MANY_THREADS);
		return NULL;
	}
	t = thread_of(tid);
	if (t)
		t->generation = task_generation(current_task());
	return t;
}

static __always_inline __u64 register_of(__u64 regs, __u32 index)
{
	__u64 value = 0;
	bpf_probe_read_kernel(&value, sizeof(value), (void *)(regs + index * 8));
	return value;
}

/* The arguments of a system call lie in eight neighbouring registers: r10, r9, r8, ax, cx, dx, si, di. */
static __always_inline void read_arguments(struct syscall_rec *rec, __u64 regs)
{
	__u64 r[REG_DI - REG_R10 + 1] = {};
	bpf_probe_read_kernel(r, sizeof(r), (void *)(regs + REG_R10 * 8));
	rec->arg[0] = r[REG_DI - REG_R10];
	rec->arg[1] = r[REG_SI - REG_R10];
	rec->arg[2] = r[REG_DX - REG_R10];
	rec->arg[3] = r[0];
	rec->arg[4] = r[REG_R8 - REG_R10];
	rec->arg[5] = r[REG_R9 - REG_R10];
}

/* ---- reading memory, step by step ---- */

static __always_inline struct syscall_step *add_step(struct syscall_scratch *t, __u32 kind, __u32 which, __u32 fetch, __u64 addr, __u64 length)
{
	__u32 i = *(volatile __u32 *)&t->steps_n;
	if (i >= SYSCALL_STEPS || !addr || !length)
		return NULL;
	struct syscall_step *s = &t->step[i];
	s->addr = addr;
	s->origin = addr;
	s->length = length > 65536 ? 65536 : length;
	s->count = 0;
	s->kind = kind;
	s->which = which;
	s->fetch = fetch;
	*(volatile __u32 *)&t->steps_n = i + 1;
	return s;
}

/* A step for what @like points to. */
static __always_inline void add_part(struct syscall_scratch *t, const struct syscall_step *like, __u32 kind, __u64 addr, __u64 length)
{
	add_step(t, kind, like->which, like->fetch, addr, length);
}

/* Bytes of @s into @to: all, or those up to the end of the page when the next one is not there; how many. */
static __always_inline __u32 read_bytes(const struct syscall_step *s, void *to, __u8 *status)
{
	__u32 length = s->length;
	HIDE(length);
	if (length > SYSCALL_MAX_PATH)
		return 0;
	if (bpf_probe_read_user(to, length, (void *)s->addr) == 0)
		return length;
	__u32 here = 4096 - (s->addr & 4095);
	*status = FETCHED_UNREADABLE;
	if (here >= length)
		return 0;
	HIDE(here);
	if (here > SYSCALL_MAX_PATH || bpf_probe_read_user(to, here, (void *)s->addr))
		return 0;
	*status = FETCHED_TRUNCATED;
	return here;
}

static __always_inline __u32 read_string(const struct syscall_step *s, void *to, __u8 *status)
{
	__u32 max = s->length;
	HIDE(max);
	if (max > SYSCALL_MAX_PATH)
		return 0;
	long n = bpf_probe_read_user_str(to, max, (void *)s->addr);
	*status = n < 0 ? FETCHED_UNREADABLE : n == (long)max ? FETCHED_TRUNCATED : FETCHED_OK;
	return n > 0 ? n - 1 : 0;
}

#define POINTERS_A_STEP 16
#define DIRENTS_A_STEP 24

/* Counts pointers up to NULL; @s->addr moves on. Returns whether the end was found. */
static __always_inline bool count_pointers(struct syscall_step *s, __u64 *words, __u8 *status)
{
	if (bpf_probe_read_user(words, POINTERS_A_STEP * 8, (void *)s->addr)) {
		/* near the end of the stack one by one */
		for (int i = 0; i < POINTERS_A_STEP; i++) {
			words[i] = 0;
			if (bpf_probe_read_user(&words[i], 8, (void *)(s->addr + i * 8)) && i == 0)
				*status = FETCHED_UNREADABLE;
		}
	}
	for (int i = 0; i < POINTERS_A_STEP; i++) {
		if (!words[i])
			return true;
		s->count++;
	}
	s->addr += POINTERS_A_STEP * 8;
	return false;
}

/* Counts directory entries in s->length bytes. Both kinds have d_reclen at 16. */
static __always_inline bool count_dirents(struct syscall_step *s, __u8 *status)
{
	__u32 left = s->length;
	for (int i = 0; i < DIRENTS_A_STEP; i++) {
		__u16 reclen = 0;
		if (left < 19)
			return true;
		if (bpf_probe_read_user(&reclen, sizeof(reclen), (void *)(s->addr + 16)) || reclen < 19) {
			*status = FETCHED_UNREADABLE;
			return true;
		}
		s->addr += reclen;
		left = left > reclen ? left - reclen : 0;
		s->count++;
	}
	s->length = left;
	return left == 0;
}

/* What was read points to more: steps for it. @bytes: SYSCALL_MAX_PATH of accessible memory, @n of them valid. */
static __always_inline void expand_iovec(struct syscall_scratch *t, const struct syscall_step *s, const __u64 *words, __u32 n)
{
	for (__u32 i = 0; i < SYSCALL_MAX_IOVECS; i++) {
		if ((i + 1) * 16 > n)
			return;
		__u64 length = words[2 * i + 1];
		add_part(t, s, SYSCALL_FETCH_BYTES, words[2 * i], length > string_bytes ? string_bytes : length);
	}
}

static __always_inline void expand_msghdr(struct syscall_scratch *t, const struct syscall_step *s, const __u64 *words, __u32 n)
{
	if (n < 56)
		return;
	__u32 namelen = (__u32)words[1];
	__u64 iovecs = words[3] > SYSCALL_MAX_IOVECS ? SYSCALL_MAX_IOVECS : words[3];
	add_part(t, s, SYSCALL_FETCH_BYTES, words[0], namelen > 128 ? 128 : namelen);
	add_part(t, s, SYSCALL_FETCH_IOVEC, words[2], iovecs * 16);
	add_part(t, s, SYSCALL_FETCH_BYTES, words[4], words[5] > 256 ? 256 : words[5]);
}

static __always_inline void expand_mmsghdr(struct syscall_scratch *t, const struct syscall_step *s, __u32 n)
{
	for (__u32 i = 0; i < SYSCALL_MAX_MESSAGES; i++)
		if ((i + 1) * 64 <= n)
			add_part(t, s, SYSCALL_FETCH_MSGHDR, s->addr + i * 64, 56);
}

static __always_inline void expand_strings(struct syscall_scratch *t, const struct syscall_step *s, const __u64 *words, __u32 n)
{
	for (__u32 i = 0; i < SYSCALL_MAX_STRINGS; i++) {
		if ((i + 1) * 8 > n || !words[i])
			return;
		add_part(t, s, SYSCALL_FETCH_STRING, words[i], string_bytes + 1);
	}
}

/* A counting step goes on in another, or leaves the count. */
static __always_inline __u32 finish_count(struct syscall_scratch *t, struct syscall_step *s, struct fetched *item, bool ended)
{
	if (!ended) {
		struct syscall_step *next = add_step(t, s->kind, s->which, s->fetch, s->addr, s->length);
		if (next) {
			next->origin = s->origin;
			next->count = s->count;
		}
		return 0;
	}
	item->which |= SYSCALL_WHICH_COUNT;
	item->value = s->origin;
	*(__u32 *)(item + 1) = s->count;
	return sizeof(__u32);
}

static __always_inline __u32 run_step(struct syscall_scratch *t, struct syscall_step *s, struct fetched *item)
{
	__u32 n;
	__u64 *words = (void *)(item + 1);
	switch (s->kind) {
	case SYSCALL_FETCH_STRING:
		return read_string(s, item + 1, &item->status);
	case SYSCALL_FETCH_POINTERS:
		return finish_count(t, s, item, count_pointers(s, words, &item->status));
	case SYSCALL_FETCH_DIRENTS:
		return finish_count(t, s, item, count_dirents(s, &item->status));
	}
	n = read_bytes(s, item + 1, &item->status);
	if (s->kind == SYSCALL_FETCH_IOVEC)
		expand_iovec(t, s, words, n);
	else if (s->kind == SYSCALL_FETCH_MSGHDR)
		expand_msghdr(t, s, words, n);
	else if (s->kind == SYSCALL_FETCH_MMSGHDR)
		expand_mmsghdr(t, s, n);
	else if (s->kind == SYSCALL_FETCH_STRINGS)
		expand_strings(t, s, words, n);
	return n;
}

/* One step of the list. Returns 0, or 1 when there is no room for more. */
__attribute__((noinline)) int syscall_run_step(__u32 side, __u32 i)
{
	struct syscall_scratch *t = scratch_of(side);
	if (!t || i >= SYSCALL_STEPS || t->used > SYSCALL_FETCH_BYTES_MAX)
		return 1;
	__u32 used = t->used;
	struct syscall_step *s = &t->step[i];
	struct fetched *item = (void *)(t->tail + used);
	*item = (struct fetched){ .which = s->which, .value = s->addr };
	__u32 n = run_step(t, s, item);
	if (item->status == FETCHED_UNREADABLE) {
		t->failed |= 1u << (s->fetch & 31);
		return 0;
	}
	if (n == 0 && s->kind != SYSCALL_FETCH_STRING)
		return 0;
	item->length = n;
	t->used = used + sizeof(*item) + ((n + 7) & ~7u);
	return 0;
}

static __always_inline __u64 argument(const struct syscall_rec *rec, __u32 i)
{
	return i < SYSCALL_ARGS ? rec->arg[i] : 0;
}

static __always_inline __u64 count_of(const struct syscall_rec *rec, const struct syscall_fetch *f)
{
	__u64 x = argument(rec, f->count_arg);
	__u32 pointed = 0;
	switch (f->count) {
	case SYSCALL_COUNT_ARG:
		return x;
	case SYSCALL_COUNT_RETURN:
		return rec->ret > 0 ? rec->ret : 0;
	case SYSCALL_COUNT_POINTED:
		bpf_probe_read_user(&pointed, sizeof(pointed), (void *)x);
		return pointed;
	case SYSCALL_COUNT_BITS:
		return ((x & 0xffffffff) + 63) / 64 * 8;
	case SYSCALL_COUNT_IOCTL:
		x = x >> 16 & 0x3fff;
		return x ? x : f->max;
	default:
		return 1;
	}
}

static __always_inline __u64 length_of(const struct syscall_rec *rec, const struct syscall_fetch *f)
{
	__u64 count, bytes;
	switch (f->kind) {
	case SYSCALL_FETCH_STRING:
		return f->max < SYSCALL_MAX_PATH ? f->max + 1 : f->max;
	case SYSCALL_FETCH_STRINGS:
		return SYSCALL_MAX_STRINGS * 8;
	case SYSCALL_FETCH_POINTERS:
		return POINTERS_A_STEP * 8;
	case SYSCALL_FETCH_MSGHDR:
		return 56;
	}
	count = count_of(rec, f);
	if (f->kind == SYSCALL_FETCH_IOVEC && count > SYSCALL_MAX_IOVECS)
		count = SYSCALL_MAX_IOVECS;
	if (f->kind == SYSCALL_FETCH_MMSGHDR && count > SYSCALL_MAX_MESSAGES)
		count = SYSCALL_MAX_MESSAGES;
	if (count > 65536)
		count = 65536;
	bytes = count * f->unit;
	if (f->kind == SYSCALL_FETCH_DIRENTS)
		return count;
	return f->kind == SYSCALL_FETCH_BYTES && bytes > f->max ? f->max : bytes;
}

/* Adds the steps of fetch @i of the call's plan, if this is its moment. */
__attribute__((noinline)) int syscall_add_fetch(__u32 side, __u32 i)
{
	struct syscall_scratch *t = scratch_of(side);
	struct syscall_plan *plan = t ? plan_of(t->rec.nr) : NULL;
	if (!plan || i >= plan->n)
		return 1;
	HIDE(i);
	if (i >= SYSCALL_FETCHES)
		return 1;
	const struct syscall_fetch *f = &plan->fetch[i];
	if (f->at_exit ? side != EXIT || is_error(t->rec.ret) : side == EXIT && !(t->retry >> i & 1))
		return 0;
	__u32 which = (f->arg & SYSCALL_WHICH_ARG) | (f->at_exit ? SYSCALL_WHICH_EXIT : 0), kind = f->kind;
	__u64 addr = argument(&t->rec, f->arg), length = length_of(&t->rec, f);
	if (kind == SYSCALL_FETCH_SIGFRAME) {
		addr = register_of(t->regs, REG_SP) + CONTEXT_MASK_OFFSET;
		kind = SYSCALL_FETCH_BYTES;
	}
	if (kind == SYSCALL_FETCH_STRINGS)
		add_step(t, SYSCALL_FETCH_POINTERS, which, i, addr, POINTERS_A_STEP * 8);
	add_step(t, kind, which, i, addr, length);
	return 0;
}

static __always_inline void fetch(struct syscall_scratch *s, __u32 side)
{
	s->steps_n = 0;
	s->failed = 0;
	for (__u32 i = 0; i < SYSCALL_FETCHES; i++)
		if (syscall_add_fetch(side, i))
			break;
	for (__u32 i = 0; i < SYSCALL_STEPS; i++)
		if (i >= *(volatile __u32 *)&s->steps_n || syscall_run_step(side, i))
			break;
}

/* ---- the calls ---- */

static __always_inline bool where_passes(const struct syscall_rec *rec)
{
	struct syscall_scratch *s = where_program.n ? scratch_of(EXIT) : NULL;
	if (!s)
		return true;
	if (where_needs_end && rec->flags & SYSCALL_NO_RETURN)
		return false;
	__s64 *values = s->where_values;
	for (int i = 0; i < SYSCALL_ARGS; i++)
		values[WHERE_ARG1 + i] = rec->arg[i];
	values[WHERE_RET] = rec->ret;
	values[WHERE_DURATION] = rec->duration_ns;
	values[WHERE_PID] = rec->head.pid;
	values[WHERE_TID] = rec->head.tid;
	values[WHERE_UID] = (__u32)bpf_get_current_uid_gid();
	return where_eval(&where_program, values, (1u << WHERE_FIELDS) - 1);
}

static __always_inline void count_call(const struct syscall_rec *rec)
{
	__u32 nr = rec->nr < SYSCALL_MAX_NR ? rec->nr : SYSCALL_OTHER;
	struct syscall_stat *s = bpf_map_lookup_elem(&syscall_stats, &nr);
	if (!s)
		return;
	__u64 ns = rec->duration_ns;
	__u32 i = hist_bucket(ns, SYSCALL_BUCKETS);
	s->calls++;
	s->errors += is_error(rec->ret);
	if (rec->flags & SYSCALL_NO_ENTRY)
		return; /* nobody knows how long it took */
	s->total_ns += ns;
	if (ns < s->min_ns || !s->min_ns)
		s->min_ns = ns;
	if (ns > s->max_ns)
		s->max_ns = ns;
	if (i < SYSCALL_BUCKETS)
		s->bucket[i]++;
}

static __always_inline void send(void *ctx, struct syscall_thread *t, struct syscall_rec *rec, __u32 used)
{
	__u64 length = sizeof(*rec) + used;
	HIDE(length);
	if (length < sizeof(*rec) || length > sizeof(*rec) + SYSCALL_FETCH_BYTES_MAX + SYSCALL_PIECE_BYTES)
		return;
	rec->head.length = length;
	rec->head.cpu = bpf_get_smp_processor_id();
	rec->head.generation = t->generation;
	rec->head.seq = ++t->seq;
	emit(ctx, rec, length);
}

/*
 * The call is over, or never will be: count it or send it, unless a filter leaves it out. @rec has @used bytes of fetched
 * values behind it.
 */
static __always_inline void finish(void *ctx, struct syscall_thread *t, struct syscall_rec *rec, __u32 used)
{
	if (min_ns && (rec->flags & (SYSCALL_NO_RETURN | SYSCALL_NO_ENTRY) || rec->duration_ns < min_ns))
		return;
	if (!where_passes(rec))
		return;
	if (want_stat && !(rec->flags & (SYSCALL_NO_RETURN | SYSCALL_COMPAT | SYSCALL_X32)))
		count_call(rec);
	if (want_calls)
		send(ctx, t, rec, used);
}

static __always_inline void begin(struct syscall_scratch *s, __u64 regs, __u32 nr, __u8 flags)
{
	struct syscall_rec *rec = &s->rec;
	__u64 id = bpf_get_current_pid_tgid();
	*rec = (struct syscall_rec){
		.head = { .type = REC_SYSCALL_CALL, .flags = REC_KERNEL, .time_ns = bpf_ktime_get_ns(), .pid = id >> 32, .tid = id },
		.nr = nr,
		.flags = flags,
		.arch = SYSCALL_X86_64,
	};
	s->regs = regs;
	s->used = 0;
	s->failed = 0;
	s->retry = 0;
	if (want_calls || where_program.n)
		read_arguments(rec, regs);
}

/* From the CPU to the thread at the entry, and back at the exit. */
static __always_inline void copy_tail(char *to, const char *from, __u32 used)
{
	HIDE(used);
	if (used <= SYSCALL_FETCH_BYTES_MAX + SYSCALL_PIECE_BYTES)
		bpf_probe_read_kernel(to, used, from);
}

static __always_inline void keep(struct syscall_thread *t, const struct syscall_scratch *s)
{
	t->open = 1;
	t->rec = s->rec;
	t->used = s->used;
	t->failed = s->failed;
	if (s->used)
		copy_tail(t->tail, s->tail, s->used);
}

static __always_inline void take(struct syscall_scratch *s, struct syscall_thread *t, __u64 regs)
{
	t->open = 0;
	s->rec = t->rec;
	s->used = t->used;
	s->retry = t->failed;
	s->regs = regs;
	if (t->used)
		copy_tail(s->tail, t->tail, t->used);
}

SEC("raw_tp/sys_enter")
int syscall_enter(struct raw_tracepoint *ctx)
{
	__u64 regs = ctx->args[0], id = ctx->args[1];
	if (!target_wants_current())
		return 0;
	__u8 flags = abi_flags(id);
	__u32 nr = id & ~X32_BIT;
	struct syscall_plan *plan = plan_of(flags ? SYSCALL_OTHER : nr);
	if (!plan || !(plan->flags & SYSCALL_WANTED))
		return 0;
	struct syscall_thread *t = thread_of_current();
	struct syscall_scratch *s = scratch_of(ENTRY);
	if (!t || !s)
		return 0;
	begin(s, regs, nr, flags);
	if (want_calls && !flags)
		fetch(s, ENTRY);
	if (plan->flags & SYSCALL_NEVER_ENDS) {
		s->rec.flags |= SYSCALL_NO_RETURN;
		finish(ctx, t, &s->rec, s->used);
	} else {
		keep(t, s);
	}
	return 0;
}

/* A call that was open when we came. Its registers still hold the arguments, but for what it has overwritten. */
static __always_inline struct syscall_thread *begin_late(struct syscall_scratch *s, __u64 regs, __s64 ret)
{
	__u32 nr = register_of(regs, REG_ORIG_AX);
	struct syscall_plan *plan = plan_of(nr);
	if (!plan || !(plan->flags & SYSCALL_WANTED) || abi_flags(nr))
		return NULL;
	if (plan->flags & SYSCALL_MAKES_TASK && ret == 0)
		return NULL; /* a child's first steps */
	begin(s, regs, nr, SYSCALL_NO_ENTRY);
	return thread_of_current();
}

/*
 * execve has succeeded: the caller's memory is gone. What it gave lies at the top of the new stack: argc, argv[], NULL,
 * envp[]; the path behind the strings of the environment (fs/exec.c, fs/binfmt_elf.c).
 */
static __always_inline void arguments_of_new_image(struct syscall_scratch *s, const struct syscall_plan *plan)
{
	struct task_struct___x86 *task = (void *)current_task();
	__u64 sp = register_of(s->regs, REG_SP), argc = 0, argv = sp + 8;
	bool at = plan->fetch[0].arg == 1; /* execveat */
	if (bpf_probe_read_user(&argc, sizeof(argc), (void *)sp))
		return;
	__u64 path = BPF_CORE_READ(task, mm, env_end), envp = argv + 8 * (argc + 1);
	s->rec.arg[0] = at ? s->rec.arg[0] : path;
	s->rec.arg[1] = at ? path : argv;
	s->rec.arg[2] = at ? argv : envp;
	s->rec.arg[3] = at ? envp : s->rec.arg[3];
	s->retry = (1u << SYSCALL_FETCHES) - 1;
	s->used = 0;
}

static __always_inline void complete(void *ctx, struct syscall_thread *t, struct syscall_scratch *s, __s64 ret)
{
	struct syscall_rec *rec = &s->rec;
	struct syscall_plan *plan = plan_of(rec->nr);
	rec->ret = ret;
	rec->duration_ns = rec->flags & SYSCALL_NO_ENTRY ? 0 : bpf_ktime_get_ns() - rec->head.time_ns;
	if (!plan || (min_ns && rec->duration_ns < min_ns))
		return;
	if (want_calls && !(rec->flags & (SYSCALL_COMPAT | SYSCALL_X32))) {
		if (plan->flags & SYSCALL_EXECS && ret == 0 && (s->retry || rec->flags & SYSCALL_NO_ENTRY))
			arguments_of_new_image(s, plan);
		fetch(s, EXIT);
	}
	finish(ctx, t, rec, s->used);
}

SEC("raw_tp/sys_exit")
int syscall_exit(struct raw_tracepoint *ctx)
{
	__u64 regs = ctx->args[0];
	__s64 ret = ctx->args[1];
	if (!target_wants_current())
		return 0;
	struct syscall_scratch *s = scratch_of(EXIT);
	if (!s)
		return 0;
	struct syscall_thread *t = thread_of(bpf_get_current_pid_tgid());
	if (t && t->open)
		take(s, t, regs);
	else
		t = begin_late(s, regs, ret);
	if (t)
		complete(ctx, t, s, ret);
	return 0;
}

/*
 * A thread that another has killed does not return from its call. What the first thread has counted is kept until the last one
 * ends: see syscall_thread_exec.
 */
SEC("raw_tp/sched_process_exit")
int syscall_thread_exit(struct raw_tracepoint *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id, first = id >> 32;
	struct syscall_thread *t = thread_of(tid);
	if (t && t->open) {
		t->open = 0;
		t->rec.flags |= SYSCALL_NO_RETURN;
		finish(ctx, t, &t->rec, t->used);
	}
	if (tid != first)
		bpf_map_delete_elem(&syscall_threads, &tid);
	if (task_is_last(current_task()))
		bpf_map_delete_elem(&syscall_threads, &first);
	return 0;
}

/*
 * A thread that is not the first becomes it by execve, with its tid and its start time: its open call goes with it, and is
 * counted on after those of the former first one.
 */
SEC("raw_tp/sched_process_exec")
int syscall_thread_exec(struct raw_tracepoint *ctx)
{
	__u32 old = ctx->args[1], tid = bpf_get_current_pid_tgid();
	if (old == tid)
		return 0;
	struct syscall_thread *t = thread_of(old), *first = thread_of(tid);
	if (!t)
		return 0;
	t->seq = first ? first->seq : 0;
	t->generation = task_generation(current_task());
	t->rec.head.tid = tid;
	bpf_map_update_elem(&syscall_threads, &tid, t, BPF_ANY);
	bpf_map_delete_elem(&syscall_threads, &old);
	return 0;
}
