#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "probe/syscall/syscall.h"

#define NO_NUMBER (-1)

/* The header of the machine that builds is the judge; it may lack calls that we have, never the other way round. */
static void numbers_are_those_of_the_kernels_header(void **state)
{
	_cleanup_(pclose) FILE *header = popen("echo '#include <asm/unistd.h>' | cc -E -dM -", "r");
	char line[256], name[128];
	long number;
	size_t n = 0;
	assert_non_null(header);
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "#define __NR_%127s %ld", name, &number) != 2)
			continue;
		const struct syscall_row *row = syscall_by_name(name);
		if (!row)
			fail_msg("no row for %s", name);
		if (syscall_number(SYSCALL_ARCH_HERE, row) != number)
			fail_msg("%s is %ld, not %ld", name, number, syscall_number(SYSCALL_ARCH_HERE, row));
		assert_ptr_equal(syscall_by_number(SYSCALL_ARCH_HERE, number), row);
		n++;
	}
	assert_true(n > 250);
}

static void a_call_has_its_own_number_on_each_architecture(void **state)
{
	assert_int_equal(syscall_number(SYSCALL_X86_64, syscall_by_name("openat")), 257);
	assert_int_equal(syscall_number(SYSCALL_ARM64, syscall_by_name("openat")), 56);
	assert_int_equal(syscall_number(SYSCALL_ARM64, syscall_by_name("open")), NO_NUMBER);
	assert_string_equal(syscall_by_number(SYSCALL_ARM64, 221)->name, "execve");
	assert_null(syscall_by_number(SYSCALL_ARM64, 400));
	assert_null(syscall_by_number(SYSCALL_X86_64, -1));
	assert_null(syscall_by_number(SYSCALL_X86_64, SYSCALL_MAX_NR));
	assert_null(syscall_by_name("opennat"));
}

/* A record under construction. */
struct record {
	struct syscall_rec rec;
	char tail[REC_MAX_BYTES];
	size_t used;
};

struct piece {
	unsigned which;
	uint64_t addr;
	const void *bytes;
	size_t len; /* 0: up to NUL */
	unsigned status;
};

struct decode_case {
	const char *name;
	const char *call;
	int64_t arg[6];
	int64_t ret;
	struct piece piece[6];
	const char *line;
	unsigned flags;
};

#define EXIT SYSCALL_WHICH_EXIT
#define COUNT SYSCALL_WHICH_COUNT

static void add_piece(struct record *r, const struct piece *p)
{
	size_t len = p->len ? p->len : strlen(p->bytes);
	struct fetched f = { .which = p->which, .status = p->status, .length = len, .value = p->addr };
	memcpy(r->tail + r->used, &f, sizeof(f));
	memcpy(r->tail + r->used + sizeof(f), p->bytes, len);
	r->used += sizeof(f) + ((len + 7) & ~(size_t)7);
}

static void make(struct record *r, const struct decode_case *c)
{
	const struct syscall_row *row = syscall_by_name(c->call);
	assert_non_null(row);
	memset(r, 0, sizeof(*r));
	r->rec.nr = (uint32_t)syscall_number(SYSCALL_X86_64, row);
	r->rec.arch = SYSCALL_X86_64;
	r->rec.ret = c->ret;
	r->rec.flags = (uint8_t)c->flags;
	for (size_t i = 0; i < 6; i++)
		r->rec.arg[i] = (uint64_t)c->arg[i];
	for (size_t i = 0; i < ARRAY_SIZE(c->piece) && c->piece[i].bytes; i++)
		add_piece(r, &c->piece[i]);
	r->rec.head.length = (uint16_t)(sizeof(r->rec) + r->used);
}

