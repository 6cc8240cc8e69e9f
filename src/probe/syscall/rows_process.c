/* rows_process: processes, threads and signals. One row a call; names are those of the manual pages. */
#include "probe/syscall/decode.h"

/* x86-64's order of arguments is flags, stack, parent, child, tls; people read the stack first and tls before the child. */
static const uint8_t clone_order[] = { 1, 0, 2, 4, 3 };

ROW_FLAGS(execve, RESULT_INT, SYSCALL_EXECS, { "pathname", &type_path }, { "argv", &type_strings },
	{ "envp", &type_environment });
ROW_FLAGS(execveat, RESULT_INT, SYSCALL_EXECS, { "dirfd", &type_dirfd }, { "pathname", &type_path },
	{ "argv", &type_strings }, { "envp", &type_environment }, { "flags", &type_at_flags });
ROW_FLAGS(exit, RESULT_NONE, SYSCALL_NEVER_ENDS, { "status", &type_int });
ROW_FLAGS(exit_group, RESULT_NONE, SYSCALL_NEVER_ENDS, { "status", &type_int });
ROW_FLAGS(fork, RESULT_INT, SYSCALL_MAKES_TASK);
ROW_FLAGS(vfork, RESULT_INT, SYSCALL_MAKES_TASK);
const struct syscall_row row_clone = { .name = "clone", .result = RESULT_INT, .flags = SYSCALL_MAKES_TASK, .order = clone_order, .arg = {
	{ "flags", &type_clone_word }, { "child_stack", &type_clone_stack }, { "parent_tid", &type_clone_parent },
	{ "child_tidptr", &type_clone_child }, { "tls", &type_clone_tls } } };
ROW_FLAGS(clone3, RESULT_INT, SYSCALL_MAKES_TASK, { "cl_args", &type_clone_args }, { "size", &type_size });
ROW(rt_sigreturn, RESULT_INT, { "frame", &type_sigframe });
ROW(wait4, RESULT_INT, { "pid", &type_pid }, { "wstatus", &type_wait_status }, { "options", &type_wait_options },
	{ "rusage", &type_rusage });
ROW(waitid, RESULT_INT, { "idtype", &type_id_type }, { "id", &type_int }, { "infop", &type_child_siginfo },
	{ "options", &type_wait_options }, { "rusage", &type_rusage });
ROW(kill, RESULT_INT, { "pid", &type_pid }, { "sig", &type_signal });
ROW(tkill, RESULT_INT, { "tid", &type_pid }, { "sig", &type_signal });
ROW(tgkill, RESULT_INT, { "tgid", &type_pid }, { "tid", &type_pid }, { "sig", &type_signal });
ROW(rt_sigaction, RESULT_INT, { "signum", &type_signal }, { "act", &type_sigaction_in }, { "oldact", &type_sigaction_out },
	{ "sigsetsize", &type_size });
ROW(rt_sigprocmask, RESULT_INT, { "how", &type_sigprocmask_how }, { "set", &type_sigset_in }, { "oldset", &type_sigset_out },
	{ "sigsetsize", &type_size });
ROW(rt_sigpending, RESULT_INT, { "set", &type_sigset_out }, { "sigsetsize", &type_size });
ROW(rt_sigsuspend, RESULT_INT, { "mask", &type_sigset_in }, { "sigsetsize", &type_size });
ROW(rt_sigtimedwait, RESULT_INT, { "set", &type_sigset_in }, { "info", &type_address }, { "timeout", &type_timespec_in },
	{ "sigsetsize", &type_size });
ROW(rt_sigqueueinfo, RESULT_INT, { "tgid", &type_pid }, { "sig", &type_signal }, { "info", &type_address });
ROW(rt_tgsigqueueinfo, RESULT_INT, { "tgid", &type_pid }, { "tid", &type_pid }, { "sig", &type_signal },
	{ "info", &type_address });
ROW(sigaltstack, RESULT_INT, { "ss", &type_sigstack_in }, { "old_ss", &type_sigstack_out });
ROW(pause, RESULT_INT);
ROW(pidfd_open, RESULT_INT, { "pid", &type_pid }, { "flags", &type_pidfd_flags });
ROW(pidfd_getfd, RESULT_INT, { "pidfd", &type_fd }, { "targetfd", &type_fd }, { "flags", &type_hex_uint });
ROW(pidfd_send_signal, RESULT_INT, { "pidfd", &type_fd }, { "sig", &type_signal }, { "info", &type_address },
	{ "flags", &type_hex_uint });
