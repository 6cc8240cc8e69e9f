"""How two runs of bench/run are compared."""
import json
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'bench'))
import report  # noqa: E402  pylint: disable=wrong-import-position


def run_of(path, **rows):
    """@rows: name → (unit, {tool: figures})."""
    made = [report.make_row(name, unit, values) for name, (unit, values) in rows.items()]
    path.write_text(json.dumps({'time': '', 'machine': {}, 'rows': made}))
    return path


@pytest.mark.parametrize('unit, before, after, said, status', [
    ('instructions', [1000, 1001, 1002], [1200, 1201, 1202], 'worse, x1.20', 1),
    ('instructions', [1200, 1201, 1202], [1000, 1001, 1002], 'better, x0.83', 0),
    ('instructions', [1000, 1001, 1002], [1010, 1011, 1012], '', 0),
    ('MB', [30], [45], 'worse, x1.50', 1),
    ('MB', [30], [30.5], '', 0),
])
def test_our_own_figures_are_compared_where_nothing_disturbs_them(tmp_path, unit, before, after, said, status):
    paths = [run_of(tmp_path / f'{name}.json', row=(unit, {'utrace': values})) for name, values in (('a', before), ('b', after))]
    done = subprocess.run([os.path.join(ROOT, 'bench', 'run'), '--compare', *paths], capture_output=True, text=True)
    line = done.stdout.splitlines()[1]
    assert (done.returncode, done.stderr) == (status, '')
    assert line.endswith(said) if said else line.endswith(')'), line


@pytest.mark.parametrize('unit, theirs, said', [
    ('ns', [100, 100, 100], 'worse, x2.00'),    # we take 200 of what they take 100
    ('share', [100, 100, 100], 'better, x2.00'),  # and serve 200 requests to their 100
    ('ns', [200, 200, 200], ''),
])
def test_noisy_figures_are_compared_as_ratios_to_the_peer_of_the_same_run(tmp_path, unit, theirs, said, capsys):
    before = run_of(tmp_path / 'a.json', row=(unit, {'utrace': [50, 50, 50], 'floor': [50, 50, 50]}))
    after = run_of(tmp_path / 'b.json', row=(unit, {'utrace': [200, 200, 200], 'floor': theirs}))
    assert report.compare(before, after) == said.startswith('worse')
    assert capsys.readouterr().out.splitlines()[1].endswith(said or ')')


def test_what_lies_within_both_spreads_is_noise(tmp_path, capsys):
    before = run_of(tmp_path / 'a.json', row=('instructions', {'utrace': [100, 150, 200, 250, 300]}))
    after = run_of(tmp_path / 'b.json', row=('instructions', {'utrace': [120, 190, 240, 290, 340]}))
    assert report.compare(before, after) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith(')')


def test_rows_of_one_run_alone_are_left_out(tmp_path, capsys):
    before = run_of(tmp_path / 'a.json', old=('MB', {'utrace': [1]}))
    after = run_of(tmp_path / 'b.json', new=('MB', {'utrace': [2]}))
    assert report.compare(before, after) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
