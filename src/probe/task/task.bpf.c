/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* task: facts about the life of traced processes, and the set of targets kept up with forks without a gap. */
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

static __always_inline void fill(struct task_rec *rec, __u32 type, struct task_struct *task)
{
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head.type = type;
	rec->head.length = sizeof(*rec);
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
	bpf_map_update_elem(&targets, &pid, &same, BPF_ANY);

	struct task_rec rec;
	fill(&rec, TASK_FORK, parent);
	rec.child = pid;
	emit_fact(ctx, &rec, sizeof(rec));
	return 0;
}

static __always_inline bool begins_with(const char *comm, __u32 i)
{
	for (__u32 at = 0; at < 16; at++) {
		if (at >= criteria.name_len[i])
			return true;
		if (comm[at] != criteria.name[i][at])
			return false;
	}
	return true;
}

static __always_inline bool name_fits(const char *comm)
{
	for (__u32 i = 0; i < CRITERIA_MAX && i < criteria.n_names; i++)
		if (begins_with(comm, i))
			return true;
	return criteria.n_names == 0;
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
	if (!criteria.enabled || !name_fits(comm))
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
	bool known = bpf_map_lookup_elem(&targets, &tgid) != NULL;
	struct task_rec rec;
	if (tgid == target_not)
		return 0;
	fill(&rec, TASK_EXEC, task);
	if (!known && !criteria_fit(task, rec.comm))
		return 0;
	rec.flags = known ? 0 : TASK_CANDIDATE;
	bpf_probe_read_kernel_str(rec.path, sizeof(rec.path), BPF_CORE_READ(bprm, filename));
	emit_fact(ctx, &rec, sizeof(rec));
	return 0;
}

SEC("raw_tp/sched_process_exit")
int task_exit(struct raw_tracepoint *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	if (!bpf_map_lookup_elem(&targets, &tgid) || BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0; /* not ours, or other threads run on */
	bpf_map_delete_elem(&targets, &tgid);

	struct task_rec rec;
	fill(&rec, TASK_EXIT, task);
	rec.status = BPF_CORE_READ(task, exit_code);
	emit_fact(ctx, &rec, sizeof(rec));
	return 0;
}

/* On the dynamic linker's _dl_debug_state, which it calls whenever its list of libraries has changed. */
SEC("uprobe")
int task_map(void *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	if (!target)
		return 0;
	/* A process that we started runs under ptrace: the signal stops it for us and is never delivered. */
	if (target->flags & TARGET_HELD)
		bpf_send_signal_thread(19 /* SIGSTOP */);
	struct task_rec rec;
	fill(&rec, TASK_MAP, current_task());
	emit_fact(ctx, &rec, sizeof(rec));
	return 0;
}
