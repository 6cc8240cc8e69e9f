"""
What utrace does on other kernels, one row a capability: how it is forced, what must come out, and the table that docs/kernels.md shows.

Each kernel is booted once and runs all rows one after the other. A row counts something that the traced program itself tells
the number of: busybox's dd its reads, our own program its calls. What doctor says that the kernel lacks is not asked for.
"""
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = Path(__file__).parent / "run"
DOC = ROOT / "docs" / "kernels.md"
BEGIN, END = "<!-- written by tests/vm/table -->\n", "<!-- end -->\n"
TIMEOUT_S = 400

READS = 250  # of one byte each, by dd, which tells how many it made
CALLS = 120
PROGRAM = r"""
#include <stdio.h>
#include <sys/sdt.h>
__attribute__((noinline)) int counted(int n) { __asm__ volatile(""); STAP_PROBE2(guest, step, n, "text"); return n + 1; }
int main(void) { int n = 0; for (int i = 0; i < %d; i++) n = counted(n); printf("made %%d calls\n", n); return 0; }
""" % CALLS
DD = f"dd if=/dev/zero of=/dev/null bs=1 count={READS}"
READ_DONE, CALLS_DONE = f"{READS}+0 records in", f"made {CALLS} calls"


def number(value):
    return int(str(value), 0)


def of_kind(events, kind):
    return [e for e in events if e["event_type"] == kind]


def reads_of_kernel(events):
    calls = of_kind(events, "function_call")
    assert {c["function_name"] for c in calls} <= {"vfs_read"}
    assert [number(c["return_value"]["value"]) for c in calls] == [1] * READS
    assert [number(c["arguments"][2]["value"]) for c in calls] == [1] * READS


def calls_of_program(events):
    calls = of_kind(events, "function_call")
    assert [number(c["arguments"][0]["value"]) for c in calls] == list(range(CALLS))
    assert [number(c["return_value"]["value"]) for c in calls] == list(range(1, CALLS + 1))


def calls_of_two_processes(events):
    calls = of_kind(events, "function_call")
    assert sorted(number(c["arguments"][0]["value"]) for c in calls) == sorted(2 * list(range(CALLS)))
    assert len({c["process_id"] for c in calls}) == 2


def counts(events):
    assert [s["calls"] for s in of_kind(events, "function_stat")] == [CALLS]


def usdt_hits(events):
    assert [h["arguments"][0]["value"] for h in of_kind(events, "usdt")] == list(range(CALLS))


def tracepoint_hits(events):
    hits = of_kind(events, "tracepoint")
    assert len(hits) == READS and all({"fd", "buf", "count"} <= {a["name"] for a in h["arguments"]} for h in hits)


def system_calls(events):
    reads = [s["calls"] for s in of_kind(events, "syscall_stat") if s["function_name"] == "read"]
    assert len(reads) == 1 and READS <= reads[0] <= READS + 3  # busybox reads a little for itself


class Capability(NamedTuple):
    what: str
    how: str
    needs: tuple      # abilities, by doctor's names
    without: str      # UTRACE_WITHOUT, so that this way is taken
    words: str        # of the command
    done: str         # a line of the traced program
    check: Callable
    default: str = ""  # doctor's mechanism and its name, when this is what utrace takes by itself: "user_functions=session"


def user(how, needs, without, default="", options="", words="/calls", check=calls_of_program):
    return Capability("user functions", how, needs, without, f"func counted {options} -- {words}", CALLS_DONE, check, default)


def kernel(how, needs, without):
    return Capability("kernel functions", how, needs, without, f"func k:vfs_read --where 'arg3 == 1' -- {DD}", READ_DONE, reads_of_kernel,
                      f"kernel_functions={needs[0]}")


CAPABILITIES = [
    user("uprobe session", ("session",), "", "user_functions=session"),
    user("uprobe_multi", ("multi",), "session", "user_functions=multi"),
    user("perf_event", ("uprobe", "cookie"), "multi", "user_functions=perf_event"),
    user("perf_event, no cookie", ("uprobe",), "cookie", "user_functions=perf_event"),
    user("RET sites", (), "", options="--exits=sites"),
    user("no bpf_loop, perf buffer", (), "bpf_loop,ringbuf"),
    user("children, exec", (), "", words="sh -c '/calls; exec /calls'", check=calls_of_two_processes),
    user("counts made in the kernel", (), "", options="--stat", check=counts),
    kernel("kprobe session", ("kprobe_session",), ""),
    kernel("kprobe_multi", ("kprobe_multi",), "kprobe_session"),
    kernel("fentry", ("fentry",), "kprobe_multi"),
    kernel("kprobe", ("kprobe", "cookie"), "kprobe_multi,fentry"),
    kernel("kprobe, no cookie", ("kprobe",), "cookie,fentry"),
    Capability("USDT", "", (), "", "func usdt:guest:step -- /calls", CALLS_DONE, usdt_hits),
    Capability("tracepoints", "", ("tracepoint",), "", f"func t:syscalls:sys_enter_read --where 'count == 1' -- {DD}", READ_DONE, tracepoint_hits),
    Capability("system calls", "`sys`", ("raw_tp",), "", f"sys --stat read -- {DD}", READ_DONE, system_calls),
]
NAMES = [f"{c.what} {c.how}".strip() for c in CAPABILITIES]

