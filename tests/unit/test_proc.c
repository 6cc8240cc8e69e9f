#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "sys/proc_text.h"

#define GONE ((pid_t)(1 << 22)) /* the first that no kernel gives: PID_MAX_LIMIT, include/linux/threads.h */

/* A child of ours that runs @run, says "ready" by closing its end of the pipe, and waits for its end. */
struct child {
	pid_t pid;
};

static void child_done(struct child *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}
DEFINE_CLEANUP_IN_PLACE(struct child, child_done)

static struct child child_start(int (*run)(void *arg), void *arg)
{
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char ok = run(arg) == 0;
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* after run(): a change of the user id clears it */
		if (write(ready[1], &ok, 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	char ok = 0;
	close(ready[1]);
	assert_int_equal(read(ready[0], &ok, 1), 1);
	close(ready[0]);
	assert_int_equal(ok, 1);
	return (struct child){ pid };
}

static int nothing(void *arg)
{
	return 0;
}

/* First line of what a command prints. */
static char *ask(char *ret, size_t size, const char *fmt, ...) _printf_(3, 4);
static char *ask(char *ret, size_t size, const char *fmt, ...)
{
	char command[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	_cleanup_(pclose) FILE *f = popen(command, "re");
	assert_non_null(f);
	assert_non_null(fgets(ret, (int)size, f));
	ret[strcspn(ret, "\n")] = '\0';
	return ret;
}

static void name_parent_and_user_are_what_ps_says(void **state)
{
	_cleanup_(child_done) struct child c = child_start(nothing, NULL);
	char text[128], want[128], comm[16];
	pid_t parent;
	uid_t uid;
	assert_int_equal(proc_comm(c.pid, comm), 0);
	assert_int_equal(proc_parent(c.pid, &parent), 0);
	assert_int_equal(proc_uid(c.pid, &uid), 0);
	assert_int_equal(parent, getpid());
	snprintf(text, sizeof(text), "%s %d %u", comm, parent, uid);
	ask(want, sizeof(want), "ps -o comm=,ppid=,uid= -p %d | tr -s ' '", c.pid);
	assert_string_equal(text, want);
}

static int take_awkward_name_and_uid(void *arg)
{
	return prctl(PR_SET_NAME, "a) R 1 (\nb") || setresuid(0, 4711, 0);
}

static void a_name_with_parentheses_hides_nothing(void **state)
{
	if (getuid() != 0)
		skip();
	_cleanup_(child_done) struct child c = child_start(take_awkward_name_and_uid, NULL);
	char comm[16];
	pid_t parent;
	uid_t uid;
	assert_int_equal(proc_comm(c.pid, comm), 0);
	assert_string_equal(comm, "a) R 1 (\nb");
	assert_int_equal(proc_parent(c.pid, &parent), 0);
	assert_int_equal(parent, getpid());
	assert_int_equal(proc_uid(c.pid, &uid), 0);
	assert_int_equal(uid, 4711);
}

static void exe_is_what_readlink_says(void **state)
{
	char exe[4096], want[4096], small[4];
	assert_int_equal(proc_exe(getpid(), exe, sizeof(exe)), 0);
	assert_string_equal(exe, ask(want, sizeof(want), "readlink /proc/%d/exe", getpid()));
	assert_int_equal(proc_exe(getpid(), small, sizeof(small)), -ENAMETOOLONG);
}

static void the_end_of_a_process_is_esrch(void **state)
{
	_cleanup_(child_done) struct child c = child_start(nothing, NULL);
	char text[4096];
	uint64_t x;
	assert_true(proc_alive(c.pid));
	kill(c.pid, SIGKILL);
	siginfo_t si;
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &si, WEXITED | WNOWAIT), 0); /* a zombie now */
	assert_false(proc_alive(c.pid));
	_cleanup_(mappings_done) struct mappings m = {};
	assert_int_equal(proc_mappings(&m, c.pid), -ESRCH);
	assert_int_equal(proc_exe(c.pid, text, sizeof(text)), -ESRCH);
	assert_int_equal(proc_namespace(c.pid, "mnt", &x), -ESRCH);
	waitpid(c.pid, NULL, 0);
	c.pid = 0;
}

static void a_process_that_never_was_is_esrch(void **state)
{
	char text[16];
	pid_t pid, *pids;
	uid_t uid;
	uint64_t x;
	size_t n;
	_cleanup_(mappings_done) struct mappings m = {};
	struct mapping some = { .start = 4096, .end = 8192, .inode = 1, .path = (char []){ "/nowhere" } };
	assert_false(proc_alive(GONE));
	assert_int_equal(proc_comm(GONE, text), -ESRCH);
	assert_int_equal(proc_exe(GONE, text, sizeof(text)), -ESRCH);
	assert_int_equal(proc_parent(GONE, &pid), -ESRCH);
	assert_int_equal(proc_uid(GONE, &uid), -ESRCH);
	assert_int_equal(proc_namespace(GONE, "pid", &x), -ESRCH);
	assert_int_equal(proc_start_time(GONE, &x), -ESRCH);
	assert_int_equal(proc_threads(GONE, &pids, &n), -ESRCH);
	assert_int_equal(proc_cgroup(GONE, text, sizeof(text)), -ESRCH);
	assert_int_equal(proc_cpu_ns(GONE, &x), -ESRCH);
	assert_int_equal(proc_cpu_ns(0, &x), -ESRCH);
	assert_int_equal(proc_mappings(&m, GONE), -ESRCH);
	assert_int_equal(proc_open_mapping(GONE, &some), -ESRCH);
}

static void start_time_lies_between_our_clock_before_and_after(void **state)
{
	const uint64_t tick_ns = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t before = clock_ns(CLOCK_BOOTTIME), start;
	_cleanup_(child_done) struct child c = child_start(nothing, NULL);
	uint64_t after = clock_ns(CLOCK_BOOTTIME);
	assert_int_equal(proc_start_time(c.pid, &start), 0);
	assert_in_range(start, before - tick_ns, after);
}

static void cpu_time_is_what_getrusage_says(void **state)
{
	struct rusage u;
	uint64_t now, begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < 30 * NSEC_PER_MSEC)
		;
	assert_int_equal(proc_cpu_ns(getpid(), &now), 0);
	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	uint64_t used = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	                (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NSEC_PER_USEC;
	assert_in_range(now, used - 20 * NSEC_PER_MSEC, used);
}

static int spin(void *arg)
{
	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < 30 * NSEC_PER_MSEC)
		;
	return 0;
}

