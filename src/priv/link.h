/*
 * link: BPF links newer than the libbpf and the kernel headers that utrace builds with (libbpf 1.1 and Linux 6.1 of
 * Debian 12), by the bpf(2) call itself.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* enum bpf_attach_type; programs of these links are loaded with the same value as expected_attach_type. */
enum link_attach_type {
	LINK_KPROBE_MULTI = 42,   /* BPF_TRACE_KPROBE_MULTI, 5.18 */
	LINK_UPROBE_MULTI = 48,   /* BPF_TRACE_UPROBE_MULTI, 6.6 */
	LINK_KPROBE_SESSION = 56, /* BPF_TRACE_KPROBE_SESSION, 6.10 */
	LINK_UPROBE_SESSION = 57, /* BPF_TRACE_UPROBE_SESSION, 6.13 */
};

struct uprobe_multi {
	const char *path;             /* of the file whose code is probed */
	const uint64_t *offsets;      /* in the file, bytes; @n of them */
	const uint64_t *ref_counters; /* offsets of USDT semaphores in the file, 0: none; or NULL */
	const uint64_t *cookies;      /* or NULL */
	uint32_t n;
	pid_t pid;                    /* of the process (all its threads); 0: every process that maps the file */
	int at_return;                /* LINK_UPROBE_MULTI only */
};

/* The descriptor of the link, which the caller closes (~28 ms, however many probes it holds); or -errno. */
int link_uprobe_multi(int prog_fd, enum link_attach_type type, const struct uprobe_multi *u);

struct kprobe_multi {
	const char *const *names; /* of kernel functions; @n of them */
	const uint64_t *cookies;  /* or NULL */
	uint32_t n;
	int at_return;            /* LINK_KPROBE_MULTI only */
};

/* The same for kernel functions. -ESRCH: a name of them is none, or cannot be probed. */
int link_kprobe_multi(int prog_fd, enum link_attach_type type, const struct kprobe_multi *k);
