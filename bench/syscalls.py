#!/usr/bin/env python3
"""What it costs a program to have its system calls traced: utrace sys beside strace and perf trace, in the same run.

The same program (bench/syscalls.c) alone and under each, taking turns; the median of the rounds. Prints the time that one
call takes and its ratio to the bare call. usage: bench/syscalls.py [ROUNDS]
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
UTRACE = os.environ.get("UTRACE", str(ROOT / "build" / "src" / "utrace"))
# Name, words before the program, loops: so many that a run takes about a second.
WAYS = [
    ("bare", [], 400_000),
    ("utrace sys --stat", [UTRACE, "sys", "--stat", "-o", "/dev/null", "--"], 200_000),
    ("utrace sys", [UTRACE, "sys", "-o", "/dev/null", "--"], 50_000),
    ("utrace sys --json", [UTRACE, "sys", "--json", "-o", "/dev/null", "--"], 50_000),
    ("strace -f -c", ["strace", "-f", "-c", "-o", "/dev/null"], 5_000),
    ("strace -f", ["strace", "-f", "-o", "/dev/null"], 5_000),
    ("perf trace", ["perf", "trace", "-o", "/dev/null", "--"], 50_000),
    ("perf trace -s", ["perf", "trace", "-s", "-o", "/dev/null", "--"], 50_000),
]


def cost_ns(words, program, loops):
    """Of one call, by the program's own clock."""
    done = subprocess.run([*words, program, str(loops)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {' '.join(words)} failed: {done.stderr.strip()[-200:]}")
    return float(done.stdout.split()[-1])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ways = [w for w in WAYS if not w[1] or shutil.which(w[1][0])]
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/syscalls"
        subprocess.run(["cc", "-O2", "-o", program, ROOT / "bench" / "syscalls.c"], check=True)
        costs = {name: [] for name, _, _ in ways}
        for _ in range(rounds):
            for name, words, loops in ways:
                costs[name].append(cost_ns(words, program, loops))
    bare = statistics.median(costs["bare"])
    print(f"{'':20} {'ns a call':>10} {'x bare':>8}")
    for name, _, _ in ways:
        ns = statistics.median(costs[name])
        print(f"{name:20} {ns:10.0f} {ns / bare:8.1f}")


if __name__ == "__main__":
    main()
