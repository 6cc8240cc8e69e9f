"""`utrace func ... -- COMMAND`: it begins standing still, so no call is missed; and it is the same program as without us."""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time
from collections import Counter

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE, alive

# Counts its own calls, in memory that all processes share, and prints them when it ends: the truth of these tests.
COUNTING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#define WORK __attribute__((noinline, noclone))
extern char **environ;
static _Atomic long *made; /* work, inner */
WORK void inner(void) { made[1]++; }
WORK void work(void) { made[0]++; inner(); inner(); }
static void many(int n) { for (int i = 0; i < n; i++) work(); }
static void share(void) { made = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }
static void tell(void) { printf("work %ld inner %ld\n", (long)made[0], (long)made[1]); fflush(stdout); }
static void wait_all(void) { while (wait(NULL) > 0) ; }
"""

MODES = COUNTING + r"""
static void *thread(void *n) { many((long)n); return NULL; }
static void threads(int n)
{
	pthread_t t[16];
	for (int i = 0; i < 16; i++) pthread_create(&t[i], NULL, thread, (void *)(long)n);
	for (int i = 0; i < 16; i++) pthread_join(t[i], NULL);
}
static void spawn(char **argv)
{
	pid_t pid;
	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)) abort();
	waitpid(pid, NULL, 0);
}
int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "plain";
	char *again[] = { argv[0], "plain", NULL };
	share();
	many(100);
	if (!strcmp(mode, "fork"))
		for (int i = 0; i < 3; i++) if (!fork()) { many(50); _exit(0); }
	if (!strcmp(mode, "double")) {
		if (!fork()) { many(10); if (!fork()) { many(20); _exit(0); } wait_all(); _exit(0); }
	}
	if (!strcmp(mode, "vfork") && !vfork()) { work(); _exit(0); }
	if (!strcmp(mode, "clone") && !syscall(SYS_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0)) { work(); _exit(0); }
	if (!strcmp(mode, "threads")) threads(200);
	if (!strcmp(mode, "forkthreads") && !fork()) { threads(20); _exit(0); }
	wait_all();
	tell();
	if (!strcmp(mode, "spawn")) spawn(again);
	if (!strcmp(mode, "vforkexec") && !vfork()) { execv(argv[0], again); _exit(1); }
	if (!strcmp(mode, "exec")) execv(argv[0], again);
	wait_all();
	return 0;
}
"""


def printed(text):
    """The sum of all that the processes of the run told."""
    total = Counter()
    for name, n in re.findall(r"(work|inner) (\d+)", text):
        total[name] += int(n)
    return total


@pytest.mark.parametrize("mode", ["plain", "fork", "double", "vfork", "clone", "threads", "forkthreads", "spawn", "vforkexec", "exec"])
def test_not_a_call_is_missed(utrace, built, mode):
    seen = utrace.func("work", "inner", command=[built(MODES, "-pthread"), mode])
    assert seen.count() == printed(seen.stdout) and seen.count()["work"] >= 100
    assert seen.status == 0 and seen.summary["lost"] == {}
    ids = Counter(c["call_id"] for c in seen.calls)
    assert [i for i, n in ids.items() if n > 1] == []


def test_a_chain_of_shells_is_followed_to_its_end(utrace, built):
    prog = built(MODES, "-pthread")
    script = f"{prog} plain; sh -c '{prog} fork; exec {prog} spawn' & wait; ({prog} exec)"
    seen = utrace.func("work", "inner", command=["sh", "-c", script])
    assert seen.count() == printed(seen.stdout)
    assert {c["process_name"] for c in seen.calls} == {"prog"}


def test_make_with_jobs_side_by_side_is_followed(utrace, built, tmp_path):
    prog = built(MODES, "-pthread")
    (tmp_path / "Makefile").write_text("all: " + " ".join(f"t{i}" for i in range(6)) + f"\nt%:\n\t@{prog} fork\n")
    seen = utrace.func("work", "inner", command=["make", "-s", "-j2", "-C", tmp_path])
    assert seen.count() == printed(seen.stdout) and seen.count()["work"] == 6 * 250


def test_no_follow_leaves_children_alone(utrace, built):
    seen = utrace.func("work", "--no-follow", command=[built(MODES, "-pthread"), "fork"])
    assert printed(seen.stdout)["work"] == 250
    assert seen.count("process_id") == {seen.calls[0]["process_id"]: 100}


MALLOCS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static long made;
static void *(*real)(size_t);
static char early[4096];
static size_t used;
void *malloc(size_t n)
{
	static int inside;
	if (!real && !inside) { inside = 1; real = dlsym(RTLD_NEXT, "malloc"); inside = 0; }
	if (!real) { void *p = early + used; used += (n + 15) & ~15ul; return p; }
	made++;
	return real(n);
}
void free(void *p)
{
	static void (*real_free)(void *);
	if ((char *)p >= early && (char *)p < early + sizeof(early)) return;
	if (!real_free) real_free = dlsym(RTLD_NEXT, "free");
	real_free(p);
}
__attribute__((destructor)) static void tell(void)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "mallocs %ld\n", made);
	if (write(2, text, n) < 0) abort();
}
"""

