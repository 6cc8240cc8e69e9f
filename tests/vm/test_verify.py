"""Every BPF program passes the verifier of other kernels, within its budget."""
import json
import subprocess
from pathlib import Path

import pytest
from matrix import KERNELS, need

RUN = Path(__file__).parent / "run"


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_program_is_within_its_budget(kernel):
    need(kernel)
    done = subprocess.run([RUN, kernel, "utrace", "verify", "--json"], capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"func", "syscall", "task"} <= {e["family"] for e in told if "program_name" in e}