static void cpu_time_of_a_child_is_what_wait_says(void **state)
{
	struct child c = child_start(spin, NULL);
	uint64_t used;
	struct rusage u;
	siginfo_t si;
	kill(c.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &si, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_cpu_ns(c.pid, &used), 0);
	assert_int_equal(wait4(c.pid, NULL, 0, &u), c.pid);
	uint64_t want = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	                (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NSEC_PER_USEC;
	assert_in_range(used, want, want + 2 * NSEC_PER_USEC); /* microseconds, each cut */
	assert_in_range(used, 30 * NSEC_PER_MSEC, NSEC_PER_SEC);
}

static int unshare_all(void *arg)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET);
}

static void namespaces_are_what_readlink_says(void **state)
{
	if (getuid() != 0)
		skip();
	_cleanup_(child_done) struct child c = child_start(unshare_all, NULL);
	for (const char *const *kind = (const char *const[]){ "pid", "net", "mnt", NULL }; *kind; kind++) {
		uint64_t inode, own;
		char text[64], want[64];
		assert_int_equal(proc_namespace(c.pid, *kind, &inode), 0);
		assert_int_equal(proc_namespace(getpid(), *kind, &own), 0);
		snprintf(text, sizeof(text), "%s:[%lu]", *kind, (unsigned long)inode);
		assert_string_equal(text, ask(want, sizeof(want), "readlink /proc/%d/ns/%s", c.pid, *kind));
		assert_int_equal(inode == own, streq(*kind, "pid"));
	}
	uint64_t x;
	assert_int_equal(proc_namespace(c.pid, "nonsense", &x), -ENOENT);
}

static void cgroup_is_what_ps_says(void **state)
{
	char path[4096], all[8192], small[1], want[4200];
	assert_int_equal(proc_cgroup(getpid(), path, sizeof(path)), 0);
	ask(all, sizeof(all), "ps -ww -o cgroup= -p %d | tr , '\\n' | grep '::' || echo none", getpid());
	snprintf(want, sizeof(want), "0::%s", path);
	assert_true(streq(all, "none") || streq(all, want));
	assert_int_equal(proc_cgroup(getpid(), small, sizeof(small)), -ENAMETOOLONG);
}

/* Empty: no unified hierarchy is mounted. */
static char *unified_root(char *ret, size_t size)
{
	return ask(ret, size, "awk '$3 == \"cgroup2\" {print $2; exit}' /proc/self/mounts; echo");
}

static void the_unified_cgroup_comes_before_the_controllers(void **state)
{
	char root[4096], dir[4200], procs[4300], path[4096];
	snprintf(dir, sizeof(dir), "%s/utrace-test-%d", unified_root(root, sizeof(root)), getpid());
	if (!root[0] || mkdir(dir, 0755) < 0)
		skip();
	struct child c = child_start(nothing, NULL);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", dir);
	FILE *f = fopen(procs, "we");
	int moved = f && fprintf(f, "%d", c.pid) > 0 && fflush(f) == 0;
	if (f)
		fclose(f);
	int r = proc_cgroup(c.pid, path, sizeof(path));
	child_done(&c);
	assert_int_equal(rmdir(dir), 0);
	assert_true(moved);
	assert_int_equal(r, 0);
	assert_string_equal(path, dir + strlen(root));
}

