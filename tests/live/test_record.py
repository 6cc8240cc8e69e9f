"""Recordings: what was shown live is what a report shows, wherever and whenever it is read, and whatever became of the tracer."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import mounts
import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE

# top(i) calls mid twice, mid calls leaf; every line tells how many calls of top have ended. "pause" stays open for 1.3 s.
PROGRAM = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define WORK __attribute__((noinline, noclone))
WORK int leaf(int i) { asm volatile(""); return i + 1; }
WORK int mid(int i) { return leaf(i) + leaf(i + 1) + 1; }
WORK int top(int i) { return mid(i) + mid(i + 1) + 1; }
WORK void pause_inside(void) { leaf(1); struct timespec t = { 1, 300000000 }; nanosleep(&t, NULL); leaf(2); asm volatile(""); }
static void *thread(void *n) { for (long i = 0; i < (long)n; i++) top((int)i); return NULL; }
int main(int argc, char **argv)
{
	long n = atol(argv[2]);
	pthread_t t[4];
	if (!strcmp(argv[1], "calls")) thread((void *)n);
	if (!strcmp(argv[1], "pause")) pause_inside();
	if (!strcmp(argv[1], "strings")) for (long i = 0; i < n; i++) setenv("NAME\n\"\\", "value", 1);
	if (!strcmp(argv[1], "threads")) {
		for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, thread, (void *)n);
		for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
	}
	if (!strcmp(argv[1], "forks"))
		for (int i = 0; i < n; i++) { if (!fork()) { top(i); execl("/bin/true", "true", NULL); } wait(NULL); }
	if (!strcmp(argv[1], "lines"))
		for (long i = 0; i < n; i++) { top((int)i); printf("%ld\n", i + 1); fflush(stdout); }
	return 0;
}
"""
ALL = ("top", "mid", "leaf", "pause_inside")


@pytest.fixture(scope="session")
def prog(built):
    return built(PROGRAM, "-pthread")


