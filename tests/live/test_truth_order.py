"""The order and nesting of calls are those that the compiler's own hooks (-finstrument-functions) wrote down."""
import collections

import pytest

from truth import as_root, build, steps, symbols, utrace

pytestmark = as_root

MODES = {
    "session": (["--exits=return"], ""),
    "multi": (["--exits=return"], "session"),
    "sites": (["--exits=sites"], ""),
    "perf": (["--exits=return"], "multi"),
    "perf_sites": (["--exits=sites"], "multi"),
}
PROGRAMS = {
    "c_plain": ("nest.c", ["-O0"], ["nest_*"]),
    "c_optimised": ("nest.c", ["-O2"], ["nest_*"]),
    "cpp": ("nest_cpp.cc", ["-O1"], ["nest::*"]),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    source, flags, patterns = PROGRAMS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    return build(folder, source, *flags, "-finstrument-functions", "-finstrument-functions-exclude-file-list=/usr/"), patterns


def log_of(program, path):
    """{thread: ["> name" ...]} as the program wrote it."""
    names = symbols(program)
    main = next(address for address, name in names.items() if name == "main")
    lines = path.read_text().split("\n")
    offset = int(lines[0], 16) - main
    found = collections.defaultdict(list)
    for line in lines[1:-1]:
        thread, what, address = line.split()
        found[int(thread)].append(f"{what} {names[int(address, 16) - offset]}")
    return found


def first_difference(seen, log):
    for i in range(max(len(seen), len(log))):
        if seen[i:i + 1] != log[i:i + 1]:
            return f"step {i} of {len(log)}: seen {seen[i - 3:i + 6]}, the program did {log[i - 3:i + 6]}"
    return None


@pytest.mark.parametrize("mode", MODES)
def test_calls_nest_as_the_compiler_logged_them(program, mode, tmp_path):
    path, patterns = program
    exits, without = MODES[mode]
    log = tmp_path / "log"
    run = utrace(tmp_path, "func", *patterns, *exits, "--max-probes=64", "--", path, log, without=without)
    assert run.status == 0 and run.lost == 0, run.stderr
    seen, truth = steps(run.calls), log_of(path, log)
    print(f"{sum(map(len, truth.values()))} steps of {len(truth)} threads compared")
    assert seen.keys() == truth.keys()
    for thread in truth:
        assert first_difference(seen[thread], truth[thread]) is None
