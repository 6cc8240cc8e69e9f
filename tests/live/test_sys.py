"""utrace sys against strace: the same program started the same way under both, compared call by call and count by count."""
import collections
import contextlib
import difflib
import glob
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import pytest

import workload
from workload import UTRACE

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("UTRACE") or k in workload.KEPT} | {"PYTHONHASHSEED": "0", "LC_ALL": "C"}

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is the judge"),
]

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": CLEAN, "timeout": 60}
# Addresses are made equal from run to run, so that the heap is trimmed alike.
FIXED = ["setarch", "-R"]


def run(*words, **kwargs):
    done = subprocess.run([UTRACE, *words], capture_output=True, text=True, timeout=60, env=CLEAN, stdin=subprocess.DEVNULL, **kwargs)
    return done.returncode, done.stdout, done.stderr


def epoll_data(found):
    word = int(found[1], 0)
    return f"{{u32={word & 0xffffffff}, u64={word}}}"


# What one strace writes otherwise than another, brought into the form that utrace shows; nothing is left out.
VERSIONS = [
    (r"(?<=\bdata=)(0x[0-9a-f]+|0)\b", epoll_data),  # 6.13 shows the union as one number, 6.1 by its members
    # Linux 6.3 has a command that 6.1 does not know yet.
    (r"(?<=\|)0x200\)$", "MEMBARRIER_CMD_GET_REGISTRATIONS)"),
]


def line_of_strace(line):
    line = re.sub(r"\)\s+= ", ") = ", line, count=1)
    for pattern, form in VERSIONS if line.startswith(("epoll_", "membarrier(")) else ():
        line = re.sub(pattern, form, line)
    return line


def by_strace(tmp_path, argv):
    """Lines of each thread, in the order in which the threads began."""
    subprocess.run(["strace", "-ff", "-s", "64", "-o", tmp_path / "strace", *FIXED, *argv], **SILENT)
    threads = {}
    for name in glob.glob(f"{tmp_path}/strace.*"):
        lines = pathlib.Path(name).read_text(errors="replace").splitlines()
        threads[int(name.rsplit(".", 1)[1])] = [line_of_strace(line) for line in lines if line[:3] not in ("---", "+++")]
        os.unlink(name)
    return threads


def by_utrace(tmp_path, argv):
    subprocess.run([UTRACE, "sys", "-o", tmp_path / "utrace", "--", *FIXED, *argv], **SILENT)
    threads = {}
    for line in (tmp_path / "utrace").read_text(errors="replace").splitlines():
        found = re.match(r"\S+ .*?\[(\d+)(?:/(\d+))?\] +(?:[\d.]+(?:n|u|m|)s)? *(.*)", line)
        threads.setdefault(int(found[2] or found[1]), []).append(found[3])
    return threads


# What differs between any two runs of a program, under the same tracer too.
CHANGES = [
    (r"^(getrandom\()(\"[^\"]*\")", r"\1RANDOM"),
    (r"0x[0-9a-f]{5,}", "ADDRESS"),
    (r"tv_(sec|nsec|usec)=\d+", r"tv_\1=TIME"),
    (r"^times\(.*", "times"),
    (r"^(sysinfo|statfs|fstatfs)\(.*=.*= 0$", r"\1"),
    (r"^(poll\(.*\], \d+), \d+\)", r"\1, TIMEOUT)"),
    (r"htons\(\d{5}\)", "htons(EPHEMERAL)"),
    (r"/\* [\d.:T+-]+ \*/", "/* TIME */"),
    (r"^(getcpu\().*", r"\1CPU"),
    # What the error means in words is strace's addition.
    (r"(= (?:-1|\?) E\w+) \(.*\)$", r"\1"),
]

