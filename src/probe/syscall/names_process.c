/* names_process: flags and enumerations of processes and signals. Values: uapi/linux/{sched,wait,prctl,seccomp,capability,resource}.h. */
#include <linux/capability.h>

#include "probe/syscall/decode.h"

static const struct name_row clone_flag_rows[] = {
	FLAG_AS(0x80, "CLONE_NEWTIME"), FLAG_AS(0x100, "CLONE_VM"), FLAG_AS(0x200, "CLONE_FS"), FLAG_AS(0x400, "CLONE_FILES"),
	FLAG_AS(0x800, "CLONE_SIGHAND"), FLAG_AS(0x1000, "CLONE_PIDFD"), FLAG_AS(0x2000, "CLONE_PTRACE"), FLAG_AS(0x4000, "CLONE_VFORK"),
	FLAG_AS(0x8000, "CLONE_PARENT"), FLAG_AS(0x10000, "CLONE_THREAD"), FLAG_AS(0x20000, "CLONE_NEWNS"),
	FLAG_AS(0x40000, "CLONE_SYSVSEM"), FLAG_AS(0x80000, "CLONE_SETTLS"), FLAG_AS(0x100000, "CLONE_PARENT_SETTID"),
	FLAG_AS(0x200000, "CLONE_CHILD_CLEARTID"), FLAG_AS(0x400000, "CLONE_DETACHED"), FLAG_AS(0x800000, "CLONE_UNTRACED"),
	FLAG_AS(0x1000000, "CLONE_CHILD_SETTID"), FLAG_AS(0x2000000, "CLONE_NEWCGROUP"), FLAG_AS(0x4000000, "CLONE_NEWUTS"),
	FLAG_AS(0x8000000, "CLONE_NEWIPC"), FLAG_AS(0x10000000, "CLONE_NEWUSER"), FLAG_AS(0x20000000, "CLONE_NEWPID"),
	FLAG_AS(0x40000000, "CLONE_NEWNET"), FLAG_AS(0x80000000, "CLONE_IO"), FLAG_AS(0x100000000ull, "CLONE_CLEAR_SIGHAND"),
	FLAG_AS(0x200000000ull, "CLONE_INTO_CGROUP"),
};
const struct names clone_flag_names = NAMES(clone_flag_rows, "CLONE_???");
const struct arg_type type_clone_flags = { "unsigned long", decode_flags, &clone_flag_names };

static const struct name_row wait_options_rows[] = {
	FLAG_AS(1, "WNOHANG"), FLAG_AS(4, "WEXITED"), FLAG_AS(2, "WSTOPPED"), FLAG_AS(8, "WCONTINUED"), FLAG_AS(0x1000000, "WNOWAIT"),
	FLAG_AS(0x80000000, "__WCLONE"), FLAG_AS(0x40000000, "__WALL"), FLAG_AS(0x20000000, "__WNOTHREAD"),
};
FLAG_TYPE(wait_options, "W???");

static const struct name_row id_type_rows[] = { NAME_AS(0, "P_ALL"), NAME_AS(1, "P_PID"), NAME_AS(2, "P_PGID"), NAME_AS(3, "P_PIDFD") };
ENUM_TYPE(id_type, "P_???");

static const struct name_row sigprocmask_how_rows[] = { NAME_AS(0, "SIG_BLOCK"), NAME_AS(1, "SIG_UNBLOCK"), NAME_AS(2, "SIG_SETMASK") };
ENUM_TYPE(sigprocmask_how, "SIG_???");

static const struct name_row arch_prctl_rows[] = {
	NAME_AS(0x1001, "ARCH_SET_GS"), NAME_AS(0x1002, "ARCH_SET_FS"), NAME_AS(0x1003, "ARCH_GET_FS"), NAME_AS(0x1004, "ARCH_GET_GS"),
	NAME_AS(0x1011, "ARCH_GET_CPUID"), NAME_AS(0x1012, "ARCH_SET_CPUID"), NAME_AS(0x1021, "ARCH_GET_XCOMP_SUPP"),
	NAME_AS(0x1022, "ARCH_GET_XCOMP_PERM"), NAME_AS(0x1023, "ARCH_REQ_XCOMP_PERM"), NAME_AS(0x2001, "ARCH_MAP_VDSO_X32"),
	NAME_AS(0x2002, "ARCH_MAP_VDSO_32"), NAME_AS(0x2003, "ARCH_MAP_VDSO_64"),
};
ENUM_TYPE(arch_prctl, "ARCH_???");

