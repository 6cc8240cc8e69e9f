"""Functions, tracepoints and system calls on other kernels: each mechanism counts what the program itself says it did."""
import json
import subprocess
from pathlib import Path

import pytest
from matrix import KERNELS, need

RUN = Path(__file__).parent / "run"

# What each kernel of Debian can, and so what must have been used when nothing is switched off.
KPROBE_MULTI = {"6.12", "6.18", "7.x"}
READS = 250  # of one byte each, by dd, which tells how many it made
CALLS = 120

PROGRAM = r"""
#include <stdio.h>
#include <sys/sdt.h>
__attribute__((noinline)) int counted(int n) { __asm__ volatile(""); STAP_PROBE2(guest, step, n, "text"); return n + 1; }
int main(void) { int n = 0; for (int i = 0; i < %d; i++) n = counted(n); printf("made %%d calls\n", n); return 0; }
""" % CALLS

SCRIPT = r"""
section() { cat /out 2>/dev/null; rm -f /out; echo "== $1"; }
kernel() { section "kernel $1"; UTRACE_WITHOUT=$1 utrace func --json -o /out k:vfs_read --where 'arg3 == 1' -- dd if=/dev/zero of=/dev/null bs=1 count=%(reads)d 2>&1; }
kernel ''
kernel kprobe_session
kernel kprobe_session,kprobe_multi
kernel kprobe_session,kprobe_multi,fentry
section 'user'; utrace func --json -o /out counted -- /calls
section 'user perf_event'; UTRACE_WITHOUT=multi utrace func --json -o /out counted -- /calls
section 'user sites'; utrace func --exits=sites --json -o /out counted -- /calls
section 'user without bpf_loop, ringbuf'; UTRACE_WITHOUT=bpf_loop,ringbuf utrace func --json -o /out counted -- /calls
section 'stat'; utrace func --stat --json -o /out counted -- /calls
section 'usdt'; utrace func --json -o /out usdt:guest:step -- /calls
section 'tracepoint'; utrace func --json -o /out t:syscalls:sys_enter_read --where 'count == 1' -- dd if=/dev/zero of=/dev/null bs=1 count=%(reads)d 2>&1
section 'sys'; utrace sys --stat --json -o /out read -- dd if=/dev/zero of=/dev/null bs=1 count=%(reads)d 2>&1
section 'doctor'; utrace doctor --json
""" % {"reads": READS}


@pytest.fixture(scope="module", params=KERNELS)
def guest(request, tmp_path_factory):
    """The sections of one boot: name → lines."""
    need(request.param)
    folder = tmp_path_factory.mktemp("guest")
    (folder / "calls.c").write_text(PROGRAM)
    (folder / "script").write_text(SCRIPT)
    subprocess.run(["gcc", "-O1", "-static", "-o", folder / "calls", folder / "calls.c"], check=True)
    done = subprocess.run([RUN, "--timeout", "240", "--file", f"{folder}/calls:/calls", "--file", f"{folder}/script:/script",
                           request.param, "sh", "/script"], capture_output=True, text=True, timeout=400)
    sections, lines = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line[3:], [])
        elif lines is not None:
            lines.append(line)
    assert "doctor" in sections, done.stdout + done.stderr
    return request.param, sections


def events(lines, kind):
    seen = [json.loads(line) for line in lines if line.startswith("{")]
    summary = [e for e in seen if e["event_type"] == "summary"]
    assert summary and not summary[0]["lost"], lines[-3:]
    return [e for e in seen if e["event_type"] == kind]


@pytest.mark.parametrize("without", ["", "kprobe_session", "kprobe_session,kprobe_multi", "kprobe_session,kprobe_multi,fentry"])
def test_kernel_functions_are_counted_alike_by_every_mechanism(guest, without):
    kernel, sections = guest
    lines = sections[f"kernel {without}"]
    assert f"{READS}+0 records in" in lines
    calls = events(lines, "function_call")
    assert len(calls) == READS
    assert {c["function_name"] for c in calls} == {"vfs_read"} and all(c["return_value"]["value"] in ("0x1", 1) for c in calls)


@pytest.mark.parametrize("section", ["user", "user perf_event", "user sites", "user without bpf_loop, ringbuf"])
def test_user_functions_are_counted_with_their_arguments(guest, section):
    _, sections = guest
    assert f"made {CALLS} calls" in sections[section]
    calls = events(sections[section], "function_call")
    assert [int(str(c["arguments"][0]["value"]), 0) for c in calls] == list(range(CALLS))
    assert [int(str(c["return_value"]["value"]), 0) for c in calls] == list(range(1, CALLS + 1))


def test_counts_made_in_the_kernel_are_the_same(guest):
    _, sections = guest
    assert [s["calls"] for s in events(sections["stat"], "function_stat")] == [CALLS]


def test_usdt_probes_tell_their_arguments(guest):
    _, sections = guest
    hits = events(sections["usdt"], "usdt")
    assert [h["arguments"][0]["value"] for h in hits] == list(range(CALLS))


def test_tracepoints_have_their_fields_by_name(guest):
    _, sections = guest
    hits = events(sections["tracepoint"], "tracepoint")
    assert len(hits) == READS and all({"fd", "buf", "count"} <= {a["name"] for a in h["arguments"]} for h in hits)


def test_system_calls_are_counted(guest):
    _, sections = guest
    reads = [s["calls"] for s in events(sections["sys"], "syscall_stat") if s["function_name"] == "read"]
    assert len(reads) == 1 and READS <= reads[0] <= READS + 3  # busybox reads a little for itself


def test_doctor_names_the_mechanism_that_the_kernel_has(guest):
    kernel, sections = guest
    doctor = json.loads("\n".join(sections["doctor"]))
    text = json.dumps(doctor)
    assert ("kprobe_session" in text or "kprobe_multi" in text) if kernel in KPROBE_MULTI else "fentry" in text or "kprobe" in text