USES_MALLOC = r"""
#include <stdlib.h>
int main(void)
{
	for (int i = 0; i < 500; i++) { char *volatile p = malloc(i + 1); *p = 1; free(p); }
	return 0;
}
"""


def test_calls_of_a_library_mapped_at_the_start_equal_what_a_preloaded_counter_counts(utrace, built):
    counter = built(MALLOCS, "-shared", "-fPIC", "-ldl", name="counter.so")
    seen = utrace.func("libc:malloc", command=["env", f"LD_PRELOAD={counter}", built(USES_MALLOC)])
    of_program = [c for c in seen.of("malloc") if c["process_name"] == "prog"]
    assert len(of_program) == int(re.search(r"mallocs (\d+)", seen.stderr)[1]) >= 500


PLUGIN = r"""
static long made;
__attribute__((constructor, noinline)) void plugin_begins(void) { made++; asm volatile(""); }
__attribute__((noinline)) void plugin_work(void) { made++; asm volatile(""); }
long plugin_made(void) { return made; }
"""

LOADS = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
static char *path;
static void *load(void *unused)
{
	void *lib = dlopen(path, RTLD_NOW);
	if (!lib) abort();
	void (*work)(void) = (void (*)(void))dlsym(lib, "plugin_work");
	long (*made)(void) = (long (*)(void))dlsym(lib, "plugin_made");
	for (int i = 0; i < 100; i++) work();
	printf("made %ld\n", made());
	return NULL;
}
int main(int argc, char **argv)
{
	path = argv[1];
	if (argc > 2) { /* with every signal blocked, in a thread */
		sigset_t all;
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, NULL);
		pthread_t t;
		pthread_create(&t, NULL, load, NULL);
		pthread_join(t, NULL);
	} else {
		load(NULL);
	}
	return 0;
}
"""


@pytest.mark.parametrize("how", [[], ["blocked"]], ids=["plainly", "in a thread that blocks signals"])
def test_calls_of_a_library_mapped_by_dlopen_are_seen_from_its_constructor_on(utrace, built, how):
    plugin = built(PLUGIN, "-shared", "-fPIC", name="libplugin.so")
    seen = utrace.func("libplugin:plugin_*", "!libplugin:plugin_made", command=[built(LOADS, "-pthread", "-ldl"), plugin, *how])
    assert sum(seen.count().values()) == int(re.search(r"made (\d+)", seen.stdout)[1]) == 101
    assert seen.status == 0


STATUS = [
    (["sh", "-c", "exit 0"], 0),
    (["sh", "-c", "exit 3"], 3),
    (["sh", "-c", "exit 255"], 255),
    (["sh", "-c", "kill -TERM $$"], 128 + 15),
    (["sh", "-c", "kill -KILL $$"], 128 + 9),
    (["sh", "-c", "kill -SEGV $$"], 128 + 11),
    (["/etc"], 126),
    (["/etc/passwd"], 126),
    (["/nonexistent/program"], 127),
    (["no-such-program-anywhere"], 127),
]


@pytest.mark.parametrize("command,status", STATUS, ids=[" ".join(c) for c, _ in STATUS])
def test_the_exit_status_is_the_commands(utrace, command, status):
    seen = utrace.func("_exit", "libc:_exit", command=command, verbose=False)
    assert seen.status == status
    if status in (126, 127):
        assert re.fullmatch(r"utrace: '\S+' cannot be executed: [^\n]+", seen.stderr)


def test_status_125_says_that_utrace_itself_failed(utrace, tmp_path):
    run = subprocess.run([UTRACE, "func", "main", "-o", tmp_path / "no" / "such", "--", "true"], env=CLEAN, capture_output=True, text=True, timeout=20)
    assert run.returncode == 125 and re.fullmatch(r"utrace: [^\n]+\n", run.stderr)


def test_the_commands_streams_are_its_own(utrace, tmp_path):
    script = "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]); sys.stderr.write('to people\\n')"
    data = bytes(range(256)) * 300
    run = subprocess.run([UTRACE, "func", "-q", "libc:getpid", "-o", tmp_path / "out", "--", "/usr/bin/python3", "-c", script], input=data,
                         env=CLEAN, capture_output=True, timeout=20)
    assert run.stdout == data[::-1] and run.stderr.startswith(b"to people\n")


WHAT_IT_INHERITS = r"""
import os, signal
status = dict(l.split(":\t") for l in open("/proc/self/status").read().splitlines() if ":\t" in l)
print({k: status[k] for k in ("SigBlk", "SigIgn")}, sorted(os.listdir("/proc/self/fd")), os.getcwd(), os.environ.get("ANY"))
"""


def test_the_command_inherits_what_it_would_without_us(utrace, tmp_path):
    def prepare():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    command = ["/usr/bin/python3", "-c", WHAT_IT_INHERITS]
    common = dict(env={**CLEAN, "ANY": "thing"}, cwd=tmp_path, preexec_fn=prepare, capture_output=True, text=True, timeout=20, restore_signals=False)
    alone = subprocess.run(command, **common)
    traced = subprocess.run([UTRACE, "func", "-q", "libc:getpid", "-o", "out", "--", *command], **common)
    assert traced.stdout == alone.stdout and "{'SigBlk'" in alone.stdout


def test_a_pipe_that_nobody_reads_ends_its_writer(utrace):
    seen = utrace.func("libc:write", "--limit", "1", command=["sh", "-c", "(yes; echo yes: $? >&2) | head -1"])
    assert seen.stdout.strip() == "y" and "yes: 141" in seen.stderr


SIGNALS = COUNTING + r"""
static void handler(int sig) { work(); }
int main(void)
{
	share();
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_NODEFER };
	int signals[] = { SIGUSR1, SIGUSR2, SIGURG, SIGCHLD, SIGWINCH, SIGRTMIN, SIGALRM };
	for (int i = 0; i < 7; i++) sigaction(signals[i], &act, NULL);
	struct itimerval every = { { 0, 2000 }, { 0, 2000 } };
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 600; i++) raise(signals[i % 6]);
	pid_t pid = fork();
	if (!pid) { for (int i = 0; i < 300; i++) kill(getppid(), SIGRTMIN); _exit(0); }
	while (waitpid(pid, NULL, 0) < 0) ;
	memset(&every, 0, sizeof(every));
	setitimer(ITIMER_REAL, &every, NULL);
	tell();
	return 0;
}
"""


def test_a_program_that_lives_by_signals_gets_each_of_them(utrace, built):
    seen = utrace.func("work", "inner", "handler", command=[built(SIGNALS)])
    truth = printed(seen.stdout)
    assert {k: v for k, v in seen.count().items() if k != "handler"} == truth
    assert truth["work"] >= 600 + 1 + 300 and seen.count()["handler"] == truth["work"] and seen.status == 0


STOPS = COUNTING + r"""
static volatile sig_atomic_t continued;
static void on_continue(int sig) { continued++; }
int main(void)
{
	share();
	signal(SIGCONT, on_continue);
	int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN };
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (!pid) { many(10); raise(stops[i]); many(10); _exit(continued); }
		int status;
		waitpid(pid, &status, WUNTRACED);
		printf("stopped %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) == stops[i] : -1);
		kill(pid, SIGCONT);
		waitpid(pid, &status, 0);
		printf("continued %d\n", WEXITSTATUS(status));
	}
	tell();
	return 0;
}
"""


def test_jobs_are_stopped_and_continued_as_without_us(utrace, built, start):
    prog = built(STOPS)
    group = dict(start_new_session=False, preexec_fn=os.setpgrp)
    alone = start(prog, **group).out.rest()
    seen = utrace.func("work", "inner", command=[prog], **group)
    assert seen.stdout == alone and seen.count() == printed(alone)


def test_ctrl_c_reaches_the_command_whose_end_is_ours(utrace, tmp_path):
    """At a terminal: the signal goes to both. The command handles it and ends by itself."""
    script = "trap 'echo caught; exit 5' INT; echo begun; while :; do sleep 0.05; done"
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(UTRACE, [UTRACE, "func", "libc:getpid", "-o", str(tmp_path / "out"), "--", "bash", "-c", script], CLEAN)
    text, end, sent = b"", time.monotonic() + DEADLINE_S, False
    while time.monotonic() < end:
        select.select([fd], [], [], end - time.monotonic())
        try:
            text += os.read(fd, 4096)
        except OSError:
            break
        if b"begun" in text and not sent:
            sent = os.write(fd, b"\x03") == 1
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 5
    assert text.count(b"caught") == 1 and b" events, " in text


def test_ctrl_z_stops_both_and_the_shell_can_go_on_with_them(tmp_path):
    """An interactive shell's jobs, at a terminal of their own."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--norc", "-i"], {**CLEAN, "PS1": "ready> ", "OUT": str(tmp_path / "out"), "UT": UTRACE})
    text, end = "", time.monotonic() + DEADLINE_S

    def until(pattern, after=0):
        nonlocal text
        while not re.search(pattern, text[after:]):
            assert select.select([fd], [], [], max(0, end - time.monotonic()))[0], text
            text += os.read(fd, 4096).decode(errors="replace")
        return len(text)
    try:
        at = until("ready> ")
        os.write(fd, b"$UT func libc:getpid -o $OUT -- sh -c 'echo beg''un; read x; echo got $x; exit 9'\n")
        at = until("begun", at)
        os.write(fd, b"\x1a")
        at = until(r"Stopped[^\r\n]*", at)
        os.write(fd, b"fg\n")
        at = until(r"fg\r?\n", at - 1)
        os.write(fd, b"word\n")
        at = until("got word", at - 1)
        os.write(fd, b"echo status $?\n")
        until("status 9", at)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(fd)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sent_to_utrace_alone_is_passed_on(utrace, sig):
    script = f"trap 'echo caught; exit 6' {sig.name[3:]}; echo begun; while :; do sleep 0.05; done"
    live = utrace.start("func", "libc:getpid", command=["bash", "-c", script])
    live.stdout.until("begun")
    seen = live.end(sig)
    assert seen.status == 6 and "caught" in seen.stdout and seen.summary