static const char hello[] = "hello\n\t\"\\\0017";
static const uint32_t stat_words[36] = { [6] = S_IFREG | 0644, [12] = 1234 };
static const uint32_t device_words[36] = { [6] = S_IFCHR | 0666, [10] = 0x103 };
static const uint64_t timespec[] = { 3, 500 };
static const uint64_t action[] = { 1, 0x14000000, 0x7f00, 0x4001 };
static const uint64_t all_but_two[] = { ~(1ull << 8 | 1ull << 18) };
static const uint64_t iovecs[] = { 0x5000, 3, 0x6000, 100 };
static const uint64_t argv[] = { 0x9000, 0x9100, 0 };
static const uint32_t two[] = { 2 }, three[] = { 3 }, thirty[] = { 30 };
static const int32_t pipe_fds[] = { 4, 5 };
static const uint64_t clone_words[] = { 0x3d0f00, 0, 0x8810, 0x8820, 0, 0x7000, 0x800, 0x8800 };
static const struct sockaddr_in web = { .sin_family = AF_INET, .sin_port = 0x5000, .sin_addr = { 0x0100007f } };
static const struct sockaddr_in6 web6 = { .sin6_family = AF_INET6, .sin6_port = 0x5000, .sin6_addr = { { { [15] = 1 } } } };
static const struct sockaddr_un path = { AF_UNIX, "/run/x" }, abstract = { AF_UNIX, "\0bus" };
static const uint32_t lengths[] = { 128, 16 };
static const struct { int fd; short events, revents; } polled[] = { { 3, 1, 0 }, { -1, 0, 0 } }, ready[] = { { 3, 1, 1 }, { -1, 0, 0 } };
static const struct epoll_event event = { EPOLLIN | EPOLLRDHUP, { .u64 = 7 } };
static const int16_t lock[16] = { F_WRLCK, SEEK_SET };
static const uint64_t limit[] = { 8 << 20, ~0ull };
static const uint64_t message[] = { 0, 0, 0x4000, 1, 0, 0, 0 };

