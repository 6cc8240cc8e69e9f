"""One recording, each format: what others read in it is what JSON says of the same run."""
import csv
import io
import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
from collections import Counter, defaultdict
from datetime import datetime

import pytest

import viewer
import workload
from workload import PROG, UTRACE, build, compile_c, events, run

FLAMEGRAPH = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"  # of libdevel-nytprof-perl: Brendan Gregg's


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    workload.needs_tracing()
    return tmp_path_factory.mktemp("formats")


# Its name and its arguments hold what each format must escape, and bytes that are no text.
STRANGE_NAME = b'a"b,c;\n\t\xff\xc3\xa9\x01'
STRANGE = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((noinline)) int step(int n) { return n + 1; }
static void *other(void *arg) { setenv("P", "\"quoted\", \\ and\r\nlines\t\x7f", 1); return NULL; }
int main(void)
{
	pthread_t t;
	setenv("Q", "\xff\xfe\xc3\xa9\xf0\x9f\x90\xa7\xed\xa0\x80\xc3", 1);
	setenv("\xe2\x82", "a;b,c\n", 1);
	step(1);
	pthread_create(&t, NULL, other, NULL);
	return pthread_join(t, NULL);
}
"""

# outer is open at the end; it begins when we say so.
OPEN = r"""
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int quick(int n) { return n * 3; }
__attribute__((noinline)) int inner(int n) { usleep(1400000); return quick(n) + 1; }
__attribute__((noinline)) int outer(int n) { int r = inner(n); puts("done"); fflush(stdout); for (;;) pause(); return r; }
int main(void)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
	return outer(1);
}
"""

TRIES = 10  # to lose something
FLOOD = "long kept;\n__attribute__((noinline)) void leaf(long n) { kept += n; }\n" \
        "int main(void) { for (long i = 0; i < 60000; i++) leaf(i); return 0; }\n"


def nest(folder):
    return build(folder, "nest", "gcc", "-O1", "-g", "-pthread", "-o", "{out}", str(PROG / "nest.c")), "/dev/null"


def strange(folder):
    path = os.path.join(os.fsencode(folder), STRANGE_NAME)
    shutil.copy(compile_c(folder, STRANGE, name="strange"), path)
    return (os.fsdecode(path),)


RUNS = {  # what is recorded: the program and its words, then what of it
    "threads": (nest, ["func", "nest_*", "main"]),
    "values": (lambda f: (compile_c(f, "values.c"), 20), ["func", "work", "twice", "deep", "libc:setenv", "libc:unsetenv", "libc:free"]),
    "unwound": (lambda f: (build(f, "throws", "g++", "-O1", "-g", "-o", "{out}", str(PROG / "throws.cc")), 12), ["func", "catches", "through", "deepest"]),
    "strange": (strange, ["func", "main", "step", "libc:setenv", "libc:pthread_create"]),
    "points": (lambda f: (compile_c(f, "values.c", name="points"), 3), ["func", "work", "t:syscalls:sys_enter_write", "t:syscalls:sys_enter_brk"]),
    "calls": (lambda f: (compile_c(f, "values.c", name="calls"), 3), ["sys"]),
    "lost": (lambda f: (compile_c(f, FLOOD, name="flood"),), ["func", "main", "leaf", "--buffer", "64k"]),
}


class Recording:
    def __init__(self, path):
        self.path = path
        self.objects = events(self.show("json").decode())
        self.calls = [o for o in self.objects if o["event_type"] in ("function_call", "syscall")]

    def show(self, form, *words):
        """The bytes of `utrace report`."""
        done = subprocess.run([UTRACE, "report", self.path, *words, "--format", form], capture_output=True, timeout=60, env=workload.CLEAN)
        assert done.returncode == 0, done.stderr
        self.said = done.stderr.decode()
        return done.stdout

    def file(self, form, suffix):
        path = self.path.with_suffix(suffix)
        path.write_bytes(self.show(form))
        return path


@pytest.fixture(scope="module")
def recordings(folder):
    made = {}

    def record(what):
        if what not in made:
            program, words = RUNS[what]
            path = folder / f"{what}.utr"
            command, *arguments = words
            for _ in range(TRIES if what == "lost" else 1):
                run("record", "-o", path, command, *arguments, "--", *program(folder))
                made[what] = Recording(path)
                if any(o["event_type"] == "lost" for o in made[what].objects):
                    break
        return made[what]
    return record


def nanoseconds(timestamp):
    whole, fraction = timestamp[:-1].split(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction)


def slices_of_json(objects):
    """(thread, names from the outermost to its own, begin, end) of each call; end None: not seen."""
    by_id = {o["call_id"]: o for o in objects if "call_id" in o}
    found = []
    for o in objects:
        if o["event_type"] not in ("function_call", "syscall") or o.get("end") == "open" or ("duration_ns" not in o and o["event_type"] == "syscall"):
            continue
        names, at = [], o
        while at:
            names.append(at["function_name"])
            at = by_id.get(at.get("parent_call_id"))
        begin = nanoseconds(o["timestamp"])
        end = begin + o["duration_ns"] + o.get("overhead_ns", 0) if "duration_ns" in o else None
        found.append((o["thread_id"], tuple(reversed(names)), begin, end))
    return found


def slices_of_packets(packets):
    """The same, from what Perfetto's own schema reads: begins and ends of each track, in the order of time."""
    names, threads, tracks, offset, found, moments = {}, {}, defaultdict(list), 0, [], Counter()
    for p in packets:
        for n in p.get("interned_data", {}).get("event_names", []):
            names[n["iid"]] = n["name"]
        if "clock_snapshot" in p:
            clocks = {c["clock_id"]: int(c["timestamp"]) for c in p["clock_snapshot"]["clocks"]}
            offset = clocks[1] - clocks[3]
        if "thread" in p.get("track_descriptor", {}):
            threads[p["track_descriptor"]["uuid"]] = int(p["track_descriptor"]["thread"]["tid"])
        if "track_event" in p:
            tracks[p["track_event"]["track_uuid"]].append((int(p["timestamp"]) + offset, p["track_event"]))
    for uuid, marks in tracks.items():
        stack = []
        for at, mark in sorted(marks, key=lambda m: m[0]):
            if mark["type"] == "TYPE_SLICE_BEGIN":
                stack.append((names[mark["name_iid"]], at))
            elif mark["type"] == "TYPE_SLICE_END":
                found.append((threads[uuid], tuple(n for n, _ in stack), stack.pop()[1], at))
            else:
                moments[names[mark["name_iid"]]] += 1
        assert not stack, "every slice ends"
    return found, moments