LACKS, EXACT, WRONG = "-", "exact", "wrong"


def script():
    """Doctor first: the rows that need what it does not name are left out in the guest already, to save its time."""
    lines = ["utrace doctor --json >/doctor; echo '== doctor'; cat /doctor",
             "has() { for a; do grep -q \"\\\"name\\\":[ ]*\\\"$a\\\",[ ]*\\\"here\\\":[ ]*true\" /doctor || return 1; done; }",
             "echo '== verify'; utrace verify --json 2>&1; echo \"status $?\""]
    for name, c in zip(NAMES, CAPABILITIES):
        lines.append(f"has {' '.join(c.needs)} && {{ echo {shlex.quote('== ' + name)}; UTRACE_WITHOUT={c.without} utrace "
                     f"{c.words.replace(' -- ', ' --json -o /out -- ')} 2>&1; cat /out; rm -f /out; }}")
    return "\n".join(lines) + "\n"


class Seen:
    """What one boot of a kernel showed."""

    def __init__(self, sections):
        self.sections = sections
        self.doctor = json.loads("\n".join(sections["doctor"]))
        self.abilities = {a["name"] for a in self.doctor["abilities"] if a["here"]}

    def lacks(self, capability):
        return not set(capability.needs) <= self.abilities

    def check(self, name):
        """Fails unless the capability does exactly what it should; None when the kernel lacks it."""
        capability, lines = CAPABILITIES[NAMES.index(name)], self.sections.get(name, [])
        if self.lacks(capability):
            return None
        assert capability.done in lines, "\n".join(lines[-5:])
        events = [json.loads(line) for line in lines if line.startswith("{")]
        assert events and events[-1]["event_type"] == "summary" and not events[-1]["lost"], "\n".join(lines[-3:])
        capability.check(events)
        return True

    def verified(self):
        """What verify told and complained of."""
        *lines, status = self.sections["verify"]
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return status == "status 0", [e for e in told if "program_name" in e], [line for line in lines if not line.startswith("{")]

    def is_default(self, capability):
        use, _, mechanism = capability.default.partition("=")
        return bool(use) and self.doctor["mechanisms"][use] == mechanism and not ("no cookie" in capability.how and "cookie" in self.abilities)

    def column(self):
        """Of the table: a cell a row."""
        cells = ["yes", "yes" if self.verified()[0] else WRONG]
        for name, capability in zip(NAMES, CAPABILITIES):
            try:
                cell = EXACT if self.check(name) else LACKS
            except (AssertionError, KeyError, IndexError, ValueError):
                cell = WRONG
            cells.append(f"**{cell}**" if cell == EXACT and self.is_default(capability) else cell)
        return cells


def examine(kernel_name, folder):
    """Boots the kernel and runs all of it."""
    (folder / "calls.c").write_text(PROGRAM)
    (folder / "script").write_text(script())
    subprocess.run(["gcc", "-O1", "-static", "-o", folder / "calls", folder / "calls.c"], check=True)
    done = subprocess.run([RUN, "--timeout", str(TIMEOUT_S), "--file", f"{folder}/calls:/calls", "--file", f"{folder}/script:/script",
                           kernel_name, "sh", "/script"], capture_output=True, text=True, timeout=2 * TIMEOUT_S)
    sections, lines = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line[3:], [])
        elif lines is not None:
            lines.append(line)
    assert NAMES[-1] in sections, done.stdout[-2000:] + done.stderr
    return Seen(sections)


ROWS = [("`utrace doctor`", ""), ("`utrace verify`", ""), *[(c.what, c.how) for c in CAPABILITIES]]


def table_text(columns):
    """@columns: kernel → its cells."""
    lines = ["| what | how | " + " | ".join(columns) + " |", "|---" * (2 + len(columns)) + "|"]
    for i, (what, how) in enumerate(ROWS):
        lines.append(f"| {what} | {how} | " + " | ".join(column[i] for column in columns.values()) + " |")
    return "\n".join(lines) + "\n"


def written_columns():
    """The table as docs/kernels.md has it: kernel → its cells."""
    text = DOC.read_text()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text[text.index(BEGIN):text.index(END)].splitlines()
            if line.startswith("|")]
    return {name: [row[i + 2] for row in rows[2:]] for i, name in enumerate(rows[0][2:] if rows else [])}


def write_columns(columns):
    """@columns: those of kernels that were not booted now are as they were, unless the rows have changed since."""
    text = DOC.read_text()
    columns = {name: column for name, column in columns.items() if len(column) == len(ROWS)}
    DOC.write_text(text[:text.index(BEGIN) + len(BEGIN)] + table_text(columns) + text[text.index(END):])
