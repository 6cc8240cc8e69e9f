/*
 * kernelfs: a file system of the kernel (tracefs, securityfs), read-only, whether or not somebody mounted it.
 *
 * Containers and small machines often do not mount these. A mount that is attached nowhere (fsopen, fsmount; Linux 5.2)
 * shows the same files through its descriptor, is seen by no other process, and goes when the descriptor is closed.
 */
#pragma once

#include "base/reason.h"

struct kernelfs {
	const char *name;           /* as in /proc/filesystems */
	long magic;                 /* statfs.f_type, linux/magic.h */
	const char *const *usual;   /* where it is mounted as a rule; ends with NULL */
	const char *sample;         /* what is there for anyone who may read it */
};

extern const struct kernelfs kernelfs_tracefs, kernelfs_securityfs;

/*
 * A directory descriptor of the root of @fs for openat(); the caller closes it. Takes the usual mount when its files can
 * be reached there, else mounts detached. -errno and @why otherwise: -ENODEV when the kernel does not have it.
 */
int kernelfs_open(const struct kernelfs *fs, struct reason *why);

/* All of a file below @dirfd (AT_FDCWD: a path) as text into *@ret_text, NUL-terminated, which the caller frees. At most 8 MiB: -EFBIG. */
int kernelfs_read(int dirfd, const char *path, char **ret_text);
