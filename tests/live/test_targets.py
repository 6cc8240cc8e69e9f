"""Which processes are looked at: every kind of target, processes that come later, exec, end, and numbers that are given out again."""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE

# Does what it is told by lines: counts are its own. NUMBER: so many calls; f/x/t/d/n: fork, exec, exec by a thread, dlopen, another name; q: end.
WORKER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#define WORK __attribute__((noinline, noclone))
WORK void work(void) { asm volatile(""); }
static void say(const char *word) { printf("%s %d\n", word, getpid()); fflush(stdout); }
static void *exec_in_thread(void *argv) { execv(((char **)argv)[0], argv); abort(); }
int main(int argc, char **argv)
{
	char line[512];
	if (argc > 1) prctl(PR_SET_NAME, argv[1]);
	say("begun");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		char *rest = line + 2;
		if (line[0] == 'q') return 0;
		if (line[0] == 'f') { /* the child takes the orders */
			pid_t pid = fork();
			if (pid) { waitpid(pid, NULL, 0); say("child ended"); continue; }
			say("forked");
		} else if (line[0] == 'x' || line[0] == 't') {
			char *next[] = { rest, NULL };
			pthread_t t;
			if (line[0] == 'x') execv(rest, next);
			pthread_create(&t, NULL, exec_in_thread, next);
			pthread_join(t, NULL);
		} else if (line[0] == 'n') {
			prctl(PR_SET_NAME, rest);
			say("named");
		} else if (line[0] == 'd') {
			void *lib = dlopen(rest, RTLD_NOW);
			void (*plugin_work)(void) = lib ? (void (*)(void))dlsym(lib, "plugin_work") : NULL;
			say("loaded");
			if (!fgets(line, sizeof(line), stdin) || !plugin_work) abort();
			for (int n = atoi(line); n > 0; n--) plugin_work();
			say("done");
		} else {
			for (int n = atoi(line); n > 0; n--) work();
			say("done");
		}
	}
	return 0;
}
"""
FLAGS = ("-pthread", "-ldl")
PLUGIN = "void plugin_work(void) { __asm__ volatile(\"\"); }"


class Worker:
    def __init__(self, process):
        self.process = process
        self.pid = self.next("begun")
        self.made = Counter()

    def next(self, word):
        while not (line := self.process.line()).startswith(word + " "):
            pass
        return int(line.split()[-1])

    def work(self, n):
        self.process.go(n)
        pid = self.next("done")
        self.made[pid] += n
        return pid

    def tell(self, order, answer):
        self.process.go(order)
        return self.next(answer)

    def quit(self):
        self.process.go("q")


@pytest.fixture
def worker(start, built):
    def begin(*words, program=None, **popen):
        return Worker(start(program or built(WORKER, *FLAGS), *words, **popen))
    return begin


def made(*workers):
    total = Counter()
    for w in workers:
        total += w.made
    return total


def by_pid(seen, name="work"):
    return Counter(c["process_id"] for c in seen.of(name))


def run(utrace, options, wanted, others, n=7):
    """utrace with the options shows the calls of these workers, and none of those."""
    live = utrace.start("func", "work", *options).ready()
    for w in [*wanted, *others]:
        w.work(n)
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == made(*wanted)
    assert seen.status == 0 and seen.summary["lost"] == {}
    return seen


# ---- kinds ----

def test_several_pids(utrace, worker):
    a, b, c = worker(), worker(), worker()
    run(utrace, ["-p", a.pid, "-p", c.pid], [a, c], [b])
    a.made, b.made, c.made = Counter(), Counter(), Counter()
    run(utrace, ["-p", f"{a.pid},{b.pid}"], [a, b], [c])


def test_a_name_is_the_comm_or_the_base_name_of_the_executable(utrace, worker, copied):
    by_comm = worker("utrace-t-comm")
    by_base = worker("another", program=copied(WORKER, "utrace-t-a-name-longer-than-comm", *FLAGS))
    neither = worker("unlike")
    run(utrace, ["-n", "utrace-t-*"], [by_comm, by_base], [neither])


def test_names_of_one_option_or_several_are_joined_by_or(utrace, worker):
    a, b, c = worker("utrace-t-a"), worker("utrace-t-b"), worker("utrace-t-c")
    run(utrace, ["-n", "utrace-t-a", "-n", "utrace-t-[b]"], [a, b], [c])


def test_an_executable_is_meant_by_its_inode(utrace, worker, copied, tmp_path):
    first, other = copied(WORKER, "first", *FLAGS), copied(WORKER, "other", *FLAGS)
    os.link(first, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(first)
    a, b, c, d = worker(program=first), worker(program=tmp_path / "hard"), worker(program=tmp_path / "soft"), worker(program=other)
    run(utrace, ["-e", tmp_path / "soft"], [a, b, c], [d])


@pytest.fixture
def cgroup(ends):
    root = next((p for p in map(pathlib.Path, ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")) if (p / "cgroup.procs").exists()), None)
    if not root:
        pytest.skip("no cgroup v2 here")
    mine = root / f"utrace-test-{os.getpid()}"
    for folder in (mine, mine / "below", root / f"{mine.name}-not"):
        folder.mkdir()
        ends.callback(folder.rmdir)

    def into(folder):
        return lambda: folder.joinpath("cgroup.procs").write_text("0")
    return mine, into


def test_a_cgroup_and_what_is_below_it(utrace, worker, cgroup, built):
    mine, into = cgroup
    a, b = worker(preexec_fn=into(mine)), worker(preexec_fn=into(mine / "below"))
    other, outside = worker(preexec_fn=into(mine.with_name(mine.name + "-not"))), worker()
    live = utrace.start("func", "work", "--cgroup", mine).ready()
    later = worker(preexec_fn=into(mine / "below"))
    live.follows(later.pid)
    for w in (a, b, other, outside, later):
        w.work(5)
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == made(a, b, later)
    for w in (a, b, other, later):
        w.process.kill()


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# Nothing is mounted there, so the mounts may stay as shared as they are; making / private is refused where / is no mount.
MOUNTS = ["--mount", "--propagation", "unchanged"]


@pytest.mark.parametrize("kind,flags", [("pid", ["--pid", "--fork", "--kill-child"]), ("net", ["--net"]), ("mnt", MOUNTS)])
@pytest.mark.parametrize("by", ["process", "inode"])
def test_a_namespace_by_a_process_in_it_or_by_its_inode(utrace, worker, built, start, kind, flags, by):
    inside = Worker(start("unshare", *flags, built(WORKER, *FLAGS)))
    pid = children(inside.process.pid)[0] if kind == "pid" else inside.process.pid
    outside = worker()
    number = pid if by == "process" else os.stat(f"/proc/{pid}/ns/{kind}").st_ino
    live = utrace.start("func", "work", f"--{kind}ns", number).ready()
    inside.work(4)
    outside.work(4)
    assert by_pid(live.end(signal.SIGINT)) == {pid: 4}


def test_a_user_and_kinds_joined_by_and(utrace, worker, copied):
    program = copied(WORKER, "utrace-t-user", *FLAGS)
    for above in [program, *program.parents][:4]:
        above.chmod(above.stat().st_mode | 0o055)
    nobody, root = worker(program=program, user="nobody"), worker(program=program)
    other = worker("unlike", user="nobody")
    run(utrace, ["-u", "nobody", "-n", "utrace-t-user"], [nobody], [root, other])


# ---- processes that come later ----

def test_a_process_that_begins_later_is_picked_up_by_its_name(utrace, worker, copied, tmp_path):
    program = copied(WORKER, "utrace-t-later", *FLAGS)
    (tmp_path / "another-name").symlink_to(program)  # its comm is that of the link
    live = utrace.start("func", "work", "-n", "utrace-t-later").ready()
    first, second, other = worker(program=program), worker(program=tmp_path / "another-name"), worker()
    for w in (first, second):
        live.follows(w.pid)
    for w in (first, second, other):
        w.work(9)
    first.quit()
    first.process.wait()
    second.work(1)  # the end of one does not end the run
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == made(first, second) and seen.status == 0
    assert seen.summary["lost"] == {"not_held": 2} and {o["process_id"] for o in seen.lost} == {first.pid, second.pid}


def test_a_process_that_begins_later_is_picked_up_by_its_executable(utrace, worker, copied, tmp_path):
    program, other = copied(WORKER, "program", *FLAGS), copied(WORKER, "program-too", *FLAGS)
    os.link(program, tmp_path / "linked")
    live = utrace.start("func", "work", "-e", program).ready()
    a, b = worker(program=tmp_path / "linked"), worker(program=other)
    live.follows(a.pid)
    a.work(3)
    b.work(3)
    assert by_pid(live.end(signal.SIGINT)) == made(a)


def test_a_process_that_is_moved_into_a_cgroup_is_picked_up(utrace, worker, cgroup):
    mine, _ = cgroup
    moved, elsewhere, outside = worker(), worker(), worker()
    live = utrace.start("func", "work", "--cgroup", mine).ready()
    moved.work(2)
    moved.made.clear()
    for w, folder in ((elsewhere, mine.with_name(mine.name + "-not")), (moved, mine / "below")):
        folder.joinpath("cgroup.procs").write_text(str(w.pid))
    live.follows(moved.pid)
    for w in (moved, elsewhere, outside):
        w.work(6)
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == made(moved) and seen.summary["lost"] == {"not_held": 1}
    for w in (moved, elsewhere):
        w.process.kill()


def test_a_process_that_takes_a_fitting_name_is_picked_up(utrace, worker):
    named, beginning, other = worker(), worker(), worker()
    live = utrace.start("func", "work", "-n", "utrace-t-*-new").ready()
    for w, name in ((beginning, "utrace-t-old"), (other, "unlike"), (named, "utrace-t-is-new")):
        w.tell(f"n {name}", "named")
    live.follows(named.pid)
    for w in (named, beginning, other):
        w.work(6)
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == made(named) and seen.summary["lost"] == {"not_held": 1}


@pytest.mark.parametrize("held", [False, True], ids=["running", "held"])
def test_a_call_has_the_name_that_its_process_had_then(utrace, worker, built, held):
    live = utrace.start("func", "work", command=[built(WORKER, *FLAGS)], stdin=subprocess.PIPE) if held else None
    a = None if held else worker()
    if held:
        live.popen.stdin.write(b"2\nn second\n3\nn third\n4\nq\n")
        live.popen.stdin.flush()
    else:
        live = utrace.start("func", "work", "-p", a.pid).ready()
        for order, answer in (("2", "done"), ("n second", "named"), ("3", "done"), ("n third", "named"), ("4", "done")):
            a.tell(order, answer)
        a.quit()
    assert live.end().count("process_name") == {"prog": 2, "second": 3, "third": 4}


def test_descendants_stay_targets_whatever_they_execute(utrace, worker, copied, built):
    a = worker(program=copied(WORKER, "utrace-t-first", *FLAGS))
    live = utrace.start("func", "work", "-n", "utrace-t-first").ready()
    child = a.tell("f", "forked")
    live.follows(child)
    a.work(3)
    assert a.tell(f"x {built(WORKER, *FLAGS)}", "begun") == child
    live.err.until(rf"prog\[{child}\] is followed")
    a.work(4)
    a.quit()
    a.next("child ended")
    a.work(5)
    seen = live.end(signal.SIGINT)
    assert by_pid(seen) == {child: 7, a.pid: 5}
    assert seen.count("process_name") == {"utrace-t-first": 8, "prog": 4}


def test_exec_by_another_thread_than_the_first_is_followed(utrace, worker, built):
    a = worker()
    live = utrace.start("func", "work", "-p", a.pid).ready()
    a.work(3)
    again = built(WORKER, *FLAGS, name="again")
    assert a.tell(f"t {again}", "begun") == a.pid
    live.err.until(rf"again\[{a.pid}\] is followed")
    a.work(4)
    a.quit()
    assert live.end().count("process_name") == {"prog": 3, "again": 4}


# Executes itself as its argument says, letter by letter: x by the first thread, t by another. Each thread says how many calls it made.
AGAIN = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
__attribute__((noinline, noclone)) void work(void) { asm volatile(""); }
static void calls(int n) { for (int i = 0; i < n; i++) work(); dprintf(1, "%ld %d\n", syscall(SYS_gettid), n); }
static void *again(void *argv) { execv("/proc/self/exe", argv); abort(); }
static void *in_thread(void *argv) { calls(3); return again(argv); }
int main(int argc, char **argv)
{
	char *next[] = { argv[0], argv[1] + 1, NULL };
	pthread_t t;
	calls(5);
	if (!argv[1][0]) return 0;
	if (argv[1][0] == 'x') again(next);
	pthread_create(&t, NULL, in_thread, next);
	pthread_join(t, NULL);
	return 0;
}
"""
EXECS = "ttxttttxttttttxttttttttxtttttt"