static const struct name_row capability_rows[] = {
	NAME_VALUE(CAP_CHOWN), NAME_VALUE(CAP_DAC_OVERRIDE), NAME_VALUE(CAP_DAC_READ_SEARCH), NAME_VALUE(CAP_FOWNER),
	NAME_VALUE(CAP_FSETID), NAME_VALUE(CAP_KILL), NAME_VALUE(CAP_SETGID), NAME_VALUE(CAP_SETUID), NAME_VALUE(CAP_SETPCAP),
	NAME_VALUE(CAP_LINUX_IMMUTABLE), NAME_VALUE(CAP_NET_BIND_SERVICE), NAME_VALUE(CAP_NET_BROADCAST), NAME_VALUE(CAP_NET_ADMIN),
	NAME_VALUE(CAP_NET_RAW), NAME_VALUE(CAP_IPC_LOCK), NAME_VALUE(CAP_IPC_OWNER), NAME_VALUE(CAP_SYS_MODULE),
	NAME_VALUE(CAP_SYS_RAWIO), NAME_VALUE(CAP_SYS_CHROOT), NAME_VALUE(CAP_SYS_PTRACE), NAME_VALUE(CAP_SYS_PACCT),
	NAME_VALUE(CAP_SYS_ADMIN), NAME_VALUE(CAP_SYS_BOOT), NAME_VALUE(CAP_SYS_NICE), NAME_VALUE(CAP_SYS_RESOURCE),
	NAME_VALUE(CAP_SYS_TIME), NAME_VALUE(CAP_SYS_TTY_CONFIG), NAME_VALUE(CAP_MKNOD), NAME_VALUE(CAP_LEASE),
	NAME_VALUE(CAP_AUDIT_WRITE), NAME_VALUE(CAP_AUDIT_CONTROL), NAME_VALUE(CAP_SETFCAP), NAME_VALUE(CAP_MAC_OVERRIDE),
	NAME_VALUE(CAP_MAC_ADMIN), NAME_VALUE(CAP_SYSLOG), NAME_VALUE(CAP_WAKE_ALARM), NAME_VALUE(CAP_BLOCK_SUSPEND),
	NAME_VALUE(CAP_AUDIT_READ), NAME_AS(38, "CAP_PERFMON"), NAME_AS(39, "CAP_BPF"), NAME_AS(40, "CAP_CHECKPOINT_RESTORE"),
};
const struct names cap_names = NAMES(capability_rows, "CAP_???");

static const struct name_row resource_rows[] = {
	NAME_AS(0, "RLIMIT_CPU"), NAME_AS(1, "RLIMIT_FSIZE"), NAME_AS(2, "RLIMIT_DATA"), NAME_AS(3, "RLIMIT_STACK"),
	NAME_AS(4, "RLIMIT_CORE"), NAME_AS(5, "RLIMIT_RSS"), NAME_AS(6, "RLIMIT_NPROC"), NAME_AS(7, "RLIMIT_NOFILE"),
	NAME_AS(8, "RLIMIT_MEMLOCK"), NAME_AS(9, "RLIMIT_AS"), NAME_AS(10, "RLIMIT_LOCKS"), NAME_AS(11, "RLIMIT_SIGPENDING"),
	NAME_AS(12, "RLIMIT_MSGQUEUE"), NAME_AS(13, "RLIMIT_NICE"), NAME_AS(14, "RLIMIT_RTPRIO"), NAME_AS(15, "RLIMIT_RTTIME"),
};
ENUM_TYPE(resource, "RLIMIT_???");

static const struct name_row rusage_who_rows[] = { NAME_AS(0, "RUSAGE_SELF"), NAME_AS(0xffffffff, "RUSAGE_CHILDREN"),
						   NAME_AS(0xfffffffe, "RUSAGE_BOTH"), NAME_AS(1, "RUSAGE_THREAD") };
ENUM_TYPE(rusage_who, "RUSAGE_???");

static const struct name_row priority_which_rows[] = { NAME_AS(0, "PRIO_PROCESS"), NAME_AS(1, "PRIO_PGRP"), NAME_AS(2, "PRIO_USER") };
ENUM_TYPE(priority_which, "PRIO_???");

