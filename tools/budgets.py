#!/usr/bin/env python3
"""Writes the budgets of the BPF programs (src/probe/FAMILY/budget.json) and the table of docs/verify.md from what kernels said.

tools/budgets.py NAME.json ...        each the output of `utrace verify --json` on one kernel; NAME heads its column
tools/budgets.py --raise NAME.json ...  no budget becomes less than it was: another compiler, or another kernel, may need it

The table is written when there are several kernels. A budget is the largest figure of all kernels, a quarter more, and a little for what is small, in two digits.
"""
import json
import math
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIGURES = ('instructions', 'peak_states', 'stack_bytes', 'jited_bytes')
HEADROOM = 1.25
SLACK = {'instructions': 100, 'peak_states': 10, 'stack_bytes': 32, 'jited_bytes': 256}
STACK_MAX = 512  # MAX_BPF_STACK, include/linux/filter.h: no budget is above what the kernel allows
TABLE = re.compile(r'(<!-- table: tools/budgets.py -->\n).*(<!-- end of table -->)', re.DOTALL)


def read(path):
    """{(family, program, shape): figures} of one kernel; what it has no use for has the reason instead."""
    with open(path) as lines:
        told = [json.loads(line) for line in lines if line.strip()]
    return {(e['family'], e.get('program_name'), e['shape']): e for e in told if e['event_type'] == 'program'}


def rounded_up(figure):
    unit = 10 ** max(0, len(str(figure)) - 2)
    return -(-figure // unit) * unit


def budget_of(figure, values):
    limit = rounded_up(math.ceil(max(values) * HEADROOM) + SLACK[figure])
    return min(limit, STACK_MAX) if figure == 'stack_bytes' else limit


def budgets(kernels, family):
    """Programs, shapes and figures in the order in which the first kernel that has them told them."""
    found = {}
    for kernel in kernels.values():
        for of, program, shape in kernel:
            if of == family and program:
                told = [k[of, program, shape] for k in kernels.values() if (of, program, shape) in k]
                found.setdefault(program, {}).setdefault(shape, {
                    f: budget_of(f, [t[f] for t in told if f in t]) for f in FIGURES if any(f in t for t in told)})
    return found


def raised(family, found):
    """What the file has already, with what is missing or too low in it."""
    with open(path_of(family)) as file:
        known = json.load(file)
    for program, shapes in found.items():
        for shape, figures in shapes.items():
            had = known.setdefault(program, {}).setdefault(shape, {})
            for figure, limit in figures.items():
                had[figure] = max(had.get(figure, 0), limit)
    return known


def path_of(family):
    return os.path.join(ROOT, 'src', 'probe', family, 'budget.json')


def write_budgets(kernels, only_raise):
    for family in sorted({key[0] for kernel in kernels.values() for key in kernel}):
        programs, found = [], budgets(kernels, family)
        for program, shapes in (raised(family, found) if only_raise else found).items():
            rows = [f'\t\t{json.dumps(shape)}: {json.dumps(figures)}' for shape, figures in shapes.items()]
            programs.append(f'\t{json.dumps(program)}: {{\n' + ',\n'.join(rows) + '\n\t}')
        with open(path_of(family), 'w') as out:
            out.write('{\n' + ',\n'.join(programs) + '\n}\n')


def table(kernels):
    """Instructions on each kernel, and the largest stack and machine code of all."""
    yield '| program | shape | ' + ' | '.join(kernels) + ' | stack | machine code |'
    yield '|---' * 2 + '|--:' * (len(kernels) + 2) + '|'
    keys = dict.fromkeys(key for kernel in kernels.values() for key in kernel if key[1])
    for key in keys:
        told = [kernel.get(key) for kernel in kernels.values()]
        cells = [f"{t['instructions']:,}" if t else '' for t in told]
        most = [max(t.get(figure, 0) for t in told if t) for figure in ('stack_bytes', 'jited_bytes')]
        yield f'| `{key[1]}` | {key[2]} | ' + ' | '.join(cells) + f' | {most[0]} | {most[1]:,} |'


def write_table(kernels):
    path = os.path.join(ROOT, 'docs', 'verify.md')
    with open(path) as page:
        text = page.read()
    lines = '\n'.join(table(kernels))
    with open(path, 'w') as page:
        page.write(TABLE.sub(lambda m: f'{m[1]}{lines}\n{m[2]}', text))


def main():
    paths = [word for word in sys.argv[1:] if word != '--raise']
    if not paths:
        sys.exit(__doc__)
    kernels = {os.path.basename(path).removesuffix('.json'): read(path) for path in paths}
    write_budgets(kernels, only_raise='--raise' in sys.argv)
    if len(kernels) > 1:
        write_table(kernels)


if __name__ == '__main__':
    main()
