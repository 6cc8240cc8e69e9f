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
#include "sys/proc_text.h"

#define DELETED " (deleted)"
#define READ_BYTES (64u << 10) /* a line is at most a path of PATH_MAX, each byte written as four */

void mappings_done(struct mappings *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->items[i].path);
	free(m->items);
	*m = (struct mappings){};
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

/* A process that maps more than anybody does is hostile, or our table is too small: its first mappings are kept. */
static void add_mapping(struct mappings *m, struct mapping *item)
{
	size_t bytes = strlen(item->path) + 1;
	if (m->n >= MAPPINGS_MAX || bytes > MAPPINGS_PATHS_MAX_BYTES - m->path_bytes) {
		m->cut = true;
		free(item->path);
		return;
	}
	m->path_bytes += bytes;
	GROW(m->items, m->n, m->cap);
	m->items[m->n++] = *item;
}

void mappings_parse(struct mappings *m, struct slice text)
{
	for (const char *at = text.data, *end = text.data + text.len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		struct mapping item;
		if (parse_line(at, line_end, &item))
			add_mapping(m, &item);
		at = newline ? newline + 1 : end;
	}
}

/* Takes the whole lines off the front of @buf; what is left of it is the beginning of a line. */
static void take_lines(struct mappings *m, char *buf, size_t *len)
{
	const char *last = memrchr(buf, '\n', *len);
	size_t whole = last ? (size_t)(last - buf) + 1 : 0;
	mappings_parse(m, (struct slice){ buf, whole });
	*len -= whole;
	memmove(buf, buf + whole, *len);
}

/* The kernel gives about a page a read, whatever is asked for. *@ret_any: there was something to read. */
static int read_maps(struct mappings *m, int fd, bool *ret_any)
{
	_cleanup_(free) char *buf = xmalloc(READ_BYTES);
	size_t len = 0;
	for (;;) {
		ssize_t n = read(fd, buf + len, READ_BYTES - len);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*ret_any = true;
		len += (size_t)n;
		take_lines(m, buf, &len);
		if (len == READ_BYTES)
			return -EIO;
	}
	mappings_parse(m, (struct slice){ buf, len });
	return 0;
}

int proc_mappings(struct mappings *ret, pid_t pid)
{
	_cleanup_(mappings_done) struct mappings m = {};
	char path[64];
	bool any = false;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	int r = read_maps(&m, fd, &any);
	if (r < 0)
		return r;
	if (!any && !proc_alive(pid)) /* a zombie has an empty file, as has a kernel thread */
		return -ESRCH;
	*ret = m;
	m = (struct mappings){};
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
