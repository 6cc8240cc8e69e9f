"""What a tracer takes of memory: VmHWM when its probes are on, of a generated program with many functions.

bpftrace before 0.21 opens a perf event for each probe and closes them one by one, 0.2 s each: it is asked for a few only.
"""
import contextlib
import fnmatch
import os
import re
import shutil
import subprocess
import time

import tools

MANY, FEW = 10_000, 4
READY_SECONDS, STILL_SECONDS = 60, 1
STOP_SECONDS = 120  # bpftrace takes off probe by probe
BPFTRACE_MULTI = (0, 21)

ROWS = ((f'memory: {MANY} functions, calls', MANY, []), (f'memory: {MANY} functions, --stat', MANY, ['--stat']),
        (f'memory: {FEW} functions, --stat', FEW, ['--stat']))
NODE = 'memory: 14,000 functions of node'
NODE_FUNCTIONS = ['_ZN2v88internal1[0-8]*', '_ZN4node*']


def generate(folder):
    """A C program of MANY small functions that waits for its input to end."""
    source, path = os.path.join(folder, 'generated.c'), os.path.join(folder, 'generated')
    with open(source, 'w') as out:
        for i in range(MANY):
            out.write(f'__attribute__((noinline)) int generated_{i}_{i % FEW}(int x) {{ __asm__ volatile(""); return x + {i}; }}\n')
        out.write('#include <unistd.h>\nint main(void) { char c; return (int)read(0, &c, 1); }\n')
    subprocess.run(['cc', '-O1', '-o', path, source], check=True)
    return path


def high_water_kb(pid):
    with open(f'/proc/{pid}/status') as status:
        return int(re.search(r'VmHWM:\s+(\d+)', status.read())[1])


def when_still(process):
    """Until it has not grown for a while: no tool tells when its probes are on."""
    deadline, since, last = time.monotonic() + READY_SECONDS, time.monotonic(), 0
    while process.poll() is None and time.monotonic() < deadline and time.monotonic() - since < STILL_SECONDS:
        now = high_water_kb(process.pid)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.02)
    return last if process.poll() is None else None


def version_of_bpftrace():
    said = subprocess.run(['bpftrace', '--version'], capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r'\d+', said)[:2]))


def measure_node(folder):
    """A real program: 100 MB, 86,000 functions with long names. MB, or None."""
    with contextlib.ExitStack() as stack:
        target = subprocess.Popen(['node', '-i'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        stack.callback(target.wait)
        stack.callback(target.stdin.close)
        tool = tools.utrace(os.path.join(folder, 'memory.out'), target.pid, NODE_FUNCTIONS, [])
        tool.start()
        kb = when_still(tool.process)
        tool.ask_to_stop()
        tool.process.wait(STOP_SECONDS)
    return kb and kb / 1024


def tool_of(name, path, pid, functions, options, folder):
    """A glob for all; for the few, those whose number is one of the first."""
    glob = 'generated_*' if functions == MANY else 'generated_[0-9]_*'
    out = os.path.join(folder, 'memory.out')
    if name == 'utrace':
        return tools.utrace(out, pid, [glob], options)
    if functions == MANY and version_of_bpftrace() < BPFTRACE_MULTI:
        return None
    script = f'uprobe:{path}:{glob} {{ @[probe] = count(); }}'
    if functions == FEW:
        script = ' '.join(f'uprobe:{path}:generated_{i}_{i} {{ @[{i}] = count(); }}' for i in range(FEW))
    return tools.bpftrace(out, pid, script, tools.first_number(r'(\d+)'))


def measure(name, path, functions, options, folder):
    """MB, or None."""
    with contextlib.ExitStack() as stack:
        target = subprocess.Popen([path], stdin=subprocess.PIPE)
        stack.callback(target.wait)
        stack.callback(target.stdin.close)
        tool = tool_of(name, path, target.pid, functions, options, folder)
        if not tool:
            return None
        tool.start()
        kb = when_still(tool.process)
        tool.ask_to_stop()
        tool.process.wait(STOP_SECONDS)
    return kb and kb / 1024


def rows(args, names, folder):
    """Yields (name, {tool: [MB]}, left out)."""
    path = None
    for name, functions, options in ROWS:
        if not fnmatch.fnmatch(name, args.only):
            continue
        path = path or generate(folder)
        found = {tool: measure(tool, path, functions, options, folder) for tool in names if tool in ('utrace', 'bpftrace')}
        out = {tool: f'{tool} would attach and detach them one by one' for tool, mb in found.items() if mb is None}
        yield name, {tool: [mb] for tool, mb in found.items() if mb is not None}, out
    if fnmatch.fnmatch(NODE, args.only) and shutil.which('node'):
        mb = measure_node(folder)
        yield NODE, {'utrace': [mb] if mb else []}, {}
