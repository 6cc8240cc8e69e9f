"""What is measured side by side: utrace, the floor (the smallest program of the same kind) and peers, each on one process.

A tool that is not installed, or cannot work here, is left out with a word; see missing().
"""
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

# Ours, the floor, then the peers in the order of the table.
ALL = ('utrace', 'floor', 'bpftrace', 'perf', 'bcc', 'uftrace', 'ltrace', 'strace')

# Traced processes on the first CPU, who traces and loads them on the others.
CPUS = sorted(os.sched_getaffinity(0))
TRACED, TRACING = {CPUS[0]}, set(CPUS[1:] or CPUS)

# As much room as utrace's ring has, so that the peer loses nothing that it need not lose.
BPFTRACE_PAGES = 4096

STOP_SECONDS = 120  # bpftrace takes off probe by probe, and waits for all CPUs each time
TRACEFS = '/sys/kernel/tracing'


def pinned(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


@dataclass
class Tool:
    """One tool on one process, started. What it saw is known after wait(); None: it does not say."""
    argv: list
    out: str
    count: object  # of the text of its output: what it saw
    by_signal: bool = True
    process: subprocess.Popen = None
    said: str = ''
    clean: object = None  # called when it has ended

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
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            if self.clean:
                self.clean()
        with open(self.out, errors='replace') as out:
            self.said = out.read()
        return self.count(self.said)

    def last_words(self):
        return self.said.strip().rpartition('\n')[2]


class InProcess:
    """uftrace: it is part of the target from its start, so there is nothing to attach or to stop."""

    @staticmethod
    def alive():
        return True

    def ask_to_stop(self):
        pass

    def wait(self):
        return None


def first_number(pattern):
    def read(text):
        found = re.findall(pattern, text)
        return int(found[0].replace(',', '')) if found else 0
    return read


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


def uprobe_events(text):
    """Not by open(..., 'a'), which seeks to the end: that file has none."""
    events = os.open(os.path.join(TRACEFS, 'uprobe_events'), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(events, text.encode() + b'\n')
    finally:
        os.close(events)


def perf(out, pid, how, path, offset, arguments):
    """A uprobe event of our own, enabled for the one process; @how: stat counts, record keeps each hit with @arguments."""
    event = f'utrace_bench/{how}_{pid}'
    uprobe_events(f'p:{event} {path}:{offset:#x} {arguments if how == "record" else ""}')
    argv = ['perf', how, '-e', event.replace('/', ':'), '-p', str(pid)]
    if how == 'record':
        argv += ['-o', out + '.data', '-m', '4096']
    count = first_number(r'([\d,]+) +utrace_bench') if how == 'stat' else first_number(r'\((\d+) samples\)')
    return Tool(argv, out, count, clean=lambda: uprobe_events(f'-:{event}'))


def bcc(out, pid, program, path, function):
    count = first_number(r'count: (\d+)') if program == 'funclatency' else first_number(rf'{function}\S* +(\d+)')
    return Tool([bcc_path(program), '-p', str(pid), f'{path}:{function}'], out, count)


def ltrace(out, pid, function):
    return Tool(['ltrace', '-p', str(pid), '-x', f'{function}@MAIN', '-o', '/dev/null'], out, lambda text: None)


def bcc_path(program):
    return shutil.which(program + '-bpfcc') or shutil.which(program)


def bcc_missing():
    if not bcc_path('funccount'):
        return 'bcc (bpfcc-tools) is not installed'
    headers = f'/lib/modules/{os.uname().release}/build'
    return '' if os.path.exists(headers) or os.path.exists('/sys/kernel/kheaders.tar.xz') else 'bcc has no kernel headers to compile with'


def perf_missing():
    if not shutil.which('perf'):
        return 'perf (linux-perf) is not installed'
    return '' if os.access(os.path.join(TRACEFS, 'uprobe_events'), os.W_OK) else f'perf has no {TRACEFS}/uprobe_events to make probes with'


def missing():
    """{tool: why it is left out}."""
    gone = {'bcc': bcc_missing(), 'perf': perf_missing()}
    for name in ('bpftrace', 'uftrace', 'ltrace', 'strace'):
        gone[name] = '' if shutil.which(name) else f'{name} is not installed'
    gone['floor'] = '' if os.path.exists(os.path.join(BUILD, 'bench', 'floor')) else 'the floor is not built (ninja -C build bench)'
    return {name: why for name, why in gone.items() if why}
