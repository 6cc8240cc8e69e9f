"""What it costs to record a call and to read it again: utrace, perf and bpftrace on the same calls of the same process.

CPU time of the tools' own processes, user and system. bpftrace keeps nothing: what it takes to print live stands beside both. A
recording of a gigabyte is real records again and again (grow.c): how soon the first line comes, and how much memory it takes.
"""
import fnmatch
import os
import subprocess
import time

import symbols
import tools
from percall import Target

EVENTS, QUICK_EVENTS = 400_000, 50_000
ROUND = 5_000  # calls, then a look whether the tools keep up
GIGABYTE = 1 << 30
ROWS = ('record: a call', 'report: a call as JSON', 'report: a call as text', 'report of 1 GB: first line', 'report of 1 GB: memory')


def cpu_ns(pid):
    with open(f'/proc/{pid}/stat') as stat:
        fields = stat.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf('SC_CLK_TCK')


def cpu_of_run(words):
    """CPU nanoseconds of a program from its start to its end."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime) * 1e9 if process.returncode == 0 else None


def recorders(target, folder, names):
    """Each has a probe of its own on the same function of the same process."""
    pid, out = target.process.pid, os.path.join(folder, '{}.out')
    script = f'uprobe:{target.path}:emulated {{ printf("%lu %d %ld %lx %ld\\n", nsecs, tid, arg0, arg1, arg2); }}'
    argv = [tools.UTRACE, 'record', '-o', os.path.join(folder, 'calls.utr'), 'func', 'u:emulated', '-p', str(pid), '--exits=none',
            '--max-overhead', 'none', '--buffer', '64M']
    made = {'utrace': tools.Tool(argv, out.format('utrace'), tools.first_number(r'(\d+) events'))}
    if 'perf' in names:
        made['perf'] = tools.perf(out.format('perf'), pid, 'record', target.path, symbols.functions(target.path)['emulated'], 'a=%di b=%si c=%dx')
    if 'bpftrace' in names:
        made['bpftrace'] = tools.bpftrace(out.format('bpftrace'), pid, script, lambda text: text.count('\n') - 1)
    return made


def probes_on(target, tool):
    """What a call costs before and after tells that one more probe is on."""
    before = min(target.round('emulated', 200) for _ in range(5))
    tool.start()
    deadline = time.monotonic() + 20
    while tool.alive() and time.monotonic() < deadline:
        if min(target.round('emulated', 200) for _ in range(5)) > before + 200:
            return True
        time.sleep(0.01)
    return False


def when_idle(pid):
    last = -1
    while (now := cpu_ns(pid)) != last:
        last = now
        time.sleep(0.2)
    return last


def record(folder, names, events):
    """Returns {tool: [CPU ns an event]} and {tool: events seen}: one run of all."""
    target = Target(folder, 'recorded')
    made = recorders(target, folder, names)
    on = [name for name, tool in made.items() if probes_on(target, tool)]
    before = {name: when_idle(made[name].process.pid) for name in on}
    for _ in range(events // ROUND):
        target.round('emulated', ROUND)
    spent = {name: when_idle(made[name].process.pid) - before[name] for name in on}
    for name in on:
        made[name].ask_to_stop()
    seen = {name: made[name].wait() for name in on}
    target.close()
    return {name: [spent[name] / events] for name in on}, seen


def read(folder, seen, how, repeats):
    recording, data = os.path.join(folder, 'calls.utr'), os.path.join(folder, 'perf.out.data')
    ways = {'utrace': [tools.UTRACE, 'report', recording, *how, '-o', '/dev/null'], 'perf': ['perf', 'script', '-i', data]}
    found = {name: [] for name in ways if seen.get(name)}
    for _ in range(repeats):
        for name in found:
            ns = cpu_of_run(ways[name])
            if ns is not None:
                found[name].append(ns / seen[name])
    return found


def first_line_ms(words):
    begin = time.monotonic()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    ms = (time.monotonic() - begin) * 1e3
    process.kill()
    process.communicate()
    return ms


def memory_mb(words, seconds):
    """The most that it takes in so long a time."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end, most = time.monotonic() + seconds, 0
        while process.poll() is None and time.monotonic() < end:
            with open(f'/proc/{process.pid}/status') as status:
                lines = [line for line in status if line.startswith('VmHWM')]
            most = max(most, int(lines[0].split()[1]) if lines else 0)
            time.sleep(0.02)
        process.kill()
    return most / 1024


def large(folder, args):
    """Rows of a gigabyte; the floor is the start of the same program, and the same report of what was recorded once."""
    small, big = os.path.join(folder, 'calls.utr'), os.path.join(folder, 'big.utr')
    subprocess.run([os.path.join(tools.BUILD, 'bench', 'grow'), small, big, str(GIGABYTE)], check=True)
    report = [tools.UTRACE, 'report', big, '--json']
    if fnmatch.fnmatch(ROWS[3], args.only):
        turns = [(first_line_ms(report), first_line_ms([tools.UTRACE, 'version'])) for _ in range(9)]
        yield ROWS[3], 'ms', {'utrace': [t[0] for t in turns], 'floor': [t[1] for t in turns]}
    if fnmatch.fnmatch(ROWS[4], args.only):
        yield ROWS[4], 'MB', {'utrace': [memory_mb(report, 15)], 'floor': [memory_mb([tools.UTRACE, 'report', small, '--json'], 60)]}
    os.unlink(big)


def rows(args, names, folder):
    """Yields (name, unit, {tool: figures}, events that are missing)."""
    wanted = [name for name in ROWS if fnmatch.fnmatch(name, args.only)]
    if not wanted:
        return
    events = QUICK_EVENTS if args.quick else EVENTS
    spent, seen = record(folder, names, events)
    for _ in range(0 if args.quick else 2):
        again, seen = record(folder, names, events)
        for name, ns in again.items():
            spent.setdefault(name, []).extend(ns)
    unseen = {name: max(0, events - n) for name, n in seen.items() if n is not None}
    if ROWS[0] in wanted:
        yield ROWS[0], 'event', spent, unseen
    for name, how in ((ROWS[1], ['--json']), (ROWS[2], [])):
        if name in wanted:
            yield name, 'event', {**read(folder, seen, how, 3 if args.quick else 7), 'bpftrace': spent.get('bpftrace', [])}, {}
    if not args.quick and set(wanted) & set(ROWS[3:]):
        for name, unit, found in large(folder, args):
            yield name, unit, found, {}
