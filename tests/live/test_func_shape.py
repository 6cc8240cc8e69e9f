"""What is left out of the calls, what they tell of each other, and the account of what was lost."""
import re
import signal
import subprocess
import time
from collections import Counter, defaultdict

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE

# top(n) calls mid twice, mid calls leaf three times; `slow` sleeps; all are counted by the program itself.
PROGRAM = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#define WORK __attribute__((noinline, noclone))
WORK void leaf(void) { asm volatile(""); }
WORK void mid(void) { leaf(); leaf(); leaf(); asm volatile(""); }
WORK void top(void) { mid(); mid(); asm volatile(""); }
WORK void slow(long us) { struct timespec t = { 0, us * 1000 }; clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL); }
WORK int deep(int n) { int r = n ? deep(n - 1) + 1 : 0; asm volatile("" : "+r"(r)); return r; }
static void *thread(void *n)
{
	for (long i = (long)n; i > 0; i--) top();
	printf("thread %ld %ld\n", (long)syscall(SYS_gettid), (long)n);
	return NULL;
}
int main(int argc, char **argv)
{
	int n = atoi(argv[1]), threads = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t t[64];
	if (n < 0) { for (int i = 0; i < -n; i++) { slow(200); slow(6000); } return 0; }
	if (threads < 0) { deep(n); return 0; }
	for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, thread, (void *)(long)(n + i));
	if (!threads) for (int i = 0; i < n; i++) top();
	for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
	return 0;
}
"""
ALL = ("top", "mid", "leaf")


@pytest.fixture(scope="session")
def prog(built):
    return built(PROGRAM, "-pthread")


def test_calls_form_a_tree(utrace, prog):
    seen = utrace.func(*ALL, command=[prog, "50"])
    assert seen.count() == {"top": 50, "mid": 100, "leaf": 300}
    by_id = {c["call_id"]: c for c in seen.calls}
    assert len(by_id) == 450
    below, parent_of = defaultdict(list), {"mid": "top", "leaf": "mid"}
    for c in seen.calls:
        parent = by_id.get(c.get("parent_call_id"))
        assert (parent["function_name"] if parent else None) == parent_of.get(c["function_name"])
        assert c["depth"] == (parent["depth"] + 1 if parent else 0)
        if parent:
            below[parent["call_id"]].append(c)
            assert parent["timestamp"] <= c["timestamp"] and parent["thread_id"] == c["thread_id"]
    assert Counter((by_id[i]["function_name"], len(c)) for i, c in below.items()) == {("top", 2): 50, ("mid", 3): 100}
    for c in seen.calls:
        assert c["self_ns"] == max(0, c["duration_ns"] - sum(d["duration_ns"] for d in below[c["call_id"]]))


def test_each_of_many_threads_has_its_own_tree(utrace, prog):
    seen = utrace.func(*ALL, command=[prog, "20", "40"])
    told = {int(w[1]): int(w[2]) for w in map(str.split, seen.stdout.splitlines())}
    assert len(told) == 40 and sum(told.values()) == sum(range(20, 60))
    assert seen.count("thread_id", "function_name") == Counter(
        {(tid, f): n * k for tid, n in told.items() for f, k in (("top", 1), ("mid", 2), ("leaf", 6))})
    assert len({c["process_id"] for c in seen.calls}) == 1
    by_id = {c["call_id"]: c for c in seen.calls}
    assert len(by_id) == len(seen.calls)
    assert all(by_id[c["parent_call_id"]]["thread_id"] == c["thread_id"] for c in seen.calls if "parent_call_id" in c)


def test_depth_shows_the_outermost_calls_only(utrace, prog):
    assert utrace.func(*ALL, "--depth", "1", command=[prog, "10"]).count() == {"top": 10}
    assert utrace.func(*ALL, "--depth", "2", command=[prog, "10"]).count() == {"top": 10, "mid": 20}
    assert utrace.func("deep", "--depth", "5", command=[prog, "60", "-1"]).count("depth") == {d: 1 for d in range(5)}


@pytest.mark.parametrize("without", ["", "session"])
@pytest.mark.parametrize("exits", ["auto", "sites"])
def test_calls_below_depth_leave_no_trace(utrace, prog, tmp_path, exits, without):
    recording = tmp_path / "calls.utr"
    seen = utrace.func(*ALL, "--depth", "1", "--no-args", "--exits", exits, "--record", recording, command=[prog, "10"],
                       env={**CLEAN, "UTRACE_WITHOUT": without})
    told = utrace.start("report", recording).end()
    for of in (seen, told):
        assert of.count() == {"top": 10} and of.lost == [] and of.summary["lost"] == {}
        assert all("lost_before" not in c and "end" not in c for c in of.calls) and "left out" not in of.stderr
    assert told.calls == seen.calls


# outer() calls leaf() a hundred times; the program takes the time of each outer() itself, in nanoseconds.
CALLS_MANY = r"""
#include <stdio.h>
#include <time.h>
#define WORK __attribute__((noinline, noclone))
WORK void leaf(void) { asm volatile(""); }
WORK void outer(void) { for (int i = 0; i < 100; i++) leaf(); asm volatile(""); }
static long now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000L + t.tv_nsec; }
int main(void) { for (int i = 0; i < 40; i++) { long begun = now(); outer(); printf("%ld\n", now() - begun); } return 0; }
"""


@pytest.mark.parametrize("exits", ["auto", "sites"])
def test_what_hidden_calls_cost_is_subtracted_from_those_shown(utrace, built, exits):
    command = [built(CALLS_MANY)]
    seen = utrace.func("outer", "leaf", "--depth", "1", "--exits", exits, command=command)
    took = [int(line) for line in seen.stdout.split()]
    assert seen.count() == {"outer": len(took)} == {"outer": 40}
    for call, ns in zip(sorted(seen.calls, key=lambda c: c["timestamp"]), took):
        assert call["duration_ns"] + call["overhead_ns"] <= ns
    assert min(c["duration_ns"] for c in seen.calls) < min(took) / 3  # it is near all probes; the rest is an estimate's error
    counted = utrace.func("outer", "leaf", "--depth", "1", "--exits", exits, "--stat", command=command)
    assert counted.stats.keys() == {"outer"} and counted.stats["outer"]["min_ns"] < min(map(int, counted.stdout.split())) / 3


def test_calls_too_deep_for_the_kernels_table_are_counted_as_lost(utrace, prog):
    seen = utrace.func("deep", command=[prog, "399", "-1"])
    assert len(seen.calls) + sum(seen.summary["lost"].values()) == 400
    assert set(seen.summary["lost"]) == {"too_deep"} and len(seen.calls) >= 30


def test_sample_of_one_in_one_is_everything(utrace, prog):
    assert utrace.func(*ALL, "--sample", "1/1", command=[prog, "100"]).count() == {"top": 100, "mid": 200, "leaf": 600}


def test_a_sample_is_of_outermost_calls_with_all_that_they_call(utrace, prog):
    seen = utrace.func(*ALL, "--sample", "1/10", command=[prog, "2000"])
    tops = seen.count()["top"]
    assert 120 <= tops <= 280  # 200 expected, deviation 13.4: six of them
    assert seen.count() == {"top": tops, "mid": 2 * tops, "leaf": 6 * tops} and seen.summary["events"] == 9 * tops


def test_min_is_decided_in_the_kernel(utrace, prog):
    seen = utrace.func("slow", "--min", "5ms", command=[prog, "-15"])
    assert len(seen.calls) >= 15 and all(c["duration_ns"] >= 5_000_000 for c in seen.calls)
    assert seen.summary["events"] == len(seen.calls) and seen.summary["lost"] == {}
    long_ones = [c for c in seen.calls if c["arguments"][0]["value"] == hex(6000)]
    assert len(long_ones) == 15
    flood = utrace.func("leaf", "--min", "1s", "--buffer", "64k", command=[prog, "3000"])
    assert flood.summary["events"] == 0 and flood.summary["lost"] == {}  # 18,000 calls; had one been copied, the buffer would have been full


INTS = r"""
#include <stdio.h>
__attribute__((noinline, noclone)) int less(int n) { asm volatile("" : "+r"(n)); return n - 30000; }
int main(void) { for (int i = -70000; i <= 70000; i += 3500) printf("%d %d\n", i, less(i)); return 0; }
"""
ORDERS = {"ret < 0": lambda n, ret: ret < 0, "arg1 < 0": lambda n, ret: n < 0, "ret >= 0": lambda n, ret: ret >= 0, "arg1 > 0": lambda n, ret: n > 0,
          "ret == -5500": lambda n, ret: ret == -5500, "arg1 < -20000": lambda n, ret: n < -20000}


def test_negative_ints_are_below_0(utrace, built, tmp_path):
    recording = tmp_path / "all.utr"
    recorded = utrace.func("less", "--record", recording, command=[built(INTS)])
    for order, holds in ORDERS.items():
        seen = utrace.func("less", "--where", order, command=[built(INTS)])
        told = [tuple(map(int, line.split())) for line in seen.stdout.splitlines()]
        want = [(n % 2**32, ret % 2**32) for n, ret in told if holds(n, ret)]
        assert len(told) == len(recorded.calls) == 41 and 0 < len(want) < 41
        for calls in (seen.calls, utrace.start("report", recording, "--where", order).end().calls):
            assert [tuple(int(v, 16) % 2**32 for v in (c["arguments"][0]["value"], c["return_value"]["value"])) for c in calls] == want, order
        assert seen.summary["events"] == len(want)


def test_calls_picked_by_where_are_lines_by_themselves(utrace, prog, tmp_path):
    recording, shown = tmp_path / "all.utr", {}
    utrace.func(*ALL, "--record", recording, "--no-args", command=[prog, "3"])
    for name, words in {"live": ["func", *ALL, "--no-args", "--", prog, "3"], "told": ["report", recording]}.items():
        words[1:1] = ["--where", 'duration >= 0 && !(function_name == "top")', "-o", tmp_path / name]
        subprocess.run([UTRACE, *map(str, words)], env=CLEAN, check=True, capture_output=True, timeout=DEADLINE_S)
        shown[name] = (tmp_path / name).read_text().splitlines()
    line = r"\d\d:\d\d:\d\d\.\d{6} prog\[\d+\] {3} *[\d.]+[mun]?s  (\w+)"  # its own time and process, no indentation
    for lines in shown.values():
        assert [(m := re.fullmatch(line, text)) and m[1] for text in lines if "utrace: " not in text] == 6 * ["leaf", "leaf", "leaf", "mid"], lines


def test_limit_takes_the_probes_away_and_the_command_runs_on(utrace, prog):
    seen = utrace.func("leaf", "--limit", "25", command=["sh", "-c", f"{prog} 1000; {prog} 10; exit 3"])
    assert len(seen.calls) == 25 == seen.summary["events"] and seen.status == 3


def test_duration_ends_the_run_of_a_running_process(utrace, start, built):
    spin = start(built(r"""
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) void tick(void) { usleep(1000); }
int main(void) { puts("begun"); fflush(stdout); for (int i = 0; i < 20000; i++) tick(); return 0; }"""))
    spin.line()
    begun = time.monotonic()
    seen = utrace.func("tick", "--duration", "300ms", "-p", spin.pid)
    assert seen.status == 0 and seen.calls and time.monotonic() - begun < DEADLINE_S / 2 and spin.popen.poll() is None
    times = sorted(c["timestamp"] for c in seen.calls)
    assert float(times[-1][17:-1]) - float(times[0][17:-1]) < 1 or times[0][:17] != times[-1][:17]


def test_duration_lets_the_command_run_on(utrace, prog):
    seen = utrace.func("slow", "--duration", "200ms", command=["sh", "-c", f"{prog} -150; echo to the end; exit 8"])
    assert seen.status == 8 and "to the end" in seen.stdout and 0 < len(seen.calls) < 300


@pytest.mark.parametrize("more", [[], ["--no-args"]], ids=["with arguments", "without"])
def test_shown_and_lost_are_what_was_made(utrace, prog, more):
    seen = utrace.func(*ALL, "--buffer", "64k", *more, command=[prog, "2500"])
    made = 2500 * 9
    lost = seen.summary["lost"].get("ring_full", 0)  # none when the reader keeps up: test_truth_flood loses for certain
    assert seen.summary["events"] == len(seen.calls) and seen.summary["events"] + lost == made
    assert set(seen.summary["lost"]) <= {"ring_full"}
    placed = sum(o["count"] for o in seen.lost if "thread_id" in o)  # behind the last call nothing tells whose they were
    assert placed == sum(c.get("lost_before", 0) for c in seen.calls) <= lost


def test_shown_and_lost_are_what_was_made_by_many_threads(utrace, prog):
    seen = utrace.func(*ALL, "--buffer", "64k", command=[prog, "150", "24"])
    made = 9 * sum(range(150, 174))
    assert len(seen.calls) + sum(seen.summary["lost"].values()) == made


def test_more_threads_than_there_is_room_for_are_counted(utrace, prog):
    seen = utrace.func(*ALL, "--max-threads", "4", command=[prog, "50", "16"])
    assert len(seen.calls) + sum(seen.summary["lost"].values()) == 9 * sum(range(50, 66))


def test_stat_counts_each_call_and_copies_none(utrace, prog):
    seen = utrace.func(*ALL, "--stat", "--buffer", "64k", command=[prog, "500", "8"])
    n = sum(range(500, 508))
    assert {f: s["calls"] for f, s in seen.stats.items()} == {"top": n, "mid": 2 * n, "leaf": 6 * n}
    assert seen.summary["lost"] == {} and seen.calls == []
    for s in seen.stats.values():
        assert s["min_ns"] <= s["p50_ns"] <= s["p99_ns"] and s["self_ns"] <= s["total_ns"] and s["max_ns"] <= s["total_ns"]


def test_histograms_hold_each_call(utrace, prog):
    seen = utrace.func("slow", "--hist", command=[prog, "-40"])
    slow = seen.stats["slow"]
    assert slow["calls"] == 80 == sum(b["count"] for b in slow["histogram"])
    assert sum(b["count"] for b in slow["histogram"] if b["le_ns"] > 6_000_000) >= 40
    assert slow["total_ns"] >= 40 * 6_200_000


LEAVES = r"""
#include <setjmp.h>
#include <stdlib.h>
#define WORK __attribute__((noinline, noclone))
static jmp_buf back;
WORK void jumps(void) { asm volatile(""); longjmp(back, 1); }
WORK void through(void) { jumps(); asm volatile(""); }
WORK void last(void) { exit(0); }
WORK void plain(void) { asm volatile(""); }
int main(void)
{
	for (volatile int i = 0; i < 5; i++) { if (!setjmp(back)) through(); plain(); }
	last();
}
"""


def test_a_call_that_never_returns_is_shown_as_such(utrace, built):
    seen = utrace.func("jumps", "through", "plain", "last", "main", command=[built(LEAVES)])
    assert seen.count("function_name") == {"jumps": 5, "through": 5, "plain": 5, "last": 1, "main": 1}
    assert {c["function_name"]: c.get("end") for c in seen.calls} == {
        "jumps": "unseen", "through": "unseen", "plain": None, "last": "unseen", "main": "unseen"}
    assert all("duration_ns" not in c for c in seen.calls if c.get("end"))


def test_ctrl_c_ends_a_run_with_its_summary(utrace, start, built):
    spin = start(built("#include <stdio.h>\n__attribute__((noinline)) void tick(void) { asm volatile(\"\"); }\n"
                       "int main(void) { do { puts(\"here\"); fflush(stdout); if (getchar() == EOF) return 0; tick(); } while (1); }"))
    spin.line()
    for sig in (signal.SIGINT, signal.SIGTERM):
        live = utrace.start("func", "tick", "-p", spin.pid, verbose=True).ready()
        spin.go()
        spin.line()  # it has been called
        seen = live.end(sig)
        assert seen.status == 0 and seen.count() == {"tick": 1} and "1 events, 0 lost" in seen.stderr


def test_output_that_nobody_reads_ends_the_run(start, built):
    spin = start(built("#include <stdio.h>\n#include <unistd.h>\n__attribute__((noinline)) void tick(void) { usleep(500); }\n"
                       "int main(void) { puts(\"begun\"); fflush(stdout); for (;;) tick(); }"))
    spin.line()
    run = subprocess.run(["bash", "-c", f"{UTRACE} func tick -p {spin.pid} | head -2; echo ${{PIPESTATUS[0]}}"], env=CLEAN,
                         capture_output=True, text=True, timeout=DEADLINE_S)
    assert run.stdout.count("tick()") + run.stdout.count("tick(") >= 2 and run.stdout.splitlines()[-1] in ("0", "1")
