"""Requests of real servers and clients, one by one: each that the other end counts is one that we show, and there is no other.

A row is a program: what starts it, and what it logs. All servers get the same mixture, a part of it on connections that were open before we came.
What they answer is known by the client that asked (http.client) and by their own access logs; what clients ask, by nginx' log.
"""
import collections
import contextlib
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from conftest import DEADLINE_S
from test_req import attribute, of_spans, requests_of
from workload import free_port, until_listens

WEB = pathlib.Path(__file__).resolve().parents[1] / "prog" / "web"
PYTHON = "/usr/bin/python3"  # the distribution's, which has the packages of the distribution
Ask = collections.namedtuple("Ask", "method target body headers")
Row = collections.namedtuple("Row", "method path status request_body response_body")


def mixture(seed, n, chunked_questions=True, chunked_answers=True):
    """@n questions of all kinds that the servers of tests/prog/web answer."""
    rng = random.Random(seed)
    for i in range(n):
        kind = rng.choice(("size", "size", "chunked", "status") if chunked_answers else ("size", "size", "status"))
        number = rng.choice((204, 304, 404, 201, 418, 500, 503)) if kind == "status" else rng.choice((0, 1, 17, 511, 700, 3000, 70000))
        method = rng.choice(("GET", "GET", "HEAD", "POST", "PUT", "DELETE"))
        body = b"y" * rng.choice((0, 1, 400, 5000, 100000)) if method in ("POST", "PUT") else None
        headers = {"Connection": "close"} if rng.random() < .1 else {}
        if body and chunked_questions and rng.random() < .3:
            headers["Transfer-Encoding"] = "chunked"
        yield Ask(method, f"/{kind}/{number}/{i}?secret={i}", body, headers)


def pieces(body):
    for at in range(0, len(body), 333):
        yield body[at:at + 333]


class Connection(http.client.HTTPConnection):
    sent = 0

    def send(self, data):
        super().send(data)
        self.sent += len(data)


class Client:
    """A connection that is kept alive as far as the server likes, and what it has seen."""

    def __init__(self, port):
        self.connection, self.rows, self.sent = Connection("127.0.0.1", port, timeout=DEADLINE_S), [], []

    def ask(self, ask, counts=True):
        chunked = "Transfer-Encoding" in ask.headers
        self.connection.sent = 0
        self.connection.request(ask.method, ask.target, pieces(ask.body) if chunked else ask.body, ask.headers, encode_chunked=chunked)
        answer = self.connection.getresponse()
        got = len(answer.read())
        if "Connection" in ask.headers:
            self.connection.close()  # not every server says that it does
        if counts:
            self.sent.append((ask.method, ask.target.partition("?")[0], self.connection.sent))
            self.rows.append(Row(ask.method, ask.target.partition("?")[0], answer.status, len(ask.body or b""), got))

    def close(self):
        self.connection.close()


def shown(requests):
    return [Row(attribute(o, "http.request.method"), attribute(o, "url.path"), attribute(o, "http.response.status_code"), attribute(o, "http.request.body.size"),
                attribute(o, "http.response.body.size")) for o in requests]


def differ(ours, theirs):
    ours, theirs = collections.Counter(ours), collections.Counter(theirs)
    return {"ours alone": sorted((ours - theirs).elements(), key=str), "theirs alone": sorted((theirs - ours).elements(), key=str)}


NOTHING = {"ours alone": [], "theirs alone": []}


def without_sizes(rows, paths):
    """Of those paths the sizes are not compared."""
    return [Row(*row[:3], None, None) if row.path in paths else row for row in rows]


def marked(requests, asks):
    """Paths of those that say themselves that their sizes are estimates: chunks that were not captured, and nothing else, may be the reason."""
    paths = {attribute(o, "url.path") for o in requests if o.get("incomplete")}
    chunked = {ask.target.partition("?")[0] for ask in asks if "/chunked/" in ask.target or "Transfer-Encoding" in ask.headers}
    assert {o["incomplete"] for o in requests if o.get("incomplete")} <= {"gap"} and paths <= chunked
    return paths


def descendants(pid):
    pids, at = [pid], 0
    while at < len(pids):
        for task in pathlib.Path(f"/proc/{pids[at]}/task").iterdir():
            pids += map(int, (task / "children").read_text().split())
        at += 1
    return pids


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"no {program} here")


def needs_modules(*modules):
    if subprocess.run([PYTHON, "-c", "import " + ",".join(modules)], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"{PYTHON} lacks one of {', '.join(modules)}")


class Served:
    """A server that runs: its port, its processes, and its log as rows of some columns."""

    def __init__(self, popen, port, log=None, columns=(), **mixture):
        self.popen, self.port, self.log, self.columns, self.mixture = popen, port, log, columns, mixture

    def pids(self):
        return ",".join(map(str, descendants(self.popen.pid)))

    def logged(self, n):
        """Its log once it has so many lines."""
        end = time.monotonic() + DEADLINE_S
        while len(rows := self.log()) < n and time.monotonic() < end:
            os.sched_yield()
        return rows