static const struct decode_case cases[] = {
	{ "a path and flags", "openat", { AT_FDCWD, 0x1000, O_WRONLY | O_CREAT | O_CLOEXEC, 0640 }, 3, { { 1, 0x1000, "/etc/x" } },
	  "openat(AT_FDCWD, \"/etc/x\", O_WRONLY|O_CREAT|O_CLOEXEC, 0640) = 3" },
	{ "no mode without O_CREAT", "openat", { 5, 0x1000, 0, 0640 }, -ENOENT, { { 1, 0x1000, "x" } }, "openat(5, \"x\", O_RDONLY) = -1 ENOENT" },
	{ "a path that could not be read", "openat", { AT_FDCWD, 0x1000, 0 }, -EFAULT, {}, "openat(AT_FDCWD, 0x1000, O_RDONLY) = -1 EFAULT" },
	{ "a path that is cut", "unlink", { 0x1000 }, 0, { { 0, 0x1000, "/long", 5, FETCHED_TRUNCATED } }, "unlink(\"/long\"...) = 0" },
	{ "escapes", "write", { 1, 0x1000, 11 }, 11, { { 1, 0x1000, hello, 11 } }, "write(1, \"hello\\n\\t\\\"\\\\\\0017\", 11) = 11" },
	{ "less of a buffer than there was", "write", { 1, 0x1000, 100 }, 100, { { 1, 0x1000, "abc" } }, "write(1, \"abc\"..., 100) = 100" },
	{ "a read of nothing", "read", { 3, 0x1000, 100 }, 0, {}, "read(3, \"\", 100) = 0" },
	{ "a read that failed", "read", { 3, 0x1000, 100 }, -EAGAIN, {}, "read(3, 0x1000, 100) = -1 EAGAIN" },
	{ "random bytes in hexadecimal", "getrandom", { 0x1000, 2, 1 }, 2, { { EXIT, 0x1000, "\x13z", 2 } },
	  "getrandom(\"\\x13\\x7a\", 2, GRND_NONBLOCK) = 2" },
	{ "status of a file", "fstat", { 3, 0x1000 }, 0, { { EXIT | 1, 0x1000, stat_words, 144 } }, "fstat(3, {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0" },
	{ "status of a device", "fstat", { 3, 0x1000 }, 0, { { EXIT | 1, 0x1000, device_words, 144 } },
	  "fstat(3, {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}) = 0" },
	{ "what the kernel left is not shown of a failed call", "fstat", { 3, 0x1000 }, -EBADF, { { EXIT | 1, 0x1000, stat_words, 144 } },
	  "fstat(3, 0x1000) = -1 EBADF" },
	{ "memory", "mmap", { 0, 8192, 3, 0x22, -1, 0 }, 0x7f0000001000, {},
	  "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000001000" },
	{ "protection of none", "mprotect", { 0x1000, 4096, 0 }, 0, {}, "mprotect(0x1000, 4096, PROT_NONE) = 0" },
	{ "an unknown enumeration", "madvise", { 0x1000, 1, 77 }, -EINVAL, {}, "madvise(0x1000, 1, 0x4d /* MADV_??? */) = -1 EINVAL" },
	{ "flags as the result", "fcntl", { 3, F_GETFL }, O_RDWR, {}, "fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)" },
	{ "a lock", "fcntl", { 3, F_SETLK, 0x1000 }, 0, { { 2, 0x1000, lock, 32 } },
	  "fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0" },
	{ "an ioctl by its number", "ioctl", { 3, 0x80045430, 0x1000 }, 0, { { EXIT | 2, 0x1000, two, 4 } }, "ioctl(3, TIOCGPTN, [2]) = 0" },
	{ "an ioctl that nobody knows", "ioctl", { 3, 0xc0104a05, 0x1000 }, 0, {}, "ioctl(3, _IOC(_IOC_READ|_IOC_WRITE, 0x4a, 0x5, 0x10), 0x1000) = 0" },
	{ "time", "clock_nanosleep", { 1, 1, 0x1000, 0 }, 0, { { 2, 0x1000, timespec, 16 } },
	  "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=3, tv_nsec=500}, NULL) = 0" },
	{ "a signal's action", "rt_sigaction", { 10, 0x1000, 0, 8 }, 0, { { 1, 0x1000, action, 32 } },
	  "rt_sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[HUP TERM], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f00}, NULL, 8) = 0" },
	{ "nearly all signals", "rt_sigprocmask", { 2, 0x1000, 0, 8 }, 0, { { 1, 0x1000, all_but_two, 8 } }, "rt_sigprocmask(SIG_SETMASK, ~[KILL STOP], NULL, 8) = 0" },
	{ "scattered buffers given", "writev", { 3, 0x1000, 2 }, 103, { { 1, 0x1000, iovecs, 32 }, { 1, 0x5000, "abc" }, { 1, 0x6000, "x" } },
	  "writev(3, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"x\"..., iov_len=100}], 2) = 103" },
	{ "scattered buffers filled in part", "readv", { 3, 0x1000, 2 }, 4,
	  { { 1, 0x1000, iovecs, 32 }, { EXIT | 1, 0x5000, "abc" }, { EXIT | 1, 0x6000, "xyz" } },
	  "readv(3, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"x\", iov_len=100}], 2) = 4" },
	{ "a message", "sendmsg", { 3, 0x1000, MSG_NOSIGNAL }, 3, { { 1, 0x1000, message, 56 }, { 1, 0x4000, iovecs, 16 }, { 1, 0x5000, "abc" } },
	  "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"abc\", iov_len=3}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, "
	  "MSG_NOSIGNAL) = 3" },
	{ "arguments and environment", "execve", { 0x1000, 0x2000, 0x3000 }, 0,
	  { { 0, 0x1000, "/bin/ls" }, { COUNT | 1, 0x2000, two, 4 }, { 1, 0x2000, argv, 24 }, { 1, 0x9000, "ls" }, { 1, 0x9100, "-l" }, { COUNT | 2, 0x3000, thirty, 4 } },
	  "execve(\"/bin/ls\", [\"ls\", \"-l\"], 0x3000 /* 30 vars */) = 0" },
	{ "more arguments than were read", "execve", { 0x1000, 0x2000, 0 }, 0,
	  { { 0, 0x1000, "x" }, { COUNT | 1, 0x2000, three, 4 }, { 1, 0x2000, argv, 16 }, { 1, 0x9000, "ls" } },
	  "execve(\"x\", [\"ls\", 0x9100, ...], NULL) = 0" },
	{ "two descriptors", "pipe2", { 0x1000, O_CLOEXEC }, 0, { { EXIT, 0x1000, pipe_fds, 8 } }, "pipe2([4, 5], O_CLOEXEC) = 0" },
	{ "an IPv4 address", "connect", { 3, 0x1000, 16 }, -EINPROGRESS, { { 1, 0x1000, &web, 16 } },
	  "connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 EINPROGRESS" },
	{ "an IPv6 address", "bind", { 3, 0x1000, 28 }, 0, { { 1, 0x1000, &web6, 28 } },
	  "bind(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28) = 0" },
	{ "a Unix address", "connect", { 3, 0x1000, 110 }, 0, { { 1, 0x1000, &path, 110 } }, "connect(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = 0" },
	{ "an abstract Unix address", "connect", { 3, 0x1000, 6 }, 0, { { 1, 0x1000, &abstract, 6 } }, "connect(3, {sa_family=AF_UNIX, sun_path=@\"bus\"}, 6) = 0" },
	{ "an address that came back", "accept4", { 3, 0x1000, 0x2000, SOCK_CLOEXEC }, 4,
	  { { 2, 0x2000, lengths, 4 }, { EXIT | 1, 0x1000, &web, 16 }, { EXIT | 2, 0x2000, lengths + 1, 4 } },
	  "accept4(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, [128 => 16], SOCK_CLOEXEC) = 4" },
	{ "the protocol of a family", "socket", { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 }, 3, {}, "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3" },
	{ "an option of a socket", "setsockopt", { 3, 6, 1, 0x1000, 4 }, 0, { { 3, 0x1000, two, 4 } }, "setsockopt(3, SOL_TCP, TCP_NODELAY, [2], 4) = 0" },
	{ "what poll found", "poll", { 0x1000, 2, 10 }, 1, { { 0, 0x1000, polled, 16 }, { EXIT, 0x1000, ready, 16 } },
	  "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 10) = 1 ([{fd=3, revents=POLLIN}])" },
	{ "poll's time is over", "poll", { 0x1000, 2, 10 }, 0, { { 0, 0x1000, polled, 16 } }, "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 10) = 0 (Timeout)" },
	{ "an event", "epoll_wait", { 5, 0x1000, 16, -1 }, 1, { { EXIT | 1, 0x1000, &event, sizeof(event) } },
	  "epoll_wait(5, [{events=EPOLLIN|EPOLLRDHUP, data={u32=7, u64=7}}], 16, -1) = 1" },
	{ "futexes take what their operation takes", "futex", { 0x1000, 129, 1, 5, 6, 7 }, 1, {}, "futex(0x1000, FUTEX_WAKE_PRIVATE, 1) = 1" },
	{ "a futex with a time", "futex", { 0x1000, 393, 2, 0x2000, 0, 0xffffffff }, -ETIMEDOUT, { { 3, 0x2000, timespec, 16 } },
	  "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, {tv_sec=3, tv_nsec=500}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT" },
	{ "a fork by clone", "clone", { 0x1200011, 0, 0, 0x7f10, 0 }, 77, {},
	  "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f10) = 77" },
	{ "a thread by clone3", "clone3", { 0x1000, 88 }, 78, { { 0, 0x1000, clone_words, 64 } },
	  "clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, "
	  "child_tid=0x8810, parent_tid=0x8820, exit_signal=0, stack=0x7000, stack_size=0x800, tls=0x8800} => {parent_tid=[78]}, 88) = 78" },
	{ "an end by exit", "wait4", { -1, 0x1000, 1, 0 }, 77, { { EXIT | 1, 0x1000, "\0\3\0", 4 } },
	  "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 77" },
	{ "an end by signal", "wait4", { -1, 0x1000, 0, 0 }, 77, { { EXIT | 1, 0x1000, "\x8b\0\0", 4 } },
	  "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL) = 77" },
	{ "limits", "prlimit64", { 0, 3, 0, 0x1000 }, 0, { { EXIT | 3, 0x1000, limit, 16 } },
	  "prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0" },
	{ "a mode as the result", "umask", { 077 }, 022, {}, "umask(077) = 022" },
	{ "to be restarted", "pause", {}, -514, {}, "pause() = ? ERESTARTNOHAND" },
	{ "an error without a name", "pause", {}, -4000, {}, "pause() = -1 (errno 4000)" },
	{ "no return", "exit_group", { 3 }, 0, {}, "exit_group(3) = ?", SYSCALL_NO_RETURN },
	{ "through the 32-bit table", "read", { 1, 2, 3 }, 0, {}, "syscall_ia32:0(0x1, 0x2, 0x3, 0, 0, 0) = 0", SYSCALL_COMPAT },
};

