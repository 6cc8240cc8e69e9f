"""
How often each function was called, counted by utrace in the kernel, equals what callgrind counted.

Compared are all functions that both see and that are deterministic: two runs of the oracle agree on them. The second has one
more environment variable (valgrind adds some of its own, and nginx copies each), and with a server it pauses during the
load: so what depends on the environment or on time differs and is left out. Counts must be equal, not near. callgrind.py says why instructions are compared and not names.
"""
import collections
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

import callgrind
import mounts
from truth import UTRACE, Run, as_root, environment, events_of, needs, utrace
from workload import free_port

pytestmark = as_root

FUNCTIONS_AT_LEAST = 100
MORE = {"ONE_MORE": "1"}
PAUSE_S = 1.1  # five of them: nginx formats its times anew each second
SHORT_PAUSE_S = 0.3  # so that what is done once, after a second, is done in the quickest run as well


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


def refused(pattern, by_name, target):
    """Addresses of functions that `utrace func -l` says cannot be probed; @target: -e PATH or -p PID."""
    listing = subprocess.run([UTRACE, "func", "-l", pattern, *target], env=environment(), capture_output=True, text=True, check=True)
    found = set()
    for name in re.findall(r"^u:[^:]+:(.*?) +refused: ", listing.stdout, re.M):
        nameless = re.fullmatch(r"func_0x([0-9a-f]+)", name)
        found |= {int(nameless[1], 16)} if nameless else by_name[name]
    return found


def compare(label, binary, run, oracles, list_words):
    """
    Fails with the difference; tells how many functions were compared. What was executed and has an .eh_frame entry but was
    not probed must be listed as refused by `utrace func -l`.
    """
    by_name, frames = entry_points(binary)
    seen, unknown = counted(run, by_name)
    first, *others = oracles
    deterministic = [f for f in seen if all(first[a] == other[a] for other in others for a in f)]
    wrong = {" ".join(hex(a) for a in f): (seen[f], sum(first[a] for a in f))
             for f in deterministic if seen[f] != sum(first[a] for a in f)}
    at = set().union(*seen)
    unseen = {a for a in frames if first[a] and a not in at and all(first[a] == other[a] for other in others)}
    print(f"{label}: {len(deterministic)} functions compared, {sum(seen[f] for f in deterministic)} calls; "
          f"{len(seen) - len(deterministic)} not deterministic, {len(unseen)} not probed")
    assert not unknown
    assert not wrong, f"(utrace, callgrind): {wrong}"
    assert len(deterministic) >= FUNCTIONS_AT_LEAST
    hidden = {hex(a) for a in unseen - (refused(*list_words(by_name)) if unseen else set())}
    assert not hidden, "executed, not probed, not refused"


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


