"""What a probed call costs its thread.

Each tool has a target process of its own, from a copy of the binary of its own, so that no two ever share a probe. All run at
the same time and idle; rounds of calls are asked of them in turn, the bare target first, so that whatever disturbs the machine
disturbs all alike. The cost of a round is CPU time of the thread less that of the bare round beside it; under ltrace, which
stops the thread and works while it waits, it is the elapsed time.
"""
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

import symbols
import tools

READY_SECONDS = 20
READY_CALLS = 200
SLOW_CALLS = 100  # of a round, under a tool that takes 50 us for each
READY_NS = 200  # a call that is probed costs more, a bare one a hundredth of it

HIST = '{{ @start[tid] = nsecs; }} {exit} /@start[tid]/ {{ @ = hist(nsecs - @start[tid]); delete(@start[tid]); }}'


@dataclass
class Row:
    name: str
    utrace: list
    floor: str
    bpftrace: str  # {entry} and {exit}: its probes
    calls: int = 4000  # of a round: a few milliseconds, so that a disturbance hits all tools of a turn
    function: str = 'emulated'
    at_return: str = 'uretprobe:{path}:emulated'
    quick: bool = True  # part of a quick run
    perf: str = ''      # stat or record
    arguments: str = '' # that perf record keeps
    bcc: str = ''       # its program
    in_process: bool = False  # uftrace
    ltrace: bool = False

    def tools(self, names):
        has = {'perf': self.perf, 'bcc': self.bcc, 'uftrace': self.in_process, 'ltrace': self.ltrace, 'strace': False}
        return [name for name in names if has.get(name, True)]


ROWS = (
    Row('count', ['--stat', '--exits=none'], 'count', '{entry} {{ @ = count(); }}', perf='stat', bcc='funccount'),
    Row('histogram', ['--hist'], 'hist', '{entry} ' + HIST, bcc='funclatency'),
    Row('stream: entry', ['--exits=none', '--no-args'], 'hits', '{entry} {{ printf("%lu %d\\n", nsecs, tid); }}', quick=False,
        perf='record'),
    Row('stream: entry, 3 arguments', ['--exits=none'], 'args',
        '{entry} {{ printf("%lu %d %ld %lx %ld\\n", nsecs, tid, arg0, arg1, arg2); }}', perf='record',
        arguments='a=%di b=%si c=%dx'),
    Row('stream: call, 3 arguments, result', [], 'calls',
        '{entry} {{ @s[tid] = nsecs; @a[tid] = arg0; @b[tid] = arg1; @c[tid] = arg2; }} {exit} /@s[tid]/ '
        '{{ printf("%lu %d %ld %lx %ld = %ld, %lu\\n", @s[tid], tid, @a[tid], @b[tid], @c[tid], retval, nsecs - @s[tid]); }}', in_process=True,
        ltrace=True),
    Row('histogram, RET site', ['--hist', '--exits=sites'], 'sites', '{entry} ' + HIST, calls=1000,
        at_return='uprobe:{path}:emulated_ret', quick=False),
    Row('count, stepped site', ['--stat', '--exits=none'], 'count', '{entry} {{ @ = count(); }}', calls=1000, function='stepped',
        quick=False),
)


def count_bpftrace(row):
    """What bpftrace saw: lines of a stream, or the sum of what its maps show."""
    if row.name.startswith('stream'):
        return lambda text: len(re.findall(r'^\d+ \d+', text, re.MULTILINE))
    if 'hist' in row.bpftrace:
        return lambda text: sum(map(int, re.findall(r'^[\[(].*?[\])]\s+(\d+) ', text, re.MULTILINE)))
    return tools.first_number(r'@: (\d+)')


class Target:
    def __init__(self, folder, name):
        self.path, self.name = os.path.join(folder, 'target-' + name), name
        shutil.copy(os.path.join(tools.BUILD, 'bench', 'target-pg' if name == 'uftrace' else 'target'), self.path)
        words = ['uftrace', 'record', '--no-libcall', '-d', self.path + '.data'] if name == 'uftrace' else []
        self.process = subprocess.Popen([*words, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=tools.pinned(tools.TRACED))
        self.calls = 0

    def round(self, function, calls):
        """Nanoseconds a call."""
        calls = min(calls, SLOW_CALLS) if self.name == 'ltrace' else calls
        self.process.stdin.write(f'{function} {calls}\n')
        self.process.stdin.flush()
        self.calls += calls
        cpu, elapsed = map(int, self.process.stdout.readline().split())
        return (elapsed if self.name == 'ltrace' else cpu) / calls

    def wait_for_probes(self, function, tool):
        """Until calls have become dear: no tool tells when its probes are on."""
        deadline = time.monotonic() + READY_SECONDS
        if self.name == 'uftrace':
            return True
        while tool.alive() and time.monotonic() < deadline:
            if min(self.round(function, READY_CALLS) for _ in range(3)) > READY_NS:
                return True
            time.sleep(0.01)
        return False

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        os.unlink(self.path)
        shutil.rmtree(self.path + '.data', ignore_errors=True)


def start_tool(name, row, target, folder):
    out, pid = os.path.join(folder, name + '.out'), target.process.pid
    offsets = symbols.functions(target.path)
    if name == 'utrace':
        tool = tools.utrace(out, pid, ['u:' + row.function], row.utrace)
    elif name == 'floor':
        tool = tools.floor(out, pid, target.path, row.floor, [offsets[row.function]], [offsets['emulated_ret']] * (row.floor == 'sites'))
    elif name == 'bpftrace':
        script = row.bpftrace.format(entry=f'uprobe:{target.path}:{row.function}', exit=row.at_return.format(path=target.path))
        tool = tools.bpftrace(out, pid, script, count_bpftrace(row))
    elif name == 'perf':
        tool = tools.perf(out, pid, row.perf, target.path, offsets[row.function], row.arguments)
    elif name == 'bcc':
        tool = tools.bcc(out, pid, row.bcc, target.path, row.function)
    elif name == 'ltrace':
        tool = tools.ltrace(out, pid, row.function)
    else:
        return tools.InProcess()
    tool.start()
    return tool


def rounds(row, targets, order, added):
    """One round of each; @order begins with another tool each time."""
    bare = targets['bare'].round(row.function, row.calls)
    for name in order:
        added[name].append(targets[name].round(row.function, row.calls) - bare)


def measure(row, names, repeats, folder):
    """One instance of all tools. Returns {tool: [added ns a call, one a repeat]}, {tool: calls that it did not tell of}, and
    {tool: why it was left out}."""
    names = row.tools(names)
    targets = {name: Target(folder, name) for name in ('bare', *names)}
    started = {name: start_tool(name, row, targets[name], folder) for name in names}
    ready = [name for name in names if targets[name].wait_for_probes(row.function, started[name])]
    before = {name: targets[name].calls for name in ready}
    added = {name: [] for name in ready}
    for i in range(repeats):
        at = i % len(ready) if ready else 0
        rounds(row, targets, ready[at:] + ready[:at], added)
    made = {name: targets[name].calls - before[name] for name in ready}
    for tool in started.values():
        tool.ask_to_stop()
    seen = {name: tool.wait() for name, tool in started.items()}
    for target in targets.values():
        target.close()
    out = {name: f'{name} did not attach: {started[name].last_words()}' for name in names if name not in ready}
    return added, {name: max(0, made[name] - seen[name]) for name in ready if seen[name] is not None}, out
