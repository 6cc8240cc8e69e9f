"""What a traced system call costs its program: bench/syscalls.c alone and under each tool, taking turns. Elapsed time, by its own clock."""
import fnmatch
import os
import subprocess

import tools

PROGRAM = os.path.join(tools.BUILD, 'bench', 'syscalls')
BARE_LOOPS = 100_000

# Row, {tool: (words before the program, loops)}: so many that a run takes a quarter of a second.
ROWS = (
    ('sys: each call', {
        'utrace': ([tools.UTRACE, 'sys', '-o', '/dev/null', '--'], 15_000),
        'strace': (['strace', '-f', '-o', '/dev/null'], 1_500),
        'perf': (['perf', 'trace', '-o', '/dev/null', '--'], 15_000),
    }),
    ('sys: counted', {
        'utrace': ([tools.UTRACE, 'sys', '--stat', '-o', '/dev/null', '--'], 60_000),
        'strace': (['strace', '-f', '-c', '-o', '/dev/null'], 1_500),
        'perf': (['perf', 'trace', '-s', '-o', '/dev/null', '--'], 15_000),
    }),
)


def cost_ns(words, loops):
    """Of one call; None: the tool does not work here."""
    done = subprocess.run([*words, PROGRAM, str(loops)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout else None


def measure(ways, names, repeats):
    """{tool: [added ns a call]}, {tool: why it is left out}."""
    added, out = {name: [] for name in ways if name in names}, {}
    for _ in range(repeats):
        bare = cost_ns([], BARE_LOOPS)
        for name in [name for name in added if name not in out]:
            ns = cost_ns(*ways[name])
            if ns is None:
                out[name] = f'{name} cannot trace system calls here'
            else:
                added[name].append(ns - bare)
    return added, out


def rows(args, names):
    """Yields (name, added, left out)."""
    for name, ways in ROWS:
        if fnmatch.fnmatch(name, args.only):
            yield name, *measure(ways, names, 3 if args.quick else 7)
