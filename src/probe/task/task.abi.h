/* task.abi.h: facts about traced processes: begun, executed a file, mapped a library, ended. */
#pragma once

#include "bpf/record.abi.h"

enum task_rec_type {
	TASK_FORK = REC_TYPE(REC_TASK, 1), /* head: the parent; a process, not a thread */
	TASK_EXEC = REC_TYPE(REC_TASK, 2),
	TASK_EXIT = REC_TYPE(REC_TASK, 3), /* of the whole process */
	TASK_MAP = REC_TYPE(REC_TASK, 4),  /* the dynamic linker has mapped or unmapped libraries */
	TASK_RENAME = REC_TYPE(REC_TASK, 5), /* it has a new comm, not by exec */
	TASK_MOVE = REC_TYPE(REC_TASK, 6), /* it is in another cgroup */
};

enum task_flag {
	TASK_CANDIDATE = 1 << 0, /* exec, rename, move: not a target yet, but it may match now: user space decides */
	TASK_BY_THREAD = 1 << 1, /* exec: by another thread than the first */
};

#define TASK_PATH_BYTES 256

struct task_rec {
	struct rec_head head;
	__u64 start_ns; /* of the process (TASK_FORK: the child), since boot: tells it from a later one with its number */
	__u32 child;  /* TASK_FORK: its pid */
	__u32 parent; /* TASK_EXEC, TASK_EXIT: its parent's pid */
	__s32 status; /* TASK_EXIT: as wait(2) tells it */
	__u32 flags;  /* enum task_flag */
	char comm[16];
	char path[TASK_PATH_BYTES]; /* TASK_EXEC: what was given to execve; the others end before it */
};
_Static_assert(sizeof(struct task_rec) == 40 + 24 + 16 + TASK_PATH_BYTES, "layout");
#define TASK_REC_SHORT (sizeof(struct task_rec) - TASK_PATH_BYTES)

/*
 * Which processes may become targets by exec, by a new name or in another cgroup, decided in the kernel as far as it can be.
 * Kinds are joined by AND, values of a kind by OR; a kind without values lets everything pass.
 */
#define CRITERIA_MAX 8

enum criteria_flag {
	CRITERIA_ENABLED = 1 << 0, /* else nobody but the children of targets */
	CRITERIA_BY_NAME = 1 << 1, /* a name decides, also where there are more than n_names can tell */
};

struct task_criteria {
	__u32 flags; /* enum criteria_flag */
	__u32 n_names, n_files, n_uids, n_pidns, n_netns, n_mntns, n_cgroups;
	char name[CRITERIA_MAX][16];   /* literal beginning of a comm, or of the executable's own base name */
	__u32 name_len[CRITERIA_MAX];  /* bytes of it; 0: any */
	char file[CRITERIA_MAX][16];   /* the same of an executable that may not be there yet */
	__u32 file_len[CRITERIA_MAX];
	__u64 file_inode[CRITERIA_MAX]; /* of one that is; 0: none. User space looks at the device */
	__u32 uid[CRITERIA_MAX];
	__u32 pidns[CRITERIA_MAX], netns[CRITERIA_MAX], mntns[CRITERIA_MAX]; /* inode numbers */
};