ROW(process_mrelease, RESULT_INT, { "pidfd", &type_fd }, { "flags", &type_hex_uint });
ROW(restart_syscall, RESULT_INT);
ROW(getpid, RESULT_INT);
ROW(getppid, RESULT_INT);
ROW(gettid, RESULT_INT);
ROW(getpgrp, RESULT_INT);
ROW(getpgid, RESULT_INT, { "pid", &type_pid });
ROW(setpgid, RESULT_INT, { "pid", &type_pid }, { "pgid", &type_pid });
ROW(getsid, RESULT_INT, { "pid", &type_pid });
ROW(setsid, RESULT_INT);
ROW(set_tid_address, RESULT_INT, { "tidptr", &type_address });
ROW(set_robust_list, RESULT_INT, { "head", &type_address }, { "len", &type_size });
ROW(get_robust_list, RESULT_INT, { "pid", &type_pid }, { "head_ptr", &type_address }, { "len_ptr", &type_address });
ROW(rseq, RESULT_INT, { "rseq", &type_address }, { "rseq_len", &type_hex_uint }, { "flags", &type_rseq_flags },
	{ "sig", &type_hex_uint });
ROW(futex, RESULT_INT, { "uaddr", &type_address }, { "futex_op", &type_futex_op }, { "val", &type_futex_value },
	{ "timeout", &type_futex_timeout }, { "uaddr2", &type_futex_second }, { "val3", &type_futex_third });
ROW(futex_waitv, RESULT_INT, { "waiters", &type_address }, { "nr_futexes", &type_uint }, { "flags", &type_hex_uint },
	{ "timeout", &type_timespec_in }, { "clockid", &type_clock });
ROW(futex_wake, RESULT_INT, { "uaddr", &type_address }, { "mask", &type_hex }, { "nr", &type_int },
	{ "flags", &type_hex_uint });
ROW(futex_wait, RESULT_INT, { "uaddr", &type_address }, { "val", &type_ulong }, { "mask", &type_hex },
	{ "flags", &type_hex_uint }, { "timeout", &type_timespec_in }, { "clockid", &type_clock });
ROW(futex_requeue, RESULT_INT, { "waiters", &type_address }, { "flags", &type_hex_uint }, { "nr_wake", &type_int },
	{ "nr_requeue", &type_int });
ROW(prctl, RESULT_INT, { "option", &type_prctl_option }, { "arg2", &type_prctl_argument }, { "arg3", &type_prctl_word },
	{ "arg4", &type_prctl_word }, { "arg5", &type_prctl_name });
ROW(arch_prctl, RESULT_INT, { "code", &type_arch_prctl }, { "addr", &type_hex });
ROW(personality, RESULT_INT, { "persona", &type_personality });
ROW(unshare, RESULT_INT, { "flags", &type_clone_flags });
ROW(setns, RESULT_INT, { "fd", &type_fd }, { "nstype", &type_clone_flags });
ROW(seccomp, RESULT_INT, { "operation", &type_seccomp_op }, { "flags", &type_seccomp_flags }, { "args", &type_address });
ROW(ptrace, RESULT_INT, { "request", &type_int }, { "pid", &type_pid }, { "addr", &type_hex }, { "data", &type_hex });
ROW(getpriority, RESULT_INT, { "which", &type_priority_which }, { "who", &type_int });
ROW(setpriority, RESULT_INT, { "which", &type_priority_which }, { "who", &type_int }, { "prio", &type_int });
ROW(sched_yield, RESULT_INT);
ROW(sched_setparam, RESULT_INT, { "pid", &type_pid }, { "param", &type_int_in });
ROW(sched_getparam, RESULT_INT, { "pid", &type_pid }, { "param", &type_int_out });
ROW(sched_setscheduler, RESULT_INT, { "pid", &type_pid }, { "policy", &type_sched_policy }, { "param", &type_int_in });
ROW(sched_getscheduler, RESULT_INT, { "pid", &type_pid });
ROW(sched_get_priority_max, RESULT_INT, { "policy", &type_sched_policy });
ROW(sched_get_priority_min, RESULT_INT, { "policy", &type_sched_policy });
ROW(sched_rr_get_interval, RESULT_INT, { "pid", &type_pid }, { "tp", &type_timespec_out });
ROW(sched_setaffinity, RESULT_INT, { "pid", &type_pid }, { "cpusetsize", &type_size }, { "mask", &type_cpu_mask_in });
ROW(sched_getaffinity, RESULT_INT, { "pid", &type_pid }, { "cpusetsize", &type_size }, { "mask", &type_cpu_mask_out });
ROW(sched_setattr, RESULT_INT, { "pid", &type_pid }, { "attr", &type_address }, { "flags", &type_hex_uint });
ROW(sched_getattr, RESULT_INT, { "pid", &type_pid }, { "attr", &type_address }, { "size", &type_uint },
	{ "flags", &type_hex_uint });