# Where the two see different things, and why.
EXPLAINED = [
    (r"^kill\(PID, SIGKILL\)", "a process that kills itself returns from kill in the kernel, but never to a tracer that stops it there"),
    (r"^getppid\(", "the parent of the first process is the tracer or the test, not one of those that are compared"),
    (r"^rt_sigreturn\(", "children that end at the same moment are told by one signal or by two"),
    (r"^futex\(", "which of two threads waits for the other is decided anew in each run"),
]


def normal(line, pids):
    for pattern, replacement in CHANGES:
        line = re.sub(pattern, replacement, line)
    return re.sub(r"\b\d{3,}\b", lambda m: "PID" if int(m[0]) in pids else m[0], line)


def is_explained(pair):
    return any(re.match(pattern, line) for pattern, _ in EXPLAINED for line in pair)


def compare(tmp_path, argv, left_out=None):
    """(number of lines, number of equal ones, pairs that differ); lines that @left_out matches are not compared"""
    lines, equal, different = 0, 0, []
    strace, utrace = by_strace(tmp_path, argv), by_utrace(tmp_path, argv)
    assert len(strace) == len(utrace), "threads"
    pids = {*strace, *utrace}  # of both for both: a process may have a number that is a size as well
    for a, b in zip(sorted(strace), sorted(utrace)):
        want = [normal(line, pids) for line in strace[a] if not (left_out and re.match(left_out, line))]
        seen = [normal(line, pids) for line in utrace[b] if not (left_out and re.match(left_out, line))]
        for what, i, i_end, j, j_end in difflib.SequenceMatcher(None, want, seen, autojunk=False).get_opcodes():
            n = max(i_end - i, j_end - j)
            lines += n
            if what == "equal":
                equal += n
                continue
            for k in range(n):
                different.append(("".join(want[i:i_end][k:k + 1]), "".join(seen[j:j_end][k:k + 1])))
    return lines, equal, different


def has_moved(pair, different):
    """Memory that an allocator asks for a little earlier in one run than in the other: when depends on hashes and addresses."""
    line = pair[0] or pair[1]
    return "" in pair and line.startswith(("mmap(NULL, ", "munmap(", "brk(")) and (line, "") in different and ("", line) in different