BUSY = COUNTING + r"""
int main(int argc, char **argv)
{
	share();
	printf("pid %d\n", getpid());
	fflush(stdout);
	long sum = 0;
	for (int round = 0; round < 150; round++) {
		pid_t pid = fork();
		if (!pid) {
			many(20);
			void *lib = dlopen(argv[1], RTLD_NOW);
			if (!lib) _exit(99);
			void (*f)(void) = (void (*)(void))dlsym(lib, "plugin_work");
			for (int i = 0; i < 10; i++) f();
			_exit(7);
		}
		int status;
		waitpid(pid, &status, WUNTRACED);
		sum += WIFEXITED(status) ? WEXITSTATUS(status) : 100000;
		many(1);
	}
	printf("sum %ld ", sum);
	tell();
	return 0;
}
"""


@pytest.mark.parametrize("after_s", [0.05, 0.2])
def test_when_utrace_is_killed_the_command_goes_on_with_right_results(utrace, built, after_s):
    plugin = built(PLUGIN, "-shared", "-fPIC", name="libplugin.so")
    live = utrace.start("func", "work", "inner", "libplugin:*", command=[built(BUSY, "-ldl"), plugin])
    pid = int(live.stdout.until(r"^pid").split()[1])
    select.select([], [], [], after_s)  # somewhere in the middle; each place must do
    assert alive(pid)
    os.kill(live.pid, signal.SIGKILL)
    assert live.stdout.until("^sum") == f"sum {150 * 7} work {150 * 21} inner {150 * 42}"