static void *wait_for_end(void *fd)
{
	poll(&(struct pollfd){ .fd = *(int *)fd }, 1, -1); /* hang-up alone */
	return NULL;
}

static void threads_are_those_of_ps(void **state)
{
	int fds[2];
	pthread_t t[3];
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, wait_for_end, &fds[0]), 0);
	_cleanup_(free) pid_t *tids = NULL;
	size_t n = 0;
	char count[32];
	assert_int_equal(proc_threads(getpid(), &tids, &n), 0);
	ask(count, sizeof(count), "ps -L -o lwp= -p %d | wc -l", getpid());
	assert_int_equal(n, atoi(count));
	assert_true(n >= 4);
	assert_int_equal(tids[0], getpid());
	close(fds[1]);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	close(fds[0]);
}

static void all_processes_include_us_and_our_child(void **state)
{
	_cleanup_(child_done) struct child c = child_start(nothing, NULL);
	_cleanup_(free) pid_t *pids = NULL;
	size_t n = 0, seen = 0;
	assert_int_equal(proc_all(&pids, &n), 0);
	for (size_t i = 0; i < n; i++)
		seen += pids[i] == getpid() || pids[i] == c.pid;
	assert_int_equal(seen, 2);
}

/* awk reads the same file by other means: executable mappings of files, "start-end offset inode path". */
static void mappings_are_the_executable_files_of_maps(void **state)
{
	_cleanup_(mappings_done) struct mappings m = {};
	assert_int_equal(proc_mappings(&m, getpid()), 0);
	assert_true(m.n >= 3); /* this program, libc, ld.so */
	char command[128], line[4400], want[4400];
	snprintf(command, sizeof(command), "awk '$2 ~ /x/ && $6 ~ /^\\// {print $1,$3,$4,$5,$6}' /proc/%d/maps", getpid());
	_cleanup_(pclose) FILE *f = popen(command, "re");
	for (size_t i = 0; i < m.n; i++) {
		const struct mapping *x = &m.items[i];
		assert_non_null(fgets(want, sizeof(want), f));
		snprintf(line, sizeof(line), "%lx-%lx %08lx %02x:%02x %lu %s\n", (unsigned long)x->start, (unsigned long)x->end,
		         (unsigned long)x->offset, (unsigned)(x->dev >> 20), (unsigned)(x->dev & 0xfffff), (unsigned long)x->inode,
		         x->path);
		assert_string_equal(line, want);
		struct stat st;
		assert_int_equal(stat(x->path, &st), 0);
		assert_int_equal(st.st_ino, x->inode);
		assert_false(x->deleted);
	}
	assert_null(fgets(want, sizeof(want), f));
}

/* A process may map what it likes, by the longest names that there are: what is kept of it is bounded, and it is said. */
static void what_is_kept_of_mappings_is_bounded(void **state)
{
	static const struct {
		size_t name_len, lines, kept;
	} cases[] = {
		{ 10, MAPPINGS_MAX, MAPPINGS_MAX },
		{ 10, MAPPINGS_MAX + 100, MAPPINGS_MAX },
		{ 4095, 10000, MAPPINGS_PATHS_MAX_BYTES / 4096 },
	};
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		_cleanup_(strbuf_done) struct strbuf line = {}, maps = {};
		_cleanup_(mappings_done) struct mappings m = {};
		strbuf_adds(&line, "1000-2000 r-xp 00000000 fd:01 7 /");
		strbuf_pad(&line, 'x', cases[c].name_len - 1);
		strbuf_addc(&line, '\n');
		for (size_t i = 0; i < cases[c].lines; i++)
			strbuf_add_slice(&maps, strbuf_slice(&line));
		mappings_parse(&m, strbuf_slice(&maps));
		assert_int_equal(m.n, cases[c].kept);
		assert_int_equal(m.cut, cases[c].kept < cases[c].lines);
		assert_int_equal(strlen(m.items[m.n - 1].path), cases[c].name_len);
	}
}

