"""What utrace itself takes of memory: /proc's own figure, with the probes of 10,000 functions on."""
import re
import subprocess

import pytest

from workload import CLEAN, UTRACE, build, needs_tracing, started

FUNCTIONS = 10_000
LIMIT_MB = 40


@pytest.fixture(scope="module", autouse=True)
def root():
    needs_tracing()


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A program of 10,000 functions, which waits for its input to end."""
    folder = tmp_path_factory.mktemp("generated")
    lines = [f'__attribute__((noinline)) int generated_{i}(int x) {{ __asm__ volatile(""); return x + {i}; }}' for i in range(FUNCTIONS)]
    (folder / "generated.c").write_text("\n".join(["#include <unistd.h>", *lines, "int main(void) { char c; return (int)read(0, &c, 1); }"]))
    return build(folder, "generated", "gcc", "-O1", "-o", "{out}", str(folder / "generated.c"))


@pytest.mark.parametrize("options", [[], ["--stat"], ["--exits=sites"]], ids=" ".join)
def test_ten_thousand_functions_are_probed_in_less_than_40_mb(generated, options):
    with started(generated, stdin=subprocess.PIPE) as target, \
            started(UTRACE, "func", "-v", "-p", str(target.pid), "-o", "/dev/null", *options, "generated_*", env=CLEAN,
                    stderr=subprocess.PIPE, text=True) as utrace:
        assert any("ready:" in line for line in utrace.stderr)
        with open(f"/proc/{utrace.pid}/status") as status:
            most_mb = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024
        target.stdin.close()
        said = utrace.stderr.read()
    assert most_mb < LIMIT_MB, f"{most_mb:.1f} MB"
    assert "only the first" not in said and "narrow" not in said