static void a_record_is_written_as_strace_writes_the_call(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(arena_done) struct arena a = {};
		_cleanup_(strbuf_done) struct strbuf line = {};
		static struct record r;
		struct event e;
		make(&r, &cases[i]);
		assert_int_equal(syscall_decode(&r.rec, r.rec.head.length, &a, &e), 0);
		syscall_line(&e, &line);
		if (!streq(strbuf_str(&line), cases[i].line))
			fail_msg("%s:\n%s\nis not\n%s", cases[i].name, strbuf_str(&line), cases[i].line);
	}
}

static void values_are_for_machines_and_text_for_people(void **state)
{
	_cleanup_(arena_done) struct arena a = {};
	static struct record r;
	struct event e;
	make(&r, &cases[0]);
	assert_int_equal(syscall_decode(&r.rec, r.rec.head.length, &a, &e), 0);
	const struct named_value *args = e.field[SYSCALL_ARGUMENTS].list.items;
	assert_int_equal(e.field[SYSCALL_ARGUMENTS].list.n, 4);
	assert_int_equal(args[0].value.i, AT_FDCWD);
	assert_true(slice_eq_str(args[1].value.s, "/etc/x"));
	assert_true(slice_eq_str(args[2].name, "flags"));
	assert_int_equal(args[2].value.u, O_WRONLY | O_CREAT | O_CLOEXEC);
	make(&r, &cases[1]);
	assert_int_equal(syscall_decode(&r.rec, r.rec.head.length, &a, &e), 0);
	assert_true(slice_eq_str(e.field[SYSCALL_ERROR].s, "ENOENT"));
	assert_int_equal(e.field[SYSCALL_RETURN].i, -1);
}

