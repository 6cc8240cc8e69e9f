"""At a flood of calls, those shown and those lost are together those made, to the last one."""
import collections
import json
import os
import subprocess

import pytest

from truth import UTRACE, as_root, build, environment

pytestmark = as_root

CALLS = 3_000_000
FLOODS = {
    # how exits are seen, what to do without, threads, buffer
    "session": ("return", "", 1, "16M"),
    "multi": ("return", "session", 2, "16M"),
    "sites": ("sites", "", 3, "16M"),
    "small_buffer": ("return", "", 2, "64K"),
}


@pytest.fixture(scope="module")
def flood(tmp_path_factory):
    return build(tmp_path_factory.mktemp("flood"), "flood.c", "-O0")  # it begins with a push: emulated, so fast


def count(path):
    """Calls of function_call objects, the counts of lost objects, and the summary. Millions of lines: most are not parsed."""
    shown, lost, last = 0, collections.Counter(), b""
    with path.open("rb", buffering=1 << 20) as lines:
        for line in lines:
            last = line
            if b'"event_type":"function_call"' in line:
                shown += 1
            elif b'"event_type":"lost"' in line:
                event = json.loads(line)
                lost[event["cause"]] += event["count"]
    return shown, lost, json.loads(last)


@pytest.mark.parametrize("mode", [pytest.param(m, marks=pytest.mark.long) if m == "sites" else m for m in FLOODS])
def test_shown_and_lost_are_the_calls_made(flood, mode, tmp_path):
    exits, without, threads, buffer = FLOODS[mode]
    out = tmp_path / "flood.json"
    argv = [UTRACE, "func", "flood_call", f"--exits={exits}", f"--buffer={buffer}", "--json", "--no-args", "-o", out, "--",
            flood, str(CALLS // threads), str(threads)]
    done = subprocess.run(argv, env=environment(without), capture_output=True, text=True, timeout=300)
    try:
        shown, told, summary = count(out)
    finally:
        out.unlink(missing_ok=True)  # up to a gigabyte
    made, lost = int(done.stdout), sum(summary["lost"].values())
    print(f"{mode}: {made} calls made, {shown} shown, {lost} lost ({100 * lost / made:.2f} %), "
          f"{summary['cpu_ns'] / 1e9:.2f} s of CPU for the tracer")
    assert made == CALLS
    assert shown + lost == made
    assert summary["events"] == shown
    assert set(summary["lost"]) <= {"ring_full"}
    assert sum(told.values()) <= lost  # what is lost after the last record of a thread is known to the summary alone
    assert (mode == "small_buffer") <= (lost > 0)


def test_a_flood_faster_than_its_reader_keeps_nothing_else_waiting(flood):
    """On one CPU, where the reader's share is a tenth: the ring is never empty, and --duration is kept."""
    def on_one_cpu(nice):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.nice(nice)

    with subprocess.Popen([flood, str(1 << 60), "4"], preexec_fn=lambda: on_one_cpu(0)) as target:
        try:
            argv = [UTRACE, "func", "flood_call", "--buffer=1M", "--max-overhead=none", "--duration=1s", "-o", os.devnull,
                    "-p", str(target.pid)]
            done = subprocess.run(argv, env=environment(""), capture_output=True, text=True, timeout=60, preexec_fn=lambda: on_one_cpu(5))
            assert target.poll() is None
        finally:
            target.kill()
    assert done.returncode == 0 and "the buffer was full" in done.stderr, done.stderr