def check_like_strace(tmp_path, argv, at_least, left_out=None):
    lines, equal, different = compare(tmp_path, argv, left_out)
    unexplained = [pair for pair in different if not is_explained(pair) and not has_moved(pair, different)]
    assert not unexplained, "\n".join(f"strace {a}\nutrace {b}" for a, b in unexplained)
    assert lines >= at_least
    assert equal >= 0.99 * lines, different


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Our program of many calls, built once."""
    program = tmp_path_factory.mktemp("prog") / "calls"
    subprocess.run(["cc", "-O1", "-w", "-o", program, workload.PROG / "calls.c"], check=True)
    return str(program)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty folder to be in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def web():
    """
    A server on loopback that answers before it was asked, so that no tracer makes the client wait longer, and never ends the
    connection, for the client may see that or be gone before; the port.
    """
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.sendall(answer)
                        while client.recv(65536):
                            pass
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_ls_is_decoded_as_strace_decodes_it(tmp_path):
    check_like_strace(tmp_path, ["ls", "-l", "/etc"], at_least=200)


def test_git_status_is_decoded_as_strace_decodes_it(tmp_path, work):
    subprocess.run("git init -q . && mkdir a b && touch a/x b/y && git add a", shell=True, check=True, env=CLEAN)
    subprocess.run(["git", "status"], **SILENT)  # so that the index is refreshed before
    check_like_strace(tmp_path, ["git", "status"], at_least=100)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_curl_is_decoded_as_strace_decodes_it(tmp_path, web):
    # How often curl looks for the answer before it is there, and guards itself against SIGPIPE around each look, is a matter of speed.
    looking = r"poll\(|rt_sigaction\(SIGPIPE|recvfrom\(.* = -1 EAGAIN"
    check_like_strace(tmp_path, ["curl", "-s", f"http://127.0.0.1:{web}/"], at_least=200, left_out=looking)


SCRIPT = """
import json, os, subprocess, socket, select, tempfile, hashlib
with open("data.json", "w") as f: json.dump({"a": [1, 2, 3]}, f)
with open("data.json") as f: print(json.load(f))
os.makedirs("x/y"); os.rename("x/y", "x/z"); print(os.listdir("x"), os.walk("."))
a, b = socket.socketpair(); a.send(b"one"); print(select.select([b], [], [], 1)[0] == [b], b.recv(10))
subprocess.run(["/bin/echo", "from a child"], check=True)
print(hashlib.sha256(open("/etc/passwd", "rb").read()).hexdigest()[:3] != "", os.stat("/dev/null").st_mode)
try: open("/missing/file")
except OSError as e: print(e)
"""


def test_a_python_script_is_decoded_as_strace_decodes_it(tmp_path, work):
    python = os.path.realpath(sys.executable)
    (tmp_path / "script.py").write_text(SCRIPT)
    for _ in range(2):  # the second run finds what the first has left
        shutil.rmtree("x", ignore_errors=True)
        subprocess.run([python, "-I", "-B", tmp_path / "script.py"], **SILENT)
    wrapped = ["sh", "-c", f"rm -rf x; exec {python} -I -B {tmp_path}/script.py"]
    check_like_strace(tmp_path, wrapped, at_least=300)


def test_a_shell_and_its_children_are_decoded_as_strace_decodes_them(tmp_path):
    script = "for i in 1 2 3; do ls /etc/passwd /missing; done; (exit 3); echo $(uname)"
    check_like_strace(tmp_path, ["sh", "-c", script], at_least=300)


def test_calls_of_all_kinds_are_decoded_as_strace_decodes_them(tmp_path, work, calls):
    check_like_strace(tmp_path, [calls], at_least=250)


def counts_of_strace(tmp_path, argv):
    out = tmp_path / "counts"
    subprocess.run(["strace", "-f", "-c", "-o", out, *FIXED, *argv], **SILENT)
    counts = {}
    for line in out.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(\d+)?\s*(\w+)$", line)
        if found and found[3] != "total":
            counts[found[3]] = (int(found[1]), int(found[2] or 0))
    return counts


def counts_of_utrace(tmp_path, argv):
    out = tmp_path / "stat.json"
    subprocess.run([UTRACE, "sys", "--stat", "--json", "-o", out, "--", *FIXED, *argv], **SILENT)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert events[-1]["event_type"] == "summary"
    assert not any(events[-1]["lost"].values())
    return {e["function_name"]: (e["calls"], e["errors"]) for e in events if e["event_type"] == "syscall_stat"}


@pytest.mark.parametrize("argv", [["ls", "-l", "/etc"], ["sh", "-c", "ls /etc; ls /missing; true"], ["calls"]], ids=lambda a: a[0])
def test_counts_and_errors_are_those_of_strace(tmp_path, work, calls, argv):
    argv = [calls] if argv == ["calls"] else argv
    want, seen = counts_of_strace(tmp_path, argv), counts_of_utrace(tmp_path, argv)
    want = {name: n for name, n in want.items() if not name.startswith("syscall_")}
    seen.pop("(unknown numbers)", None)
    # A process that kills itself: see EXPLAINED.
    want.pop("kill", None), seen.pop("kill", None)
    assert seen == want


def test_perf_buffers_bring_the_same(tmp_path, work, calls):
    """On kernels without ring buffers."""
    def names(**env):
        out = tmp_path / "names.json"
        subprocess.run([UTRACE, "sys", "--json", "-o", out, "--", *FIXED, calls], **{**SILENT, "env": CLEAN | env})
        events = [json.loads(line) for line in out.read_text().splitlines()]
        assert not any(events[-1]["lost"].values())
        return collections.Counter(e["function_name"] for e in events if e["event_type"] == "syscall")
    assert names(UTRACE_WITHOUT="ringbuf") == names()


def test_the_stream_and_the_table_count_the_same(tmp_path, work, calls):
    out = tmp_path / "all.json"
    subprocess.run([UTRACE, "sys", "--json", "-o", out, "--", *FIXED, calls], **SILENT)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    stream = collections.Counter(e["function_name"] for e in events if e["event_type"] == "syscall" and "return_value" in e)
    table = {name: calls_made for name, (calls_made, _) in counts_of_utrace(tmp_path, [calls]).items()}
    unknown = sum(n for name, n in stream.items() if name.startswith("syscall_"))
    assert {k: v for k, v in stream.items() if not k.startswith("syscall_")} | {"(unknown numbers)": unknown} == table


def test_only_the_calls_that_were_chosen_are_shown(tmp_path):
    out = tmp_path / "some"
    subprocess.run([UTRACE, "sys", "open*", "close", "!openat2", "-o", out, "--", "ls", "/etc"], **SILENT)
    names = set(re.findall(r"  (\w+)\(", out.read_text()))
    assert names == {"openat", "close"}


def test_min_is_decided_by_duration(tmp_path):
    out = tmp_path / "slow.json"
    sleeper = "import time; time.sleep(0.05); open('/etc/passwd').read()"
    subprocess.run([UTRACE, "sys", "--min", "20ms", "--json", "-o", out, "--", os.path.realpath(sys.executable), "-c", sleeper], **SILENT)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    slow = [e for e in events if e["event_type"] == "syscall"]
    assert [e["function_name"] for e in slow if "nanosleep" in e["function_name"]]
    assert all(e["duration_ns"] >= 20_000_000 for e in slow)


@pytest.mark.parametrize("expression,wanted", [
    ("ret < 0", lambda e: "error" in e),
    ("arg1 == 1 && ret >= 0", lambda e: e["arguments"][0]["value"] == 1 and "error" not in e),
    ('pathname ~ "*missing*"', lambda e: any(a["value"] == "/missing" for a in e["arguments"])),
])
def test_where_leaves_what_it_says(tmp_path, expression, wanted):
    """The expression on the stream, and the same question asked of all events."""
    def events(*words):
        out = tmp_path / "where.json"
        calls = ["write", "open*", "access", "newfstatat", "statx", "close"]
        subprocess.run([UTRACE, "sys", *calls, *words, "--json", "-o", out, "--", "ls", "/missing", "/etc/passwd"], **SILENT)
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        return [(e["function_name"], e["return_value"]["value"]) for e in lines if e["event_type"] == "syscall" and (words or wanted(e))]
    seen = events("--where", expression)
    assert seen and seen == events()


def test_a_call_that_is_open_at_the_end_is_shown_without_a_result(tmp_path):
    """Attached while it waits, and waiting again when we leave."""
    out = tmp_path / "open"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        cat.stdin.write(b"first\n")
        cat.stdin.flush()
        assert cat.stdout.readline() == b"first\n"
        with subprocess.Popen([UTRACE, "sys", "-p", str(cat.pid), "--limit", "2", "-o", out], stderr=subprocess.PIPE, env=CLEAN) as tracer:
            for i in range(1000):
                cat.stdin.write(b"again\n")
                cat.stdin.flush()
                cat.stdout.readline()
                if tracer.poll() is not None:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    tracer.wait(0.05)
            assert tracer.wait(10) == 0
        cat.stdin.close()
    text = out.read_text()
    assert re.search(r'read\(0, "again\\n", \d+\) = 6', text) or re.search(r'write\(1, "again\\n", 6\) = 6', text), text


def test_a_thread_that_executes_keeps_its_call(tmp_path):
    """execve by a thread that is not the first: the process goes on under the first one's number."""
    source = tmp_path / "exec.c"
    source.write_text("""#include <pthread.h>
        #include <unistd.h>
        static void *run(void *arg) { execl("/bin/true", "true", (char *)0); return 0; }
        int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); for (;;) pause(); }""")
    subprocess.run(["cc", "-pthread", "-o", tmp_path / "exec", source], check=True)
    out = tmp_path / "exec.txt"
    subprocess.run([UTRACE, "sys", "execve", "exit_group", "-o", out, "--", tmp_path / "exec"], **SILENT)
    text = out.read_text()
    assert 'execve("/bin/true", ["true"], ' in text
    assert text.count("execve(") == 2
    assert "exit_group(0) = ?" in text


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the 32-bit table is x86's")
def test_a_call_through_the_32_bit_table_is_marked_and_not_taken_for_another(tmp_path):
    """Number 20 is getpid there, writev here."""
    source = tmp_path / "compat.c"
    source.write_text("""int main(void) { int pid; __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20) : "memory"); return pid <= 0; }""")
    subprocess.run(["cc", "-o", tmp_path / "compat", source], check=True)
    if subprocess.run([tmp_path / "compat"], **SILENT).returncode:
        pytest.skip("this kernel has no 32-bit table")
    out = tmp_path / "compat.txt"
    subprocess.run([UTRACE, "sys", "-o", out, "--", tmp_path / "compat"], **SILENT)
    assert re.search(r"syscall_ia32:0x14\(", out.read_text()) and "writev" not in out.read_text()
    subprocess.run([UTRACE, "sys", "writev", "-o", out, "--", tmp_path / "compat"], **SILENT)
    assert out.read_text() == ""


