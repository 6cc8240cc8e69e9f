"""`utrace verify` against the kernel's own figures (fdinfo, bpftool) of the programs that commands load, and against its promises."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from workload import CLEAN, ROOT, UTRACE, needs, run, started, until

FIGURES = ("instructions", "total_states", "peak_states", "stack_bytes", "jited_bytes", "xlated_bytes", "verify_ns")
BPFTOOL = shutil.which("bpftool") or "/usr/sbin/bpftool"

pytestmark = pytest.mark.usefixtures("root")


@pytest.fixture(scope="module")
def told():
    done = run("verify", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def programs(told):
    return {(e["program_name"], e["shape"]): e for e in told if "program_name" in e}


def test_every_program_has_figures_and_a_budget_that_holds(told):
    for e in programs(told).values():
        assert all(e[figure] > 0 for figure in FIGURES), e
        assert {"instructions", "peak_states", "stack_bytes", "jited_bytes"} <= set(e["budget"]), e
        assert all(e[figure] <= limit for figure, limit in e["budget"].items()), e


def test_every_program_of_the_objects_is_loaded_or_told_why_not(told):
    """The objects' own symbols say which programs there are: global functions in sections of programs."""
    needs("readelf")
    objects = sorted((pathlib.Path(UTRACE).parent / "probe").glob("*.bpf.o"))
    assert objects
    loaded = {name for name, _ in programs(told)}
    missing = set()
    for path in objects:
        text = subprocess.run(["readelf", "-sSW", path], capture_output=True, text=True, check=True).stdout
        sections = {m[1]: m[2] for m in re.finditer(r"\[ *(\d+)\] (\S+) +PROGBITS", text)}
        found = re.findall(r" FUNC +GLOBAL +DEFAULT +(\d+) (\S+)$", text, re.M)
        missing |= {name for section, name in found if sections.get(section, ".text") != ".text"} - loaded
    assert all(e["why_not"] for e in told if "program_name" not in e)
    shapes_not_here = {e["shape"] for e in told if "program_name" not in e}
    if not shapes_not_here & {"kprobe", "kprobe-multi", "kprobe-session", "fentry"}:
        assert not missing
    assert all(re.match("func_(kernel_|fentry|fexit|session|tracepoint)|sock_(exit_)?release", name) for name in missing), missing


def fdinfo_of_programs(pid):
    """{program id: its fdinfo} of what a process of ours holds."""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            info = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if "prog_id" in info:
            found[int(info["prog_id"])] = info
    return found


@pytest.mark.parametrize("words, shape", [(["*"], "calls"), (["--stat", "*"], "stat")])
def test_figures_are_the_kernels_own_of_the_programs_that_func_loads(told, words, shape):
    if not os.path.exists(BPFTOOL):
        pytest.skip("no bpftool")
    with started("sleep", "60") as target, \
            started(UTRACE, "func", *words, "-p", str(target.pid), "--json", "-o", "/dev/null", env=CLEAN) as utrace:
        def loaded():
            mine = {}
            for number, info in fdinfo_of_programs(utrace.pid).items():
                shown = subprocess.run([BPFTOOL, "--json", "prog", "show", "id", str(number)], capture_output=True, text=True).stdout
                if shown and "error" not in (one := json.loads(shown)):
                    mine[one["name"]] = (one["bytes_jited"], one["bytes_xlated"], info.get("verified_insns"))
            return mine if {"func_entry", "func_exit", "func_thread_exit"} <= set(mine) else None
        kernel = until(loaded, 20, "utrace has loaded its programs")
    compared = 0
    for name, (jited, xlated, processed) in kernel.items():
        ours = programs(told).get((name, shape))
        if not ours:
            continue
        assert (ours["jited_bytes"], ours["xlated_bytes"]) == (jited, xlated), name
        assert processed is None or ours["instructions"] == int(processed), name
        compared += 1
    assert compared >= 4, kernel


def test_a_lowered_budget_fails_and_is_named(told, tmp_path):
    one = programs(told)["func_entry", "calls"]
    lowered = tmp_path / "budget.json"
    lowered.write_text(json.dumps({"func_entry": {"calls": {"instructions": one["instructions"] - 1, "stack_bytes": 8}}}))
    done = run("verify", "--budget", lowered)
    assert done.returncode == 1
    assert re.fullmatch(rf"utrace: func_entry \(calls\): instructions {one['instructions']}, budget {one['instructions'] - 1}; "
                        rf"stack_bytes {one['stack_bytes']}, budget 8 [^\n]*\n", done.stderr), done.stderr
    lowered.write_text(json.dumps({"func_entry": {"calls": {"instructions": one["instructions"], "stack_bytes": one["stack_bytes"]}}}))
    assert run("verify", "--budget", lowered).returncode == 0