def calls_said(seen):
    said = Counter()
    for line in seen.stdout.splitlines():
        said[int(line.split()[0])] += int(line.split()[1])
    return said


def test_exec_of_the_same_file_by_another_thread_is_followed(utrace, built):
    """Held, so that not a call is missed; the threads' former probes are gone, so that none is counted twice."""
    seen = utrace.func("work", command=[built(AGAIN, "-pthread"), EXECS], seconds=60)
    assert seen.count("thread_id") == calls_said(seen) and seen.status == 0
    assert len({c["call_id"] for c in seen.calls}) == len(seen.calls) == 5 * len(EXECS + "-") + 3 * EXECS.count("t")


def test_exec_by_another_thread_loses_no_system_call(utrace, built):
    """Its calls are counted on after those of the first thread, whose number it takes over."""
    seen = utrace.start("sys", "write", command=[built(AGAIN, "-pthread"), EXECS]).end(seconds=60)
    writes = Counter(o["thread_id"] for o in seen.objects if o["event_type"] == "syscall")
    assert writes == Counter(int(line.split()[0]) for line in seen.stdout.splitlines())
    assert seen.lost == [] and seen.status == 0


def test_no_follow_leaves_children_alone(utrace, worker):
    a = worker()
    live = utrace.start("func", "work", "-p", a.pid, "--no-follow").ready()
    a.work(2)
    child = a.tell("f", "forked")
    a.work(3)
    a.quit()
    a.next("child ended")
    a.work(4)
    a.quit()
    seen = live.end()
    assert by_pid(seen) == {a.pid: 6} and seen.summary["lost"] == {} and a.made[child] == 3


