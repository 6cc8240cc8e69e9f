#!/usr/bin/env python3
"""What a fuzzer begins with: seeds.py NAME FOLDER PROGRAMS: pieces of the programs of elf_programs, as fuzz_NAME.c reads them;
of syscall, a record of each call.

Made from whatever the compilers of this machine write, so that the tree holds only what a fuzzer has found.
"""
import glob
import os
import struct
import sys

# In the order of fuzz_elf_line.c.
DWARF = ('.debug_info', '.debug_abbrev', '.debug_line', '.debug_str', '.debug_line_str', '.debug_ranges', '.debug_rnglists',
         '.debug_addr', '.debug_str_offsets', '.debug_aranges', '.debug_types', '.gnu_debugaltlink')
SHF_COMPRESSED = 0x800
SHT_NOBITS = 8
CODE_PIECES, CODE_BYTES = 60, 512
SYSCALLS = 472  # Linux 6.18 has 470 on x86-64


def sections(elf):
    """Name → (address, contents, flags) of an ELF64 file."""
    at, = struct.unpack_from('<Q', elf, 0x28)
    size, n, names = struct.unpack_from('<HHH', elf, 0x3a)
    heads = [struct.unpack_from('<IIQQQQII', elf, at + i * size) for i in range(n)]
    texts = elf[heads[names][4]:heads[names][4] + heads[names][5]]
    return {texts[h[0]:texts.index(b'\0', h[0])].decode(): (h[3], elf[h[4]:h[4] + h[5]], h[2]) for h in heads if h[1] != SHT_NOBITS}


def elf(program):
    yield program


def elf_eh_frame(program):
    address, content, _ = sections(program).get('.eh_frame', (0, b'', 0))
    if content:
        yield struct.pack('<H', address & 0xffff) + content


def elf_usdt(program):
    found = sections(program)
    if '.note.stapsdt' in found and '.stapsdt.base' in found:
        yield struct.pack('<H', found['.stapsdt.base'][0] & 0xffff) + found['.note.stapsdt'][1]


def elf_symbols(program):
    found = sections(program)
    for table, strings, bits in (('.symtab', '.strtab', 0), ('.symtab', '.strtab', 2), ('.symtab', '.strtab', 6),
                                 ('.dynsym', '.dynstr', 1)):
        if table in found:
            yield struct.pack('<BH', bits, len(found[table][1])) + found[table][1] + found[strings][1]


def elf_packed(program):
    found = sections(program)
    for which, name in enumerate(('.gnu_debugdata', '.gnu_debuglink')):
        if name in found:
            yield bytes([which]) + found[name][1]


def elf_line(program):
    found = sections(program)
    parts = [(which | (0x80 if found[name][2] & SHF_COMPRESSED else 0), found[name][1])
             for which, name in enumerate(DWARF) if name in found]
    if parts:
        yield b''.join(struct.pack('<BH', which, len(content)) + content for which, content in parts)


def site(program):
    code = sections(program).get('.text', (0, b'', 0))[1]
    step = max(CODE_BYTES, len(code) // CODE_PIECES)
    for at in range(0, len(code), step):
        yield code[at:at + CODE_BYTES]


def syscall_record(number, arguments):
    """src/probe/syscall/syscall.abi.h: a call that came back, and for each argument 64 bytes read at its end."""
    memory = b'/etc/passwd\0' + struct.pack('<IQQHHI', 2, 0x1000, 4, 2, 0x5000, 0x0100007f) + bytes(range(24))
    pieces = b''.join(struct.pack('<BBHIQ', 0x08 | n, 0, len(memory), 0, argument) + memory + bytes(-len(memory) & 7)
                      for n, argument in enumerate(arguments))
    fixed = struct.pack('<qQ6QIBBH', 3, 1000, *arguments, number, 0, 0, 0)
    head = struct.pack('<HHHHQIIIIQ', 0x0401, 40 + len(fixed) + len(pieces), 0, 0, number, 100, 100, 1, number, 0)
    return head + fixed + pieces


def syscall(_):
    for arguments in ([0x1000 * (n + 1) for n in range(6)], [1, 0x2000, 3, 0x4000, 0, 0x6000], [0x1000, 2, 0x3000, 4, 5, 6]):
        for first in range(0, SYSCALLS, 80):
            yield b''.join(syscall_record(number, arguments) for number in range(first, min(first + 80, SYSCALLS)))


def libc():
    """The C library of this Python: real code of all kinds."""
    with open('/proc/self/maps', encoding='utf-8') as maps:
        return next((line.split()[-1] for line in maps if os.path.basename(line.split()[-1]).startswith(('libc.so', 'libc-2'))), None)


def main():
    name, folder, programs = sys.argv[1:4]
    os.makedirs(folder, exist_ok=True)
    of = [os.devnull] if name == 'syscall' else sorted(glob.glob(os.path.join(programs, '*')))
    for path in of + ([libc()] if name == 'site' and libc() else []):
        with open(path, 'rb') as file:
            program = file.read()
        for n, seed in enumerate(globals()[name](program)):
            with open(os.path.join(folder, f'{os.path.basename(path)}-{n}'), 'wb') as file:
                file.write(seed)


if __name__ == '__main__':
    main()