def same_slices(got, want):
    """In thread, nesting, name and time; of a call whose end was not seen, all but the end."""
    seen = {(t, n, b) for t, n, b, e in want if e is not None}
    assert Counter(s for s in got if s[:3] in seen) == Counter(w for w in want if w[3] is not None)
    assert Counter(s[:3] for s in got) == Counter(w[:3] for w in want)


TIMELINES = ["threads", "values", "unwound", "strange", "calls"]


# ---- perfetto ----

@pytest.mark.parametrize("what", TIMELINES)
def test_slices_of_perfettos_schema_are_the_calls_of_the_json(recordings, what):
    recording = recordings(what)
    packets = viewer.decoded(recording.file("perfetto", ".pftrace"))
    got, _ = slices_of_packets(packets)
    assert len(got) > 1
    same_slices(got, slices_of_json(recording.objects))


def test_points_and_losses_are_instants(recordings):
    for what, kinds in (("points", ("tracepoint",)), ("lost", ("lost",))):
        recording = recordings(what)
        if what == "lost" and not any(o["event_type"] == "lost" for o in recording.objects):
            pytest.skip(f"the reader kept up, {TRIES} times")
        want = Counter(o["function_name"] if o["event_type"] == "tracepoint" else "lost" for o in recording.objects if o["event_type"] in kinds)
        _, moments = slices_of_packets(viewer.decoded(recording.file("perfetto", ".pftrace")))
        assert want and moments == want


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    import contextlib
    with contextlib.ExitStack() as ends:
        yield viewer.Viewer(ends, tmp_path_factory.mktemp("browser"))


