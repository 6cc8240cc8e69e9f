/* proc: what /proc tells of a process. Facts, no policy; every reader survives a process that ends meanwhile (-ESRCH). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

struct mapping { /* one executable mapping of a file */
	uint64_t start, end, offset;
	uint64_t dev, inode; /* as in maps: major << 20 | minor */
	char *path;          /* as maps shows it, without " (deleted)": from our root where that reaches it, else from its own */
	bool deleted;
};

struct mappings {
	struct mapping *items;
	size_t n, cap;
	size_t path_bytes;
	bool cut;            /* there were more than our bound */
};

void mappings_done(struct mappings *m);
DEFINE_CLEANUP_IN_PLACE(struct mappings, mappings_done)

int proc_mappings(struct mappings *ret, pid_t pid);           /* executable, file-backed ones, by address; -ESRCH, -EACCES */
int proc_comm(pid_t pid, char ret[16]);
int proc_exe(pid_t pid, char *ret, size_t size);              /* as readlink says, " (deleted)" removed; -ENOENT: a kernel thread */
int proc_parent(pid_t pid, pid_t *ret);
int proc_uid(pid_t pid, uid_t *ret);                          /* effective */
int proc_namespace(pid_t pid, const char *kind, uint64_t *ret_inode); /* kind: pid, net, mnt */
int proc_start_time(pid_t pid, uint64_t *ret_ns);             /* field 22 of stat, in ns since boot, granular by clock tick */
int proc_threads(pid_t pid, pid_t **ret, size_t *ret_n);      /* free(*ret) */
int proc_cgroup(pid_t pid, char *ret, size_t size);           /* path in the unified (v2) hierarchy, else of the memory controller; -ENOENT: neither */
int proc_all(pid_t **ret, size_t *ret_n);                     /* every process; free(*ret) */
int proc_cpu_ns(pid_t pid, uint64_t *ret);                    /* user + system time of all its threads, also of those that have ended */
bool proc_alive(pid_t pid);                                   /* exists and is no zombie */

/* Opens the file behind a mapping, also when it was deleted or lies in another mount namespace (/proc/PID/map_files, else root). */
int proc_open_mapping(pid_t pid, const struct mapping *m);    /* fd, or -errno; -ESTALE: another file has its path now */
