/* target.abi.h: one traced process, as the kernel keeps it. */
#pragma once

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define TARGETS_MAX 16384

enum target_flag {
	TARGET_FOLLOW = 1 << 0, /* its children are targets */
	TARGET_HELD = 1 << 1,   /* we started it: it is under ptrace, and stopped when it maps a library */
};

struct target {
	__u32 flags; /* enum target_flag */
	__u32 slot;  /* its process' number in user space; a child has its parent's until user space has seen it */
};
_Static_assert(sizeof(struct target) == 8, "layout");