PERFETTO, CHROME = ("perfetto", ".pftrace"), ("chrome", ".chrome.json")
SLICES = """
select s.id as id, s.parent_id as parent, s.name as name, s.ts as begin, s.dur as dur, t.tid as tid
from slice s join thread_track tt on s.track_id = tt.id join thread t using (utid)
"""
OFFSET = "select clock_value - ts as offset from clock_snapshot where clock_name = 'REALTIME'"


def slices_of_viewer(ui, offset):
    rows = {r["id"]: r for r in ui.query(SLICES)}
    found = []
    for r in rows.values():
        names, at = [], r
        while at:
            names.append(at["name"])
            at = rows.get(at["parent"])
        begin = int(r["begin"]) + offset
        found.append((int(r["tid"]), tuple(reversed(names)), begin, begin + int(r["dur"])))
    return found


@pytest.mark.parametrize("form,suffix,what", [(*PERFETTO, "threads"), (*PERFETTO, "unwound"), (*PERFETTO, "strange"), (*PERFETTO, "calls"),
                                              (*CHROME, "unwound"), (*CHROME, "strange")])
def test_the_trace_processor_of_the_ui_sees_the_calls_of_the_json(recordings, ui, what, form, suffix):
    recording = recordings(what)
    path = recording.file(form, suffix)
    ui.open(path)
    assert ui.query("select name, value from stats where severity in ('error', 'data_loss') and value > 0") == []
    if form == "perfetto":
        offset = int(ui.query(OFFSET)[0]["offset"])
    else:
        offset = int(json.loads(path.read_text())["otherData"]["realtime_offset_ns"])
    got = slices_of_viewer(ui, offset)
    want = slices_of_json(recording.objects)
    known = {w[:3] for w in want}
    same_slices([g for g in got if g[:3] in known], want)
    assert len(got) == len(recording.calls), "calls that did not return are moments, which are slices without a length there"


def test_arguments_and_results_are_annotations(recordings, ui):
    recording = recordings("values")
    ui.open(recording.file("perfetto", ".pftrace"))
    rows = ui.query("select s.ts as ts, a.flat_key as key, a.display_value as value from slice s join args a using (arg_set_id) where s.name = 'setenv' "
                    "order by s.ts")
    got = defaultdict(dict)
    for r in rows:
        got[r["ts"]][r["key"].removeprefix("debug.")] = r["value"]
    want = [{**{"arguments." + a["name"]: str(a["value"]) + ("..." if a.get("truncated") else "") for a in o["arguments"]},
             "return_value": str(o["return_value"]["value"]), "call_id": str(o["call_id"]), "duration_ns": str(o["duration_ns"]),
             "module_name": o["module_name"]} for o in recording.calls if o["function_name"] == "setenv"]
    assert len(want) == 20
    for g, w in zip(got.values(), want):
        assert {k: g.get(k) for k in w} == w


def test_names_of_processes_and_threads_are_told(recordings):
    recording = recordings("strange")
    packets = viewer.decoded(recording.file("perfetto", ".pftrace"))
    threads = {int(p["track_descriptor"]["thread"]["tid"]): p["track_descriptor"]["thread"]["thread_name"]
               for p in packets if "thread" in p.get("track_descriptor", {})}
    last = {}
    for o in sorted(recording.calls, key=lambda o: o["timestamp"]):
        last.setdefault(o["thread_id"], set()).add(o["process_name"])
    assert threads.keys() == last.keys() and all(threads[t] in last[t] for t in last)
    assert set(threads.values()) == {'a"b,c;\n\t\xff\xe9\x01'}, "a byte that is no text is the code point of its number"


def stopped_early(folder, tmp_path, suffix):
    """What is written of calls of which one never ends, outer; inner was shown open and ended."""
    path = tmp_path / f"open{suffix}"
    program = compile_c(folder, OPEN, name="open_calls")
    with workload.started(program, stdout=subprocess.PIPE) as process:
        with workload.tracing("func", "outer", "inner", "quick", "-v", "-o", path, "-p", process.pid) as tracer:
            for line in tracer.stderr:
                if f"[{process.pid}] is followed" in line:
                    break
            process.send_signal(signal.SIGUSR1)
            assert process.stdout.readline() == b"done\n"
            workload.stop(tracer)
            assert tracer.returncode == 0
    return path


