"""Values at USDT probes and tracepoints are those that the program printed; what is listed is what readelf finds."""
import os
import re
import subprocess

import pytest

from truth import UTRACE, as_root, build, environment, needs, utrace

pytestmark = as_root

BUILDS = {
    "memory": ["-O0"],
    "registers": ["-O2"],
    "semaphores": ["-O2", "-D_SDT_HAS_SEMAPHORES"],
    "fixed_address": ["-O2", "-no-pie", "-D_SDT_HAS_SEMAPHORES"],
}


@pytest.fixture(scope="module", params=BUILDS)
def probes(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    header = subprocess.run(["gcc", "-E", "-x", "c", "-"], input="#include <sys/sdt.h>", capture_output=True, text=True)
    if header.returncode:
        pytest.skip("sys/sdt.h (systemtap-sdt-dev) is not installed")
    return build(folder, "probes.c", *BUILDS[request.param])


def printed(stdout):
    return [line.split("\t") for line in stdout.splitlines()]


def number(value):
    return int(value, 0) if isinstance(value, str) else value


@pytest.mark.parametrize("without", ["", "multi", "cookie"])
def test_usdt_arguments_are_those_printed(probes, without, tmp_path):
    run = utrace(tmp_path, "func", "usdt:truth:*", "--", probes, without=without)
    passed = [[name, *map(int, values)] for name, *values in printed(run.stdout) if name != "semaphore"]
    seen = [[e["function_name"], *(number(a["value"]) for a in e["arguments"])] for e in run.of_type("usdt")]
    assert len(passed) == 15
    assert seen == passed


def test_a_semaphore_is_held_for_what_is_probed_alone(probes, tmp_path):
    traced = utrace(tmp_path, "func", "usdt:truth:*", "!usdt:truth:nothing", "--", probes)
    semaphores = [row[1:] for row in printed(traced.stdout) if row[0] == "semaphore"]
    assert semaphores in ([], [["many", "1"], ["nothing", "0"]])
    assert "nothing" not in {e["function_name"] for e in traced.of_type("usdt")}


def listed(*words):
    done = subprocess.run([UTRACE, "func", "-l", *words], env=environment(), capture_output=True, text=True, check=True)
    return sorted(re.findall(r"^usdt:(\S+:\S+)", done.stdout, re.M))


def noted(binary):
    notes = subprocess.run(["readelf", "-n", binary], capture_output=True, text=True, check=True).stdout
    return sorted(f"{provider}:{name}" for provider, name in re.findall(r"Provider: (\S+)\s+Name: (\S+)", notes))


def test_probes_of_a_program_are_listed_as_readelf_finds_them(probes):
    assert listed("usdt:*:*", "-e", probes) == noted(probes) != []


@pytest.mark.parametrize("name", ["libstdc++.so.6", "libc.so.6", "libpython3.11.so.1.0"])
def test_probes_of_a_library_are_listed_as_readelf_finds_them(name):
    library = f"/usr/lib/x86_64-linux-gnu/{name}"
    if not os.path.exists(library) or not noted(library):
        pytest.skip(f"{name} is not here, or built without probes")
    assert listed("usdt:*:*", "-e", library) == noted(library)


@pytest.fixture(scope="module")
def seeks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeks")
    (folder / "file").write_text("0123456789")
    return [build(folder, "seeks.c", "-O1"), folder / "file", needs("true")]


def fields(event):
    return {a["name"]: number(a["value"]) if a["name"] != "filename" else a["value"] for a in event["arguments"]}


def test_fields_of_system_call_tracepoints_are_those_of_the_program(seeks, tmp_path):
    run = utrace(tmp_path, "func", "t:syscalls:sys_enter_lseek", "t:syscalls:sys_exit_lseek", "--", *seeks)
    made = [tuple(map(int, rest)) for what, *rest in printed(run.stdout) if what == "lseek"]
    entered = [fields(e) for e in run.of_type("tracepoint") if e["function_name"] == "sys_enter_lseek"]
    left = [fields(e) for e in run.of_type("tracepoint") if e["function_name"] == "sys_exit_lseek"]
    words = [(fd & 2**32 - 1, *(n & 2**64 - 1 for n in rest)) for fd, *rest in made]  # the kernel keeps fd as unsigned int
    assert [tuple(f[name] & 2**64 - 1 for name in ("fd", "offset", "whence")) for f in entered[:len(made)]] == [w[:3] for w in words]
    assert [f["ret"] & 2**64 - 1 for f in left[:len(made)]] == [w[3] for w in words]


def test_an_exec_is_told_with_file_and_pid(seeks, tmp_path):
    run = utrace(tmp_path, "func", "t:sched:sched_process_exec", "--", *seeks)
    (_, pid), = [row for row in printed(run.stdout) if row[0] == "pid"]
    execs = [fields(e) for e in run.of_type("tracepoint")]
    assert [(f["filename"], f["pid"], f["old_pid"]) for f in execs] == [(str(seeks[2]), int(pid), int(pid))]
