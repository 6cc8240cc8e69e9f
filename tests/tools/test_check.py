"""How tools/check.py counts: what must never pass for a success."""
import glob
import json
import os
import re
import select
import shutil
import subprocess
import sys
import threading

import pytest

TOOLS = os.path.join(os.path.dirname(__file__), '..', '..', 'tools')
sys.path.insert(0, TOOLS)
import check  # noqa: E402


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setattr(check, 'LOGS', str(tmp_path))
    return check.Runner(check.Suite('sample', check.FAST, 1, None))


def meson(stdout, result='OK', status=0):
    return check.read_meson_test({'name': 'utrace:unit / base', 'result': result, 'returncode': status, 'stdout': stdout})


def counts(result):
    return result.passed, len(result.failed), len(result.skipped)


@pytest.mark.parametrize('output, result, status, wanted', [
    ('1..2\nok 1 - a\nok 2 - b\n', 'OK', 0, (2, 0, 0)),
    ('1..2\nnot ok 1 - a\n# 1 != 2\nok 2 - b\n', 'FAIL', 1, (1, 1, 0)),
    ('1..2\nok 1 - a\nnot ok 2 # SKIP b\n', 'OK', 0, (1, 0, 1)),     # cmocka 1.1.5
    ('TAP version 13\n1..2\nok 1 - a\nok 2 # SKIP b\n', 'OK', 0, (1, 0, 1)),
    ('1..2\nok 1 - a\n', 'FAIL', -11, (1, 1, 0)),                    # died in the second
    ('1..2\nok 1 - a\n', 'OK', 0, (1, 1, 0)),                        # left early, pretending
    ('1..1\nok 1 - a\n', 'FAIL', 23, (1, 1, 0)),                     # leaks found at the end
    ('1..1\nok 1 - a\n', 'TIMEOUT', 0, (1, 1, 0)),
    ('no TAP at all\n', 'OK', 0, (1, 0, 0)),
    ('no TAP at all\n', 'FAIL', 1, (0, 1, 0)),
])
def test_cases_of_a_unit_test_program_are_counted(output, result, status, wanted):
    assert counts(meson(output, result, status)) == wanted


def test_a_failed_case_says_why():
    assert meson('1..1\nnot ok 1 - a\n# 1 != 2\n', 'FAIL', 1).failed == [('base: a', '# 1 != 2\n')]


@pytest.mark.parametrize('test, wanted', [
    ('def test_a(): assert True', (1, 0, 0)),
    ('def test_a(): assert False', (0, 1, 0)),
    ('import pytest\ndef test_a(): pytest.skip("no such kernel")', (0, 0, 1)),
    ('import nothing_of_the_kind\n', (0, 1, 0)),
    ('def not_a_test(): pass\n', (0, 1, 0)),
])
def test_cases_of_a_pytest_folder_are_counted(runner, tmp_path, test, wanted):
    (tmp_path / 'test_sample.py').write_text(test + '\n')
    result = check.pytest(runner, str(tmp_path))
    assert counts(result) == wanted
    assert not result.skipped or result.skipped[0][1] == 'no such kernel'


def test_what_failed_by_chance_is_tried_once_more_by_itself(runner, tmp_path):
    shutil.copy(os.path.join(TOOLS, '..', 'tests', 'pytest.ini'), tmp_path)
    (tmp_path / 'test_sample.py').write_text(
        'import pathlib\nseen = pathlib.Path(__file__).with_name("seen")\n'
        'def test_a():\n    again = seen.exists(); seen.touch(); assert again\ndef test_b(): pass\n')
    result = check.pytest(runner, str(tmp_path))
    assert counts(result) == (2, 0, 0) and result.notes == ['passed at the second try: test_sample.test_a']


def test_a_run_of_no_test_has_failed(runner):
    assert counts(check.judge(check.Result(), 0, runner)) == (0, 1, 0)


def test_a_bad_exit_status_without_a_failed_test_has_failed(runner):
    assert counts(check.judge(check.Result(passed=3), 1, runner)) == (3, 1, 0)


def test_what_ran_before_the_deadline_is_counted(runner, tmp_path):
    (tmp_path / 'test_sample.py').write_text('import signal\ndef test_a(): pass\ndef test_b(): signal.pause()\n')
    runner.deadline -= 55
    result = check.pytest(runner, str(tmp_path))
    assert result.passed == 1 and len(result.failed) == 1 and 'deadline' in result.failed[0][1]


def test_a_suite_ends_at_its_deadline_with_all_that_it_started(runner, tmp_path):
    runner.deadline -= 58
    pid_file = tmp_path / 'pid'
    command = f'sleep 60 & echo $! >{pid_file}; wait'
    assert runner.call('sh', '-c', command) == check.DEADLINE
    try:
        child = os.pidfd_open(int(pid_file.read_text()))
    except ProcessLookupError:
        return
    assert select.select([child], [], [], 10)[0], 'still running'


