#!/usr/bin/env python3
"""Holds every #include line of src/ against the order of layers: includes point down only (docs/architecture.md).

layers.py [FOLDER that holds src/]; prints one line a broken rule, exit status 1 when there is one.
"""
import os
import re
import sys

# From the ground up. Rooms of one row stand side by side and do not include each other.
LAYERS = (
    ('base', 'bpf'),
    ('event',),
    ('config',),
    ('arch',),
    ('priv',),
    ('record', 'net'),  # recordings: bytes on disk, no policy; captured packets: bytes of connections
    ('sys',),
    ('sym',),
    ('shape',),  # filters and limits over events: families ask them
    ('probe', 'runtime', 'proto'),
    ('span', 'metric'),
    ('sink',),
    ('export',),  # brings what sinks write to receivers over the network
    ('engine',),
    ('replay',),
    ('ui',),
    ('cmd',),
)

# (file, what it includes): why it may. One that is used no more is an error.
EXCEPTIONS = {
}

# Code that kernel halves and user space both compile: no libc, no memory but what is handed in.
BOTH_SIDES = ('shape/where_eval.h',)

# Rooms whose folders are plug-ins: siblings do not include each other.
PLUG_INS = ('probe', 'runtime', 'proto', 'sink')

# Rooms that work on bytes and events from anywhere, a file included.
WITHOUT_BPF = ('net', 'proto', 'sink')

LEVEL = {room: level for level, row in enumerate(LAYERS) for room in row}
TOP = len(LAYERS)  # files of src/ itself: main.c
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    """The room of a path below src/; '' for a file of src/ itself."""
    return path.split('/')[0] if '/' in path else ''


def plug_in_of(path):
    """'probe/func' for probe/func/func.c and probe/func.c; '' when path is no part of a plug-in."""
    room, _, rest = path.partition('/')
    return f'{room}/{rest.partition("/")[0]}' if room in PLUG_INS and '/' in rest else ''


def is_kernel_half(path):
    return path.endswith('.bpf.c') or path.endswith('.bpf.h') or (room_of(path) == 'bpf' and not path.endswith('.abi.h'))


def broken_rule(path, included, system):
    """Why the file must not include this, both as paths below src/; None when it may."""
    mine, theirs = room_of(path), room_of(included)
    if mine in WITHOUT_BPF and theirs == 'bpf' and not is_kernel_half(path):
        return f'{mine}/ never sees BPF'
    if system:
        return None
    if theirs not in LEVEL:
        return 'paths begin at src/ with the name of a room'
    if path.endswith('.abi.h') and not included.endswith('.abi.h'):
        return 'a header shared with the kernel includes only its like'
    if plug_in_of(path) and plug_in_of(included) and plug_in_of(path) != plug_in_of(included):
        return f'plug-ins of {mine}/ do not include each other'
    if included.endswith('.abi.h'):
        return None  # the promise between two compilers: seen from everywhere
    if theirs == 'bpf':
        return None if is_kernel_half(path) else 'only kernel halves include what kernel halves share'
    if is_kernel_half(path):
        own = plug_in_of(path) and plug_in_of(path) == plug_in_of(included)
        return None if own or included in BOTH_SIDES else 'a kernel half includes only bpf/, *.abi.h, its own folder and BOTH_SIDES'
    if mine != theirs and LEVEL[theirs] >= LEVEL.get(mine, TOP):
        return f'{mine}/ stands {"beside" if LEVEL[theirs] == LEVEL[mine] else "below"} {theirs}/'
    return None


def sources(top):
    for folder, _, names in os.walk(os.path.join(top, 'src')):
        for name in sorted(names):
            if name.endswith(('.c', '.h')):
                yield os.path.join(folder, name)


def includes_of(path):
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found[2], found[1] == '<'


def complaints(top, exceptions):
    used = set()
    for file in sources(top):
        path = os.path.relpath(file, os.path.join(top, 'src'))
        if room_of(path) and room_of(path) not in LEVEL:
            yield f"src/{path}: room '{room_of(path)}' has no place in the order (LAYERS of tools/layers.py)"
            continue
        for number, included, system in includes_of(file):
            why = broken_rule(path, included, system)
            if why and (path, included) in exceptions:
                used.add((path, included))
            elif why:
                yield f'src/{path}:{number}: includes {included}: {why}'
    for path, included in sorted(set(exceptions) - used):
        yield f'src/{path}: the exception for {included} is used no more (EXCEPTIONS of tools/layers.py)'


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not any(sources(top)):
        sys.exit(f'layers: no source file below {top}/src')
    found = list(complaints(top, EXCEPTIONS))
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
