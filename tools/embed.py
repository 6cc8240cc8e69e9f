#!/usr/bin/env python3
"""Writes an assembler file that holds the given BPF objects and budgets, and a table of them (src/priv/object.h reads it)."""
import os
import sys

out, objects = sys.argv[1], sys.argv[2:]
lines = ['\t.section .rodata', '\t.balign 16']
for i, path in enumerate(objects):
    lines += [f'object_{i}:', f'\t.incbin "{os.path.abspath(path)}"', f'object_{i}_end:', '\t.balign 16']
for i, path in enumerate(objects):
    name = os.path.basename(path).removesuffix('.bpf.o')
    if name == 'budget.json':  # one a family: func/budget.json
        name = os.path.join(os.path.basename(os.path.dirname(path)), name)
    lines += [f'name_{i}:\t.asciz "{name}"']
lines += ['\t.section .data.rel.ro, "aw"', '\t.balign 8', '\t.globl bpf_object_table', '\t.hidden bpf_object_table', 'bpf_object_table:']
for i in range(len(objects)):
    lines += [f'\t.quad name_{i}, object_{i}, object_{i}_end - object_{i}']
lines += ['\t.quad 0, 0, 0', '\t.section .note.GNU-stack, "", %progbits', '']
with open(out, 'w') as f:
    f.write('\n'.join(lines))
