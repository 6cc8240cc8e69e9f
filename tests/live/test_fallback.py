"""Whatever the kernel lacks, the same calls are shown with the same values; what cannot be done without it says so in a line."""
import json
import os
import shutil

import pytest

from workload import compile_c, events, run

WITHOUT = ["session", "multi", "cookie", "ringbuf", "bpf_loop", "btf", "task_storage", "session,ringbuf,bpf_loop",
           "session,multi,cookie,ringbuf,bpf_loop,btf,task_storage,semaphore,fentry,kprobe,kprobe_multi,tracepoint,tp_btf,iter,lsm"]
PATTERNS = ["work", "twice", "deep", "main", "libc:setenv", "libc:unsetenv", "libc:snprintf"]

pytestmark = pytest.mark.usefixtures("root")


@pytest.fixture(scope="module")
def types(folder):
    """The kernel's types as a file of their own: what a kernel without BTF is given."""
    return shutil.copy("/sys/kernel/btf/vmlinux", folder / "types.btf")


def trace(out, program, *options, without=None, types=None):
    options += ("--btf", types) if types and "btf" in (without or "").split(",") else ()
    done = run("func", *PATTERNS, *options, "--json", "-o", out, "--", program, without=without)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return events(out.read_text())


def essence(found):
    """What must not depend on the mechanism: order, nesting, typed arguments, small numbers, results."""
    calls = sorted((e for e in found if e["event_type"] == "function_call"), key=lambda c: c["call_id"])
    index = {c["call_id"]: i for i, c in enumerate(calls)}
    typed = [[(a["name"], a["value"], a.get("truncated")) for a in c["arguments"] if a.get("type") and "*" not in a["type"] or
              isinstance(a["value"], str) and not a["value"].startswith("0x")] for c in calls]
    own = [c["arguments"][0]["value"] if c["module_name"] == "values" and c["function_name"] != "main" else None for c in calls]
    return [(c["function_name"], c["depth"], c.get("end"), index.get(c.get("parent_call_id")), typed[i], own[i],
             c.get("return_value", {}).get("value")) for i, c in enumerate(calls)]


def expected():
    """The same by thinking: tests/prog/values.c in Python."""
    rows = [("main", 0)]
    for i in range(40):
        rows += [("work", 1), ("snprintf", 2), ("setenv", 2), ("unsetenv", 2), ("twice", 2)]
        rows += [("deep", 2 + d) for d in range(i % 5 + 1)] + [("twice", 2)]
    return rows


@pytest.fixture(scope="module")
def with_all(folder, values):
    return essence(trace(folder / "all.json", values))


def test_calls_and_values_are_those_of_the_program(with_all):
    assert [(r[0], r[1]) for r in with_all] == expected()
    results = [int(r[6], 16) for r in with_all if r[0] == "twice"]
    assert results == [n % 2**64 for i in range(40) for n in (2 * i, -2 * i)]
    long_one = next(r for r in with_all if r[0] == "setenv")
    assert long_one[4][1] == ("value", ("0123456789" * 7)[:63], True)


@pytest.mark.parametrize("without", WITHOUT, ids=[w if w.count(",") < 5 else "all of them" for w in WITHOUT])
def test_the_same_calls_and_values_without(folder, values, types, with_all, without):
    got = essence(trace(folder / "without.json", values, without=without, types=types))
    differ = [(a, b) for a, b in zip(with_all, got) if a != b]
    assert (len(got), differ[:3]) == (len(with_all), [])


def abilities():
    return [a["name"] for a in json.loads(run("doctor", "--json").stdout)["abilities"]] if os.geteuid() == 0 else []


REFUSED = {"bpf", "raw_tp"}  # nothing serves instead


@pytest.mark.parametrize("without", sorted(set(abilities()) - REFUSED - set(WITHOUT)))
def test_what_no_user_function_needs_is_not_missed(folder, values, with_all, without):
    assert essence(trace(folder / "without.json", values, without=without)) == with_all


@pytest.mark.parametrize("without", ["cookie", "ringbuf", "bpf_loop", "btf", WITHOUT[-1].replace("tracepoint,", "")],
                         ids=["cookie", "ringbuf", "bpf_loop", "btf", "all of them"])
def test_the_same_tracepoints_and_system_calls_without(folder, types, without):
    """dd says how many bytes it has read, one at a time."""
    dd, kinds = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=100"], {"tracepoint": "count", "syscall": "count"}
    for words in (["func", "t:syscalls:sys_enter_read"], ["sys", "read"]):
        out = folder / "points.json"
        done = run(*words, *(["--btf", types] if "btf" in without else []), "--json", "-o", out, "--", *dd, without=without)
        assert "100+0 records in" in done.stderr, done.stderr
        seen = [e for e in events(out.read_text()) if e["event_type"] in kinds]
        one = [e for e in seen for a in e["arguments"] if a["name"] == "count" and int(str(a["value"]), 0) == 1]
        assert len(one) == 100, (words, len(seen))


