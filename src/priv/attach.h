/*
 * attach: the one way in which probes get onto code. A `struct links` holds what was attached; closing it takes all of it
 * away, and so does the kernel when utrace dies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/reason.h"

struct links {
	int *fds;
	size_t n, cap;
};

void links_done(struct links *l); /* detaches; with perf_event uprobes that takes about 0.2 s each */
DEFINE_CLEANUP_IN_PLACE(struct links, links_done)
void links_add(struct links *l, int fd);

enum attach_kind { ATTACH_ENTRY, ATTACH_RETURN, ATTACH_SESSION };

/* Uprobes of one file in one process. */
struct uprobe_request {
	int file_fd;              /* the file, so that any path, namespace or deletion is the same */
	pid_t pid;                /* the process; never 0: links are per process */
	enum attach_kind kind;
	int program_fd;
	const uint64_t *offsets;  /* in the file */
	const uint64_t *cookies;
	const uint64_t *semaphores; /* file offsets of USDT counters, 0: none; NULL: none at all */
	size_t n;
};

/* One multi link where @multi (programs must have been loaded for it), else one perf_event each. */
int attach_uprobes(struct links *l, bool multi, const struct uprobe_request *request, struct reason *why);

/* A raw tracepoint program. */
int attach_raw(struct links *l, int program_fd, const char *tracepoint, struct reason *why);
/* A tracepoint program on the event of that tracefs id. */
int attach_tracepoint(struct links *l, int program_fd, uint64_t id, uint64_t cookie, struct reason *why);
/* Kernel functions by one link; the program must have been loaded for it: multi, or session when @kind is that. */
int attach_kprobes_multi(struct links *l, int program_fd, enum attach_kind kind, const char *const *names, const uint64_t *cookies, size_t n,
			 struct reason *why);
/* One kernel function by a perf_event kprobe. */
int attach_kprobe(struct links *l, int program_fd, const char *name, uint64_t cookie, bool on_return, struct reason *why);
/* A program that was loaded for its target (fentry, fexit, tp_btf). */
int attach_loaded(struct links *l, int program_fd, int attach_type, uint64_t cookie, struct reason *why);