def test_json_has_machine_values_and_text(tmp_path):
    out = tmp_path / "ls.json"
    subprocess.run([UTRACE, "sys", "openat", "--json", "-o", out, "--", "cat", "/missing"], **SILENT)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    missing = next(e for e in events if e["event_type"] == "syscall" and e["arguments"][1]["value"] == "/missing")
    assert missing["error"] == "ENOENT" and missing["return_value"]["value"] == -1
    assert missing["arguments"][0] == {"name": "dirfd", "type": "int", "value": -100, "text": "AT_FDCWD"}
    assert missing["arguments"][2]["value"] == 0 and missing["arguments"][2]["text"] == "O_RDONLY"
    assert missing["duration_ns"] > 0 and missing["process_name"] == "cat"


def test_the_command_keeps_its_signals_and_status(tmp_path):
    status, out, err = run("sys", "-o", "/dev/null", "--", "sh", "-c", "yes | head -1; exit 7")
    assert (status, out) == (7, "y\n"), err


WRONG = [
    (["sys"], "sys of which process? Name a target"),
    (["sys", "opennat", "--", "true"], "no system call is called 'opennat'; nearest: openat"),
    (["sys", "!xyzzy", "-p", "1"], "no system call is called 'xyzzy'"),
    (["sys", "--stat", "--sort", "self", "--", "true"], "there is no column 'self'"),
    (["sys", "--depth", "3", "--", "true"], "sys has no option --depth"),
    (["sys", "--hist", "--", "true"], "sys has no option --hist"),
    (["sys", "openat,opennat", "--", "true"], "no system call is called 'opennat'"),
    (["sys", "-e", "trace=openat", "--", "true"], "-- COMMAND is a target by itself"),
]


@pytest.mark.parametrize("words,want", WRONG, ids=[" ".join(w) for w, _ in WRONG])
def test_wrong_input_is_one_line_and_status_2(words, want):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"utrace: [^\n]+\n", err) and want in err


def test_names_may_be_joined_by_commas():
    status, out, err = run("sys", "-l", "openat,close*", "!close_range,dup")
    assert (status, err) == (0, "") and [line.split("(")[0] for line in out.splitlines()] == ["close", "openat"]


def test_the_list_shows_names_with_their_arguments():
    status, out, err = run("sys", "-l", "open*")
    assert (status, err) == (0, "")
    assert "openat(dirfd, pathname, flags, mode)\n" in out
