"""tools/gates.py on texts with one planted fault each."""
import os
import subprocess
import sys

import pytest

TOOLS = os.path.join(os.path.dirname(__file__), '..', '..', 'tools')
sys.path.insert(0, TOOLS)
import gates  # noqa: E402

OPEN_END = '/* TO' 'DO: later */\n'


def c_function(lines):
    return 'int f(void)\n{\n' + '\treturn 0;\n' * lines + '}\n'


def python_function(lines):
    return 'def f():\n' + '    pass\n' * lines


@pytest.mark.parametrize('path, text', [
    ('src/base/a.c', c_function(80)),
    ('src/base/a.c', 'struct s {\n' + '\tint x;\n' * 100 + '};\n'),
    ('src/base/a.c', '\n' * 1000),
    ('tools/a.py', python_function(80)),
    ('docs/a.md', ''),
], ids=['function', 'struct', 'file', 'python', 'empty'])
def test_what_is_in_order_passes(path, text):
    assert not list(gates.complaints_of(path, text))


@pytest.mark.parametrize('path, text, fault', [
    ('src/base/a.c', c_function(81), 'a function of 81 lines'),
    ('tools/a.py', python_function(81), 'a function of 81 lines'),
    ('src/base/a.c', '\n' * 1001, '1001 lines, at most 1000'),
    ('src/main.c', '\n' * 101, '101 lines, at most 100'),
    ('src/base/a.c', 'int x;', 'no newline at the end'),
    ('src/base/a.c', 'int x; \n', ':1: white space at the end'),
    ('src/base/a.c', '\n' + OPEN_END, ':2: left open'),
], ids=['function', 'python', 'file', 'main', 'newline', 'space', 'open'])
def test_each_fault_is_named_with_its_place(path, text, fault):
    found = list(gates.complaints_of(path, text))
    assert len(found) == 1 and found[0].startswith(path) and fault in found[0]


def test_a_test_program_that_no_build_file_names_is_found(tmp_path):
    subprocess.run(['git', 'init', '-q', str(tmp_path)], check=True)
    unit = tmp_path / 'tests' / 'unit'
    unit.mkdir(parents=True)
    (unit / 'meson.build').write_text("unit_tests = ['base']\n")
    for name in ('base', 'as'):
        (unit / f'test_{name}.c').write_text('int x;\n')
    assert list(gates.complaints(str(tmp_path))) == ["tests/unit/test_as.c: 'as' is not in tests/unit/meson.build, so nobody runs it"]


def test_files_that_git_ignores_are_not_looked_at(tmp_path):
    subprocess.run(['git', 'init', '-q', str(tmp_path)], check=True)
    (tmp_path / '.gitignore').write_text('/build*/\n')
    (tmp_path / 'build').mkdir()
    for path in ('build/a.c', 'b.c', 'LICENSE'):
        (tmp_path / path).write_text('int x; \n')
    assert list(gates.complaints(str(tmp_path))) == ['b.c:1: white space at the end of the line']