def test_a_run_of_pids_ends_with_the_last_of_them_and_their_children(utrace, worker):
    a, b = worker(), worker()
    live = utrace.start("func", "work", "-p", f"{a.pid},{b.pid}").ready()
    child = a.tell("f", "forked")
    live.follows(child)
    os.kill(a.pid, signal.SIGKILL)
    b.quit()
    a.work(5)
    assert live.popen.poll() is None
    a.quit()
    seen = live.end()
    assert by_pid(seen) == {child: 5} and seen.status == 0


STORM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline, noclone)) void work(void) { asm volatile(""); }
int main(int argc, char **argv)
{
	puts("begun");
	fflush(stdout);
	getchar();
	for (int i = 0, running = 0; i < atoi(argv[1]); i++) {
		if (!fork()) { work(); _exit(0); }
		if (++running > 20) { wait(NULL); running--; }
	}
	while (wait(NULL) > 0) ;
	work();
	return 0;
}
"""


def test_each_process_of_a_storm_is_probed_or_counted(utrace, start, built):
    """They end before anybody could look at them; the run knows each, and ends with the last."""
    storm = start(built(STORM), "700")
    storm.line()
    live = utrace.start("func", "work", "-p", storm.pid).ready()
    storm.go()
    seen = live.end()
    assert seen.summary["lost"] == {"not_held": 700} and seen.status == 0
    assert by_pid(seen)[storm.pid] == 1 and len(by_pid(seen)) <= 701


def test_a_library_loaded_later_is_probed(utrace, worker, built):
    a, plugin = worker(), built(PLUGIN, "-shared", "-fPIC", name="libplugin.so")
    live = utrace.start("func", "work", "libplugin:plugin_work", "-p", a.pid).ready()
    assert "no target maps a file 'libplugin' yet" in "\n".join(live.err.seen)
    before = len(live.err.seen)
    a.tell(f"d {plugin}", "loaded")
    while not re.search(rf"\[{a.pid}\] is followed", live.err.next()):
        pass
    assert len(live.err.seen) > before
    a.work(6)
    a.quit()
    seen = live.end()
    assert by_pid(seen, "plugin_work") == {a.pid: 6} and seen.status == 0


# ---- the end ----

# A process with threads, and children of its own with threads; says how many of all there were.
ENDS = r"""
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
static int alone(void) { struct stat st; return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3; }
static void *end(void *u) { return u; }
static void threads(void)
{
	pthread_t t[5];
	for (int i = 0; i < 5; i++) pthread_create(&t[i], NULL, end, NULL);
	for (int i = 0; i < 5; i++) pthread_join(t[i], NULL);
	while (!alone()) sched_yield(); /* before 6.16 a thread that has been joined may come to its tracepoint after the end of its process */
}
int main(void)
{
	getchar();
	threads();
	for (int i = 0; i < 7; i++) {
		if (fork()) { wait(NULL); continue; }
		threads();
		return 0;
	}
	printf("%d %d\n", 1 + 7, 5 + 7 * 5);
	return 0;
}
"""


@pytest.mark.parametrize("how", ["-p", "command"])
def test_each_end_of_a_thread_is_seen_by_the_kernels_tracepoint(utrace, start, built, how):
    program = built(ENDS, "-pthread")
    if how == "-p":
        process = start(program)
        live = utrace.start("func", "t:sched:sched_process_exit", "-p", process.pid).ready()
        process.go()
        processes, threads = map(int, process.line().split())
        seen = live.end()
    else:
        seen = utrace.func("t:sched:sched_process_exit", command=[program])
        processes, threads = map(int, seen.stdout.split())
    ends = [(o["process_id"], o["thread_id"]) for o in seen.objects if o["event_type"] == "tracepoint"]
    assert len(ends) == len(set(ends)) == processes + threads
    assert sum(pid == tid for pid, tid in ends) == processes and "ring_full" not in seen.summary["lost"]


# ---- other roots ----

def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=True, timeout=10).stdout
    return re.findall(r"(/\S+) \(0x", out)


@pytest.fixture
def jail(tmp_path, built):
    """A root of its own, with the program and its libraries."""
    program = built(WORKER, *FLAGS)
    for file in libraries(program):
        to = tmp_path / "jail" / file.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)
    shutil.copy(program, tmp_path / "jail" / "inside")
    return tmp_path / "jail"


@pytest.mark.parametrize("how", ["-p", "later"])
def test_a_process_in_another_mount_and_pid_namespace_and_root(utrace, start, jail, how):
    enter = ["unshare", *MOUNTS, "--pid", "--fork", "--kill-child", "chroot", jail, "/inside"]
    live = utrace.start("func", "work", "libc:getpid", "-n", "inside").ready() if how == "later" else None
    inside = Worker(start(*enter))
    assert inside.pid == 1
    pid = children(inside.process.pid)[0]
    if live:
        live.follows(pid)
    else:
        live = utrace.start("func", "work", "libc:getpid", "-p", pid).ready()
    inside.work(11)
    inside.quit()
    inside.process.wait()
    seen = live.end(signal.SIGINT if how == "later" else None)
    assert by_pid(seen) == {pid: 11} and (how == "later" or by_pid(seen, "getpid")[pid] >= 1)


@pytest.mark.parametrize("fate", ["deleted", "replaced"])
def test_a_binary_that_is_deleted_or_replaced_while_it_runs(utrace, worker, copied, fate, built):
    program = copied(WORKER, "fleeting", *FLAGS)
    a = worker(program=program)
    program.unlink()
    if fate == "replaced":
        shutil.copy("/bin/true", program)
    live = utrace.start("func", "work", "-p", a.pid).ready()
    a.work(12)
    child = a.tell("f", "forked")
    live.follows(child)
    a.work(3)
    a.quit()
    a.next("child ended")
    a.quit()
    assert by_pid(live.end()) == {a.pid: 12, child: 3}


# ---- numbers that are given out again ----

SYS_clone3 = 435


def fork_as(pid):
    """fork() with a number of our choice (clone3(2), set_tid)."""
    wanted = ctypes.c_int(pid)
    args = (ctypes.c_uint64 * 11)()
    args[4] = signal.SIGCHLD
    args[8], args[9] = ctypes.addressof(wanted), 1
    libc = ctypes.CDLL(None, use_errno=True)
    end = time.monotonic() + 2
    while True:
        got = libc.syscall(SYS_clone3, args, 88)
        if got >= 0:
            return got
        if time.monotonic() > end:
            pytest.skip(f"no process can be made as {pid}: {os.strerror(ctypes.get_errno())}")


def run_as(pid, program, out):
    got = fork_as(pid)
    if got == 0:
        try:
            os.dup2(out, 1)
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.execv(program, [str(program)])
        finally:
            os._exit(99)
    return got


BURST = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline, noclone)) void work(void) { asm volatile(""); }
int main(void) { for (int i = 0; i < 50; i++) work(); return 0; }
"""