@pytest.fixture
def listed_from():
    """A sqlite3 that stands at its prompt, so that its library is mapped and can be listed."""
    started = []

    def start(program, pattern):
        if program is not sqlite3:
            return lambda by_name, path=program.__name__: (pattern, by_name, ["-e", needs(TOOL.get(path, path))])
        shell = subprocess.Popen([needs("sqlite3")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(shell)
        shell.stdin.write(".print ready\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "ready\n"
        return lambda by_name: (pattern, by_name, ["-p", str(shell.pid)])

    yield start
    for shell in started:
        shell.communicate()


TOOL = {"ripgrep": "rg"}


@pytest.mark.parametrize("program", [sqlite3, git, cmake, ripgrep])
def test_every_function_was_called_as_often_as_callgrind_counted(program, settled, listed_from, tmp_path):
    binary, pattern, argv = program(tmp_path)
    binary = binary.resolve()
    plain = subprocess.run(argv, capture_output=True, text=True, check=True)
    run = utrace(tmp_path, "func", "--stat", pattern, "--", *argv)
    assert (run.status, run.stdout, run.lost) == (0, plain.stdout, 0), run.stderr
    oracles = [callgrind.run(tmp_path, binary, *argv, name=name, env=environment(**more)) for name, more in (("first", {}), ("second", MORE))]
    compare(program.__name__, binary, run, oracles, listed_from(program, pattern))


# Servers: in the foreground, one process, one connection at a time, a port and a folder of our own.

def listening(port):
    """Does somebody listen there? Found out without connecting: a connection would be counted."""
    rows = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)


def wait_until(condition, what, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"{what}: it has ended: {process.communicate()}"
        assert time.monotonic() < deadline, f"{what}: not within a minute"
        time.sleep(0.02)  # neither /proc/net/tcp nor another's pid file can be waited for


EPOLL_WAIT = ("232", "281") if os.uname().machine == "x86_64" else ("22",)  # epoll_wait and epoll_pwait


class Nginx:
    binary = "nginx"
    prepare = None

    def __init__(self, folder, port):
        self.port, self.pid_file = port, folder / "pid"
        (folder / "page.html").write_text("<p>" + "word " * 500)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {self.pid_file}; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; {temporary} keepalive_timeout 600; default_type text/html; gzip on; gzip_min_length 100;
  server {{
    listen 127.0.0.1:{port}; root {folder};
    location /moved {{ return 302 /page.html; }}
    location ~ ^/number/(?<n>[0-9]+)$ {{ add_header X-Number $n; return 200 "number $n"; }}
    location /rewritten {{ rewrite ^/rewritten/(.*)$ /$1 last; }}
  }}
}}
""")
        self.argv = [needs("nginx"), "-c", folder / "nginx.conf", "-p", folder]

    def load(self, pause):
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            for i in range(40):
                path = ["/page.html", "/moved", f"/number/{i}", "/missing", "/rewritten/page.html"][i % 5]
                extra = "Accept-Encoding: gzip\r\n" if i % 10 == 0 else "Connection: close\r\n" if i == 39 else ""
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{extra}\r\n".encode())
                self.read_answer(s)
                time.sleep(pause if i % 8 == 0 else 0)
            assert s.recv(1) == b""  # it has closed: were it us, its signal to stop could come before or after

    @staticmethod
    def read_answer(s):
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(65536)
        head, body = got.split(b"\r\n\r\n", 1)
        length = re.search(rb"Content-Length: (\d+)", head)
        while len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n"):
            body += s.recv(65536)

    def stop(self, process):
        pid = int(self.pid_file.read_text())
        # A signal between its look at the flag and epoll_wait would be seen at the next event, which never comes.
        wait_until(lambda: pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0] in EPOLL_WAIT, "waits for events", process)
        os.kill(pid, signal.SIGQUIT)


class Redis:
    binary = "redis-server"
    # Its tables are hashed with bytes of /dev/urandom, and collisions are compared: zeros make that the same every time.
    @staticmethod
    def prepare():
        mounts.apart()
        mounts.mount("/dev/zero", "/dev/urandom", flags=mounts.MS_BIND)

    def __init__(self, folder, port):
        self.port = port
        self.argv = [needs("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no",
                     "--dir", folder, "--hz", "1", "--dynamic-hz", "no", "--logfile", folder / "log",
                     "--slowlog-log-slower-than", "-1"]

    def load(self, pause):
        commands = ["SET key{i} value{i}", "GET key{i}", "INCR counter", "LPUSH list {i}", "LRANGE list 0 -1", "SADD set m{i}",
                    "HSET hash f{i} {i}", "HGETALL hash", "DEL key{i}",
                    "APPEND text {i}", "PING"]
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            reader = s.makefile("rb")
            for i in range(20):
                for command in commands:
                    s.sendall((command.format(i=i) + "\r\n").encode())
                    self.read_answer(reader)
                time.sleep(pause if i % 4 == 0 else 0)
            s.sendall(b"SHUTDOWN NOSAVE\r\n")
            reader.read()

    def read_answer(self, reader):
        line = reader.readline()
        if line[:1] == b"$" and int(line[1:]) >= 0:
            reader.read(int(line[1:]) + 2)
        for _ in range(int(line[1:]) if line[:1] == b"*" else 0):
            self.read_answer(reader)

    def stop(self, _process):
        pass


def serve(server, argv, pause=0, **more):
    """Runs the server under what @argv puts before it, in the surroundings that it prepares, loads it, ends it."""
    process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**more),
                               preexec_fn=server.prepare)
    try:
        wait_until(lambda: listening(server.port), "listens", process)
        server.load(pause)
        server.stop(process)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


@pytest.mark.parametrize("kind", [Nginx, Redis])
def test_every_function_of_a_server_was_called_as_often_as_callgrind_counted(kind, settled, tmp_path):
    binary = pathlib.Path(needs(kind.binary)).resolve()
    oracles = []
    for name, pause, more in ("first", 0, {}), ("second", PAUSE_S, MORE):
        server = kind(tmp_path, free_port())
        serve(server, callgrind.command(tmp_path / name, *server.argv), pause, **more)
        oracles.append(callgrind.executions(tmp_path / name, binary))
    server, out = kind(tmp_path, free_port()), tmp_path / "events.json"
    done = serve(server, [UTRACE, "func", "--stat", "u:*", "--json", "-o", out, "--", *server.argv], SHORT_PAUSE_S)
    run = Run(done, events_of(out))
    assert (run.status, run.lost) == (0, 0), run.stderr
    compare(kind.binary, binary, run, oracles, lambda by_name: ("u:*", by_name, ["-e", str(binary)]))