@pytest.mark.parametrize("text, said", [
    ("{", "is no JSON: line 1"),
    ("[]", "a budget is an object of programs"),
    ('{"func_entry": 3}', "the budget of func_entry is no object of shapes"),
    ('{"func_entry": {"calls": {"insns": 3}}}', "has 'insns', which is no figure"),
    ('{"func_entry": {"calls": {"instructions": "3"}}}', "instructions is no number"),
    (None, "cannot be read: No such file"),
])
def test_a_budget_that_cannot_be_used_is_a_usage_error(tmp_path, text, said):
    path = tmp_path / "budget.json"
    if text is not None:
        path.write_text(text)
    done = run("verify", "--budget", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and done.stderr.count("\n") == 1


def attachments(command, folder):
    """System calls by which BPF programs are attached, that the kernel granted."""
    log = folder / command
    subprocess.run(["strace", "-f", "-o", log, "-e", "trace=bpf,ioctl", UTRACE, command], env=CLEAN, stdout=subprocess.DEVNULL, check=True)
    wanted = r"(BPF_LINK_CREATE|BPF_RAW_TRACEPOINT_OPEN|BPF_PROG_ATTACH|PERF_EVENT_IOC_SET_BPF).* = \d+$"
    return len(re.findall(wanted, log.read_text(), re.M))


def test_nothing_is_attached_but_what_doctor_tries_abilities_with(tmp_path):
    needs("strace")
    assert attachments("verify", tmp_path) <= attachments("doctor", tmp_path)


def test_what_is_switched_off_is_not_loaded_and_no_failure():
    done = run("verify", "--json", without="multi,tracepoint")
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    why = {e["shape"]: e["why_not"] for e in told if "program_name" not in e}
    assert why["multi"] == "switched off by UTRACE_WITHOUT" == why["tracepoint"]
    assert not {"func_session", "func_tracepoint"} & {name for name, _ in programs(told)}


def test_the_table_has_the_figures_of_the_json_in_columns_that_line_up(told):
    lines = [line for line in run("verify").stdout.splitlines() if not line.startswith("not on this kernel: ")]
    assert len({len(line) for line in lines}) == 1
    rows = {tuple(line.split()[:2]): line.split()[2:8] for line in lines[1:]}
    assert rows == {key: [str(e[f]) for f in FIGURES[:6]] for key, e in programs(told).items()}


def test_every_object_fits_the_schema_that_explain_gives(told):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(run("explain", "program", "--json").stdout)
    for e in told:
        jsonschema.validate(e, schema)


@pytest.fixture
def tree(tmp_path):
    """A copy: the tool writes into the tree that it lies in."""
    budgets = [path.relative_to(ROOT) for path in ROOT.glob("src/probe/*/budget.json")]
    for path in (pathlib.Path("tools/budgets.py"), pathlib.Path("docs/verify.md"), *budgets):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_the_budgets_tool_takes_the_largest_figure_and_a_quarter(tree, told):
    less = [{**e, "instructions": e["instructions"] // 2} if "program_name" in e else e for e in told]
    for name, kernel in (("a", told), ("b", less)):
        (tree / f"{name}.json").write_text("\n".join(map(json.dumps, kernel)))
    subprocess.run([sys.executable, tree / "tools/budgets.py", tree / "a.json", tree / "b.json"], check=True)
    for (program, shape), e in programs(told).items():
        budget = json.loads((tree / f"src/probe/{e['family']}/budget.json").read_text())[program][shape]
        assert e["instructions"] * 1.25 <= budget["instructions"] <= (e["instructions"] * 1.25 + 101) * 1.1
    assert f"| `func_entry` | calls | {programs(told)['func_entry', 'calls']['instructions']:,} |" in (tree / "docs/verify.md").read_text()


def test_raising_budgets_lowers_none_and_leaves_the_table(tree, told):
    before = json.loads((tree / "src/probe/func/budget.json").read_text())
    more = {**programs(told)["func_entry", "calls"], "instructions": 900_000, "jited_bytes": 1}
    (tree / "a.json").write_text("\n".join(map(json.dumps, [more, {**more, "program_name": "func_new"}])))
    subprocess.run([sys.executable, tree / "tools/budgets.py", "--raise", tree / "a.json"], check=True)
    after = json.loads((tree / "src/probe/func/budget.json").read_text())
    assert after["func_entry"]["calls"] == {**before["func_entry"]["calls"], "instructions": 1_200_000}
    assert after["func_new"]["calls"]["instructions"] == 1_200_000
    assert {**after, "func_entry": None, "func_new": None} == {**before, "func_entry": None, "func_new": None}
    assert (tree / "docs/verify.md").read_text() == (ROOT / "docs/verify.md").read_text()
