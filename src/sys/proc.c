/*
 * proc: single facts of a process, each from one read of one file (proc(5)). A file of /proc/PID can vanish between any
 * two calls: opening it then gives ENOENT, reading it ESRCH; both leave here as -ESRCH.
 */
#include "sys/proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/macro.h"

#define STATUS_BYTES 4096 /* /proc/PID/status is about 1.5 KiB, more with many supplementary groups; Uid comes before those */

DEFINE_CLEANUP(DIR *, closedir)

static void proc_path(char *ret, size_t size, pid_t pid, const char *name)
{
	snprintf(ret, size, "/proc/%d/%s", pid, name);
}

/* Reads a small file of the process; a longer one is cut. Returns its length. */
static ssize_t read_file(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	proc_path(path, sizeof(path), pid, name);
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	size_t len = 0;
	while (len < size - 1) {
		ssize_t n = read(fd, ret + len, size - 1 - len);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	ret[len] = '\0';
	return (ssize_t)len;
}

/* The name, the second field, may hold spaces and parentheses: count from its last ')'. */
int proc_stat_parse(const char *text, struct proc_stat *ret)
{
	const char *after_name = strrchr(text, ')');
	struct proc_stat f;
	if (!after_name || sscanf(after_name + 1,
	                          " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &f.state,
	                          &f.parent, &f.start_ticks) != 3)
		return -EIO;
	*ret = f;
	return 0;
}

static int read_stat(pid_t pid, struct proc_stat *ret)
{
	char text[1024];
	ssize_t n = read_file(pid, "stat", text, sizeof(text));
	return n < 0 ? (int)n : proc_stat_parse(text, ret);
}

bool proc_alive(pid_t pid)
{
	struct proc_stat f;
	return read_stat(pid, &f) == 0 && f.state != 'Z' && f.state != 'X';
}

/* A link of a living process that is not there (the exe of a kernel thread) is told from one that went with its process. */
static int missing(pid_t pid)
{
	return proc_alive(pid) ? -ENOENT : -ESRCH;
}

int proc_parent(pid_t pid, pid_t *ret)
{
	struct proc_stat f;
	int r = read_stat(pid, &f);
	if (r < 0)
		return r;
	*ret = f.parent;
	return 0;
}

int proc_start_time(pid_t pid, uint64_t *ret_ns)
{
	struct proc_stat f;
	int r = read_stat(pid, &f);
	if (r < 0)
		return r;
	*ret_ns = f.start_ticks * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

int proc_comm(pid_t pid, char ret[16])
{
	char text[64];
	ssize_t n = read_file(pid, "comm", text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	snprintf(ret, 16, "%.15s", text);
	return 0;
}

static bool cut_suffix(char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);
	if (len < suffix_len || !streq(text + len - suffix_len, suffix))
		return false;
	text[len - suffix_len] = '\0';
	return true;
}

int proc_exe(pid_t pid, char *ret, size_t size)
{
	char path[64], target[4096 + 16];
	proc_path(path, sizeof(path), pid, "exe");
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return errno == ENOENT ? missing(pid) : -errno;
	target[n] = '\0';
	cut_suffix(target, " (deleted)");
	if (strlen(target) >= size)
		return -ENAMETOOLONG;
	strcpy(ret, target);
	return 0;
}

/* "Uid: real effective saved filesystem" */
int proc_uid_parse(const char *text, uid_t *ret)
{
	const char *line = strstr(text, "\nUid:");
	uid_t effective;
	if (!line || sscanf(line, "\nUid: %*u %u", &effective) != 1)
		return -EIO;
	*ret = effective;
	return 0;
}

int proc_uid(pid_t pid, uid_t *ret)
{
	char text[STATUS_BYTES];
	ssize_t n = read_file(pid, "status", text, sizeof(text));
	return n < 0 ? (int)n : proc_uid_parse(text, ret);
}

int proc_namespace(pid_t pid, const char *kind, uint64_t *ret_inode)
{
	char name[32], path[64];
	struct stat st;
	snprintf(name, sizeof(name), "ns/%s", kind);
	proc_path(path, sizeof(path), pid, name);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? missing(pid) : -errno;
	*ret_inode = st.st_ino;
	return 0;
}

/* Lines are "id:controllers:path"; the unified hierarchy has id 0 and no controllers (cgroups(7)). */
char *proc_cgroup_parse(char *text)
{
	char *memory = NULL;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (streq(line, "0:"))
			return path;
		for (char *inner = NULL, *c = strtok_r(controllers + 1, ",", &inner); c; c = strtok_r(NULL, ",", &inner))
			if (streq(c, "memory"))
				memory = path;
	}
	return memory;
}

int proc_cgroup(pid_t pid, char *ret, size_t size)
{
	_cleanup_(free) char *text = xmalloc(16 * 4096);
	ssize_t n = read_file(pid, "cgroup", text, 16 * 4096);
	if (n < 0)
		return (int)n;
	char *path = proc_cgroup_parse(text);
	if (!path)
		return -ENOENT;
	cut_suffix(path, " (deleted)");
	if (strlen(path) >= size)
		return -ENAMETOOLONG;
	strcpy(ret, path);
	return 0;
}

/* Names that are numbers. A folder of /proc that goes while it is read ends early. */
static int list_numbers(const char *path, pid_t **ret, size_t *ret_n)
{
	_cleanup_(closedir) DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	_cleanup_(free) pid_t *items = NULL;
	size_t n = 0, cap = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		GROW(items, n, cap);
		items[n++] = (pid_t)strtol(d->d_name, NULL, 10);
	}
	if (n == 0)
		return -ESRCH;
	*ret = take_ptr(items);
	*ret_n = n;
	return 0;
}

int proc_threads(pid_t pid, pid_t **ret, size_t *ret_n)
{
	char path[64];
	proc_path(path, sizeof(path), pid, "task");
	return list_numbers(path, ret, ret_n);
}

int proc_all(pid_t **ret, size_t *ret_n)
{
	return list_numbers("/proc", ret, ret_n);
}

/* The process's CPU clock (clock_getcpuclockid(3)): exact, where stat counts ticks, and it includes threads that have ended. */
int proc_cpu_ns(pid_t pid, uint64_t *ret)
{
	clockid_t clock;
	struct timespec t;
	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return -ESRCH;
	*ret = (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
	return 0;
}