def test_a_stranger_with_the_number_of_a_target_that_ended_is_left_alone(utrace, worker, copied):
    a, keep = worker(), worker()
    live = utrace.start("func", "work", "-p", f"{a.pid},{keep.pid}").ready()
    a.work(5)
    a.quit()
    a.process.wait()
    stranger = copied(BURST, "stranger")
    with open(os.devnull) as out:
        assert run_as(a.pid, stranger, out.fileno()) == a.pid
        os.waitpid(a.pid, 0)
    keep.work(6)
    keep.quit()
    seen = live.end()
    assert by_pid(seen) == {a.pid: 5, keep.pid: 6} and seen.count("process_name") == {"prog": 11}


REUSES = r"""
#define _GNU_SOURCE
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline, noclone)) void work(void) { asm volatile(""); }
int main(int argc, char **argv)
{
	if (argc > 1) { for (int i = 0; i < atoi(argv[1]); i++) work(); return 0; }
	pid_t number = 0;
	for (int i = 1; i <= 12; i++) { /* each child has the number of the one before it */
		struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = number ? (uintptr_t)&number : 0, .set_tid_size = number != 0 };
		pid_t pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid < 0) { perror("clone3"); return 77; }
		char times[8];
		snprintf(times, sizeof(times), "%d", i);
		if (!pid) {
			if (i % 2) { for (int k = 0; k < i; k++) work(); _exit(0); }
			execl("/proc/self/exe", i % 4 ? "even" : "fourth", times, NULL);
		}
		waitpid(pid, NULL, 0);
		number = pid;
	}
	printf("%d\n", number);
	return 0;
}
"""


