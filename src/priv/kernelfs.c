#include "priv/kernelfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"

#define READ_MAX_BYTES (8u << 20)

static const char *const tracefs_usual[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing", NULL };
static const char *const securityfs_usual[] = { "/sys/kernel/security", NULL };

const struct kernelfs kernelfs_tracefs = { "tracefs", TRACEFS_MAGIC, tracefs_usual, "available_events" };
const struct kernelfs kernelfs_securityfs = { "securityfs", SECURITYFS_MAGIC, securityfs_usual, "lsm" };

static int open_usual(const struct kernelfs *fs, const char *path)
{
	struct statfs is;
	_cleanup_(fd_close) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &is) < 0)
		return -errno;
	if (is.f_type != fs->magic)
		return -ENOENT;
	_cleanup_(fd_close) int sample = openat(fd, fs->sample, O_RDONLY | O_CLOEXEC);
	return sample < 0 ? -errno : take_fd(fd);
}

static int open_detached(const struct kernelfs *fs)
{
	_cleanup_(fd_close) int ctx = fsopen(fs->name, FSOPEN_CLOEXEC);
	if (ctx < 0 || fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(ctx, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

int kernelfs_open(const struct kernelfs *fs, struct reason *why)
{
	int denied = 0;
	for (const char *const *path = fs->usual; *path; path++) {
		int fd = open_usual(fs, *path);
		if (fd >= 0)
			return fd;
		if (fd == -EACCES)
			denied = fd;
	}
	int fd = open_detached(fs);
	if (fd >= 0)
		return fd;
	if (fd == -ENODEV)
		return reason_set(why, fd, "this kernel has no %s", fs->name);
	if (denied)
		return reason_set(why, denied, "%s: %s: needs root or CAP_DAC_READ_SEARCH", *fs->usual, strerror(-denied));
	return reason_set(why, fd, "%s is not mounted at %s, and mounting it: %s (CAP_SYS_ADMIN may)", fs->name, *fs->usual,
			  strerror(-fd));
}

int kernelfs_read(int dirfd, const char *path, char **ret_text)
{
	_cleanup_(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	_cleanup_(free) char *text = NULL;
	size_t len = 0, cap = 0;
	for (;;) {
		if (cap - len < 4096) {
			cap = cap ? cap * 2 : 8192;
			text = xrealloc(text, cap);
		}
		ssize_t n = read(fd, text + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > READ_MAX_BYTES)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret_text = take_ptr(text);
	return 0;
}