def in_background(ends, words, **popen):
    p = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **popen})

    def stop():
        p.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(DEADLINE_S)
        p.kill()
        p.wait()
    ends.callback(stop)
    return p


def says_its_port(ends, words, **popen):
    p = in_background(ends, words, stdout=subprocess.PIPE, **popen)
    return p, int(p.stdout.readline())


def lines_of(path, pattern):
    """The log's lines that fit, as tuples of their groups, numbers as numbers."""
    def read():
        found = (re.search(pattern, line) for line in path.read_text().splitlines()) if path.exists() else ()
        return [tuple(int(g) if g.isdigit() else g for g in m.groups()) for m in found if m]
    return read


# --- servers ---

def stdlib(version):
    def start(folder, ends):
        log = folder / "log"
        p, port = says_its_port(ends, [sys.executable, WEB / "stdlib.py", version], stderr=open(log, "w"))
        return Served(p, port, lines_of(log, r'"(\w+) (/\w+/\d+/\w+)\S* HTTP/1.1" (\d+)'), ("method", "path", "status"), chunked_questions=False)
    return start


def gunicorn(folder, ends):
    needs("gunicorn")
    needs_modules("flask")
    log, port = folder / "log", free_port()
    p = in_background(ends, ["gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "--chdir", WEB, "--access-logfile", log,
                             "--access-logformat", "%(m)s %(U)s %(s)s %(B)s", "flask_app:app"], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    until_listens(port, p)
    return Served(p, port, lines_of(log, r"(\w+) (/\w+/\d+/\w+) (\d+) (\d+)"), ("method", "path", "status", "response_body"))


def gthread(folder, ends):
    needs("gunicorn")
    needs_modules("flask")
    log, port = folder / "log", free_port()
    p = in_background(ends, ["gunicorn", "-w", "1", "-k", "gthread", "--threads", "4", "--keep-alive", "20", "-b", f"127.0.0.1:{port}", "--chdir", WEB,
                             "--access-logfile", log, "--access-logformat", "%(m)s %(U)s %(s)s %(B)s", "flask_app:app"],
                      env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    until_listens(port, p)
    return Served(p, port, lines_of(log, r"(\w+) (/\w+/\d+/\w+) (\d+) (\d+)"), ("method", "path", "status", "response_body"))


def uvicorn(folder, ends):
    needs("uvicorn")
    needs_modules("uvicorn", "fastapi")
    log, port = folder / "log", free_port()
    p = in_background(ends, [PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", port, "--app-dir", WEB, "--timeout-keep-alive", "20", "fast_app:app"],
                      stdout=open(log, "w"), env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"})
    until_listens(port, p)
    return Served(p, port, lines_of(log, r'"(\w+) (/\w+/\d+/\w+)\S* HTTP/1.1" (\d+)'), ("method", "path", "status"))


def node(folder, ends):
    needs("node")
    return Served(*says_its_port(ends, ["node", WEB / "server.js"]))


def golang(folder, ends):
    needs("go")
    subprocess.run(["go", "build", "-o", folder / "server", WEB / "server.go"], check=True, timeout=120, env={**os.environ, "GO111MODULE": "off"})
    return Served(*says_its_port(ends, [folder / "server"]))


def java(folder, ends):
    needs("javac", "java")
    subprocess.run(["javac", "-d", folder, WEB / "Server.java"], check=True, timeout=60)
    return Served(*says_its_port(ends, ["java", "-Xmx128m", "-cp", folder, "Server"]))


SERVERS = [
    pytest.param(stdlib("HTTP/1.0"), id="http.server 1.0"),
    pytest.param(stdlib("HTTP/1.1"), id="http.server 1.1"),
    pytest.param(gunicorn, id="gunicorn, Flask"),
    pytest.param(gthread, id="gunicorn threads, Flask"),
    pytest.param(uvicorn, id="uvicorn, FastAPI"),
    pytest.param(node, id="Node"),
    pytest.param(golang, id="Go", marks=pytest.mark.long),
    pytest.param(java, id="Java", marks=pytest.mark.long),
]


def drive(clients, asks):
    """The questions dealt to the clients, which ask at the same time."""
    hands = [asks[i::len(clients)] for i in range(len(clients))]

    def play(client, hand):
        for ask in hand:
            client.ask(ask)
        client.close()
    threads = [threading.Thread(target=play, args=pair) for pair in zip(clients, hands)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return [row for client in clients for row in client.rows]


def sent_bytes(requests):
    return [(attribute(o, "http.request.method"), attribute(o, "url.path"), o["request_bytes"]) for o in requests]


def project(rows, columns):
    return [tuple(getattr(row, c) for c in columns) for row in rows]


@pytest.mark.parametrize("start", SERVERS)
def test_requests_of_a_server_are_those_of_its_clients_and_of_its_log(utrace, tmp_path, ends, start):
    server = start(tmp_path, ends)
    open_before = [Client(server.port) for _ in range(2)]
    for client in open_before:
        client.ask(Ask("GET", "/size/17/before", None, {}), counts=False)
    live = utrace.start("req", "-p", server.pids()).ready()
    asks = list(mixture("servers", 100, **server.mixture))
    rows = drive(open_before + [Client(server.port) for _ in range(3)], asks)
    logged = server.logged(102)[2:] if server.log else None
    seen = live.end(signal.SIGINT)
    requests = requests_of(seen)
    estimates = marked(requests, asks)
    assert len(rows) == 100 and not seen.lost
    assert differ(without_sizes(shown(requests), estimates), without_sizes(rows, estimates)) == NOTHING
    assert {o["kind"] for o in requests} == {"server"} and len(estimates) < 30
    if logged is not None and not estimates:
        assert differ(project(shown(requests), server.columns), logged) == NOTHING


# --- servers of files, and proxies: bytes on the wire, as they count them ---

APACHE = """
ServerRoot {folder}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
Listen 127.0.0.1:{port}
ServerName localhost
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog {folder}/error.log
User {user}
DocumentRoot {folder}/html
KeepAliveTimeout 20
MaxKeepAliveRequests 0
StartServers 1
ServerLimit 1
LogFormat "%m %U %>s %I %O" wire
CustomLog {folder}/access.log wire
"""


@pytest.fixture
def open_folder():
    """One that a server without our rights can enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="utrace-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def apache2(folder, ends):
    needs("apache2")
    modules = pathlib.Path("/usr/lib/apache2/modules")
    port = free_port()
    (folder / "html").mkdir()
    for n in (0, 17, 3000, 70000):
        (folder / "html" / str(n)).write_bytes(b"x" * n)
    (folder / "conf").write_text(APACHE.format(folder=folder, modules=modules, port=port, user="www-data"))
    p = in_background(ends, ["apache2", "-X" if os.geteuid() else "-DFOREGROUND", "-f", folder / "conf"])
    until_listens(port, p)
    return Served(p, port, lines_of(folder / "access.log", r"^(\w+) (\S+) (\d+) (\d+) (\d+)$"))


def files(seed, n):
    rng = random.Random(seed)
    for i in range(n):
        method = rng.choice(("GET", "GET", "GET", "HEAD", "POST", "DELETE"))
        headers = {"Connection": "close"} if rng.random() < .1 else {}
        if rng.random() < .2:
            headers["If-Modified-Since"] = "Sat, 21 Nov 2099 00:00:00 GMT"
        body = b"y" * rng.choice((1, 400, 5000, 100000)) if method == "POST" else None
        yield Ask(method, f"/{rng.choice((0, 17, 3000, 70000, 'none'))}?secret={i}", body, headers)


def test_bytes_of_apache_are_those_of_its_log(utrace, open_folder, ends):
    server = apache2(open_folder, ends)
    open_before = [Client(server.port) for _ in range(2)]
    for client in open_before:
        client.ask(Ask("GET", "/17", None, {}), counts=False)
    before = len(server.logged(2))
    live = utrace.start("req", "-p", server.pids()).ready()
    clients = open_before + [Client(server.port) for _ in range(3)]
    rows = drive(clients, list(files("apache", 100)))
    logged = server.logged(before + 100)[before:]
    requests = requests_of(live.end(signal.SIGINT))
    assert differ(shown(requests), rows) == NOTHING and not [o for o in requests if o.get("incomplete")]
    # Of the first request after a pause %I is one byte more: what it has looked at to see that there is something.
    assert differ(sent_bytes(requests), [row for client in clients for row in client.sent]) == NOTHING
    assert differ([(*row[:3], row[4]) for row in of_spans(requests)], [(*row[:3], row[4]) for row in logged]) == NOTHING


HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:{port}
    log global
    log-format "%HM %HP %ST"
    default_backend back
backend back
    server one 127.0.0.1:{behind}
"""


def test_a_proxy_is_server_and_client_of_the_same_requests(utrace, tmp_path, ends):
    needs("haproxy")
    behind = stdlib("HTTP/1.1")(tmp_path, ends)
    port, log = free_port(), tmp_path / "haproxy.log"
    (tmp_path / "haproxy.cfg").write_text(HAPROXY.format(port=port, behind=behind.port))
    p = in_background(ends, ["haproxy", "-db", "-f", tmp_path / "haproxy.cfg"], stdout=open(log, "w"))
    until_listens(port, p)
    server = Served(p, port, lines_of(log, r"^(\w+) (/\w+/\d+/\w+) (\d+)$"))
    open_before = [Client(port) for _ in range(2)]
    for client in open_before:
        client.ask(Ask("GET", "/size/17/before", None, {}), counts=False)
    server.logged(2)
    live = utrace.start("req", "-p", server.pids()).ready()
    asks = list(mixture("proxy", 100, chunked_questions=False))
    clients = open_before + [Client(port) for _ in range(3)]
    rows = drive(clients, asks)
    logged = server.logged(102)[2:]
    told_behind = behind.logged(102)[2:]
    requests = requests_of(live.end(signal.SIGINT))
    estimates = marked(requests, asks)
    sides = {kind: [o for o in requests if o["kind"] == kind] for kind in ("server", "client")}
    for side in sides.values():
        assert differ(without_sizes(shown(side), estimates), without_sizes(rows, estimates)) == NOTHING
    assert differ(project(shown(sides["server"]), ("method", "path", "status")), logged) == NOTHING
    assert differ(project(shown(sides["client"]), ("method", "path", "status")), told_behind) == NOTHING
    assert differ(sent_bytes(sides["server"]), [row for client in clients for row in client.sent]) == NOTHING


# --- clients: what they ask is what nginx has logged ---

REQUESTS = """
import sys, {module}
at = sys.argv[1]
{code}
"""
SESSION = """
s = requests.Session()
for i in range(5):
    s.get(f"{at}/small.html?secret={i}"); s.head(f"{at}/big.txt"); s.get(f"{at}/missing/{i}"); s.put(f"{at}/put/{i}", data=b"x" * i * 3000)
s.get(f"{at}/moved"); s.get(f"{at}/none"); s.get(f"{at}/big.txt", headers={"Accept-Encoding": "identity"})
"""
POOL = """
p = urllib3.PoolManager()
for i in range(5):
    p.request("GET", f"{at}/small.html", fields={"secret": str(i)}); p.request("PUT", f"{at}/put/{i}", body=b"x" * i * 3000); p.request("HEAD", f"{at}/big.txt")
"""
CLIENTS = {
    "curl": lambda at, folder: ["curl", "-s", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", f"{at}/small.html?secret=1", f"{at}/big.txt", f"{at}/missing",
                                "--next", "-sI", "-o", "/dev/null", f"{at}/big.txt", "--next", "-s", "-T", folder / "upload", f"{at}/put/a", "--next", "-s0", "-o", "/dev/null", f"{at}/none"],
    "wget": lambda at, folder: ["wget", "-q", "-O", "/dev/null", f"{at}/small.html", f"{at}/big.txt", f"{at}/moved", f"{at}/missing"],
    "requests": lambda at, folder: [PYTHON, "-c", REQUESTS.format(module="requests", code=SESSION), at],
    "urllib3": lambda at, folder: [PYTHON, "-c", REQUESTS.format(module="urllib3", code=POOL), at],
    "ab": lambda at, folder: ["ab", "-q", "-n", "200", "-c", "4", "-k", f"{at}/small.html?secret=1"],
    "ab, short": lambda at, folder: ["ab", "-q", "-n", "100", "-c", "4", f"{at}/missing"],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_asks_is_what_the_server_has_logged(utrace, logging_nginx, tmp_path, client):
    port, log = logging_nginx
    (tmp_path / "upload").write_bytes(b"u" * 70000)
    words = CLIENTS[client](f"http://127.0.0.1:{port}", tmp_path)
    needs(words[0])
    if words[0] == PYTHON:
        needs_modules(client)
    seen = utrace.start("req", command=words, stdin=subprocess.DEVNULL).end()
    requests = requests_of(seen)
    logged = [(method, uri.partition("?")[0], *rest[:3]) for method, uri, *rest in log()]
    assert logged and differ(of_spans(requests, "client"), logged) == NOTHING
    assert not [o for o in requests if o.get("incomplete") or o["kind"] != "client"]


def test_a_load_generator_that_ends_in_the_middle(utrace, logging_nginx):
    """wrk leaves when its time is over: what it still waits for is told as unanswered or cut, and nginx may have logged it or not."""
    needs("wrk")
    port, log = logging_nginx
    seen = utrace.start("req", "--buffer", "64M", command=["wrk", "-t1", "-c4", "-d1s", f"http://127.0.0.1:{port}/small.html"]).end()
    requests = requests_of(seen)
    whole = collections.Counter(of_spans([o for o in requests if not o.get("incomplete")], "client"))
    logged = collections.Counter((method, uri, *rest[:3]) for method, uri, *rest in log())
    assert not seen.lost and sum(whole.values()) > 100
    assert sum((whole - logged).values()) == 0 and sum((logged - whole).values()) <= 4
