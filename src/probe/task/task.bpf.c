/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * task: facts about the life of traced processes, and the set of targets kept up with forks without a gap. Of a process
 * that we hold no facts are sent: ptrace tells of it, at the moment that it stands still.
 */
#include "bpf/emit.h"
#include "bpf/target.h"
#include "probe/task/task.abi.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct task_criteria criteria = {};

/* cgroups of --cgroup; asked by bpf_current_task_under_cgroup, which knows ancestors. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, CRITERIA_MAX);
	__type(key, __u32);
	__type(value, __u32);
} criteria_cgroups SEC(".maps");

/* Threads that are about to be stopped by hold(), until user space has seen the signal and taken it away. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* tid */
	__type(value, __u32);
} task_holds SEC(".maps");

static __always_inline __u64 start_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->start_boottime))
		return BPF_CORE_READ(task, group_leader, start_boottime);
	return BPF_CORE_READ(task, group_leader, real_start_time);
}

/* All but the path. */
static __always_inline void fill(struct task_rec *rec, __u32 type, struct task_struct *task)
{
	__builtin_memset(rec, 0, TASK_REC_SHORT);
	rec->head.type = type;
	rec->head.length = TASK_REC_SHORT;
	rec->start_ns = start_of(task);
	rec->head.cpu = bpf_get_smp_processor_id();
	rec->head.time_ns = bpf_ktime_get_ns();
	rec->head.pid = BPF_CORE_READ(task, tgid);
	rec->head.tid = BPF_CORE_READ(task, pid);
	rec->head.generation = task_generation(task);
	rec->parent = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&rec->comm, task, comm);
}

SEC("raw_tp/sched_process_fork")
int task_fork(struct raw_tracepoint *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	__u32 tgid = BPF_CORE_READ(parent, tgid), pid = BPF_CORE_READ(child, pid);
	if (pid != BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	if (!target || !(target->flags & TARGET_FOLLOW))
		return 0;
	struct target same = *target;
	if (!BPF_CORE_READ(child, ptrace))
		same.flags &= ~TARGET_HELD; /* it has slipped away (CLONE_UNTRACED) */
	if (bpf_map_update_elem(&targets, &pid, &same, BPF_ANY))
		lose(LOSS_NOT_HELD);
	if (same.flags & TARGET_HELD)
		return 0;

	struct task_rec rec;
	fill(&rec, TASK_FORK, parent);
	rec.start_ns = start_of(child);
	rec.child = pid;
	emit_fact(ctx, &rec, TASK_REC_SHORT);
	return 0;
}

static __always_inline bool begins_with(const char *name, const volatile char *beginning, __u32 len)
{
	for (__u32 at = 0; at < 16; at++) {
		if (at >= len)
			return true;
		if (name[at] != beginning[at])
			return false;
	}
	return true;
}

static __always_inline bool name_fits(const char *comm, const char *base)
{
	for (__u32 i = 0; i < CRITERIA_MAX && i < criteria.n_names; i++)
		if (begins_with(comm, criteria.name[i], criteria.name_len[i]) || begins_with(base, criteria.name[i], criteria.name_len[i]))
			return true;
	return criteria.n_names == 0;
}

static __always_inline bool file_fits(__u64 inode, const char *base)
{
	for (__u32 i = 0; i < CRITERIA_MAX && i < criteria.n_files; i++)
		if (inode == criteria.file_inode[i] || begins_with(base, criteria.file[i], criteria.file_len[i]))
			return true;
	return criteria.n_files == 0;
}

static __always_inline bool one_of(const volatile __u32 *values, __u32 n, __u32 value)
{
	for (__u32 i = 0; i < CRITERIA_MAX && i < n; i++)
		if (values[i] == value)
			return true;
	return n == 0;
}

static __always_inline __u32 pid_namespace_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid at = {};
	bpf_core_read(&at, sizeof(at), &pid->numbers[level]);
	return BPF_CORE_READ(at.ns, ns.inum);
}

static __always_inline bool cgroup_fits(void)
{
	for (__u32 i = 0; i < CRITERIA_MAX && i < criteria.n_cgroups; i++)
		if (bpf_current_task_under_cgroup(&criteria_cgroups, i) == 1)
			return true;
	return criteria.n_cgroups == 0;
}