HELD_AT_DLOPEN = LOADS.replace("path = argv[1];", "path = argv[1]; printf(\"pid %d\\n\", getpid()); fflush(stdout); getchar();").replace(
    "#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>")


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_command_that_stands_still_for_us_goes_on_when_we_are_killed(utrace, built):
    """utrace itself is stopped, so that its command waits for it in the middle of dlopen; then utrace is killed."""
    plugin = built(PLUGIN, "-shared", "-fPIC", name="libplugin.so")
    live = utrace.start("func", "libplugin:*", command=[built(HELD_AT_DLOPEN, "-pthread", "-ldl"), plugin], stdin=subprocess.PIPE)
    pid = int(live.stdout.until("^pid").split()[1])
    os.kill(live.pid, signal.SIGSTOP)
    live.popen.stdin.write(b"\n")
    live.popen.stdin.close()
    end = time.monotonic() + DEADLINE_S
    while state_of(pid) != "t":
        assert time.monotonic() < end
        os.sched_yield()
    os.kill(live.pid, signal.SIGKILL)
    assert live.stdout.until("^made") == "made 101"


HEIRS = COUNTING + r"""
int main(void)
{
	share();
	many(1);
	for (int i = 1; i < 100; i++) {
		if (fork()) _exit(i == 1 ? 4 : 0);
		many(1);
	}
	tell();
	return 0;
}
"""


def test_each_of_a_hundred_that_end_when_they_have_forked_is_followed(utrace, built):
    """The end of one may be seen before its child's beginning; then nobody whom we know of is left."""
    seen = utrace.func("work", "inner", command=[built(HEIRS, "-pthread")])
    assert seen.status == 4 and seen.count() == printed(seen.stdout) and seen.count()["work"] == 100
    assert len({call["process_id"] for call in seen.calls}) == 100


def test_a_command_that_leaves_children_behind_is_followed_until_they_have_ended(utrace, built):
    prog = built(MODES, "-pthread")
    seen = utrace.func("work", "inner", command=["sh", "-c", f"(sleep 0.3; {prog} plain) & exit 4"])
    assert seen.status == 4 and seen.count() == printed(seen.stdout) and seen.count()["work"] == 100
