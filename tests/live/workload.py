"""Programs of our own that tests trace: built once a session, started, ended by pid; and utrace run on them."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROG = ROOT / "tests" / "prog"
UTRACE = os.environ.get("UTRACE", str(ROOT / "build" / "src" / "utrace"))
KEPT = ("UTRACE_WITHOUT", "UTRACE_BTF")  # ./check runs tests once more without an ability: tools/check.py, fallbacks
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("UTRACE") or k in KEPT}


def needs_tracing():
    if os.geteuid() != 0:
        pytest.skip("tracing needs root")


def needs(*tools):
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")


def build(folder, name, *command, env=None):
    """Runs a compiler; {out} in the command is the path of the result."""
    needs(command[0])
    out = folder / name
    done = subprocess.run([c.format(out=out) for c in command], capture_output=True, text=True, env={**os.environ, **(env or {})})
    assert done.returncode == 0, done.stderr
    return out


def compile_c(folder, source, *flags, name=None):
    """@source: a file of tests/prog, or C text."""
    if source.endswith(".c"):
        return build(folder, name or source[:-2], "gcc", "-O1", "-g", "-pthread", "-o", "{out}", str(PROG / source), *flags)
    path = folder / f"{name}.c"
    path.write_text(source)
    return build(folder, name, "gcc", "-O1", "-g", "-pthread", "-o", "{out}", str(path), *flags)


def switched_off(without):
    """@without, and what is switched off for the whole run of tests."""
    names = ",".join(filter(None, [os.environ.get("UTRACE_WITHOUT"), without]))
    return {"UTRACE_WITHOUT": names} if names else {}


def run(*words, without=None, env=None, timeout=60, **kwargs):
    """utrace to its end, output captured."""
    env = {**CLEAN, **switched_off(without), **(env or {})}
    return subprocess.run([UTRACE, *map(str, words)], capture_output=True, text=True, timeout=timeout, env=env, errors="replace", **kwargs)


def events(text, kind=None):
    found = [json.loads(line) for line in text.splitlines()]
    return [e for e in found if kind in (None, e["event_type"])]


def until(condition, seconds, what):
    """Waits for an event with a deadline; returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def started(*command, **kwargs):
    """A process of ours; ended by its pid."""
    process = subprocess.Popen([str(c) for c in command], **kwargs)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def tracing(*words, without=None, **kwargs):
    env = {**CLEAN, **switched_off(without)}
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **kwargs}
    return started(UTRACE, *words, env=env, **kwargs)


def symbols(path, prefix=""):
    """Function → its value in the file, by nm."""
    lines = subprocess.run(["nm", "--defined-only", str(path)], capture_output=True, text=True, check=True).stdout.split("\n")
    rows = [line.split() for line in lines]
    return {r[2]: int(r[0], 16) for r in rows if len(r) == 3 and r[1] in "tT" and r[2].startswith(prefix)}


def base_of(pid, path):
    """Where the process has mapped the beginning of the file."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        words = line.split()
        if len(words) > 5 and words[5] == str(path) and int(words[2], 16) == 0:
            return int(words[0].split("-")[0], 16)
    raise AssertionError(f"{pid} has not mapped {path}")


def bytes_at(pid, addresses):
    """One byte of the memory of our own process at each address."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        return {a: os.pread(mem.fileno(), 1, a)[0] for a in addresses}


def cpu_ns(pid):
    return sum(int(p.read_text().split()[0]) for p in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until_listens(port, popen, ready=lambda: True):
    end = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            if ready():
                return
        assert time.monotonic() < end and popen.poll() is None, "the server did not begin"
        os.sched_yield()


def stop(process, sig=signal.SIGTERM):
    process.send_signal(sig)
    return process.communicate(timeout=60)
