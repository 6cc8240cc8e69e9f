"""Recordings that an earlier utrace made are read, and shown as they were: make.py tells how they came to be."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
UTRACE = os.environ.get('UTRACE', str(HERE.parents[1] / 'build' / 'src' / 'utrace'))


@pytest.mark.parametrize('words,suffix', [((), 'txt'), (('--json',), 'jsonl')], ids=['text', 'json'])
@pytest.mark.parametrize('recording', sorted(HERE.glob('*.utr')), ids=lambda path: path.stem)
def test_a_recording_is_shown_as_it_was(recording, words, suffix):
    done = subprocess.run([UTRACE, 'report', recording, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == recording.with_suffix('.' + suffix).read_text().splitlines()
