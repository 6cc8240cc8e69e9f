"""A traced program gives the results that it gives untraced, however it leaves its functions and however the tracer ends."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

import workload
from workload import PROG, base_of, build, bytes_at, compile_c, events, needs, run, started, symbols, tracing, until

pytestmark = pytest.mark.usefixtures("root")


def as_untraced(tmp_path, command, *what, timeout=60, **kwargs):
    """Runs @command bare and traced; returns the events. Output and exit status must be the same."""
    command = [str(c) for c in command]
    bare = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    out = tmp_path / "events.json"
    done = run("func", *what, "--json", "-o", out, "--", *command, timeout=timeout, **kwargs)
    summary = done.stderr.splitlines()[-1]
    assert summary.startswith("utrace: ") and " events, " in summary, done.stderr
    assert (done.returncode, done.stdout) == (bare.returncode, bare.stdout), done.stderr
    return events(out.read_text())


def calls_of(found):
    return [e for e in found if e["event_type"] == "function_call"]


def by_name(calls):
    names = {}
    for call in calls:
        names.setdefault(call["function_name"], []).append(call)
    return names


def check_unwound(calls, multiplier):
    """tests/prog: of catches → through → deepest, the inner two are left without an end for every third number."""
    names = by_name(calls)
    assert {n: len(c) for n, c in names.items()} == {"catches": 30, "through": 30, "deepest": 30}
    for name, per_number in names.items():
        for n, call in enumerate(sorted(per_number, key=lambda c: c["call_id"])):
            thrown = n % 3 == 0 and name != "catches"
            assert call.get("end") == ("unseen" if thrown else None), call
            assert call["depth"] == ("catches", "through", "deepest").index(name)
            if not thrown:
                value = {"catches": n * 2 + 1 if n % 3 else -n, "through": n * 2 + 1, "deepest": n * 2}[name]
                assert int(call["return_value"]["value"], 16) % 2**32 == value % 2**32, call


MODES = pytest.mark.parametrize("without", [None, "session", "multi"], ids=["session", "multi", "perf"])


@MODES
def test_a_cpp_exception_passes_through_probed_calls(folder, tmp_path, without):
    program = build(folder, "throws", "g++", "-O1", "-g", "-o", "{out}", str(PROG / "throws.cc"))
    check_unwound(calls_of(as_untraced(tmp_path, [program], "deepest", "through", "catches", without=without)), 2)


def test_a_rust_panic_passes_through_probed_calls(folder, tmp_path):
    program = build(folder, "panics", "rustc", "-O", "-g", "-o", "{out}", str(PROG / "panics.rs"))
    check_unwound(calls_of(as_untraced(tmp_path, [program], "deepest", "through", "catches")), 2)


def test_longjmp_over_probed_calls_leaves_the_others_rightly_paired(folder, tmp_path):
    program = compile_c(folder, "jumps.c")
    names = by_name(calls_of(as_untraced(tmp_path, [program], "deepest", "middle", "outer")))
    assert {n: len(c) for n, c in names.items()} == {"outer": 30, "middle": 30, "deepest": 30}
    for n in range(30):
        for name, value in (("outer", n * 2 + 2 if n % 3 else -n), ("middle", n * 2 + 1), ("deepest", n * 2)):
            call = sorted(names[name], key=lambda c: c["call_id"])[n]
            left = n % 3 == 0 and name != "outer"
            assert call.get("end") == ("unseen" if left else None), call
            assert left or int(call["return_value"]["value"], 16) % 2**32 == value % 2**32, call


@pytest.mark.parametrize("how", ["exit", "cancel"])
@pytest.mark.parametrize("flags", [[], ["-fexceptions"]], ids=["jumps", "tables"])
@MODES
def test_a_thread_that_ends_inside_probed_calls_runs_its_cleanup_handlers(folder, tmp_path, how, flags, without):
    program = compile_c(folder, "cancels.c", *flags, name="cancels" + "".join(flags))
    calls = calls_of(as_untraced(tmp_path, [program, how, 4], "deepest", "middle", "outer", without=without))
    assert sorted(c["function_name"] for c in calls) == ["deepest"] * 4 + ["middle"] * 4 + ["outer"] * 4
    assert {c.get("end") for c in calls} == {"unseen"}


def returns_of(program, function):
    """Offsets of the RETs of a function, by objdump."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", str(program)],
                          capture_output=True, text=True, check=True).stdout
    return [int(line.split(":")[0], 16) for line in text.splitlines() if line.rstrip().split("\t")[-1].split()[:1] == ["ret"]]


