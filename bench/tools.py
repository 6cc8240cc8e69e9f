"""What is measured side by side: utrace, the floor (the smallest program of the same kind) and bpftrace, each on one process."""
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
BUILD = os.environ.get('BUILD', os.path.join(ROOT, 'build'))
UTRACE = os.environ.get('UTRACE', os.path.join(BUILD, 'src', 'utrace'))

# Traced processes on the first CPU, who traces and loads them on the others.
CPUS = sorted(os.sched_getaffinity(0))
TRACED, TRACING = {CPUS[0]}, set(CPUS[1:] or CPUS)

# As much room as utrace's ring has, so that the peer loses nothing that it need not lose.
BPFTRACE_PAGES = 4096

STOP_SECONDS = 30  # bpftrace takes off probe by probe


def pinned(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


@dataclass
class Tool:
    """One tool on one process, started. `seen` after stop(): what it says that it saw, None if it does not say."""
    argv: list
    out: str
    count: object  # of the text of its output: what it saw
    by_signal: bool = True
    process: subprocess.Popen = None
    said: str = ''

    def start(self):
        env = {**os.environ, 'BPFTRACE_PERF_RB_PAGES': str(BPFTRACE_PAGES)}
        with open(self.out, 'w') as out:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=env,
                                            preexec_fn=pinned(TRACING))

    def alive(self):
        return self.process.poll() is None

    def ask_to_stop(self):
        """By the end of its input, the floor; by Ctrl-C, the others."""
        if self.alive() and self.by_signal:
            self.process.send_signal(signal.SIGINT)
        self.process.stdin.close()

    def wait(self):
        """Returns what it saw."""
        self.process.wait(STOP_SECONDS)
        with open(self.out, errors='replace') as out:
            self.said = out.read()
        return self.count(self.said)

    def last_words(self):
        return self.said.strip().rpartition('\n')[2]


def first_number(pattern):
    return lambda text: int((re.findall(pattern, text) or [0])[0])


def count_of_table(text):
    """utrace --stat --json: one object a function."""
    return sum(map(int, re.findall(r'"calls": ?(\d+)', text)))


def utrace(out, pid, patterns, options):
    """--max-overhead none: the breaker would end what we want to measure. Tables as JSON, to be counted."""
    table = '--stat' in options or '--hist' in options
    argv = [UTRACE, 'func', *patterns, '-p', str(pid), '--max-overhead', 'none', *options]
    if table:
        return Tool(argv + ['--json'], out, count_of_table)
    return Tool(argv + ['-o', '/dev/null'], out, first_number(r'(\d+) events'))


def floor(out, pid, path, program, entries, returns=()):
    argv = [os.path.join(BUILD, 'bench', 'floor'), os.path.join(BUILD, 'bench', program + '.bpf.o'), str(pid), path,
            ','.join(map(hex, entries)), *([','.join(map(hex, returns))] if returns else [])]
    return Tool(argv, out, first_number(r'(\d+) events'), by_signal=False)


def bpftrace(out, pid, script, count):
    return Tool(['bpftrace', '-p', str(pid), '-e', script], out, count)


def missing():
    """{tool: why it is left out}."""
    gone = {}
    if not shutil.which('bpftrace'):
        gone['bpftrace'] = 'bpftrace is not installed'
    if not os.path.exists(os.path.join(BUILD, 'bench', 'floor')):
        gone['floor'] = 'the floor is not built (ninja -C build bench)'
    return gone
