/*
 * ability: what this kernel lets this user do, found out by trying, one row a thing in ability.c.
 *
 * UTRACE_WITHOUT=ringbuf,multi,session,btf,... (comma separated names of the table) makes abilities absent, so that every
 * fallback can be tested on a kernel that has them all; what needs an absent one is absent with it, as "session" is
 * without "multi". An unknown name there is a usage error.
 *
 * All rows together take about 15 ms, most of it the kernel's BTF; each is tried when it is first asked for. Nothing is
 * left attached. Not for several threads at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

enum ability_id {
	ABILITY_BPF,            /* "bpf": may load any program at all */
	ABILITY_BTF,            /* "btf": /sys/kernel/btf/vmlinux, so CO-RE and typed tracepoints */
	ABILITY_RINGBUF,        /* "ringbuf": BPF_MAP_TYPE_RINGBUF, 5.8 */
	ABILITY_COOKIE,         /* "cookie": bpf_get_attach_cookie, 5.15 */
	ABILITY_LOOP,           /* "bpf_loop": 5.17 */
	ABILITY_TASK_STORAGE,   /* "task_storage": for tracing programs, 5.13 */
	ABILITY_UPROBE,         /* "uprobe": perf_event uprobes */
	ABILITY_UPROBE_MULTI,   /* "multi": uprobe_multi links, 6.6 */
	ABILITY_UPROBE_SESSION, /* "session": uprobe session links, 6.13 */
	ABILITY_KPROBE,         /* "kprobe": perf_event kprobes */
	ABILITY_KPROBE_MULTI,   /* "kprobe_multi": 5.18 with FPROBE */
	ABILITY_KPROBE_SESSION, /* "kprobe_session": 6.10 */
	ABILITY_FENTRY,         /* "fentry": trampolines, 5.5 with BTF */
	ABILITY_RAW_TRACEPOINT, /* "raw_tp": 4.17 */
	ABILITY_BTF_TRACEPOINT, /* "tp_btf" */
	ABILITY_TRACEPOINT,     /* "tracepoint": perf_event tracepoints, which need tracefs */
	ABILITY_USDT_SEMAPHORE, /* "semaphore": reference counters of uprobes, 4.20 */
	ABILITY_LSM,            /* "lsm": BPF LSM */
	ABILITY_TASK_ITER,      /* "iter": BPF iterators over tasks */
	ABILITY_SOCK_STORAGE,   /* "sk_storage": memory that belongs to a socket, for tracing programs, 5.11 */
	ABILITY_SOCK_LENGTH,    /* "sock_length": tracepoints sock_send_length and sock_recv_length, 6.3 */
	ABILITY_UNIX_RELEASE,   /* "unix_release": fentry on the end of Unix sockets */
	ABILITIES
};

struct ability {
	const char *name;
	const char *what;    /* what it is, for people: "many user functions by one link" */
	const char *since;   /* "6.6" or "5.18, CONFIG_FPROBE" */
	const char *how;     /* how to get it, or what serves instead */
	uint32_t needs;      /* ABILITY_BIT() of those without which there is no point in trying */
	int (*probe)(struct reason *why); /* 0: here; -errno: not, and why */
};

#define ABILITY_BIT(id) (1u << (id))

extern const struct ability abilities[ABILITIES];

/* Tried once, remembered; false as well when UTRACE_WITHOUT names it. */
bool ability_has(enum ability_id id);
/* Why not: "switched off by UTRACE_WITHOUT", "EPERM: needs CAP_BPF ..." ; "" when it is here. Valid for the program's life. */
const char *ability_why_not(enum ability_id id);
/*
 * From now on, abilities are absent also when @bits (ABILITY_BIT) has them, and with them what needs them: so that a
 * program can look at what it would do on a lesser kernel. 0: none.
 */
void ability_leave_out(uint32_t bits);
/* Checks the names in UTRACE_WITHOUT: -EINVAL and @why for one that does not exist. */
int ability_check_without(struct reason *why);