static void a_record_that_does_not_hold_together_is_refused(void **state)
{
	_cleanup_(arena_done) struct arena a = {};
	static struct record r;
	struct event e;
	make(&r, &cases[0]);
	assert_int_equal(syscall_decode(&r.rec, sizeof(r.rec) - 1, &a, &e), -EBADMSG);
	assert_int_equal(syscall_decode(&r.rec, r.rec.head.length - 1u, &a, &e), -EBADMSG);
	((struct fetched *)r.tail)->length = 2000; /* leads beyond the record */
	assert_int_equal(syscall_decode(&r.rec, r.rec.head.length, &a, &e), -EBADMSG);
	make(&r, &cases[0]);
	r.rec.head.length = sizeof(struct rec_head);
	assert_int_equal(syscall_decode(&r.rec, sizeof(r), &a, &e), -EBADMSG);
}

static void the_plan_reads_what_the_types_of_the_arguments_point_to(void **state)
{
	struct syscall_plan p;
	syscall_plan(syscall_by_name("openat"), 64, &p);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.fetch[0].kind, SYSCALL_FETCH_STRING);
	assert_int_equal(p.fetch[0].arg, 1);
	assert_int_equal(p.fetch[0].max, SYSCALL_MAX_PATH);
	syscall_plan(syscall_by_name("read"), 64, &p);
	assert_int_equal(p.n, 1);
	assert_true(p.fetch[0].at_exit && p.fetch[0].count == SYSCALL_COUNT_RETURN && p.fetch[0].max == 64);
	syscall_plan(syscall_by_name("accept"), 64, &p);
	assert_int_equal(p.n, 3);
	assert_true(p.fetch[1].at_exit && p.fetch[1].count == SYSCALL_COUNT_POINTED && p.fetch[1].count_arg == 2);
	syscall_plan(syscall_by_name("getpid"), 64, &p);
	assert_int_equal(p.n, 0);
	syscall_plan(syscall_by_name("exit_group"), 64, &p);
	assert_int_equal(p.flags, SYSCALL_NEVER_ENDS);
}