def test_who_ends_check_ends_what_it_runs(tmp_path):
    fifo = tmp_path / 'fifo'
    os.mkfifo(fifo)
    script = f"import sys; sys.path.insert(0, {TOOLS!r}); import check; check.LOGS = {str(tmp_path)!r}; " \
             "check.SUITES = (check.Suite('x', 0, 1, lambda r: check.step(r, 'sh', '-c', " \
             f"'echo $$ >{fifo}; exec sleep 60')),); sys.argv = ['x']; check.main()"
    running = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.DEVNULL)
    child = os.pidfd_open(int(fifo.read_text()))
    running.terminate()
    assert running.wait(20) == 143
    assert select.select([child], [], [], 10)[0], 'still running'


def test_the_last_line_is_the_count_and_the_exit_status_agrees():
    for word, line, status in (('layers', '1 passed, 0 failed', 0), ('no-such-suite', None, 1)):
        done = subprocess.run([sys.executable, os.path.join(TOOLS, 'check.py'), word], capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert line is None or done.stdout.splitlines()[-1] == line


def test_suites_named_on_the_command_line_bring_what_they_need():
    assert [s.name for s in check.chosen(['unit'])] == ['build', 'unit']
    assert [s.name for s in check.chosen(['guests'])] == ['build', 'static', 'guests']
    assert 'fuzz' not in [s.name for s in check.chosen([])]
    assert [s.name for s in check.chosen(['--all'])] == [s.name for s in check.SUITES]


def test_log_lines_of_meson_are_read_one_by_one(tmp_path):
    log = tmp_path / 'testlog.json'
    log.write_text('\n'.join(json.dumps({'name': 'x', 'result': 'OK', 'returncode': 0, 'stdout': ''}) for _ in range(3)) + '\n')
    assert counts(check.read_meson(str(log))) == (3, 0, 0)


def test_each_row_of_fallbacks_names_abilities_and_tests_that_are_there():
    root = os.path.dirname(os.path.abspath(TOOLS))
    with open(os.path.join(root, 'src', 'priv', 'ability.c'), encoding='utf-8') as source:
        abilities = set(re.findall(r'^\t\[ABILITY_\w+\] = \{ "(\w+)"', source.read(), re.MULTILINE))
    assert 'session' in abilities
    for row in check.ROWS:
        assert set(row.without.split(',')) <= abilities
        assert all(os.path.exists(os.path.join(root, 'tests', 'live', f'test_{name}.py')) for name in row.files)


def test_fallbacks_run_their_tests_without_their_abilities_and_say_so(runner, monkeypatch):
    ran = []

    def once(part, junit, folder, *options, root, env):
        ran.append((env['UTRACE_WITHOUT'], 'UTRACE_BTF' in env, options[-1]))
        return check.Result(passed=2, failed=[('test_a', 'why')] if 'multi' in env['UTRACE_WITHOUT'] else []), 0

    rows = [check_row('btf', ('sys', 'harm')), check_row('both', ('harm',), 'killed', ('session', 'multi'))]
    monkeypatch.setattr(check, 'pytest_once', once)
    monkeypatch.setattr(check, 'ROWS', rows)
    result = check.fallbacks(runner)
    assert ran[:2] == [('btf', True, 'test_sys.py or test_harm.py'), ('session,multi', False, '(test_harm.py) and not (killed)')]
    assert result.failed == [('without both: test_a', 'why')] and '2 passed without btf' in result.notes


def check_row(*columns):
    return type(check.ROWS[0])(*columns)


def suite(name, run, needs=''):
    return check.Suite(name, check.FAST, 1, run, needs=needs)


def test_two_suites_run_at_a_time_and_each_after_what_it_needs(runner, monkeypatch, capsys):
    monkeypatch.setattr(check, 'WORKERS', 2)
    meet, ran = threading.Barrier(2, timeout=20), []

    def note(of):
        ran.append(of.name)
        return check.Result(passed=1)

    def both(of):
        meet.wait()
        return note(of)

    total = check.Plan([suite('last', note, 'first'), suite('first', both), suite('other', both)]).run()
    assert counts(total) == (3, 0, 0) and ran.index('last') > ran.index('first')
    assert sorted(line.split()[0] for line in capsys.readouterr().out.splitlines()) == ['first', 'last', 'other']


def test_what_needs_a_suite_that_failed_is_skipped(runner):
    plan = [suite('bad', lambda r: check.Result(failed=[('test_a', 'why')])), suite('next', None, 'bad'), suite('after', None, 'next')]
    assert counts(check.Plan(plan).run()) == (0, 1, 2)


def test_each_live_test_belongs_to_one_suite(runner, monkeypatch):
    there = {os.path.basename(path) for path in glob.glob(os.path.join(TOOLS, '..', 'tests', 'live', 'test_*.py'))}
    ran = []

    def once(part, junit, folder, *options, root, env):
        ran.append(there - {os.path.basename(o) for o in options if o.startswith('--ignore=')})
        return check.Result(passed=1), 0

    monkeypatch.setattr(check, 'pytest_once', once)
    check.live(runner, True)
    check.live(runner, False)
    assert ran[0] == {f'test_{name}.py' for name in check.REQUESTS} and ran[0] | ran[1] == there and not ran[0] & ran[1]
