/*
 * calls: makes system calls of many kinds, always the same ones, so that two tracers can be compared on it. What it does
 * makes little sense; many calls fail on purpose, because a failed call too has arguments. Works in an empty folder.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buffer[65536];

static void files(void)
{
	char bytes[300] = "text\twith \"quotes\" and \\ and \1\0017\377";
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	write(fd, bytes, sizeof(bytes));
	write(fd, "", 0);
	pwrite(fd, "x", 1, 1000);
	lseek(fd, 0, SEEK_SET);
	read(fd, buffer, 10);
	read(fd, buffer, sizeof(buffer));
	read(fd, buffer, sizeof(buffer));
	pread(fd, buffer, 5, 3);
	struct iovec iov[3] = { { buffer, 4 }, { buffer + 100, 8 }, { buffer + 200, 0 } };
	preadv(fd, iov, 3, 0);
	lseek(fd, 0, SEEK_END);
	writev(fd, iov, 3);
	struct stat st;
	fstat(fd, &st);
	stat("/dev/null", &st);
	lstat("missing", &st);
	struct statx sx;
	statx(AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx);
	struct statfs sf;
	statfs("/proc", &sf);
	ftruncate(fd, 10);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	fsync(fd);
	flock(fd, LOCK_EX | LOCK_NB);
	struct flock lock = { .l_type = F_WRLCK, .l_start = 1, .l_len = 2 };
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_GETLK, &lock);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, 0);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
	close(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	fsetxattr(fd, "user.name", "value", 5, XATTR_CREATE);
	fgetxattr(fd, "user.name", buffer, 100);
	getxattr("file", "user.none", buffer, 100);
	listxattr("file", buffer, 100);
	int in = open("/etc/passwd", O_RDONLY);
	off_t offset = 3;
	sendfile(fd, in, &offset, 20);
	copy_file_range(in, NULL, fd, NULL, 10, 0);
	ioctl(fd, FIONREAD, buffer);
	ioctl(fd, TCGETS, buffer);
	close(in);
	close(fd);
	close(fd);
}

static void names(void)
{
	struct timespec times[2] = { { 1000000000, 5 }, { 0, UTIME_OMIT } };
	mkdir("folder", 0755);
	rename("file", "folder/renamed");
	link("folder/renamed", "hard");
	symlink("folder/renamed", "soft");
	readlink("soft", buffer, sizeof(buffer));
	readlink("soft", buffer, 3);
	chmod("hard", 04755);
	chown("hard", -1, 0);
	access("soft", R_OK | W_OK);
	faccessat(AT_FDCWD, "none", F_OK, 0);
	utimensat(AT_FDCWD, "hard", times, 0);
	truncate("hard", 5);
	mknod("pipe", S_IFIFO | 0600, 0);
	renameat2(AT_FDCWD, "pipe", AT_FDCWD, "hard", RENAME_NOREPLACE);
	getcwd(buffer, sizeof(buffer));
	umask(022);
	int fd = open("folder", O_RDONLY | O_DIRECTORY);
	syscall(SYS_getdents64, fd, buffer, 32768);
	syscall(SYS_getdents64, fd, buffer, 32768);
	unlinkat(fd, "renamed", 0);
	fchdir(fd);
	chdir("..");
	unlink("hard");
	unlink("soft");
	unlink("pipe");
	unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR);
	int watcher = inotify_init1(IN_CLOEXEC);
	inotify_rm_watch(watcher, inotify_add_watch(watcher, ".", IN_MODIFY | IN_CREATE));
}

static void memory(void)
{
	char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mprotect(p, 4096, PROT_NONE);
	madvise(p + 4096, 4096, MADV_DONTNEED);
	madvise(p + 4096, 4096, 77);
	p = mremap(p, 16384, 32768, MREMAP_MAYMOVE);
	msync(p, 4096, MS_ASYNC);
	mlock(p + 4096, 4096);
	munlock(p + 4096, 4096);
	munmap(p, 32768);
	close(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	mmap(NULL, 0, PROT_READ, MAP_SHARED, -1, 4096);
}

static void addresses(void)
{
	struct sockaddr_in in = { AF_INET, htons(80), { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { AF_INET6, htons(443), 0, IN6ADDR_LOOPBACK_INIT, 0 };
	struct sockaddr_un un = { AF_UNIX, "/missing/socket" }, hidden = { AF_UNIX, "\0hidden" };
	struct { unsigned short family, pad; unsigned pid, groups; } nl = { AF_NETLINK, 0, 0, 1 };
	connect(-1, (void *)&in, sizeof(in));
	connect(-1, (void *)&in6, sizeof(in6));
	connect(-1, (void *)&un, sizeof(un));
	connect(-1, (void *)&hidden, 9);
	bind(-1, (void *)&nl, sizeof(nl));
	connect(-1, (void *)&in, 5);
	connect(-1, NULL, 0);
	close(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP));
	close(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
	close(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	socket(99, 77, 5);
}

static void options(int fd)
{
	int one = 1;
	struct linger linger = { 1, 5 };
	struct timeval timeout = { 2, 0 };
	char name[] = "cubic";
	socklen_t len = sizeof(one);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, 5);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &one, &len);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &len);
	getsockopt(fd, SOL_SOCKET, 999, &one, &len);
}

static void connections(void)
{
	struct sockaddr_in addr = { AF_INET, 0, { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), client = socket(AF_INET, SOCK_STREAM, 0);
	options(listener);
	bind(listener, (void *)&addr, sizeof(addr));
	listen(listener, 128);
	getsockname(listener, (void *)&addr, &len);
	connect(client, (void *)&addr, sizeof(addr));
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);
	int server = accept4(listener, (void *)&peer, &peer_len, SOCK_CLOEXEC);
	getpeername(server, (void *)&peer, &peer_len);
	send(client, "request\r\n", 9, MSG_NOSIGNAL);
	recv(server, buffer, 100, 0);
	recv(server, buffer, 100, MSG_DONTWAIT);
	struct iovec iov[2] = { { "one", 3 }, { "three", 5 } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	sendmsg(server, &message, MSG_MORE);
	shutdown(server, SHUT_WR);
	recvfrom(client, buffer, 3, 0, (void *)&peer, &peer_len);
	close(server);
	close(client);
	close(listener);
}

static void messages(void)
{
	int pair[2];
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, received[64];
	struct iovec out = { "payload", 7 }, in = { buffer, 100 };
	struct msghdr message = { .msg_iov = &out, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(sizeof(int)) };
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[0], sizeof(int));
	sendmsg(pair[0], &message, 0);
	struct msghdr got = { .msg_iov = &in, .msg_iovlen = 1, .msg_control = received, .msg_controllen = sizeof(received) };
	recvmsg(pair[1], &got, 0);
	recvmsg(pair[1], &got, MSG_DONTWAIT);
	message.msg_controllen = 0;
	struct mmsghdr many[2] = { { message, 0 }, { message, 0 } };
	sendmmsg(pair[0], many, 2, MSG_NOSIGNAL);
	write(pair[1], "x", 1);
	struct pollfd fds[3] = { { pair[0], POLLIN, 0 }, { pair[1], POLLOUT | POLLRDHUP, 0 }, { -1, POLLIN, 0 } };
	struct timespec soon = { 0, 1000 };
	poll(fds, 3, 0);
	poll(fds + 2, 1, 0);
	ppoll(fds, 2, &soon, NULL);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 0x123456789 } }, events[4];
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	epoll_wait(epoll, events, 4, 0);
	epoll_wait(epoll, events, 4, 0);
	epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], NULL);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	struct timeval second = { 1, 0 };
	select(pair[0] + 1, &set, NULL, NULL, &second);
	FD_ZERO(&set);
	select(pair[0] + 1, &set, NULL, NULL, &(struct timeval){ 0, 0 });
	pselect(0, NULL, NULL, NULL, &soon, NULL);
}

static void handler(int sig)
{
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaction(SIGUSR1, &action, &old);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	sigpending(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0);
	stack_t stack = { buffer, 0, 16384 };
	sigaltstack(&stack, NULL);
	struct itimerval timer = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	getitimer(ITIMER_REAL, &timer);
}

static void times_and_limits(void)
{
	struct timespec t = { 0, 1 }, left;
	struct rlimit limit;
	struct rusage usage;
	struct utsname uts;
	struct tms tms;
	cpu_set_t cpus;
	struct sched_param param = { 0 };
	nanosleep(&t, &left);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec spec = { { 0, 0 }, { 100, 0 } };
	timerfd_settime(timer, 0, &spec, NULL);
	timerfd_gettime(timer, &spec);
	getrlimit(RLIMIT_NOFILE, &limit);
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	getrusage(RUSAGE_SELF, &usage);
	uname(&uts);
	times(&tms);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	sched_setscheduler(0, SCHED_OTHER, &param);
	sched_yield();
	getpriority(PRIO_PROCESS, 0);
	prctl(PR_SET_NAME, "renamed");
	prctl(PR_GET_NAME, buffer);
	prctl(PR_GET_DUMPABLE);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_CAPBSET_READ, CAP_NET_ADMIN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];
	syscall(SYS_capget, &head, caps);
	uid_t id[3];
	getresuid(&id[0], &id[1], &id[2]);
	getgroups(0, NULL);
	close(eventfd(5, EFD_NONBLOCK | EFD_SEMAPHORE));
	int word = 5;
	syscall(SYS_futex, &word, 128, 4, NULL, NULL, 0);
	syscall(SYS_futex, &word, 129, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, 137 | 256, 5, &t, NULL, -1);
	syscall(SYS_futex, &word, 5, 1, 2, &word, 0x10003000);
	syscall(SYS_membarrier, 0, 0, 0);
	syscall(SYS_getrandom, buffer, 0, 0);
	syscall(SYS_close_range, 1000, 2000, 0);
	syscall(9999);
}

static void children(void)
{
	int status, ends[2];
	struct rusage usage;
	char *argv[] = { "true", "an argument", NULL }, *env[] = { "ONE=1", "TWO=2", NULL };
	siginfo_t info;
	pipe2(ends, O_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(3);
	}
	waitpid(pid, &status, 0);
	pid = vfork();
	if (pid == 0) {
		execve("/missing/file", argv, env);
		execve("/bin/true", argv, env);
		_exit(127);
	}
	wait4(pid, &status, 0, &usage);
	pid = fork();
	if (pid == 0)
		kill(getpid(), SIGKILL);
	waitid(P_PID, pid, &info, WEXITED);
	waitpid(-1, &status, WNOHANG);
}

int main(void)
{
	files();
	names();
	memory();
	addresses();
	connections();
	messages();
	signals();
	times_and_limits();
	children();
	return 0;
}
