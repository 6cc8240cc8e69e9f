#include "engine/targets.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sys/proc.h"

/* A number above the largest pid (kernel: PID_MAX_LIMIT, 4 Mi) is an inode of a namespace, below it is a pid's. */
#define PID_LIMIT (4u * 1024 * 1024)

static int resolve_namespaces(const struct number_list *list, const char *kind, uint32_t *ret, uint32_t *ret_n, struct reason *why)
{
	if (list->n > CRITERIA_MAX)
		return reason_set(why, -EINVAL, "at most %d values of --%sns are possible", CRITERIA_MAX, kind);
	for (size_t i = 0; i < list->n; i++) {
		uint64_t number = list->items[i];
		if (number <= PID_LIMIT && proc_namespace((pid_t)number, kind, &number) < 0)
			return reason_set(why, -ENOENT, "no process %llu whose %s namespace could be meant", (unsigned long long)number, kind);
		ret[i] = (uint32_t)number;
	}
	*ret_n = (uint32_t)list->n;
	return 0;
}

/* Reads /etc/passwd itself: a static binary has no name service. */
static int find_user(const char *name, uint64_t *ret_uid)
{
	_cleanup_(fclose) FILE *f = fopen("/etc/passwd", "re");
	for (struct passwd *pw; f && (pw = fgetpwent(f));) {
		if (!streq(pw->pw_name, name))
			continue;
		*ret_uid = pw->pw_uid;
		return 0;
	}
	return -ENOENT;
}

