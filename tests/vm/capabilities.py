"""
What utrace does on other kernels, one row a capability: how it is forced, what must come out, and the table that docs/kernels.md shows.

Each kernel is booted once and runs all rows one after the other. A row counts something that the traced program itself tells
the number of: busybox's dd its reads, our own program its calls. What doctor says that the kernel lacks is not asked for.
"""
import contextlib
import json
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = Path(__file__).parent / "run"
DOC = ROOT / "docs" / "kernels.md"
BEGIN, END = "<!-- written by tests/vm/table -->\n", "<!-- end -->\n"
TIMEOUT_S = 400
AT_A_TIME = 2

READS = 250  # of one byte each, by dd, which tells how many it made
CALLS = 120
PROGRAM = r"""
#include <stdio.h>
#include <sys/sdt.h>
__attribute__((noinline)) int counted(int n) { __asm__ volatile(""); STAP_PROBE2(guest, step, n, "text"); return n + 1; }
int main(void) { int n = 0; for (int i = 0; i < %d; i++) n = counted(n); printf("made %%d calls\n", n); return 0; }
""" % CALLS
EXCHANGES = 40
# Both ends of a connection over TCP and of one over a Unix socket; a guest's loopback interface has to be raised first.
TALKS = r"""
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
static void talk(int family, void *address, socklen_t len)
{
	int l = socket(family, SOCK_STREAM, 0), c = socket(family, SOCK_STREAM, 0);
	char text[8], got[64];
	bind(l, address, len);
	listen(l, 1);
	getsockname(l, address, &len);
	connect(c, address, len);
	int s = accept(l, NULL, NULL);
	for (int i = 0; i < %d; i++) {
		snprintf(text, sizeof(text), "%%03d", i);
		struct iovec parts[] = { { "<", 1 }, { text, 3 }, { ">", 1 } };
		write(c, text, 3);
		recv(s, got, 2, MSG_PEEK);
		read(s, got, 2);
		recv(s, got, sizeof(got), 0);
		writev(s, parts, 3);
		read(c, got, sizeof(got));
	}
	close(c);
	read(s, got, 1);
	close(s);
	close(l);
}
int main(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "talks.sock" };
	int any = socket(AF_INET, SOCK_DGRAM, 0);
	ioctl(any, SIOCSIFFLAGS, &lo);
	talk(AF_INET, &inet, sizeof(inet));
	unlink(un.sun_path); // of the row before
	talk(AF_UNIX, &un, sizeof(un));
	printf("made %%d exchanges\n", 2 * %d);
	return 0;
}
""" % (EXCHANGES, EXCHANGES)
DD = f"dd if=/dev/zero of=/dev/null bs=1 count={READS}"
READ_DONE, CALLS_DONE, TALKS_DONE = f"{READS}+0 records in", f"made {CALLS} calls", f"made {2 * EXCHANGES} exchanges"


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


def exchanges(events):
    """What passed, call by call, at both ends; over TCP the pieces of both join by their sequence numbers."""
    asked, answered = [f"{i:03}" for i in range(EXCHANGES)], [f"<{i:03}>" for i in range(EXCHANGES)]
    pieces = [piece for text in asked for piece in (text[:2], text[2:])]
    for transport in ("tcp", "unix"):
        said, seqs = {}, {}
        for c in (c for c in of_kind(events, "connection") if c["transport"] == transport):
            for s in (s for s in of_kind(events, "segment") if s["connection_id"] == c["connection_id"]):
                said.setdefault((c["role"], s["direction"]), []).append(bytes.fromhex(s["payload"]).decode())
                seqs.setdefault((c["role"], s["direction"]), []).append(s.get("tcp_sequence"))
        assert said == {("client", "sent"): asked, ("server", "received"): pieces, ("server", "sent"): answered, ("client", "received"): answered}
        if transport == "tcp":
            assert seqs["server", "sent"] == seqs["client", "received"] and seqs["client", "sent"] == seqs["server", "received"][::2]
        ends = {c["role"]: c["end"] for c in of_kind(events, "connection") if c["transport"] == transport}
        assert ends == {"client": "closed", "server": "closed" if transport == "tcp" else "peer_closed"}


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
    Capability("sockets", "sock_length", ("sock_length",), "", "req --raw -- /talks", TALKS_DONE, exchanges, "sockets=sock_length"),
    Capability("sockets", "raw_tp", ("raw_tp",), "sock_length", "req --raw -- /talks", TALKS_DONE, exchanges, "sockets=raw_tp"),
]
NAMES = [f"{c.what} {c.how}".strip() for c in CAPABILITIES]

LACKS, EXACT, WRONG = "-", "exact", "wrong"


def script():
    """Doctor first: the rows that need what it does not name are left out in the guest already, to save its time."""
    lines = ["utrace doctor --json >/doctor; echo '== doctor'; cat /doctor",
             "has() { for a; do grep -q \"\\\"name\\\":[ ]*\\\"$a\\\",[ ]*\\\"here\\\":[ ]*true\" /doctor || return 1; done; }",
             "echo '== verify'; utrace verify --json 2>/complaints; s=$?; cat /complaints; (exit $s); echo \"status $?\""]
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
    (folder / "talks.c").write_text(TALKS)
    for name in ("calls", "talks"):
        subprocess.run(["gcc", "-O1", "-w", "-static", "-o", folder / name, folder / f"{name}.c"], check=True)
    done = subprocess.run([RUN, "--timeout", str(TIMEOUT_S), "--file", f"{folder}/calls:/calls", "--file", f"{folder}/talks:/talks", "--file", f"{folder}/script:/script",
                           kernel_name, "sh", "/script"], capture_output=True, text=True, timeout=2 * TIMEOUT_S)
    sections, lines = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line[3:], [])
        elif lines is not None:
            lines.append(line)
    assert NAMES[-1] in sections, done.stdout[-2000:] + done.stderr
    return Seen(sections)


@contextlib.contextmanager
def examined(kernel_names, new_folder):
    """Kernel → the future of what is seen on it; a guest has one processor, so some run at a time. @new_folder: makes one for each."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(examine, name, new_folder()) for name in kernel_names}
        pool.shutdown(cancel_futures=True)


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