def test_return_probes_give_way_to_ret_sites_when_an_unwinder_is_mapped(folder):
    """glibc maps libgcc_s at the first pthread_exit(): from then on the RETs hold the probes (0xcc, int3)."""
    needs("objdump")
    program = compile_c(folder, "cancels.c")
    with started(program, "exit", 2, "wait", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout.readline() == "inside\n"
        base, rets = base_of(target.pid, program), returns_of(program, "middle")
        assert rets
        sites = [base + r for r in rets]
        entry = base + symbols(program)["middle"]
        with tracing("func", "middle", "-p", target.pid) as tracer:
            until(lambda: 0xcc in bytes_at(target.pid, range(entry, entry + 5)).values(), 10, "attached")
            assert set(bytes_at(target.pid, sites).values()) == {0xc3}
            target.stdin.write("\n")
            target.stdin.flush()
            assert target.stdout.readline() == "ended\n"
            until(lambda: set(bytes_at(target.pid, sites).values()) == {0xcc}, 5, "probes on the RETs")
            out, _ = target.communicate("\n", timeout=20)
            _, said = tracer.communicate(timeout=20)
        assert (out, target.returncode) == ("cleaned 4\n", 3), said


def test_forced_return_probes_are_warned_of_in_one_line(folder):
    program = build(folder, "throws", "g++", "-O1", "-g", "-o", "{out}", str(PROG / "throws.cc"))
    listed = run("func", "-l", "--exits=return", "deepest", "-e", program)
    assert "can end it" in listed.stdout and "can end it" not in run("func", "-l", "deepest", "-e", program).stdout
    done = run("func", "--exits=return", "catches", "-o", os.devnull, "--", program, 0)
    warnings = [line for line in done.stderr.splitlines() if "--exits=return" in line]
    assert len(warnings) == 1 and "--exits=auto is safe" in warnings[0]
    assert done.returncode == 3
    manual = run("man", "func").stdout
    assert "deadly" in manual


def test_goroutines_that_move_their_stacks_live_on(folder, tmp_path):
    program = build(folder, "goroutines", "go", "build", "-o", "{out}", str(PROG / "goroutines.go"), env={"GO111MODULE": "off"})
    calls = calls_of(as_untraced(tmp_path, [program], "main.*"))
    names = {n: len(c) for n, c in by_name(calls).items()}
    # a function whose stack must grow first is entered a second time
    assert names["main.main"] == 1 and names["main.recovers"] >= 240 and names["main.deepest"] >= 240 and names["main.grow"] >= 240 * 101
    assert {c["end"] for c in calls} == {"not_probed"}


NODE = """
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
const seen = [];
for (let i = 0; i < 60; i++) {
  try { if (i % 3 == 0) throw new Error('x' + i); seen.push(fib(12)); } catch (e) { seen.push(e.message); }
}
console.log(seen.join()); process.exit(3);
"""


def test_node_lives_through_probes_on_fifty_of_its_own_functions(tmp_path):
    needs("node")
    listed = run("func", "-l", "v8::internal::Heap::*", "-e", os.path.realpath(workload.shutil.which("node")))
    names = []
    for line in listed.stdout.splitlines():
        name = line.split("  ")[0].removeprefix("u:node:")
        if "entry" in line and "(" not in name and " " not in name and name not in names:
            names.append(name)
    if len(names) < 50:
        pytest.skip("this node has no symbols")
    found = as_untraced(tmp_path, ["node", "-e", NODE], *names[:50], "--stat")
    assert found[-1]["event_type"] == "summary"


PYTHON = """
import sys
def f(n):
    if n % 3 == 0: raise ValueError(n)
    return n
print([f(i) if i % 3 else None for i in range(9)])
try: f(3)
except ValueError as e: print('caught', e)
sys.exit(3)
"""


def test_python_lives_through_probes_on_its_evaluator(tmp_path):
    python = os.path.realpath(sys.executable)
    linked = subprocess.run(["ldd", python], capture_output=True, text=True).stdout
    module = "".join(m + ":" for m in re.findall(r"(libpython3\.\d+)\.so.* =>", linked)[:1])
    found = as_untraced(tmp_path, [python, "-c", PYTHON], module + "PyObject_*", module + "PyErr_Set*", "--stat")
    assert any(e.get("calls", 0) > 0 for e in found), found


# ---- the tracer is killed ----

@pytest.fixture(scope="module")
def busy(folder):
    source = subprocess.run(["python3", str(PROG / "busy.py"), "1000"], capture_output=True, text=True, check=True).stdout
    return compile_c(folder, source, name="busy")


def probed_bytes(pid, functions):
    """The first bytes of each function, where a probe may sit on the first instruction or the one behind endbr64."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        return {name: os.pread(mem.fileno(), 5, addr) for name, addr in functions.items()}


def bpftool(*words):
    needs("bpftool")
    return json.loads(subprocess.run(["bpftool", "-j", *words], capture_output=True, text=True).stdout or "[]")


def links_of(pid):
    """Numbers of the BPF links that the process holds."""
    texts = [p.read_text() for p in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir()]
    return {int(n) for text in texts for n in re.findall(r"^link_id:\s+(\d+)", text, re.M)}


KILLED = [("session", None, "f*", 1000), ("multi", "session", "f*", 1000), ("perf", "multi", "f?", 10)]


@pytest.mark.parametrize("mode,without,pattern,count", KILLED, ids=[k[0] for k in KILLED])
def test_a_killed_tracer_leaves_a_busy_program_right_and_without_probes(busy, mode, without, pattern, count):
    with started(busy, stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout.readline() == "ready\n"
        functions = {n: a + base_of(target.pid, busy) for n, a in symbols(busy, "f").items() if n[1:].isdigit()}
        functions = {n: a for n, a in functions.items() if count == 1000 or len(n) == 2}
        assert len(functions) == count
        clean = probed_bytes(target.pid, functions)
        with tracing("func", pattern, "--stat", "--max-overhead=none", "-p", target.pid, without=without) as tracer:
            def all_probed():
                assert tracer.poll() is None, tracer.stderr.read()
                now = probed_bytes(target.pid, functions)
                return all(now[n] != clean[n] and 0xcc in now[n] for n in functions)
            until(all_probed, 30, "attached")
            links, perf = links_of(tracer.pid), [e for e in bpftool("perf", "show") if e["pid"] == tracer.pid]
            assert links <= {link["id"] for link in bpftool("link", "show")} and len(perf) >= (2 * count if mode == "perf" else 0)
            tracer.send_signal(signal.SIGKILL)
            until(lambda: probed_bytes(target.pid, functions) == clean, 60, "the program's text is what it was")
            tracer.wait()
        until(lambda: not links & {link["id"] for link in bpftool("link", "show")}, 60, "links are gone")
        assert not [e for e in bpftool("perf", "show") if e["pid"] == tracer.pid]
        out, _ = workload.stop(target)
    assert (out, target.returncode) == ("0 wrong of some rounds\n", 0)