@pytest.mark.parametrize("without", [None, "session", "multi", "ringbuf", WITHOUT[-1]], ids=["with all", "session", "multi", "ringbuf", "all of them"])
def test_the_same_counts_without(folder, values, types, with_all, without):
    stats = {e["function_name"]: e["calls"] for e in trace(folder / "stat.json", values, "--stat", without=without, types=types) if "calls" in e}
    names = [r[0] for r in with_all]
    assert stats == {name: names.count(name) for name in set(names)}


FLOOD = """
#include <stdlib.h>
long kept;
__attribute__((noinline)) void leaf(long n) { kept += n; }
int main(int argc, char **argv) { long n = atol(argv[1]); for (long i = 0; i < n; i++) leaf(i); return 0; }
"""


@pytest.mark.parametrize("without", [None, "ringbuf"], ids=["ring buffer", "perf buffer"])
def test_what_does_not_fit_the_buffer_is_counted_where_it_was_lost(folder, without):
    """Shown and lost make what was called, by the summary and by the lost objects; a thread's calls stay in order."""
    program, out, made = compile_c(folder, FLOOD, name="flood"), folder / "flood.json", 40000
    run("func", "leaf", "--buffer", "64k", "--json", "-o", out, "--", program, made, without=without)
    found = events(out.read_text())
    calls = [e for e in found if e["event_type"] == "function_call"]
    summary = found[-1]
    assert summary["event_type"] == "summary" and summary["events"] == len(calls)
    assert summary["lost"].get("ring_full", 0) + len(calls) == made
    assert sum(e["count"] for e in found if e["event_type"] == "lost") == made - len(calls)
    ids = [c["call_id"] for c in calls]
    assert ids == sorted(ids)
    shown = [int(c["arguments"][0]["value"], 16) for c in calls]
    assert shown == sorted(set(shown))
    # each gap in the numbers is told by the call behind it
    gaps = {b: b - a - 1 for a, b in zip([-1] + shown, shown) if b - a > 1}
    assert gaps == {n: c["lost_before"] for n, c in zip(shown, calls) if "lost_before" in c}


def test_threads_that_change_cpus_stay_in_order_in_perf_buffers(folder):
    """Two CPUs have a buffer each: a thread that goes back and forth leaves its calls in both."""
    if os.cpu_count() < 2:
        pytest.skip("one CPU")
    source = """
#define _GNU_SOURCE
#include <sched.h>
__attribute__((noinline)) long hop(long n) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(n & 1, &s); sched_setaffinity(0, sizeof(s), &s); return n; }
int main(void) { long sum = 0; for (long i = 0; i < 400; i++) sum += hop(i); return sum == 0; }
"""
    program, out = compile_c(folder, source, name="hop"), folder / "hop.json"
    run("func", "hop", "--json", "-o", out, "--", program, without="ringbuf")
    found = events(out.read_text())
    assert [int(e["arguments"][0]["value"], 16) for e in found if e["event_type"] == "function_call"] == list(range(400))
    assert found[-1]["lost"] == {} and not [e for e in found if e["event_type"] == "lost"]


@pytest.mark.parametrize("without,pattern,want", [
    ("bpf", "main", "nothing can be traced: switched off by UTRACE_WITHOUT"),
    ("uprobe,multi", "main", "user functions need uprobes"),
    ("btf", "main", "does not tell its types (switched off by UTRACE_WITHOUT): --btf FILE"),
    ("raw_tp", "main", "raw tracepoints cannot be had: switched off by UTRACE_WITHOUT"),
    ("kprobe,kprobe_multi,fentry", "k:vfs_read", "kernel functions need"),
    ("tracepoint", "t:sched:sched_switch", "tracepoints cannot be had"),
    ("cookie", "t:syscalls:*", "this kernel needs a program for each, at most 64"),
])
def test_what_cannot_work_without_it_says_so_in_one_line(values, without, pattern, want):
    done = run("func", pattern, "-o", os.devnull, "--", values, 1, without=without)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("utrace: ") and want in lines[0], done.stderr
    assert done.returncode == 125


def test_an_ability_that_does_not_exist_is_a_usage_error(values):
    done = run("func", "main", "--", values, without="ringbuff")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "ringbuff" in done.stderr


@pytest.mark.parametrize("content,want", [(None, "No such file"), (b"", "no BTF"), (b"not types", "no BTF"), ("program", "no BTF")],
                         ids=["missing", "empty", "text", "a program"])
def test_a_file_that_has_no_types_is_told_in_one_line(tmp_path, values, content, want):
    path = values if content == "program" else tmp_path / "types"
    if isinstance(content, bytes):
        path.write_bytes(content)
    done = run("func", "main", "--btf", path, "-o", os.devnull, "--", values, 1)
    assert done.returncode == 125 and done.stderr.count("\n") == 1, done.stderr
    assert f"cannot be read from {path}: " in done.stderr and want in done.stderr