static int resolve_users(struct targets *t, struct reason *why)
{
	const struct text_list *list = &t->options->users;
	if (list->n > CRITERIA_MAX)
		return reason_set(why, -EINVAL, "at most %d values of -u are possible", CRITERIA_MAX);
	for (size_t i = 0; i < list->n; i++) {
		uint64_t uid;
		if (find_user(list->items[i], &uid) < 0 && parse_number(list->items[i], &uid) < 0)
			return reason_set(why, -ENOENT, "no user '%s' in /etc/passwd (users of a directory service: give the uid)", list->items[i]);
		t->criteria.uid[i] = (uint32_t)uid;
	}
	t->criteria.n_uids = (uint32_t)list->n;
	return 0;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;
	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The part of the path below the hierarchy's mount point, which is where its parent is none. */
static char *below_mount(const char *full)
{
	_cleanup_(free) char *root = xstrdup(full);
	for (char *slash; (slash = strrchr(root, '/')); *slash = '\0') {
		_cleanup_(free) char *parent = xstrndup(root, (size_t)(slash - root));
		if (!is_cgroup2(parent))
			break;
	}
	return xstrdup(full + strlen(root));
}

/* As a path of the file system, or from the root of the hierarchy. */
static int open_cgroup(const char *path, char **ret_below)
{
	static const char *const roots[] = { "", "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		char full[PATH_MAX], real[PATH_MAX];
		if (i == 0 && *path != '/')
			continue;
		snprintf(full, sizeof(full), "%s%s%s", roots[i], *path == '/' ? "" : "/", path);
		if (!realpath(full, real) || !is_cgroup2(real))
			continue;
		int fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		*ret_below = below_mount(real);
		return fd;
	}
	return -ENOENT;
}

static int resolve_cgroups(struct targets *t, struct reason *why)
{
	const struct text_list *list = &t->options->cgroups;
	if (list->n > CRITERIA_MAX)
		return reason_set(why, -EINVAL, "at most %d values of --cgroup are possible", CRITERIA_MAX);
	for (size_t i = 0; i < list->n; i++) {
		t->cgroup_fds[i] = open_cgroup(list->items[i], &t->cgroups[i]);
		if (t->cgroup_fds[i] < 0)
			return reason_set(why, -ENOENT, "no cgroup '%s' in the hierarchy of version 2 (below /sys/fs/cgroup)", list->items[i]);
	}
	t->criteria.n_cgroups = (uint32_t)list->n;
	return 0;
}

/* The kernel compares the literal beginning of a name; 15 bytes of it, as comm holds. */
static uint32_t literal_beginning(const char *glob, char ret[16])
{
	size_t len = MIN(strcspn(glob, "*?[\\"), 15ul);
	memcpy(ret, glob, len);
	return (uint32_t)len;
}

/* What is too much to tell apart in the kernel passes there: user space decides. */
static void resolve_names(struct targets *t)
{
	struct task_criteria *c = &t->criteria;
	const struct text_list *names = &t->options->names, *files = &t->options->executables;
	for (size_t i = 0; i < names->n && names->n <= CRITERIA_MAX; i++)
		c->name_len[c->n_names++] = literal_beginning(names->items[i], c->name[i]);
	for (size_t i = 0; i < files->n && files->n <= CRITERIA_MAX; i++) {
		const char *slash = strrchr(files->items[i], '/');
		struct stat st;
		c->file_inode[i] = stat(files->items[i], &st) == 0 ? st.st_ino : 0;
		c->file_len[c->n_files++] = literal_beginning(slash ? slash + 1 : files->items[i], c->file[i]);
	}
}

int targets_init(struct targets *t, const struct options *o, struct reason *why)
{
	*t = (struct targets){ .options = o };
	for (size_t i = 0; i < CRITERIA_MAX; i++)
		t->cgroup_fds[i] = -1;
	int r = resolve_users(t, why);
	if (r == 0)
		r = resolve_cgroups(t, why);
	if (r == 0)
		r = resolve_namespaces(&o->pidns, "pid", t->criteria.pidns, &t->criteria.n_pidns, why);
	if (r == 0)
		r = resolve_namespaces(&o->netns, "net", t->criteria.netns, &t->criteria.n_netns, why);
	if (r == 0)
		r = resolve_namespaces(&o->mntns, "mnt", t->criteria.mntns, &t->criteria.n_mntns, why);
	if (r < 0)
		return r;
	resolve_names(t);
	t->by_kind = o->names.n || o->executables.n || o->users.n || o->cgroups.n || o->pidns.n || o->netns.n || o->mntns.n;
	t->picks_up = (t->by_kind || o->all) && o->pids.n == 0;
	if (t->picks_up)
		t->criteria.flags = CRITERIA_ENABLED | (o->names.n ? CRITERIA_BY_NAME : 0);
	return 0;
}

void targets_done(struct targets *t)
{
	for (size_t i = 0; i < CRITERIA_MAX; i++) {
		if (t->cgroup_fds[i] > 2)
			close(t->cgroup_fds[i]);
		free(t->cgroups[i]);
	}
}

static bool name_matches(const struct text_list *globs, const char *comm, const char *exe)
{
	const char *slash = strrchr(exe, '/');
	const char *base = slash ? slash + 1 : exe;
	for (size_t i = 0; i < globs->n; i++)
		if (fnmatch(globs->items[i], comm, 0) == 0 || fnmatch(globs->items[i], base, 0) == 0)
			return true;
	return globs->n == 0;
}

/* By inode, so that links and other mount namespaces do not matter; by path for a file that is not here. */
static bool exe_matches(const struct text_list *paths, pid_t pid, const char *exe)
{
	char link[64];
	struct stat a, b;
	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	bool have = stat(link, &a) == 0;
	for (size_t i = 0; i < paths->n; i++) {
		if (streq(paths->items[i], exe))
			return true;
		if (have && stat(paths->items[i], &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return true;
	}
	return paths->n == 0;
}

static bool one_of(const uint32_t *values, uint32_t n, uint64_t value)
{
	for (uint32_t i = 0; i < n; i++)
		if (values[i] == value)
			return true;
	return n == 0;
}

static bool namespace_matches(pid_t pid, const char *kind, const uint32_t *values, uint32_t n)
{
	uint64_t inode;
	return n == 0 || (proc_namespace(pid, kind, &inode) == 0 && one_of(values, n, inode));
}

/* A process is in a cgroup when it is in that one or in one below it. */
static bool cgroup_matches(const struct targets *t, pid_t pid)
{
	if (t->criteria.n_cgroups == 0)
		return true;
	char path[PATH_MAX];
	if (proc_cgroup(pid, path, sizeof(path)) < 0)
		return false;
	for (uint32_t i = 0; i < t->criteria.n_cgroups; i++) {
		size_t len = strlen(t->cgroups[i]);
		if (strncmp(path, t->cgroups[i], len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

static bool pid_matches(const struct number_list *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if (pids->items[i] == (uint64_t)pid)
			return true;
	return pids->n == 0;
}

bool targets_match(const struct targets *t, pid_t pid, const char *comm)
{
	const struct options *o = t->options;
	char comm_now[16], exe[4096] = "";
	bool later = comm;
	uid_t uid;
	if (pid == getpid() || proc_comm(pid, comm_now) < 0)
		return false;
	comm = later ? comm : comm_now;
	if (proc_exe(pid, exe, sizeof(exe)) < 0 && o->pids.n == 0)
		return false; /* a kernel thread, or gone */
	if (later ? o->pids.n > 0 : !pid_matches(&o->pids, pid))
		return false;
	if (!name_matches(&o->names, comm, exe) || !exe_matches(&o->executables, pid, exe) || !cgroup_matches(t, pid))
		return false;
	if (t->criteria.n_uids && (proc_uid(pid, &uid) < 0 || !one_of(t->criteria.uid, t->criteria.n_uids, uid)))
		return false;
	return namespace_matches(pid, "pid", t->criteria.pidns, t->criteria.n_pidns) &&
	       namespace_matches(pid, "net", t->criteria.netns, t->criteria.n_netns) &&
	       namespace_matches(pid, "mnt", t->criteria.mntns, t->criteria.n_mntns);
}