def run(*words, status=0, env=None, **kwargs):
    done = subprocess.run([UTRACE, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=env or CLEAN, **kwargs)
    assert done.returncode == status, done.stderr.decode()
    return done


def report(*words, **kwargs):
    return run("report", *words, **kwargs).stdout


def objects(text, kind=None):
    return [o for o in map(json.loads, text.splitlines()) if kind in (None, o["event_type"])]


# What was asked live, and what is asked of the recording so that it shows the same.
SHOWN = {
    "a tree of calls": (("func", *ALL), ("calls", 50), ("func",)),
    "as json": (("func", *ALL, "--json"), ("calls", 50), ("func", "--json")),
    "threads": (("func", *ALL, "--json"), ("threads", 300), ("func", "--json")),
    "processes that fork and execute": (("func", *ALL), ("forks", 5), ("func",)),
    "a call that stays open": (("func", *ALL), ("pause", 0), ("func",)),
    "without arguments": (("func", *ALL, "--no-args"), ("calls", 50), ()),
    "strings of prototypes": (("func", "libc:setenv", "--json"), ("strings", 20), ("func", "--json")),
    "a filter that the kernel decides": (("func", *ALL, "--where", "arg1 > 10"), ("calls", 50), ()),
    "a filter that user space decides": (("func", *ALL, "--where", 'function_name ~ "m*"'), ("calls", 50), ()),
    "the first calls": (("func", *ALL, "--limit", "7"), ("calls", 50), ("func",)),
    "a depth": (("func", *ALL, "--depth", "2"), ("calls", 50), ("func",)),
    "counts": (("func", *ALL, "--stat"), ("threads", 300), ("func",)),
    "histograms": (("func", *ALL, "--hist", "--json"), ("calls", 50), ("--json",)),
    "a table of chosen columns": (("func", *ALL, "--stat", "--sort", "calls", "--columns", "function,calls"), ("calls", 50), ()),
    "system calls": (("sys",), ("forks", 3), ("sys",)),
    "system calls as json": (("sys", "--json"), ("forks", 3), ("sys", "--json")),
    "counts of system calls": (("sys", "--stat"), ("forks", 3), ("sys",)),
    "tracepoints": (("func", "t:sched:sched_process_fork", "t:signal:*"), ("forks", 3), ("func",)),
}


@pytest.mark.parametrize("how", SHOWN)
def test_a_report_is_what_was_shown(utrace, prog, tmp_path, how):
    live, work, again = SHOWN[how]
    shown, recording = tmp_path / "shown", tmp_path / "r.utr"
    run(*live, "-o", shown, "--record", recording, "--", prog, *work)
    assert shown.stat().st_size > 0
    assert report(recording, *again) == shown.read_bytes()
    own = ("--json",) if "--json" in live else ()
    assert report(recording, *own) == shown.read_bytes(), "as it was recorded"


def test_the_calls_of_a_real_nginx_are_read_from_the_recording(utrace, nginx, tmp_path):
    recording = tmp_path / "r.utr"
    live = subprocess.Popen([UTRACE, "record", "-v", "-o", recording, "func", "ngx_http_*", "-p", str(nginx.workers()[0])],
                            stderr=subprocess.PIPE, text=True, env=CLEAN)
    for line in live.stderr:
        if "ready" in line:
            break
    for i in range(30):
        nginx.get(f"/index.html?{i}")
    live.send_signal(signal.SIGINT)
    rest = live.stderr.read()
    assert live.wait(DEADLINE_S) == 0, rest
    calls = objects(report(recording, "--json"), "function_call")
    logged = (nginx.folder / "access.log").read_text().splitlines()
    handled = [c for c in calls if c["function_name"] == "ngx_http_process_request"]
    assert len(handled) == len(logged) == 30
    tables = objects(report(recording, "func", "--stat", "--json"), "function_stat")
    assert {t["function_name"]: t["calls"] for t in tables}["ngx_http_process_request"] == 30
    few = objects(report(recording, "func", "*request*", "!*_read_*", "--json"), "function_call")
    assert {c["function_name"] for c in few} == {c["function_name"] for c in calls
                                                 if "request" in c["function_name"] and "_read_" not in c["function_name"]}


def test_counts_made_from_single_calls_are_those_of_the_calls(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "threads", 500)
    calls = objects(report(recording, "--json"), "function_call")
    for t in objects(report(recording, "func", "--hist", "--json"), "function_stat"):
        durations = sorted(c["duration_ns"] for c in calls if c["function_name"] == t["function_name"])
        assert (t["calls"], t["total_ns"], t["min_ns"], t["max_ns"]) == (len(durations), sum(durations), durations[0], durations[-1])
        assert t["self_ns"] == sum(c["self_ns"] for c in calls if c["function_name"] == t["function_name"])
        assert sum(b["count"] for b in t["histogram"]) == len(durations)
        median = durations[(len(durations) - 1) // 2]
        assert median * 7 / 8 - 1 <= t["p50_ns"] <= median * 9 / 8 + 1


def test_filters_can_be_asked_of_a_recording(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "threads", 100)
    calls = objects(report(recording, "--json"), "function_call")
    middle = sorted(c["duration_ns"] for c in calls)[len(calls) // 2]

    def asked(*words):
        return {c["call_id"] for c in objects(report(recording, "func", "--json", *words), "function_call")}

    def those(test):
        return {c["call_id"] for c in calls if test(c)}
    pid = calls[0]["process_id"]
    assert asked("--min", f"{middle}ns") == those(lambda c: c["duration_ns"] >= middle)
    assert asked("--depth", "2") == those(lambda c: c["depth"] < 2)
    assert asked("--where", "ret == 8 && arg1 < 4") == those(
        lambda c: int(c["return_value"]["value"], 0) & 0xffffffff == 8 and int(c["arguments"][0]["value"], 0) < 4)
    assert asked("mid") == those(lambda c: c["function_name"] == "mid")
    assert asked("-p", pid) == those(lambda c: True) and asked("-p", pid + 1) == set()
    assert asked("-n", "pro?") == those(lambda c: True) and asked("-n", "nginx") == set()
    assert len(asked("--limit", "7")) == 7


def test_a_span_of_time_is_read_alone_and_the_same(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "calls", 10000)
    calls = objects(report(recording, "--json"), "function_call")
    times = sorted(c["timestamp"] for c in calls)
    since, until = times[len(times) // 2], times[len(times) // 2 + 500]
    seen = objects(report(recording, "--json", "--since", since, "--until", until), "function_call")
    assert seen == [c for c in calls if since <= c["timestamp"] < until]
    assert objects(report(recording, "--json", "--since", since), "lost") == []
    all_of_it = objects(report(recording, "--json", "--since", "0s"), "function_call")
    assert all_of_it == calls


def test_a_part_of_a_recording_is_a_recording(utrace, prog, tmp_path):
    recording, part = tmp_path / "r.utr", tmp_path / "part.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "calls", 15000)
    calls = objects(report(recording, "--json"), "function_call")
    times = sorted(c["timestamp"] for c in calls)
    since, until = times[len(times) // 2], times[len(times) // 2 + 500]
    run("export", recording, "--since", since, "--until", until, "-o", part)
    assert part.stat().st_size < recording.stat().st_size
    seen = objects(report(part, "--json"))
    assert not [o for o in seen if o["event_type"] == "lost"]
    ids = {c["call_id"] for c in seen if c["event_type"] == "function_call"}
    assert [c for c in calls if c["call_id"] in ids] == [c for c in seen if c["event_type"] == "function_call"]
    assert {c["call_id"] for c in calls if since <= c["timestamp"] < until} <= ids and len(ids) < len(calls)


def test_a_recording_is_not_written_over_by_what_is_read_from_it(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "calls", 1)
    before = recording.read_bytes()
    for words in (("report", recording, "-o", recording), ("export", recording, "-o", recording), ("export", recording, "--format", "csv", "-o", recording)):
        assert "it would be overwritten" in run(*words, status=2).stderr.decode()
    assert recording.read_bytes() == before


def test_names_stay_when_program_and_files_are_gone(utrace, copied, tmp_path):
    program = copied(PROGRAM, "short-lived", "-pthread")
    recording = tmp_path / "r.utr"
    run("func", *ALL, "-o", tmp_path / "shown", "--record", recording, "--", program, "forks", 3, env={**CLEAN, "TZ": "Asia/Tokyo"})
    program.unlink()
    elsewhere = {"PATH": "/nonexistent", "TZ": "America/New_York", "LC_ALL": "C"}
    assert report(recording, env=elsewhere) == (tmp_path / "shown").read_bytes()


def test_a_recording_needs_no_privilege_to_be_read(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("func", *ALL, "-o", tmp_path / "shown", "--record", recording, "--", prog, "calls", 5)
    assert recording.stat().st_mode & 0o777 == 0o600, "what it holds is nobody else's business"
    os.chown(recording, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and str(folder) != "/":
            folder.chmod(folder.stat().st_mode | 0o011)
    binary = shutil.copy(UTRACE, tmp_path / "utrace")
    done = subprocess.run([binary, "report", recording], capture_output=True, user=65534, group=65534, extra_groups=[], env=CLEAN, timeout=20)
    assert done.stdout == (tmp_path / "shown").read_bytes(), done.stderr


def test_a_rotated_recording_is_one(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    live = run("func", *ALL, "-o", tmp_path / "shown", "--record", recording, "--rotate", "200k", "--buffer", "64M", "--", prog, "threads", 4000)
    files = sorted(tmp_path.glob("r.utr*"), key=lambda f: int(f.suffix[1:]) if f.suffix != ".utr" else 0)
    assert len(files) > 2
    assert f"and {len(files) - 1} more files" in live.stderr.decode()
    assert all(f.stat().st_size < 600 << 10 for f in files)
    assert report(recording) == (tmp_path / "shown").read_bytes()
    whole = objects(report(recording, "--json"), "function_call")
    later = objects(report(files[-1], "--json"))
    ids = {c["call_id"] for c in later if c["event_type"] == "function_call"}
    assert ids and [c for c in whole if c["call_id"] in ids] == [c for c in later if c["event_type"] == "function_call"]
    assert not [o for o in later if o["event_type"] == "lost"]


def test_a_ring_keeps_the_newest(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("func", *ALL, "--json", "-o", tmp_path / "shown", "--record", recording, "--ring", "100k", "--", prog, "calls", 15000)
    kept, shown = (objects(text, "function_call") for text in (report(recording, "--json"), (tmp_path / "shown").read_bytes()))
    assert 100 < len(kept) < len(shown)
    assert kept == shown[-len(kept):]
    assert recording.stat().st_size < 300 << 10


def test_a_ring_is_saved_when_an_event_fits(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    live = run("record", "-o", recording, "--ring", "10M", "--trigger", "function_name == \"pause_inside\" && duration > 1s",
               "func", *ALL, "--", prog, "pause", 0)
    assert "pause_inside" in {c["function_name"] for c in objects(report(recording, "--json"), "function_call") if "end" not in c}
    recording.unlink()
    live = run("record", "-o", recording, "--ring", "10M", "--trigger", "duration > 3600s", "func", *ALL, "--", prog, "calls", 10)
    assert not recording.exists() and "no trigger came" in live.stderr.decode()


def test_a_ring_is_saved_by_a_signal(utrace, prog, start, tmp_path):
    recording = tmp_path / "r.utr"
    tracer = subprocess.Popen([UTRACE, "record", "-v", "-o", recording, "--ring", "1m", "func", *ALL, "--", prog, "lines", "2000000"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=CLEAN)
    try:
        for line in tracer.stdout:
            if int(line) > 2000:
                break
        tracer.send_signal(signal.SIGUSR2)
        end = time.monotonic() + DEADLINE_S
        for line in tracer.stdout:
            if recording.exists() and recording.stat().st_size:
                break
            assert time.monotonic() < end
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.stdout.read()
        tracer.wait(DEADLINE_S)
    assert len(objects(report(recording, "func", "top", "--json"), "function_call")) >= 2000


def test_kill_9_leaves_what_was_written_and_the_program_runs_on(utrace, prog, tmp_path):
    recording, shown = tmp_path / "r.utr", tmp_path / "shown"
    n = 20000
    tracer = subprocess.Popen([UTRACE, "func", *ALL, "--json", "-o", shown, "--record", recording, "--", prog, "lines", str(n)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=CLEAN)
    size = 0
    for line in tracer.stdout:
        size = recording.stat().st_size if recording.exists() else 0
        if size > 50000 or int(line) == n:
            break
    tracer.kill()
    rest = tracer.stdout.read()
    tracer.wait(DEADLINE_S)
    assert size > 50000 and rest.split()[-1] == str(n).encode(), "the program ran to its end"
    done = run("report", recording, "func", "--json")
    assert "was not closed" in done.stderr.decode()
    seen = objects(done.stdout, "function_call")
    before = [json.loads(line) for line in shown.read_text().splitlines()[:len(seen)]]
    whole = [o for o in before if o["event_type"] == "function_call"]
    assert seen and seen[:len(whole)] == whole[:len(seen)]


def test_a_full_disk_ends_the_recording_and_nothing_else(utrace, prog, tmp_path):
    small = tmp_path / "small"
    small.mkdir()

    def apart():
        mounts.apart()
        mounts.mount("none", small, "tmpfs", data="size=400k")
    script = f'{UTRACE} func {" ".join(ALL)} --json -o {tmp_path}/shown --record {small}/r.utr -- {prog} lines 30000; s=$?; cp {small}/r.utr {tmp_path}/; exit $s'
    done = subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, preexec_fn=apart, env=CLEAN)
    told = [line for line in done.stderr.decode().splitlines() if "stops here" in line]
    assert done.returncode == 125 and len(told) == 1 and "No space left on device" in told[0], done.stderr.decode()
    assert done.stdout.split()[-1] == b"30000"
    shown = objects((tmp_path / "shown").read_text(), "function_call")
    seen = objects(report(tmp_path / "r.utr", "func", "--json"), "function_call")
    assert len(shown) >= 30000 and 1000 < len(seen) < len(shown)
    assert seen == shown[:len(seen)]


def test_a_recording_that_is_damaged_is_read_around_the_damage(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "threads", 2000)
    whole = objects(report(recording, "--json"), "function_call")
    bytes_ = bytearray(recording.read_bytes())
    bytes_[len(bytes_) // 2] ^= 0xff
    recording.write_bytes(bytes_)
    done = run("report", recording, "--json", status=1)
    assert re.search(r"parts of the recording .* are damaged: 1 pieces", done.stderr.decode())
    rest = objects(done.stdout, "function_call")
    assert 0 < len(rest) < len(whole)
    known = {c["call_id"]: c for c in whole}
    assert [known[c["call_id"]] for c in rest] == [{k: v for k, v in c.items() if k != "lost_before"} for c in rest]


WRONG = {
    "no such file": (("report", "/nonexistent/r.utr"), 1, "/nonexistent/r.utr"),
    "not a recording": (("report", "/etc/passwd"), 1, "/etc/passwd is not a recording"),
    "a folder": (("report", "/etc"), 1, "/etc"),
    "no file": (("report",), 2, "which recording"),
    "no such command": (("report", "/etc/passwd", "frobnicate"), 1, "/etc/passwd"),
    "export in no format": (("export", "/etc/passwd"), 1, "/etc/passwd"),
    "record nothing": (("record", "-o", "/dev/null"), 2, "record what"),
    "record what does not trace": (("record", "-o", "/dev/null", "doctor"), 2, "doctor"),
    "record to nowhere": (("record", "func", "x", "-p", "1"), 2, "utrace record -o FILE"),
    "a folder that is not there": (("func", "x", "-p", str(os.getpid()), "--record", "/nonexistent/r.utr"), 1, "/nonexistent/r.utr"),
    "rotation of nothing": (("func", "x", "-p", str(os.getpid()), "--rotate", "1M"), 2, "--record FILE"),
    "a size that is none": (("func", "x", "-p", str(os.getpid()), "--record", "/tmp/x.utr", "--rotate", "lots"), 2, "'lots'"),
    "a size without unit": (("func", "x", "-p", str(os.getpid()), "--record", "/tmp/x.utr", "--ring", "100"), 2, "'100'"),
    "ring and rotation": (("func", "x", "-p", str(os.getpid()), "--record", "/tmp/x.utr", "--ring", "1M", "--rotate", "1M"), 2, "choose one"),
    "a trigger of no ring": (("func", "x", "-p", str(os.getpid()), "--record", "/tmp/x.utr", "--trigger", "arg1 > 1"), 2, "--ring"),
    "a trigger that is no expression": (("func", "x", "-p", str(os.getpid()), "--record", "/tmp/x.utr", "--ring", "1M", "--trigger", "arg1 >"), 2, "--trigger"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_words_are_answered_in_one_line(utrace, what):
    words, status, named = WRONG[what]
    done = run(*words, status=status)
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("utrace: ") and named in lines[0]
    assert not os.path.exists("/tmp/x.utr")


@pytest.mark.parametrize("words,named", [
    (("--since", "yesterday"), "'yesterday'"), (("--until", "25:00"), "'25:00'"), (("--", "ls"), "-- COMMAND"), (("-u", "root"), "-p PID and -n NAME"),
    (("nothing",), "'nothing'"), (("--buffer", "1M"), "--buffer"), (("func", "--where", "arg1 >"), "--where"),
])
def test_what_cannot_be_asked_of_a_recording_is_said(utrace, prog, tmp_path, words, named):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", "top", "--", prog, "calls", 1)
    lines = run("report", recording, *words, status=2).stderr.decode().splitlines()
    assert len(lines) == 1 and named in lines[0]


def test_a_pattern_that_nothing_in_the_recording_matches_names_the_nearest(utrace, prog, tmp_path):
    recording = tmp_path / "r.utr"
    run("record", "-o", recording, "func", *ALL, "--", prog, "calls", 1)
    assert "nearest: leaf" in run("report", recording, "func", "laef", status=1).stderr.decode()


@pytest.mark.parametrize("recorded,asked,things", [("sys", "req", "requests"), ("func", "sys", "system calls"), ("req", "func", "calls of functions")])
def test_a_recording_of_something_else_says_what_it_holds(recorded, asked, things):
    """Those of tests/golden, that another version made."""
    recording = os.path.join(os.path.dirname(__file__), "..", "golden", {"func": "calls"}.get(recorded, recorded) + ".utr")
    said = run("report", recording, asked).stderr.decode().splitlines()
    assert said[0] == f"utrace: the recording holds what '{recorded}' saw; there are no {things} in it" and said[1].startswith("utrace: 0 events")
    assert all("the recording holds" not in run("report", recording, *words).stderr.decode() for words in ([], [recorded]))
