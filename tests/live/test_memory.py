"""What utrace itself takes of memory: /proc's own figure, with the probes of 10,000 functions on."""
import os
import re
import shutil
import subprocess

import pytest

from workload import CLEAN, UTRACE, build, run, started, until

FUNCTIONS = 10_000
LIMIT_MB = 40

pytestmark = pytest.mark.usefixtures("root")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A program of 10,000 functions, which waits for its input to end."""
    folder = tmp_path_factory.mktemp("generated")
    lines = [f'__attribute__((noinline)) int generated_{i}(int x) {{ __asm__ volatile(""); return x + {i}; }}' for i in range(FUNCTIONS)]
    (folder / "generated.c").write_text("\n".join(["#include <unistd.h>", *lines, "int main(void) { char c; return (int)read(0, &c, 1); }"]))
    return build(folder, "generated", "gcc", "-O1", "-o", "{out}", str(folder / "generated.c"))


def most_mb(command, *words):
    with started(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as target:
        until(lambda: str(command[0]) in os.readlink(f"/proc/{target.pid}/exe"), 20, "it executes the program")
        with started(UTRACE, "func", "-v", "-p", str(target.pid), "-o", "/dev/null", *words, env=CLEAN, stderr=subprocess.PIPE,
                     text=True) as utrace:
            assert any("ready:" in line for line in utrace.stderr)
            with open(f"/proc/{utrace.pid}/status") as status:
                most = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024
            target.stdin.close()
            said = utrace.stderr.read()
    assert "only the first" not in said and "narrow" not in said
    return most


@pytest.mark.parametrize("options", [[], ["--stat"], ["--exits=sites"]], ids=" ".join)
def test_ten_thousand_functions_are_probed_in_less_than_40_mb(generated, options):
    assert most_mb([generated], *options, "generated_*") < LIMIT_MB


def test_ten_thousand_functions_of_a_binary_of_100_mb_as_well():
    """node: 86,000 functions with long C++ names. Unwinds, so each has RET sites."""
    node = shutil.which("node")
    if not node or os.path.getsize(os.path.realpath(node)) < 50 << 20:
        pytest.skip("there is no node that is one large binary")
    patterns = ["_ZN2v88internal1[0-8]*", "_ZN4node*"]
    listed = run("func", "-l", *patterns, "-e", os.path.realpath(node)).stdout
    assert listed.count("\n") > FUNCTIONS
    assert most_mb([os.path.realpath(node), "-i"], *patterns) < LIMIT_MB
