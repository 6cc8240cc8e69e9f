"""The cost of a probed call in instructions, which no neighbour disturbs: in a guest whose clocks count them (docs/guests.md).

Under QEMU's -icount one instruction is one nanosecond, so the target's own measure of its CPU time is a number of instructions:
its own, and those of the kernel that serves the probe.
"""
import fnmatch
import os
import re
import shutil
import subprocess

import symbols
import tools

KERNEL = '6.18'  # has uprobe sessions, as what we measure here
ROUNDS, CALLS, READY_CALLS, READY_NS = 5, 1000, 100, 300
GUEST_SECONDS = 300

# Row, words of utrace func, program of the floor.
ROWS = (
    ('instructions: count', '--stat --exits=none', 'count'),
    ('instructions: histogram', '--hist', 'hist'),
    ('instructions: stream, call', '', 'calls'),
)

# Each way is one target, asked for rounds before and after a tool is on it. (SIGTERM: a shell's background jobs ignore SIGINT.)
SCRIPT = r'''
ask() { echo "emulated $1" >&4; read cpu elapsed <&5; }
way() {
	mkfifo /in /out
	/target </in >/out & target=$!
	exec 4>/in 5</out
	for i in 1 2 3; do ask {calls}; done
	echo "$1 bare $cpu"
	case $1 in
	*utrace) utrace func u:emulated -p $target --max-overhead none $2 -o /dev/null 2>/tool.out & ;;
	*) /floor /$2.bpf.o $target /target {offset} >/tool.out 2>&1 </hold & ;;
	esac
	tool=$! n=0
	while ask {ready_calls}; [ $cpu -lt {ready_ns} ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done
	for i in {rounds}; do ask {calls}; echo "$1 traced $cpu"; done
	kill $tool; exec 4>&- 5<&-
	wait $target; rm -f /in /out
	wait $tool
}
mkfifo /hold; exec 6<>/hold
'''


def missing():
    for program in ('qemu-system-x86_64', 'busybox'):
        if not shutil.which(program):
            return program + ' is not installed'
    return '' if os.path.exists(static()) else f'{static()} is not built (meson setup build-static -Dstatic=true)'


def static():
    return os.environ.get('UTRACE_STATIC') or os.path.join(tools.ROOT, 'build-static', 'src', 'utrace')


def script(offset, chosen):
    text = SCRIPT
    for name, value in (('calls', CALLS), ('ready_calls', READY_CALLS), ('ready_ns', READY_CALLS * READY_NS), ('offset', hex(offset)),
                        ('rounds', ' '.join(map(str, range(ROUNDS))))):
        text = text.replace('{' + name + '}', str(value))
    for i, (_, words, floor) in enumerate(chosen):
        text += f'way {i}utrace "{words}"\nway {i}floor {floor}\n'
    return text


def measure(chosen, folder):
    """{(number of the row, tool): [instructions added to a call]}."""
    built = os.path.join(tools.BUILD, 'bench')
    target, path = os.path.join(built, 'target-static'), os.path.join(folder, 'script')
    with open(path, 'w') as out:
        out.write(script(symbols.functions(target)['emulated'], chosen))
    files = [f'{path}:/script', f'{target}:/target', f'{built}/floor:/floor', *(f'{built}/{floor}.bpf.o:/{floor}.bpf.o' for *_, floor in chosen)]
    words = [word for file in files for word in ('--file', file)]
    done = subprocess.run([os.path.join(tools.ROOT, 'tests', 'vm', 'run'), '--icount', '--timeout', str(GUEST_SECONDS), '--bin', static(), *words,
                           KERNEL, 'sh', '/script'], capture_output=True, text=True)
    bare, added = {}, {}
    for row, tool, when, cpu in re.findall(r'^(\d+)(\w+) (bare|traced) (\d+)$', done.stdout, re.MULTILINE):
        key = int(row), tool
        if when == 'bare':
            bare[key] = int(cpu)
        else:
            added.setdefault(key, []).append((int(cpu) - bare[key]) / CALLS)
    if not added:
        raise RuntimeError(f'the guest measured nothing: {(done.stderr or done.stdout).strip()[-400:]}')
    return added


def rows(args, folder):
    """Yields (name, {tool: [instructions]}, left out)."""
    chosen = [row for row in ROWS if fnmatch.fnmatch(row[0], args.only)]
    if not chosen:
        return
    added = measure(chosen, folder)
    for i, (name, *_) in enumerate(chosen):
        yield name, {tool: values for (at, tool), values in added.items() if at == i}, {}