static void no_plan_is_longer_than_the_kernel_half_takes(void **state)
{
	size_t decoded = 0, longest = 0;
	for (long nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = syscall_by_number(SYSCALL_X86_64, nr);
		if (!row)
			continue;
		struct syscall_plan p;
		syscall_plan(row, 1 << 20, &p);
		for (unsigned i = 0; i < p.n; i++) {
			assert_true(p.fetch[i].max <= SYSCALL_MAX_PATH);
			assert_true(p.fetch[i].arg < SYSCALL_ARGS && p.fetch[i].count_arg < SYSCALL_ARGS);
		}
		decoded += p.n > 0;
		longest = MAX(longest, (size_t)p.n);
	}
	assert_true(longest < SYSCALL_FETCHES); /* the last place is free: none was cut */
	assert_true(decoded > 120);
}

static void globs_choose_and_a_mark_takes_away(void **state)
{
	bool chosen[SYSCALL_MAX_NR];
	struct reason why = {};
	char open_all[] = "open*", not_openat2[] = "!openat2", not_read[] = "!read", typo[] = "opennat";
	char *words[] = { open_all, not_openat2 }, *but[] = { not_read }, *wrong[] = { typo };
	assert_int_equal(syscall_choose(chosen, words, 2, &why), 0);
	assert_true(chosen[__NR_openat] && !chosen[__NR_openat2] && !chosen[__NR_read]);
	assert_int_equal(syscall_choose(chosen, but, 1, &why), 0);
	assert_true(chosen[__NR_openat] && !chosen[__NR_read]);
	assert_int_equal(syscall_choose(chosen, NULL, 0, &why), 0);
	assert_true(chosen[__NR_read] && chosen[SYSCALL_MAX_NR - 1]);
	assert_int_equal(syscall_choose(chosen, wrong, 1, &why), -EINVAL);
	assert_non_null(strstr(why.text, "nearest: openat"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_kernels_header),
		cmocka_unit_test(a_call_has_its_own_number_on_each_architecture),
		cmocka_unit_test(a_record_is_written_as_strace_writes_the_call),
		cmocka_unit_test(values_are_for_machines_and_text_for_people),
		cmocka_unit_test(a_record_that_does_not_hold_together_is_refused),
		cmocka_unit_test(the_plan_reads_what_the_types_of_the_arguments_point_to),
		cmocka_unit_test(no_plan_is_longer_than_the_kernel_half_takes),
		cmocka_unit_test(globs_choose_and_a_mark_takes_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