def test_a_call_that_never_ends_is_an_open_slice(folder, tmp_path, ui):
    ui.open(stopped_early(folder, tmp_path, ".pftrace"))
    got = [(r["name"], int(r["depth"]), int(r["dur"]) // 10**8) for r in ui.query("select name, depth, dur from slice order by ts")]
    assert got == [("outer", 0, -1), ("inner", 1, 14), ("quick", 2, 0)]


def test_open_calls_are_the_foot_of_what_they_called(folder, tmp_path):
    assert set(folded(stopped_early(folder, tmp_path, ".folded").read_text())) >= {"open_calls;outer;inner"}
    trace = json.loads(stopped_early(folder, tmp_path, ".trace.json").read_text())["traceEvents"]
    assert [(e["ph"], e["name"]) for e in trace if e["ph"] in "BEX"] == [
        ("B", "outer"), ("B", "inner"), ("X", "quick"), ("E", "inner")]


# ---- chrome ----

@pytest.mark.parametrize("what", TIMELINES)
def test_chrome_events_are_the_calls_of_the_json(recordings, what):
    recording = recordings(what)
    trace = json.loads(recording.show("chrome"))
    offset = int(trace["otherData"]["realtime_offset_ns"])
    by_thread, got = defaultdict(list), []
    for e in trace["traceEvents"]:
        assert {"ph", "pid", "tid", "name"} <= e.keys()
        if e["ph"] == "X":
            begin = round(e["ts"] * 1000) + offset
            by_thread[e["tid"]].append((begin, begin + round(e["dur"] * 1000), e["name"]))
    for tid, found in by_thread.items():
        stack = []
        for begin, end, name in sorted(found, key=lambda s: (s[0], -s[1])):
            while stack and stack[-1][0] <= begin:
                stack.pop()
            assert not stack or end <= stack[-1][0], "slices of a thread nest"
            stack.append((end, name))
            got.append((tid, tuple(n for _, n in stack), begin, end))
    want = slices_of_json(recording.objects)
    if what != "unwound":
        same_slices(got, want)
    assert Counter(g[1][-1] for g in got) == Counter(w[1][-1] for w in want)


@pytest.mark.parametrize("what", ["values", "calls"])
def test_chrome_arguments_are_those_of_the_json_by_name(recordings, what):
    recording = recordings(what)
    trace = json.loads(recording.show("chrome"))["traceEvents"]
    got = Counter(json.dumps(e["args"]["arguments"]) for e in trace if "arguments" in e.get("args", {}))
    want = Counter(json.dumps({a["name"]: a["text"] if "text" in a else a["value"] + "..." if a.get("truncated") and isinstance(a["value"], str) else a["value"]
                               for a in o["arguments"]}) for o in recording.calls)
    assert {k for k in got if "struct" not in k and "[" not in k} == {k for k in want if "struct" not in k and "[" not in k}
    assert sum(got.values()) == sum(want.values())


# ---- folded ----

def folded(text):
    return {stack: int(n) for stack, n in (line.rsplit(" ", 1) for line in text.splitlines())}


@pytest.mark.parametrize("what", ["threads", "values", "unwound"])
def test_folded_stacks_are_the_self_times_of_the_json(recordings, what):
    recording = recordings(what)
    below, want = Counter(), Counter()
    for o in recording.calls:
        below[o.get("parent_call_id")] += o.get("duration_ns", 0)
    calls = [dict(o) for o in recording.calls]
    by_id = {o["call_id"]: o for o in calls}
    if what == "unwound":  # a call whose end was not seen is as long as what it called
        for o in sorted(calls, key=lambda o: -o["call_id"]):
            if "duration_ns" not in o:
                o["duration_ns"] = below[o["call_id"]]
                below[o.get("parent_call_id")] += o["duration_ns"]
    for o in calls:
        names, at = [], o
        while at:
            names.insert(0, at["function_name"])
            at = by_id.get(at.get("parent_call_id"))
        want[";".join([o["process_name"], *names])] += o["duration_ns"] - below[o["call_id"]]
    got = folded(recording.show("folded").decode())
    assert got == {k: v for k, v in want.items() if v}
    assert sum(got.values()) == sum(o["duration_ns"] for o in calls if "parent_call_id" not in o)


@pytest.mark.parametrize("what", ["threads", "strange"])
def test_flamegraph_pl_reads_every_line(recordings, tmp_path, what):
    if not pathlib.Path(FLAMEGRAPH).exists():
        pytest.skip("no flamegraph.pl (libdevel-nytprof-perl)")
    recording = recordings(what)
    path = recording.file("folded", ".folded")
    done = subprocess.run(["perl", FLAMEGRAPH, "--countname", "ns", "--minwidth", "0", path], capture_output=True, text=True, timeout=60, errors="replace")
    assert done.returncode == 0 and "Ignored" not in done.stderr, done.stderr
    total = int(re.search(r"<title>all \(([\d,]+) ns, 100%\)", done.stdout)[1].replace(",", ""))
    assert total == sum(o["duration_ns"] for o in recording.calls if "parent_call_id" not in o)


# ---- csv ----

def rows_of(data):
    text = data.decode()  # UTF-8, or it raises
    assert text.endswith("\r\n") and "\n" not in re.sub(r'"(?:[^"]|"")*"', "", text).replace("\r\n", ""), "RFC 4180: CRLF between rows"
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def imported(tmp_path, data):
    """The same rows, by sqlite3."""
    if not shutil.which("sqlite3"):
        pytest.skip("no sqlite3")
    (tmp_path / "t.csv").write_bytes(data)
    database = tmp_path / "t.db"
    database.unlink(missing_ok=True)
    script = f".mode csv\n.import {tmp_path / 't.csv'} t\n"
    done = subprocess.run(["sqlite3", database], input=script.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    with contextlib.closing(sqlite3.connect(database)) as connection:  # its own printing of control characters differs by version
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("select * from t")]


@pytest.mark.parametrize("what,words,kind", [("values", [], "function_stat"), ("calls", [], "syscall_stat")])
def test_a_table_is_that_of_the_json(recordings, tmp_path, what, words, kind):
    recording = recordings(what)
    want = {o["function_name"]: o for o in events(recording.show("json", "--stat").decode(), kind)}
    data = recording.show("csv", "--stat")
    rows = rows_of(data)
    schema = [f for f in json.loads(run("explain", kind, "--json").stdout)["properties"] if f not in ("timestamp", "event_type", "histogram")]
    assert set(rows[0]) == set(schema), "all columns, called as the fields are"
    assert {r["function_name"]: {k: v for k, v in r.items() if v} for r in rows} == {
        n: {k: str(v) for k, v in o.items() if k in schema} for n, o in want.items()}
    totals = [int(r["total_ns"]) for r in rows]
    assert totals == sorted(totals, reverse=True)
    assert imported(tmp_path, data) == rows
    counted = tmp_path / "counted.utr"  # in the kernel: what report does not know before it reads it
    run("record", "-o", counted, *RUNS[what][1], "--stat", "--", *RUNS[what][0](tmp_path))
    assert {r["function_name"]: r["calls"] for r in rows_of(run_bytes("report", counted, "--format", "csv"))} == {
        r["function_name"]: r["calls"] for r in rows}
    chosen = rows_of(recording.show("csv", "--stat", *(["--columns", "calls,function", "--sort", "function"] if what == "values" else ["--columns", "errors,call"])))
    assert len(chosen) == len(rows) and list(chosen[0]) == (["calls", "function_name"] if what == "values" else ["errors", "function_name"])


@pytest.mark.parametrize("what", ["values", "unwound", "strange", "points", "calls", "lost"])
def test_a_row_an_event_is_that_of_the_json(recordings, tmp_path, what):
    recording = recordings(what)
    data = recording.show("csv")
    rows = rows_of(data)
    want = [o for o in recording.objects if o["event_type"] != "summary"]
    assert len(rows) == len(want)
    for row, o in zip(rows, want):
        for name, value in o.items():
            if name not in ("arguments", "return_value"):
                assert row[name] == str(value), name
        assert not any(v for k, v in row.items() if k not in o), "what JSON does not have is empty"
    if what == "strange":
        assert {r["process_name"] for r in rows} == {'a"b,c;\n\t\xff\xe9\x01'}
    assert [list(r.values()) for r in imported(tmp_path, data)] == [list(r.values()) for r in rows]


# ---- which ----

def test_the_suffix_tells_the_format(recordings, tmp_path):
    recording = recordings("values")
    first = {"a.json": b"{", "a.jsonl": b"{", "a.csv": b"timestamp,", "a.folded": b"values;", "a.pftrace": b"\n", "a.perfetto-trace": b"\n",
             "a.trace.json": b'{"displayTimeUnit"', "a.chrome.json": b'{"displayTimeUnit"', "a.txt": b"", "a": b"", "json": b""}
    for name, begin in first.items():
        for verb in ("report", "export") if "." in name else ("report",):
            assert run(verb, recording.path, "-o", tmp_path / name).returncode == 0
            got = (tmp_path / name).read_bytes()
            assert got.startswith(begin) and got, name
            if not begin:
                assert re.match(rb"\d\d:\d\d:\d\d\.", got), name
    run("report", recording.path, "-o", tmp_path / "b.csv", "--format", "json")
    run("report", recording.path, "-o", tmp_path / "c.csv", "--json")
    run("report", recording.path, "-o", tmp_path / "a.json")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "c.csv").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_live_and_from_a_recording_it_is_the_same_format(recordings, folder, tmp_path):
    program = compile_c(folder, "values.c", name="live")
    for name, suffix in (("chrome", ".trace.json"), ("folded", ".folded"), ("csv", ".csv"), ("perfetto", ".pftrace")):
        live, kept = tmp_path / f"live{suffix}", tmp_path / f"{name}.utr"
        assert run("func", "work", "twice", "-o", live, "--record", kept, "--", program, 5).returncode == 0
        assert live.read_bytes() == run_bytes("report", kept, "--format", name), name


def run_bytes(*words):
    return subprocess.run([UTRACE, *map(str, words)], capture_output=True, timeout=60, env=workload.CLEAN, check=True).stdout


@pytest.mark.parametrize("words,want", [
    (["--format", "cvs"], "no format is called 'cvs'; there are: text, json, csv, chrome, "),
    (["--stat", "--format", "folded"], "has no place in the format 'folded'; there are: text, json, csv"),
    (["--hist", "-o", "/nonexistent/x.pftrace"], "has no place in the format 'perfetto'; there are: text, json, csv"),
    (["--format", "csv"], "csv with -- COMMAND needs -o FILE (-o - is stdout)"),
    (["--json"], "json with -- COMMAND needs -o FILE (-o - is stdout)"),
])
def test_a_wrong_format_is_one_line(words, want):
    done = run("func", "main", *words, "--", "true")
    assert done.returncode == 2 and want in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_bytes_do_not_go_to_a_terminal(recordings):
    recording = recordings("values")
    ours, theirs = pty.openpty()
    done = subprocess.run([UTRACE, "report", recording.path, "--format", "perfetto"], stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2 and "perfetto is nothing for a terminal" in done.stderr


def test_what_has_no_place_is_counted(recordings):
    recording = recordings("points")
    points = len([o for o in recording.objects if o["event_type"] == "tracepoint"])
    assert points
    recording.show("folded")
    assert f"utrace: no place in folded for: {points} tracepoint\n" in recording.said


@pytest.mark.parametrize("words", [["help", "func"], ["man", "func"], ["version"], ["doctor"], ["completion", "bash"]])
def test_every_format_is_told(words):
    text = run(*words).stdout
    missing = [f for f in ("text", "json", "csv", "chrome", "perfetto", "folded") if not re.search(rf"\b{f}\b", text)]
    assert not missing


@pytest.mark.parametrize("form", ["csv", "chrome", "perfetto", "folded"])
def test_a_full_disk_is_one_line(recordings, form):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([UTRACE, "report", recordings("threads").path, "--format", form], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "No space left on device" in done.stderr and done.stderr.count("\n") == 1, done.stderr
