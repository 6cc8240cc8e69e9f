"""tools/layers.py on small trees with one planted include each."""
import os
import subprocess
import sys

import pytest

TOOLS = os.path.join(os.path.dirname(__file__), '..', '..', 'tools')
sys.path.insert(0, TOOLS)
import layers  # noqa: E402


def complaints(tmp_path, path, *included, exceptions=()):
    file = tmp_path / 'src' / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(''.join(f'#include {i}\n' for i in included))
    return list(layers.complaints(str(tmp_path), dict.fromkeys(exceptions, 'why')))


@pytest.mark.parametrize('path, included', [
    ('sym/elf.c', '"base/slice.h"'),
    ('sym/elf.c', '"sym/elf.h"'),
    ('sym/elf.c', '<libelf.h>'),
    ('cmd/func.c', '"engine/engine.h"'),
    ('main.c', '"cmd/cmd.h"'),
    ('event/event.h', '"bpf/record.abi.h"'),
    ('probe/func/func.bpf.c', '"bpf/emit.h"'),
    ('probe/func/func.bpf.c', '<bpf/bpf_helpers.h>'),
    ('probe/func/func.bpf.c', '"shape/where.abi.h"'),
    ('probe/func/func.bpf.c', '"probe/func/func.abi.h"'),
    ('probe/func/func.bpf.c', '"probe/func/depth.h"'),
    ('probe/func/func.bpf.c', '"shape/where_eval.h"'),
    ('probe/func/func.c', '"probe/probe.h"'),
    ('probe/families.c', '"probe/func/func.h"'),
    ('engine/load.c', '<bpf/libbpf.h>'),
    ('sink/text.c', '"sink/sink.h"'),
])
def test_includes_may_point_down(tmp_path, path, included):
    assert not complaints(tmp_path, path, included)


@pytest.mark.parametrize('path, included, why', [
    ('base/log.c', '"sym/elf.h"', 'base/ stands below sym/'),
    ('sym/elf.c', '"cmd/cmd.h"', 'sym/ stands below cmd/'),
    ('probe/func/func.c', '"proto/http.h"', 'probe/ stands beside proto/'),
    ('probe/func/func.c', '"probe/syscall/syscall.h"', 'plug-ins of probe/'),
    ('probe/func/func.bpf.c', '"probe/syscall/syscall.abi.h"', 'plug-ins of probe/'),
    ('probe/func/func.bpf.c', '"base/slice.h"', 'a kernel half includes only'),
    ('probe/func/func.bpf.c', '"shape/where.h"', 'a kernel half includes only'),
    ('bpf/emit.h', '"base/slice.h"', 'a kernel half includes only'),
    ('probe/func/func.c', '"bpf/emit.h"', 'only kernel halves'),
    ('probe/func/func.c', '"func.h"', 'paths begin at src/'),
    ('probe/func/func.abi.h', '"base/slice.h"', 'shared with the kernel'),
    ('proto/http.c', '"bpf/record.abi.h"', 'proto/ never sees BPF'),
    ('sink/text.c', '<bpf/libbpf.h>', 'sink/ never sees BPF'),
    ('attic/old.c', '"base/log.h"', "room 'attic' has no place"),
])
def test_every_other_include_is_refused_with_its_rule(tmp_path, path, included, why):
    found = complaints(tmp_path, path, included)
    assert len(found) == 1 and found[0].startswith(f'src/{path}:') and why in found[0]


def test_an_exception_excuses_its_include_and_no_other(tmp_path):
    found = complaints(tmp_path, 'sym/elf.c', '"cmd/cmd.h"', '"ui/view.h"', exceptions=[('sym/elf.c', 'cmd/cmd.h')])
    assert len(found) == 1 and 'ui/view.h' in found[0]


def test_an_exception_that_is_used_no_more_is_an_error(tmp_path):
    found = complaints(tmp_path, 'sym/elf.c', '"base/log.h"', exceptions=[('sym/elf.c', 'cmd/cmd.h')])
    assert len(found) == 1 and 'used no more' in found[0]


def test_the_exit_status_tells(tmp_path):
    tool = [sys.executable, os.path.join(TOOLS, 'layers.py'), str(tmp_path)]
    assert subprocess.run(tool, capture_output=True, check=False).returncode == 1  # nothing to look at
    complaints(tmp_path, 'base/log.c', '"base/log.h"')
    assert subprocess.run(tool, capture_output=True, check=False).returncode == 0
    complaints(tmp_path, 'base/log.c', '"cmd/cmd.h"')
    assert subprocess.run(tool, capture_output=True, check=False).returncode == 1
