"""What is written, as text and as JSON, is what interface.md shows; every wrong input is answered in one line."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from workload import CLEAN, PROG, UTRACE, build, compile_c, events, needs, run, started, symbols


@pytest.fixture(scope="module")
def throws(folder):
    return build(folder, "throws", "g++", "-O1", "-g", "-o", "{out}", str(PROG / "throws.cc"))


def text_of(program, *what, arguments=(), **kwargs):
    done = run("func", *what, "-o", "-", "--", program, *arguments, **kwargs)
    assert re.fullmatch(r"utrace: \d+ events, \d+ lost.*, \d+\.\d\d s of CPU for the tracer itself\n", done.stderr), done.stderr
    return [line for line in done.stdout.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{6} | {20}", line)]


DURATION = r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s)|\?|\.\.\.)"


# ---- text ----

def test_the_tree_lines_up(root, values):
    lines = text_of(values, "work", "twice", "deep", "libc:setenv", "libc:unsetenv", arguments=[2])
    first = re.fullmatch(rf"(\d\d:\d\d:\d\d\.\d{{6}} values\[\d+\])   +({DURATION})  (\S.*)", lines[0])
    assert first, lines[0]
    column = first.start(3)
    names = [line[column:] for line in lines]
    assert {len(line[:column - 2].rstrip()) for line in lines} == {column - 2}, "durations end in one column"
    assert [re.match(r" *[a-z]+", n)[0] for n in names] == [
        "work", "  setenv", "  unsetenv", "  twice", "  deep", "  twice",
        "work", "  setenv", "  unsetenv", "  twice", "  deep", "    deep", "  twice"]
    assert [i for i, line in enumerate(lines) if line[0] != " "] == [0, 6], "time and process stand at outermost calls"


def test_values_are_shown_as_people_read_them(root, values):
    lines = [line.split("  ", 1)[1].strip() for line in text_of(values, "work", "twice", "libc:setenv", "libc:free", arguments=[2])]
    shown = "\n".join(lines)
    long_one = ("0123456789" * 7)[:63]
    assert f'setenv(name="V0", value="{long_one}"..., overwrite=1) = 0' in shown, "a string that was cut is marked"
    assert 'setenv(name="V1", value="short", overwrite=1) = 0' in shown
    assert re.search(r"^\S+ +twice\(arg1=-1, arg2=\S+, arg3=\S+\) = -2$", shown, re.M), "three registers, small numbers in decimal"
    assert re.search(r"^\S+ +twice\(arg1=0, .*\) = 0$", shown, re.M)
    free = [line for line in lines if "free(" in line]
    assert all(line.endswith(" = void") for line in free), "void only where the prototype says so"


def test_no_args_shows_names_alone(root, values):
    lines = text_of(values, "work", "twice", "--no-args", arguments=[1])
    assert [line.split()[-1] for line in lines] == ["work", "twice", "twice"]


def test_cpp_names_are_shown_without_the_types_of_their_parameters(root, throws):
    lines = text_of(throws, "catches", "through", arguments=[2])
    assert any(re.search(r"  catches\(arg1=1, ", line) for line in lines)
    assert not any("(int)" in line for line in lines)


def test_an_exit_that_was_not_seen_is_a_question_mark(root, throws):
    lines = text_of(throws, "catches", "through", "deepest", arguments=[1])
    assert [line.split("(")[0].split()[-2:] for line in lines][1:] == [["?", "through"], ["?", "deepest"]]


OPEN = """
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int inner(int n) { usleep(1900000); return n + 1; }
__attribute__((noinline)) int outer(int n) { return inner(n) + 1; }
int main(void) { printf("%d\\n", outer(1)); return 0; }
"""


def test_a_call_open_for_a_second_is_shown_and_its_end_later(root, folder):
    program = compile_c(folder, OPEN, name="open")
    lines = text_of(program, "outer", "inner")
    assert [("..." in line, line.split("(")[0].split()[-1], " = " in line) for line in lines] == [
        (True, "outer", False), (True, "inner", False), (False, "outer", True), (False, "inner", True)]
    found = events(run("func", "outer", "inner", "--json", "-o", "-", "--", program).stdout.split("\n", 1)[0] or "{}")
    assert found[0]["end"] == "open" and "duration_ns" not in found[0]


def test_lost_events_are_marked_where_they_are_missing(root, folder):
    source = "long kept;\n__attribute__((noinline)) void leaf(long n) { kept += n; }\n" \
             "int main(void) { for (long i = 0; i < 60000; i++) leaf(i); return 0; }\n"
    program = compile_c(folder, source, name="lossy")
    done = run("func", "leaf", "--buffer", "64k", "-o", "-", "--", program)
    shown, lost = map(int, re.match(r"utrace: (\d+) events, (\d+) lost", done.stderr).groups())
    assert shown + lost == 60000 and shown == len(done.stdout.splitlines())
    if lost:
        assert "--buffer makes it larger" in done.stderr
        numbers = [(int(n, 0), "! " in line) for line in done.stdout.splitlines() for n in re.findall(r"arg1=(\w+)", line)]
        assert all(marked == (b - a > 1) for (a, _), (b, marked) in zip(numbers, numbers[1:]))


def test_tables_line_up_and_are_sorted(root, values):
    table = run("func", "work", "twice", "deep", "--stat", "-o", "-", "--", values).stdout.splitlines()[1:]
    table = [row for row in table if not row.startswith("(")]  # the cost that was subtracted
    assert table[0].split() == ["calls", "total", "self", "p50", "p99", "function"]
    units = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    totals = [float(n) * units[u] for n, u in (re.fullmatch(r"([\d.]+)(\w+)", row.split()[1]).groups() for row in table[1:])]
    assert totals == sorted(totals, reverse=True), "by total time"
    calls = {row.split()[-1]: int(row.split()[0]) for row in table[1:]}
    assert calls == {"work": 40, "twice": 80, "deep": sum(i % 5 + 1 for i in range(40))}
    for heading in ("calls", "total", "self", "p50", "p99"):
        end = table[0].index(heading) + len(heading)
        assert all(row[end - 1] != " " and row[end] == " " for row in table), heading
    by_name = run("func", "work", "twice", "deep", "--stat", "--sort", "function", "--columns", "function,calls", "-o", "-", "--", values)
    rows = [row.split() for row in by_name.stdout.splitlines()[1:] if not row.startswith("(")]
    assert rows == [["function", "calls"], ["deep", "120"], ["twice", "80"], ["work", "40"]]


# ---- JSON ----

KINDS = {"integer": int, "string": str, "boolean": bool, "array": list, "object": dict}


def misfits(value, schema, path="$"):
    """What of @value does not fit @schema: the part of JSON schema that `utrace explain --json` uses."""
    kind = schema.get("type")
    if kind and (not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{path}: {value!r} is no {kind}"]
    wrong = []
    if "const" in schema and value != schema["const"]:
        wrong.append(f"{path}: {value!r} is not {schema['const']!r}")
    if "minimum" in schema and value < schema["minimum"]:
        wrong.append(f"{path}: {value!r} is less than {schema['minimum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        wrong.append(f"{path}: {value!r} does not match {schema['pattern']}")
    if kind == "object":
        known = schema.get("properties", {})
        wrong += [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            wrong += [f"{path}.{name} is not in the schema" for name in value if name not in known]
        for name in value.keys() & known.keys():
            wrong += misfits(value[name], known[name], f"{path}.{name}")
    if kind == "array" and "items" in schema:
        for i, item in enumerate(value):
            wrong += misfits(item, schema["items"], f"{path}[{i}]")
    return wrong


SCHEMAS = {}


def schema_of(event_type):
    if event_type not in SCHEMAS:
        SCHEMAS[event_type] = json.loads(run("explain", event_type, "--json").stdout)
    return SCHEMAS[event_type]


JSON_RUNS = {
    "calls": (["work", "twice", "deep", "libc:setenv"], []),
    "stat": (["work", "twice"], ["--stat"]),
    "hist": (["work", "twice"], ["--hist"]),
    "lost": (["work", "twice", "deep"], ["--buffer", "64k"]),
    "tracepoint": (["t:syscalls:sys_enter_write"], []),
}


@pytest.mark.parametrize("what", JSON_RUNS)
def test_every_object_fits_the_schema_that_explain_gives(root, values, what):
    patterns, options = JSON_RUNS[what]
    done = run("func", *patterns, *options, "--json", "-o", "-", "--", values, 3000 if what == "lost" else 5)
    found = events("\n".join(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert len(found) > 1
    wrong = {w for e in found for w in misfits(e, schema_of(e["event_type"]))}
    assert not wrong
    assert [e["event_type"] for e in found].count("summary") == 1 and found[-1]["event_type"] == "summary"
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
    assert all(re.fullmatch(stamp, e["timestamp"]) for e in found)
    calls = [e for e in found if e["event_type"] == "function_call"]
    assert found[-1]["events"] == len([e for e in found if e["event_type"] not in ("lost", "summary")])
    assert sum(e["count"] for e in found if e["event_type"] == "lost") == sum(found[-1]["lost"].values())
    for call in calls:
        assert {"process_id", "thread_id", "process_name", "runtime", "call_id", "depth"} <= call.keys()
        assert call["module_name"] != "values" or len(call["arguments"]) == 6, "all six registers"


def test_results_carry_their_type(root, values):
    found = events(run("func", "libc:setenv", "libc:snprintf", "--json", "-o", "/dev/stderr", "--", values, 1).stderr.rsplit("\n", 2)[0])
    results = {e["function_name"]: e["return_value"] for e in found if e["event_type"] == "function_call"}
    assert results == {"setenv": {"type": "int", "value": 0}, "snprintf": {"type": "int", "value": 2}}


# ---- where it goes ----

@pytest.fixture
def busy(folder):
    source = "#include <unistd.h>\n__attribute__((noinline)) long step(long n) { usleep(100); return n + 1; }\n" \
             "int main(void) { for (long n = 0; ; ) n = step(n); }\n"
    with started(compile_c(folder, source, name="steps")) as process:
        yield process


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_has_seen_enough_ends_it_quietly(root, busy, form):
    script = f'"{UTRACE}" func step -p {busy.pid} {" ".join(form)} | head -1; echo "status ${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, env=CLEAN)
    assert len(done.stdout.splitlines()) == 2 and done.stdout.endswith("status 0\n"), done.stdout
    assert re.fullmatch(r"utrace: \d+ events, .*\n", done.stderr), done.stderr


@pytest.mark.parametrize("form", [[], ["--json"], ["--stat"]], ids=["text", "json", "stat"])
def test_a_full_disk_is_one_line_and_a_failure(root, busy, form):
    with open("/dev/full", "w") as full:
        done = subprocess.run([UTRACE, "func", "step", "-p", str(busy.pid), "--duration", "400ms", *form], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=30, env=CLEAN)
    assert (done.returncode, done.stderr) == (1, "utrace: standard output could not be written to its end: No space left on device\n")


# ---- -l ----

def listed(*words):
    done = run("func", "-l", *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def test_the_list_is_what_nm_has_with_lines_of_addr2line(values):
    needs("addr2line")
    rows = listed("u:*", "-e", values)
    names = {re.match(r"u:values:(\S+)", row)[1] for row in rows}
    functions = symbols(values)
    assert names == set(functions), "nm"
    for name in ("work", "twice", "deep", "main"):
        row = next(r for r in rows if r.startswith(f"u:values:{name} "))
        where = subprocess.run(["addr2line", "-e", str(values), hex(functions[name])], capture_output=True, text=True).stdout.split()[0]
        assert row.endswith("  " + where), (row, where)


@pytest.mark.parametrize("without,mechanism", [(None, "session"), ("session", "entry+return"), ("multi", "entry+return (perf_event)")])
def test_the_list_names_the_mechanism(root, values, throws, without, mechanism):
    one = run("func", "-l", "work", "-e", values, without=without).stdout
    assert re.search(rf"  {re.escape(mechanism)}  ", one), one
    assert "  entry+sites  " in run("func", "-l", "catches", "-e", throws, without=without).stdout
    assert re.search(r"  entry  ", run("func", "-l", "work", "--exits=none", "-e", values, without=without).stdout)


def test_what_is_refused_is_listed_with_its_reason(folder):
    program = compile_c(folder, 'int main(void) { return 0; }\n__asm__(".globl odd\\n.type odd, @function\\n'
                        'odd: .byte 0x06, 0x06\\n ret\\n.size odd, . - odd\\n");\n', name="odd")
    assert re.fullmatch(r"u:odd:odd +refused: \S.*", listed("odd", "-e", program)[0])


# ---- wrong input ----

def refused(status, *words, **kwargs):
    done = run(*words, **kwargs)
    assert re.fullmatch(r"utrace: [^\n]+\n", done.stderr), done.stderr
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    return done.stderr


def dead_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_no_target_is_a_usage_error():
    for pattern in ("main", "k:vfs_read", "t:sched:*"):
        assert "-p PID" in refused(2, "func", pattern)


def test_a_dead_pid_is_named(root):
    pid = dead_pid()
    assert f"no process {pid}" in refused(1, "func", "main", "-p", pid)


def test_a_pattern_without_a_match_tells_the_nearest_names(root, busy):
    line = refused(1, "func", "stpe", "-p", busy.pid)
    assert "'stpe'" in line and "step" in line and "-l" in line
    assert "libnone" in refused(1, "func", "-l", "libnone:x", "-p", busy.pid)
    assert "step" in refused(1, "func", "-l", "stepp", "-e", f"/proc/{busy.pid}/exe")


@pytest.mark.parametrize("words,want", [
    (["--where", "arg1 ==", "step"], "--where"),
    (["--where", "nonsense == 1 (", "step"], "--where"),
    (["--all", "step", "--", "true"], "-- COMMAND is a target by itself"),
    (["step", "--record", "both", "-o", "./both"], "--record and -o both write './both'"),
    (["--sort", "calls", "step"], "--sort is for tables: add --stat"),
    (["--columns", "calls", "step"], "--columns is for tables: add --stat"),
    (["--stat", "--sort", "nonsense", "step"], "there is no column 'nonsense'; there are: calls, total"),
    (["--stat", "--columns", "calls,nonsense", "step"], "there is no column 'nonsense'"),
    (["--stat", "--where", 'comm ~ "x*"', "step"], "cannot be decided in the kernel"),
])
def test_wrong_options_are_usage_errors(root, busy, words, want):
    at = words.index("--") if "--" in words else len(words)
    assert want in refused(2, "func", *words[:at], "-p", busy.pid, *words[at:])


def test_what_is_listed_of_no_process_is_told(root):
    assert "Name a target" in refused(2, "func", "-l", "*")
    assert "named by its path" in refused(1, "func", "-l", "libc:malloc", "--", "ls")


def test_a_library_is_known_by_the_path_that_ldd_prints(root, values):
    """/lib is a link to /usr/lib; maps tell the latter."""
    libc = re.search(r"libc\.so\.6 => (\S+)", subprocess.run(["ldd", values], capture_output=True, text=True, check=True).stdout)[1]
    calls = [len(text_of(values, f"{path}:setenv", arguments=[4])) for path in (libc, os.path.realpath(libc))]
    assert calls == [4, 4]


def test_a_name_that_no_event_has_is_told(root, busy):
    """Which names there are is known only when events come: arguments differ from function to function."""
    def told(where):
        return run("func", "step", "--where", where, "-p", busy.pid, "--limit", "5", "--duration", "1s").stderr

    assert "--where: no event had 'dration'" in told("dration > 1ms")
    assert "no event had" not in told("depth == 1 && function_name ~ \"s*\"")


def test_a_truncated_file_is_named(folder, values):
    cut = folder / "cut"
    cut.write_bytes(values.read_bytes()[:1000])
    cut.chmod(0o755)
    assert str(cut) in refused(1, "func", "-l", "main", "-e", cut)
    text = folder / "text"
    text.write_text("no program\n")
    assert str(text) in refused(1, "func", "-l", "main", "-e", text)
    assert "/nonexistent" in refused(1, "func", "-l", "main", "-e", "/nonexistent")


def test_kernel_functions_without_a_mechanism_say_what_is_missing(root, busy):
    line = run("func", "k:vfs_read", "-p", busy.pid, "--duration", "100ms", without="kprobe,kprobe_multi,fentry")
    assert line.returncode == 1 and re.fullmatch(r"utrace: kernel functions need [^\n]+; see: utrace doctor\n", line.stderr), line.stderr


@pytest.fixture
def public(values):
    """A folder that anybody can reach, with copies of utrace and of a program."""
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        shutil.copy(UTRACE, path / "utrace")
        shutil.copy(values, path / "values")
        yield path


@pytest.fixture
def as_nobody(root, public):
    binary = public / "utrace"

    def answer(*words):
        done = subprocess.run([str(binary), *map(str, words)], user=65534, group=65534, extra_groups=[], capture_output=True, text=True,
                              env=CLEAN, timeout=30)
        assert re.fullmatch(r"utrace: [^\n]+\n", done.stderr), done.stderr
        return done.returncode, done.stderr
    return answer


def test_who_may_not_trace_is_told_what_is_missing_and_how_to_get_it(as_nobody, public):
    status, line = as_nobody("func", "main", "--", public / "values")
    assert status == 125
    assert "CAP_" in line and re.search(r"root|sudo|setcap", line), line


def test_an_unreadable_binary_is_named(as_nobody, public):
    secret = shutil.copy(public / "values", public / "secret")
    os.chmod(secret, 0o700)
    status, line = as_nobody("func", "-l", "main", "-e", secret)
    assert status == 1 and str(secret) in line and "Permission denied" in line