static void five_thousand_mappings_are_all_seen(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 5000;
	_cleanup_(fd_close) int fd = memfd_create("many", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)(page * pages)), 0);
	char *base = mmap(NULL, page * pages, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(base, MAP_FAILED);
	for (size_t i = 0; i < pages; i += 2)
		assert_int_equal(mprotect(base + i * page, page, PROT_READ | PROT_EXEC), 0);
	_cleanup_(mappings_done) struct mappings m = {};
	uint64_t begin = clock_monotonic_ns();
	assert_int_equal(proc_mappings(&m, getpid()), 0);
	print_message("5,000 mappings: %lu us\n", (unsigned long)((clock_monotonic_ns() - begin) / 1000));
	size_t seen = 0;
	for (size_t i = 0; i < m.n; i++)
		seen += streq(m.items[i].path, "/memfd:many") && m.items[i].deleted && m.items[i].end - m.items[i].start == page;
	assert_int_equal(seen, pages / 2);
	munmap(base, page * pages);
}

/* A library of the process's own: in a file system that only it mounts, under a name with a newline, perhaps deleted. */
struct library {
	bool unmounted_here, chrooted, deleted;
};

static char dir[] = "/tmp/utrace-test-proc-XXXXXX";

/*
 * Mounts of the process's own, none of which anybody else sees. In a chroot "/" may be no mount and cannot be made private by
 * that name: setns(2) sets the root to the namespace's own for so long.
 */
static int mounts_apart(void)
{
	if (unshare(CLONE_NEWNS))
		return -1;
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ns < 0 || root < 0 || setns(ns, CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return fchdir(root) || chroot(".");
}

static int map_library(void *arg)
{
	const struct library *l = arg;
	if (l->unmounted_here && (mounts_apart() || mount("tmpfs", dir, "tmpfs", 0, NULL)))
		return -1;
	if (chdir(dir) || (l->chrooted && chroot(dir)))
		return -1;
	int fd = open("lib\n.so", O_RDWR | O_CREAT | O_TRUNC, 0755);
	if (fd < 0 || write(fd, "machine code", 12) != 12)
		return -1;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return -1;
	return l->deleted ? unlink("lib\n.so") : 0;
}

static const struct mapping *library_of(const struct mappings *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (strstr(m->items[i].path, "lib\n.so"))
			return &m->items[i];
	fail_msg("the library is not among the mappings");
	return NULL;
}

static void check_content(int fd)
{
	char text[32] = "";
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 12);
	assert_string_equal(text, "machine code");
	close(fd);
}

/* Are we in a chroot into a plain folder? There "/" is no mount. */
static bool in_chroot(void)
{
	struct statx s;
	return statx(AT_FDCWD, "/", 0, 0, &s) == 0 && !(s.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static void the_file_of_a_mapping_is_opened_wherever_it_lies(void **state)
{
	static struct library cases[] = {
		{ .unmounted_here = false },
		{ .deleted = true },
		{ .chrooted = true },
		{ .unmounted_here = true },
		{ .unmounted_here = true, .deleted = true },
		{ .unmounted_here = true, .chrooted = true },
	};
	if (getuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(child_done) struct child c = child_start(map_library, &cases[i]);
		_cleanup_(mappings_done) struct mappings m = {};
		assert_int_equal(proc_mappings(&m, c.pid), 0);
		struct mapping lib = *library_of(&m);
		assert_int_equal(lib.deleted, cases[i].deleted);
		check_content(proc_open_mapping(c.pid, &lib));
		lib.end += 4096; /* as when the mapping has changed since: found by its path, unless that is told from above its root */
		if (!lib.deleted && !(cases[i].unmounted_here && (cases[i].chrooted || in_chroot())))
			check_content(proc_open_mapping(c.pid, &lib));
		lib.inode++;
		int r = proc_open_mapping(c.pid, &lib);
		assert_true(r == -ESTALE || r == -ENOENT);
	}
	char path[64];
	snprintf(path, sizeof(path), "%s/lib\n.so", dir);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_parent_and_user_are_what_ps_says),
		cmocka_unit_test(a_name_with_parentheses_hides_nothing),
		cmocka_unit_test(exe_is_what_readlink_says),
		cmocka_unit_test(the_end_of_a_process_is_esrch),
		cmocka_unit_test(a_process_that_never_was_is_esrch),
		cmocka_unit_test(start_time_lies_between_our_clock_before_and_after),
		cmocka_unit_test(cpu_time_is_what_getrusage_says),
		cmocka_unit_test(cpu_time_of_a_child_is_what_wait_says),
		cmocka_unit_test(namespaces_are_what_readlink_says),
		cmocka_unit_test(cgroup_is_what_ps_says),
		cmocka_unit_test(the_unified_cgroup_comes_before_the_controllers),
		cmocka_unit_test(threads_are_those_of_ps),
		cmocka_unit_test(all_processes_include_us_and_our_child),
		cmocka_unit_test(mappings_are_the_executable_files_of_maps),
		cmocka_unit_test(what_is_kept_of_mappings_is_bounded),
		cmocka_unit_test(five_thousand_mappings_are_all_seen),
		cmocka_unit_test(the_file_of_a_mapping_is_opened_wherever_it_lies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
