/*
 * mappings: the executable mappings of files in /proc/PID/maps, and the files behind them.
 *
 * The path that maps shows is found from *our* root: of a process in a chroot of our mount namespace it is the path
 * outside, of one in another mount namespace the path inside. And the file there may be another one by now. So a file is
 * opened by /proc/PID/map_files, which leads to the very file that is mapped (it needs CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE, and the mapping as it was), else by either path, if the file found there has the right inode.
 * Device numbers are not compared: btrfs and overlayfs tell stat() another one than maps.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sys/proc.h"

#define DELETED " (deleted)"

void mappings_done(struct mappings *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->items[i].path);
	free(m->items);
	*m = (struct mappings){};
}

/* Reads to the end; the kernel gives about a page a read, whatever is asked for. */
static int read_whole(int fd, char **ret, size_t *ret_len)
{
	_cleanup_(free) char *text = NULL;
	size_t len = 0, cap = 0;
	for (;;) {
		if (cap - len < 4096) {
			cap = cap ? cap * 2 : 64u * 1024;
			text = xrealloc(text, cap);
		}
		ssize_t n = read(fd, text + len, cap - len);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

/* Reads a number of the base, and the one byte behind it. */
static uint64_t read_number(const char **at, const char *end, unsigned base)
{
	uint64_t x = 0;
	for (; *at < end; (*at)++) {
		unsigned char c = (unsigned char)**at;
		unsigned digit = c <= '9' ? c - '0' : c >= 'a' ? c - 'a' + 10u : base;
		if (digit >= base)
			break;
		x = x * base + digit;
	}
	if (*at < end)
		(*at)++;
	return x;
}

/* A newline in a path is written as \012 (kernel: fs/seq_file.c, mangle_path). */
static char *read_path(const char *at, const char *end)
{
	char *path = xmalloc((size_t)(end - at) + 1), *out = path;
	while (at < end) {
		bool newline = end - at >= 4 && memcmp(at, "\\012", 4) == 0;
		*out++ = newline ? '\n' : *at;
		at += newline ? 4 : 1;
	}
	*out = '\0';
	return path;
}

/* "start-end perms offset major:minor inode   path". False for what is not an executable mapping of a file. */
static bool parse_line(const char *at, const char *end, struct mapping *ret)
{
	struct mapping m = {};
	m.start = read_number(&at, end, 16);
	m.end = read_number(&at, end, 16);
	if (end - at < 5 || at[2] != 'x')
		return false;
	at += 5;
	m.offset = read_number(&at, end, 16);
	m.dev = read_number(&at, end, 16) << 20;
	m.dev |= read_number(&at, end, 16);
	m.inode = read_number(&at, end, 10);
	while (at < end && *at == ' ')
		at++;
	if (m.inode == 0 || at == end || *at != '/')
		return false;
	size_t len = (size_t)(end - at), suffix = sizeof(DELETED) - 1;
	m.deleted = len > suffix && memcmp(end - suffix, DELETED, suffix) == 0;
	m.path = read_path(at, m.deleted ? end - suffix : end);
	*ret = m;
	return true;
}

static void parse_maps(struct mappings *m, const char *text, size_t len)
{
	for (const char *at = text, *end = text + len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		struct mapping item;
		if (parse_line(at, line_end, &item)) {
			GROW(m->items, m->n, m->cap);
			m->items[m->n++] = item;
		}
		at = line_end + 1;
	}
}

int proc_mappings(struct mappings *ret, pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	_cleanup_(free) char *text = NULL;
	size_t len = 0;
	int r = read_whole(fd, &text, &len);
	if (r < 0)
		return r;
	if (len == 0 && !proc_alive(pid)) /* a zombie has an empty file, as has a kernel thread */
		return -ESRCH;
	struct mappings m = {};
	parse_maps(&m, text, len);
	*ret = m;
	return 0;
}

/* -ESTALE: there is a file, but another one. Looked at before it is opened: the process may have put a device there. */
static int open_if_same(const char *path, uint64_t inode)
{
	_cleanup_(fd_close) int handle = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (handle < 0 || fstat(handle, &st) < 0)
		return -errno;
	if (st.st_ino != inode || !S_ISREG(st.st_mode))
		return -ESTALE;
	char again[64];
	snprintf(again, sizeof(again), "/proc/self/fd/%d", handle);
	int fd = open(again, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int proc_open_mapping(pid_t pid, const struct mapping *m)
{
	char by_range[96];
	snprintf(by_range, sizeof(by_range), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m->start, m->end);
	int fd = open_if_same(by_range, m->inode);
	if (fd >= 0)
		return fd;
	_cleanup_(free) char *inside = xasprintf("/proc/%d/root%s", pid, m->path);
	fd = open_if_same(inside, m->inode);
	if (fd >= 0)
		return fd;
	int outside = open_if_same(m->path, m->inode);
	if (outside >= 0)
		return outside;
	return proc_alive(pid) ? fd : -ESRCH;
}
