"""
How often each function was called, counted by utrace in the kernel, equals what callgrind counted.

Compared are all functions that both see and that are deterministic: two runs of the oracle agree on them. Of servers the
oracle's second run pauses in the middle of the load, so that what depends on time differs and is left out. Counts must be
equal, not near. callgrind.py says why instructions are compared and not names.
"""
import collections
import pathlib
import re
import subprocess

import pytest

import callgrind
from truth import as_root, needs, utrace

pytestmark = as_root

FUNCTIONS_AT_LEAST = 100


def entry_points(binary):
    """{name: addresses} by the symbol tables; {address} of all that .eh_frame says is a function."""
    listing = subprocess.run(["readelf", "-Ws", binary], capture_output=True, text=True, check=True).stdout
    rows = [row.split() for row in listing.splitlines()]
    symbols = [(row[7].split("@")[0], int(row[1], 16)) for row in rows if len(row) >= 8 and row[3] == "FUNC" and row[6] != "UND"]
    shown = subprocess.run(["c++filt", "-p"], input="\n".join(n for n, _ in symbols), capture_output=True, text=True, check=True)
    by_name = collections.defaultdict(set)
    for name, (_, address) in zip(shown.stdout.splitlines(), symbols):
        by_name[name].add(address)
    frames = subprocess.run(["readelf", "--debug-dump=frames", binary], capture_output=True, text=True).stdout
    return by_name, {int(start, 16) for start in re.findall(r"FDE cie=\S+ pc=([0-9a-f]+)\.\.", frames)}


def counted(run, by_name):
    """{addresses: calls}: functions of one name are one (overloads in C++), as are names of one address."""
    found = collections.Counter()
    unknown = []
    for stat in run.of_type("function_stat"):
        nameless = re.fullmatch(r"func_0x([0-9a-f]+)", stat["function_name"])
        addresses = {int(nameless[1], 16)} if nameless else by_name.get(stat["function_name"])
        if addresses:
            found[frozenset(addresses)] += stat["calls"]
        else:
            unknown.append(stat["function_name"])
    return found, unknown


def compare(label, binary, run, oracles):
    """Fails with the difference; tells how many functions were compared."""
    by_name, frames = entry_points(binary)
    seen, unknown = counted(run, by_name)
    first, *others = oracles
    deterministic = [f for f in seen if all(first[a] == other[a] for other in others for a in f)]
    wrong = {" ".join(hex(a) for a in f): (seen[f], sum(first[a] for a in f))
             for f in deterministic if seen[f] != sum(first[a] for a in f)}
    at = set().union(*seen)
    unseen = {a for a in frames if first[a] and a not in at}
    calls = sum(seen[f] for f in deterministic)
    print(f"{label}: {len(deterministic)} functions compared, {calls} calls; {len(seen) - len(deterministic)} not deterministic, "
          f"{len(unseen)} executed but not probed: {sorted(map(hex, unseen))[:20]}")
    assert not unknown
    assert not wrong, f"(utrace, callgrind): {wrong}"
    assert len(deterministic) >= FUNCTIONS_AT_LEAST
    return unseen


def make_text(folder):
    for i in range(4):
        lines = [f"line {n} of file {i}, {'needle ' if n % (7 + i) == 0 else ''}{'x' * (n % 50)}" for n in range(200)]
        (folder / f"text{i}.txt").write_text("\n".join(lines))


def sqlite3(folder):
    sql = ("create table t(a integer primary key, b text); create index i on t(b);"
           "with recursive n(x) as (select 1 union all select x+1 from n where x<200) insert into t select x, 'v' || (x*7%31) from n;"
           "select b, count(*), sum(a) from t group by b having sum(a) > 100 order by 2, 1; update t set b='z' where a%3=0;"
           "delete from t where a%5=0; select max(a) from t where b like 'v1%';")
    return pathlib.Path("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"), "libsqlite3:*", [needs("sqlite3"), ":memory:", sql]


def git(folder):
    repository = folder / "repository"
    repository.mkdir()
    tool = needs("git")
    run = lambda *words: subprocess.run([tool, "-C", repository, *words], check=True, capture_output=True)
    run("init", "-q")
    for i in range(6):
        make_text(repository)
        (repository / f"text{i % 3}.txt").write_text("\n".join(f"{n * i}" for n in range(60)))
        run("add", ".")
        run("commit", "-q", "-m", f"change {i}")
    return pathlib.Path(tool), "u:*", [tool, "-C", repository, "log", "--stat", "-p", "-M"]


def cmake(folder):
    script = folder / "script.cmake"
    script.write_text("""
foreach(i RANGE 30)
  list(APPEND items item${i})
  string(REGEX REPLACE "e(.)" "x\\\\1" changed "item${i}")
  math(EXPR number "${i} * 3")
endforeach()
list(SORT items)
file(STRINGS ${CMAKE_CURRENT_LIST_FILE} lines REGEX item)
message("${items} ${changed} ${number} ${lines}")
""")
    return pathlib.Path(needs("cmake")), "u:*", [needs("cmake"), "-P", script]


def ripgrep(folder):
    make_text(folder)
    files = [folder / f"text{i}.txt" for i in range(4)]
    return pathlib.Path(needs("rg")), "u:*", [needs("rg"), "--no-config", "-j1", "-n", "needle x+$|file [12]", *files]


@pytest.fixture
def settled(monkeypatch, tmp_path):
    """An environment that holds nothing of the user's."""
    for name, value in {"HOME": str(tmp_path), "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC", "GIT_PAGER": "cat",
                        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
                        "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("program", [sqlite3, git, cmake, ripgrep])
def test_every_function_was_called_as_often_as_callgrind_counted(program, settled, tmp_path):
    binary, pattern, argv = program(tmp_path)
    binary = binary.resolve()
    plain = subprocess.run(argv, capture_output=True, text=True, check=True)
    run = utrace(tmp_path, "func", "--stat", pattern, "--", *argv)
    assert (run.status, run.stdout, run.lost) == (0, plain.stdout, 0), run.stderr
    oracles = [callgrind.run(tmp_path, binary, *argv, name=name) for name in ("first", "second")]
    compare(program.__name__, binary, run, oracles)