static __always_inline bool criteria_fit(struct task_struct *task, const char *comm)
{
	char base[16] = {};
	if (!(criteria.flags & CRITERIA_ENABLED))
		return false;
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	bpf_probe_read_kernel_str(base, sizeof(base), BPF_CORE_READ(exe, f_path.dentry, d_name.name));
	if (!name_fits(comm, base) || !file_fits(BPF_CORE_READ(exe, f_inode, i_ino), base))
		return false;
	if (criteria.n_uids && !one_of(criteria.uid, criteria.n_uids, BPF_CORE_READ(task, cred, euid.val)))
		return false;
	if (criteria.n_pidns && !one_of(criteria.pidns, criteria.n_pidns, pid_namespace_of(task)))
		return false;
	if (criteria.n_netns && !one_of(criteria.netns, criteria.n_netns, BPF_CORE_READ(task, nsproxy, net_ns, ns.inum)))
		return false;
	if (criteria.n_mntns && !one_of(criteria.mntns, criteria.n_mntns, BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum)))
		return false;
	return cgroup_fits();
}

SEC("raw_tp/sched_process_exec")
int task_exec(struct raw_tracepoint *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	struct task_rec rec;
	if (tgid == target_not || (target && target->flags & TARGET_HELD))
		return 0;
	fill(&rec, TASK_EXEC, task);
	if (!target && !criteria_fit(task, rec.comm))
		return 0;
	rec.flags = (target ? 0 : TASK_CANDIDATE) | (ctx->args[1] != tgid ? TASK_BY_THREAD : 0);
	rec.head.length = sizeof(rec);
	__builtin_memset(rec.path, 0, sizeof(rec.path));
	bpf_probe_read_kernel_str(rec.path, sizeof(rec.path), BPF_CORE_READ(bprm, filename));
	emit_fact(ctx, &rec, sizeof(rec));
	return 0;
}

/* Does it have a new name because it executes a file? Then the fact of that tells. */
static __always_inline bool in_exec(struct task_struct *task)
{
	return bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* The name of a process is that of its first thread. The tracepoint comes just before the change. */
SEC("raw_tp/task_rename")
int task_rename(struct raw_tracepoint *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	struct task_rec rec;
	if (BPF_CORE_READ(task, pid) != tgid || tgid == target_not || in_exec(task))
		return 0;
	fill(&rec, TASK_RENAME, task);
	bpf_probe_read_kernel_str(rec.comm, sizeof(rec.comm), (void *)ctx->args[1]);
	if (!target && (!(criteria.flags & CRITERIA_BY_NAME) || !name_fits(rec.comm, rec.comm)))
		return 0;
	rec.flags = target ? 0 : TASK_CANDIDATE;
	emit_fact(ctx, &rec, TASK_REC_SHORT);
	return 0;
}

/* Attached only where --cgroup asks. The current task is the one that moves @task, and moves are rare: user space looks where it is now. */
SEC("raw_tp/cgroup_attach_task")
int task_move(struct raw_tracepoint *ctx)
{
	struct task_struct *task = (void *)ctx->args[2];
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct task_rec rec;
	if (tgid == target_not || bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	fill(&rec, TASK_MOVE, task);
	rec.flags = TASK_CANDIDATE;
	emit_fact(ctx, &rec, TASK_REC_SHORT);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int task_exit(struct raw_tracepoint *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	if (!target || !task_is_last(task))
		return 0; /* not ours, or other threads run on */
	bool held = target->flags & TARGET_HELD;
	bpf_map_delete_elem(&targets, &tgid);
	if (held)
		return 0;

	struct task_rec rec;
	fill(&rec, TASK_EXIT, task);
	rec.status = BPF_CORE_READ(task, exit_code);
	emit_fact(ctx, &rec, TASK_REC_SHORT);
	return 0;
}

#define SIGNAL_STOP 19 /* asm-generic/signal.h */
#define SIGNAL_URG 23

/*
 * Stops the current thread: it runs under ptrace, so any signal does, and user space takes it away again. Should utrace die in
 * between, the signal is delivered: so it is SIGURG, which does nothing, and SIGSTOP only for a thread that blocks SIGURG.
 */
static __always_inline void hold(struct task_struct *task)
{
	__u32 tid = bpf_get_current_pid_tgid(), one = 1;
	bool blocked = BPF_CORE_READ(task, blocked.sig[0]) & 1ull << (SIGNAL_URG - 1);
	if (bpf_map_update_elem(&task_holds, &tid, &one, BPF_ANY) == 0 && bpf_send_signal_thread(blocked ? SIGNAL_STOP : SIGNAL_URG))
		bpf_map_delete_elem(&task_holds, &tid);
}

/* On the dynamic linker's _dl_debug_state, which it calls whenever its list of libraries has changed. */
SEC("uprobe")
int task_map(void *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	if (!target)
		return 0;
	if (target->flags & TARGET_HELD) {
		hold(current_task());
		return 0;
	}
	struct task_rec rec;
	fill(&rec, TASK_MAP, current_task());
	emit_fact(ctx, &rec, TASK_REC_SHORT);
	return 0;
}