static const struct name_row sched_policy_rows[] = {
	NAME_AS(0, "SCHED_OTHER"), NAME_AS(1, "SCHED_FIFO"), NAME_AS(2, "SCHED_RR"), NAME_AS(3, "SCHED_BATCH"), NAME_AS(5, "SCHED_IDLE"),
	NAME_AS(6, "SCHED_DEADLINE"), NAME_AS(7, "SCHED_EXT"),
};
ENUM_TYPE(sched_policy, "SCHED_???");

static const struct name_row seccomp_op_rows[] = {
	NAME_AS(0, "SECCOMP_SET_MODE_STRICT"), NAME_AS(1, "SECCOMP_SET_MODE_FILTER"), NAME_AS(2, "SECCOMP_GET_ACTION_AVAIL"),
	NAME_AS(3, "SECCOMP_GET_NOTIF_SIZES"),
};
ENUM_TYPE(seccomp_op, "SECCOMP_SET_MODE_???");

static const struct name_row seccomp_flags_rows[] = {
	FLAG_AS(1, "SECCOMP_FILTER_FLAG_TSYNC"), FLAG_AS(2, "SECCOMP_FILTER_FLAG_LOG"), FLAG_AS(4, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
	FLAG_AS(8, "SECCOMP_FILTER_FLAG_NEW_LISTENER"), FLAG_AS(16, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"),
	FLAG_AS(32, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
};
FLAG_TYPE(seccomp_flags, "SECCOMP_FILTER_FLAG_???");

static const struct name_row getrandom_flags_rows[] = { FLAG_AS(1, "GRND_NONBLOCK"), FLAG_AS(2, "GRND_RANDOM"), FLAG_AS(4, "GRND_INSECURE") };
FLAG_TYPE(getrandom_flags, "GRND_???");

static const struct name_row pidfd_flags_rows[] = { FLAG_AS(04000, "PIDFD_NONBLOCK") };
FLAG_TYPE(pidfd_flags, "PIDFD_???");

static const struct name_row rseq_flags_rows[] = { FLAG_AS(1, "RSEQ_FLAG_UNREGISTER") };
FLAG_TYPE(rseq_flags, "RSEQ_FLAG_???");

static const struct name_row personality_rows[] = {
	FLAG_AS(0x0020000, "UNAME26"), FLAG_AS(0x0040000, "ADDR_NO_RANDOMIZE"), FLAG_AS(0x0080000, "FDPIC_FUNCPTRS"),
	FLAG_AS(0x0100000, "MMAP_PAGE_ZERO"), FLAG_AS(0x0200000, "ADDR_COMPAT_LAYOUT"), FLAG_AS(0x0400000, "READ_IMPLIES_EXEC"),
	FLAG_AS(0x0800000, "ADDR_LIMIT_32BIT"), FLAG_AS(0x1000000, "SHORT_INODE"), FLAG_AS(0x2000000, "WHOLE_SECONDS"),
	FLAG_AS(0x4000000, "STICKY_TIMEOUTS"), FLAG_AS(0x8000000, "ADDR_LIMIT_3GB"),
};
static const struct names personality_names = NAMES(personality_rows, "PER_???");

static struct value personality_value(struct call *c, uint32_t persona, const struct names *names)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	if ((persona & 0xff) == 0)
		strbuf_adds(&b, "PER_LINUX");
	else
		strbuf_addf(&b, "%#x /* PER_??? */", persona & 0xff);
	if (persona & ~0xffu) {
		strbuf_addc(&b, '|');
		names_add_flags(&b, names, persona & ~0xffu);
	}
	return value_taken(c, UINT_VALUE(persona), &b);
}

/* Returns the personality that was before; 0xffffffff only asks for it. */
static struct value decode_personality(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t persona = (uint32_t)word;
	if (call_succeeded(c)) {
		struct value before = personality_value(c, (uint32_t)c->rec->ret, type->names);
		c->hex_result = true;
		result_note(c, "%.*s", (int)before.text.len, before.text.data);
	}
	return persona == UINT32_MAX ? value_hex(c, persona) : personality_value(c, persona, type->names);
}
const struct arg_type type_personality = { "unsigned long", decode_personality, &personality_names };