def test_children_that_follow_each_other_under_one_number_are_told_apart(utrace, built):
    prog = built("#include <signal.h>\n" + REUSES)
    seen = utrace.func("work", command=[prog])
    if seen.status == 77:
        pytest.skip("clone3 with a number of one's choice is not to be had")
    number = int(seen.stdout)
    assert by_pid(seen) == {number: sum(range(1, 13))}
    ids = [c["call_id"] for c in seen.calls]
    assert len(set(ids)) == len(ids) == 78 and seen.summary["lost"] == {}


# ---- killed in the middle ----

def test_a_target_goes_on_with_right_results_when_utrace_is_killed(utrace, worker, nginx):
    live = utrace.start("func", "ngx_*", "-p", nginx.workers()[0], "--max-overhead", "none").ready()
    want = nginx.get().split(b"\r\n\r\n")[1]
    for _ in range(20):
        nginx.get()
    os.kill(live.pid, signal.SIGKILL)
    answers = Counter(nginx.get().split(b"\r\n\r\n")[1] for _ in range(200))
    assert answers == {want: 200} and want == b"hello\n"


def test_workers_that_nginx_starts_later_are_followed(utrace, nginx):
    master, old = nginx.pid, nginx.workers()[0]
    live = utrace.start("func", "ngx_http_create_request", "-p", master).ready()
    os.kill(master, signal.SIGHUP)
    end = time.monotonic() + DEADLINE_S
    while old in nginx.workers() or not nginx.workers():
        assert time.monotonic() < end
        os.sched_yield()
    new = nginx.workers()[0]
    live.follows(new)
    for _ in range(10):
        nginx.get()
    seen = live.end(signal.SIGINT)
    assert by_pid(seen, "ngx_http_create_request") == {new: 10}