ROW(getcpu, RESULT_INT, { "cpu", &type_uint_out }, { "node", &type_uint_out }, { "tcache", &type_address });
ROW(ioprio_set, RESULT_INT, { "which", &type_int }, { "who", &type_int }, { "ioprio", &type_hex_uint });
ROW(ioprio_get, RESULT_INT, { "which", &type_int }, { "who", &type_int });
ROW(kcmp, RESULT_INT, { "pid1", &type_pid }, { "pid2", &type_pid }, { "type", &type_int }, { "idx1", &type_ulong },
	{ "idx2", &type_ulong });
ROW(getrlimit, RESULT_INT, { "resource", &type_resource }, { "rlim", &type_rlimit_out });
ROW(setrlimit, RESULT_INT, { "resource", &type_resource }, { "rlim", &type_rlimit_in });
ROW(prlimit64, RESULT_INT, { "pid", &type_pid }, { "resource", &type_resource }, { "new_limit", &type_rlimit_in },
	{ "old_limit", &type_rlimit_out });
ROW(getrusage, RESULT_INT, { "who", &type_rusage_who }, { "usage", &type_rusage });
ROW(setuid, RESULT_INT, { "uid", &type_uid });
ROW(setgid, RESULT_INT, { "gid", &type_uid });
ROW(setreuid, RESULT_INT, { "ruid", &type_uid }, { "euid", &type_uid });
ROW(setregid, RESULT_INT, { "rgid", &type_uid }, { "egid", &type_uid });
ROW(setresuid, RESULT_INT, { "ruid", &type_uid }, { "euid", &type_uid }, { "suid", &type_uid });
ROW(setresgid, RESULT_INT, { "rgid", &type_uid }, { "egid", &type_uid }, { "sgid", &type_uid });
ROW(getresuid, RESULT_INT, { "ruid", &type_uint_out }, { "euid", &type_uint_out }, { "suid", &type_uint_out });
ROW(getresgid, RESULT_INT, { "rgid", &type_uint_out }, { "egid", &type_uint_out }, { "sgid", &type_uint_out });
ROW(setfsuid, RESULT_INT, { "fsuid", &type_uid });
ROW(setfsgid, RESULT_INT, { "fsgid", &type_uid });
ROW(getgroups, RESULT_INT, { "size", &type_int }, { "list", &type_groups_out });
ROW(setgroups, RESULT_INT, { "size", &type_int }, { "list", &type_groups_in });
ROW(capget, RESULT_INT, { "hdrp", &type_cap_header }, { "datap", &type_cap_sets_out });
ROW(capset, RESULT_INT, { "hdrp", &type_cap_header }, { "datap", &type_cap_sets_in });
ROW(set_thread_area, RESULT_INT, { "u_info", &type_address });
ROW(get_thread_area, RESULT_INT, { "u_info", &type_address });
ROW(modify_ldt, RESULT_INT, { "func", &type_int }, { "ptr", &type_address }, { "bytecount", &type_ulong });
ROW(iopl, RESULT_INT, { "level", &type_int });
ROW(ioperm, RESULT_INT, { "from", &type_hex }, { "num", &type_ulong }, { "turn_on", &type_int });
ROW(uretprobe, RESULT_INT);
ROW(uprobe, RESULT_INT);
ROW(getuid, RESULT_UINT);
ROW(geteuid, RESULT_UINT);
ROW(getgid, RESULT_UINT);
ROW(getegid, RESULT_UINT);
