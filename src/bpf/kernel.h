/*
 * kernel.h: the few kernel structures that we touch, and of them only the fields that we read. CO-RE relocates every
 * access to the running kernel's layout; a field that a kernel lacks is asked for by bpf_core_field_exists first.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t euid;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct inode {
	unsigned long i_ino;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct mm_struct {
	struct file *exe_file;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct uprobe_task {
	unsigned long vaddr;
};

struct task_struct {
	unsigned int pid;  /* int in the kernel; never negative */
	unsigned int tgid;
	struct signal_struct *signal;
	int exit_code;
	unsigned int ptrace; /* 0: nobody traces it */
	unsigned int in_execve : 1;
	sigset_t blocked;
	unsigned long long start_time;
	unsigned long long start_boottime; /* what /proc/PID/stat shows, in ticks; 5.5, before: real_start_time */
	unsigned long long real_start_time;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	const struct cred *cred;
	struct uprobe_task *utask;
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};

#pragma clang attribute pop

/* The context of a raw tracepoint: its arguments as words (kernel: include/uapi/linux/bpf.h, bpf_raw_tracepoint_args). */
struct raw_tracepoint {
	__u64 args[0];
};

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

/* In sched_process_exit: does the process end with this thread? It may be said of several that end at once. */
static __always_inline bool task_is_last(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, live.counter) <= 0;
}

/* Tells two tasks of one pid apart: see struct rec_head. */
static __always_inline __u32 task_generation(struct task_struct *task)
{
	return (__u32)(BPF_CORE_READ(task, start_time) >> 10);
}

/* clang may drop a bound that it has proven itself but that the verifier still needs; this hides the value from it. */
#define HIDE(x) asm volatile("" : "+r"(x))