# ---- what is no target ----

def refusal(*words, status):
    done = subprocess.run([UTRACE, "func", "work", *map(str, words)], env=CLEAN, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == status and done.stdout == "" and re.fullmatch(r"utrace: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def ended_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


WRONG = [
    ([], 2, "target"),
    (["-p", "0"], 2, "0"),
    (["-p", "abc"], 2, "abc"),
    (["-u", "no-such-user"], 1, "no user 'no-such-user'"),
    (["--cgroup", "/no/such/cgroup"], 1, "no cgroup '/no/such/cgroup'"),
    (["--cgroup", "/tmp"], 1, "no cgroup '/tmp'"),
    (["--pidns", "4194303"], 1, "no process 4194303"),
    (["--all", "--no-such"], 2, "--no-such"),
]


@pytest.mark.parametrize("words,status,want", WRONG, ids=[" ".join(w) for w, _, _ in WRONG])
def test_a_wrong_target_is_answered_in_one_line(words, status, want):
    assert want in refusal(*words, status=status)


def test_a_process_that_ended_is_no_target():
    pid = ended_pid()
    assert f"no process {pid}" in refusal("-p", pid, status=1)


def test_a_thread_is_no_process_and_the_answer_names_its_own(start, built):
    threaded = built(r"""
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *run(void *u) { printf("%ld\n", syscall(SYS_gettid)); fflush(stdout); pause(); return u; }
int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0); return 0; }
""", "-pthread")
    process = start(threaded)
    tid = int(process.line())
    assert f"{tid} is a thread of process {process.pid}" in refusal("-p", tid, status=1)


def test_kinds_that_no_process_fits_together_are_told(worker):
    a = worker()
    assert "no process fits" in refusal("-p", a.pid, "-n", "unlike-any", status=1)
