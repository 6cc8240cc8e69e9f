"""What has no return address where a call leaves it, or keeps it for later, is never given a return probe, even when asked for."""
import subprocess

import pytest

from truth import as_root, build, utrace

pytestmark = as_root


@pytest.mark.parametrize("without", ["", "session", "multi"])
@pytest.mark.parametrize("pattern", ["u:_start", "libc:*setjmp*", "libc:getcontext"])
def test_the_program_prints_what_it_prints_untraced(pattern, without, tmp_path):
    program = build(tmp_path, "twice.c", "-O1")
    plain = subprocess.run([program, "a", "b"], capture_output=True, text=True, check=True).stdout
    traced = utrace(tmp_path, "func", pattern, "--exits=return", "--", program, "a", "b", without=without)
    assert plain == "2 arguments, returned 4 times\n"
    assert (traced.status, traced.stdout) == (0, plain)
    assert traced.calls or pattern == "libc:getcontext"
