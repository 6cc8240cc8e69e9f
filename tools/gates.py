#!/usr/bin/env python3
"""Gates that every file of the repository passes: size, length of functions, whitespace, nothing left open, no test that nobody runs.

gates.py [FOLDER]; prints one line a complaint, exit status 1 when there is one. Lines that begin with "note:" only inform.
"""
import ast
import os
import re
import shutil
import subprocess
import sys

FILE_LINES = 1000     # more is two rooms
FUNCTION_LINES = 80   # its body; the guide is 15
MAIN_LINES = 100      # src/main.c only dispatches
AS_THEY_CAME = ('LICENSE', 'LICENSES/', 'tests/golden/', 'tests/fuzz/')  # texts that are not ours to reformat
OPEN_ENDS = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')


def files_of(top):
    """What git tracks or would track, as paths below top."""
    listed = subprocess.run(['git', '-c', 'safe.directory=*', '-C', top, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                            capture_output=True, check=False)
    if listed.returncode != 0:
        sys.exit(f'gates: git ls-files: {listed.stderr.decode().strip()}')
    return sorted(p for p in listed.stdout.decode().split('\0') if p and os.path.isfile(os.path.join(top, p)))


def c_functions(lines):
    """(line, lines of the body) of each function: in our brace style its body alone begins with a line that is "{"."""
    begin = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            begin = number
        elif line == '}' and begin:
            yield begin, number - begin - 1
            begin = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno


def functions(path, text):
    if path.endswith(('.c', '.h')):
        return c_functions(text.splitlines())
    return python_functions(text) if path.endswith('.py') else ()


def complaints_of(path, text):
    lines = text.split('\n')
    if text and lines[-1] != '':
        yield f'{path}: no newline at the end'
    most = MAIN_LINES if path == 'src/main.c' else FILE_LINES
    if len(lines) - 1 > most:
        yield f'{path}: {len(lines) - 1} lines, at most {most}'
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield f'{path}:{number}: white space at the end of the line'
        if OPEN_ENDS.search(line):
            yield f'{path}:{number}: left open: {line.strip()}'
    for number, length in functions(path, text):
        if length > FUNCTION_LINES:
            yield f'{path}:{number}: a function of {length} lines, at most {FUNCTION_LINES}'


def unlisted(top):
    """Unit tests and fuzzers that no build file names, and so nobody runs."""
    for path in files_of(top):
        found = re.fullmatch(r'(tests/(?:unit/test|fuzz/fuzz))_(\w+)\.c', path)
        if not found:
            continue
        listed = os.path.join(top, os.path.dirname(path), 'meson.build')
        with open(listed, encoding='utf-8') as file:
            if f"'{found[2]}'" not in file.read():
                yield f"{path}: '{found[2]}' is not in {os.path.relpath(listed, top)}, so nobody runs it"


def complaints(top):
    yield from unlisted(top)
    for path in files_of(top):
        if path.startswith(AS_THEY_CAME):
            continue
        with open(os.path.join(top, path), 'rb') as file:
            content = file.read()
        if b'\0' not in content:
            yield from complaints_of(path, content.decode('utf-8', 'replace'))


def formatting_note(top):
    """How many files clang-format would change: information, because its versions disagree."""
    if not shutil.which('clang-format'):
        return 'clang-format is not here: formatting not looked at'
    sources = [p for p in files_of(top) if p.endswith(('.c', '.h')) and p.startswith(('src/', 'tests/'))]
    said = subprocess.run(['clang-format', '--dry-run', *sources], capture_output=True, text=True, cwd=top, check=False).stderr
    changed = set(re.findall(r'^([^\s:]+):\d+:\d+: warning', said, re.MULTILINE))
    return f'clang-format would change {len(changed)} of {len(sources)} files'


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = list(complaints(top))
    print('\n'.join(found), end='\n' if found else '')
    print('note: ' + formatting_note(top))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
