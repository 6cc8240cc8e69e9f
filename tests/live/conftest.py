"""What the live tests share: small programs, runs of utrace with a deadline, an nginx of their own.

Whatever a test starts is ended by its pid. Nothing sleeps: readers wait for a line, or for a process' end, with a deadline.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter

import pytest

import workload
from workload import CLEAN, UTRACE, compile_c, free_port, until_listens

DEADLINE_S = 20


class Lines:
    """Lines of a pipe, each waited for until a deadline; keeps all that came."""

    def __init__(self, stream):
        self.stream, self.text, self.seen = stream, "", []
        os.set_blocking(stream.fileno(), False)

    def _fill(self, seconds):
        with selectors.DefaultSelector() as s:
            s.register(self.stream, selectors.EVENT_READ)
            if not s.select(max(0, seconds)):
                raise TimeoutError(f"nothing came; so far: {self.seen[-5:]} {self.text!r}")
        got = os.read(self.stream.fileno(), 1 << 16)
        self.text += got.decode(errors="replace")
        return bool(got)

    def next(self, seconds=DEADLINE_S):
        end = time.monotonic() + seconds
        while "\n" not in self.text:
            if not self._fill(end - time.monotonic()):
                raise EOFError(f"ended; so far: {self.seen[-5:]} {self.text!r}")
        line, self.text = self.text.split("\n", 1)
        self.seen.append(line)
        return line

    def until(self, pattern, seconds=DEADLINE_S):
        """The first line that fits, also of those that came before."""
        for line in self.seen:
            if re.search(pattern, line):
                return line
        end = time.monotonic() + seconds
        while not re.search(pattern, line := self.next(end - time.monotonic())):
            pass
        return line

    def rest(self, seconds=DEADLINE_S):
        end = time.monotonic() + seconds
        with contextlib.suppress(EOFError):
            while True:
                self.next(end - time.monotonic())
        self.seen += [self.text] if self.text else []
        self.text = ""
        return "\n".join(self.seen)


class Process:
    """A program that we started. It speaks by lines, is told to go on by lines, and is dead when the test is over."""

    def __init__(self, words, **popen):
        self.popen = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **popen)
        self.pid = self.popen.pid
        self.out = Lines(self.popen.stdout)

    def line(self):
        return self.out.next()

    def go(self, text=""):
        self.popen.stdin.write(f"{text}\n".encode())
        self.popen.stdin.flush()

    def wait(self, seconds=DEADLINE_S):
        return self.popen.wait(seconds)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(DEADLINE_S)
        self.popen.stdin.close()
        self.popen.stdout.close()


class Seen:
    """What a run of utrace showed."""

    def __init__(self, path, status, stderr, stdout=""):
        self.status, self.stderr, self.stdout = status, stderr, stdout
        text = path.read_text() if path.exists() else ""
        self.objects = [json.loads(line) for line in text.splitlines()]
        self.calls = [o for o in self.objects if o["event_type"] == "function_call"]
        self.stats = {o["function_name"]: o for o in self.objects if o["event_type"] == "function_stat"}
        self.lost = [o for o in self.objects if o["event_type"] == "lost"]
        self.summary = self.objects[-1] if self.objects and self.objects[-1]["event_type"] == "summary" else None

    def count(self, *keys):
        """How many calls of each value: by function, or by the fields named."""
        keys = keys or ("function_name",)
        return Counter(c[keys[0]] if len(keys) == 1 else tuple(c[k] for k in keys) for c in self.calls if c.get("end") != "open")

    def of(self, name):
        return [c for c in self.calls if c["function_name"] == name]


class Live:
    """A run of utrace that goes on while the test does other things."""

    def __init__(self, words, out, stdin=subprocess.DEVNULL, **popen):
        self.out_path = out
        self.popen = subprocess.Popen([UTRACE, *map(str, words)], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      **{"env": CLEAN, **popen})
        self.pid = self.popen.pid
        self.err, self.stdout = Lines(self.popen.stderr), Lines(self.popen.stdout)

    def ready(self):
        self.err.until(r"^utrace: ready")
        return self

    def follows(self, pid):
        """Waits until the probes of that process are on."""
        self.err.until(rf"\[{pid}\] is followed")

    def end(self, sig=None, seconds=DEADLINE_S):
        if sig:
            self.popen.send_signal(sig)
        stderr = self.err.rest(seconds)
        stdout = self.stdout.rest(seconds)
        status = self.popen.wait(seconds)
        return Seen(self.out_path, status, stderr, stdout)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(DEADLINE_S)
        self.popen.stdout.close()
        self.popen.stderr.close()


class Utrace:
    def __init__(self, folder, ends):
        self.folder, self.ends, self.n = folder, ends, 0

    def start(self, *words, command=(), verbose=True, **popen):
        self.n += 1
        out = self.folder / f"utrace-{self.n}.json"
        words = [*words, "--json", "-o", out, *(["-v"] if verbose else []), *(["--", *command] if command else [])]
        live = Live(words, out, **popen)
        self.ends.callback(live.kill)
        return live

    def func(self, *patterns, seconds=DEADLINE_S, **kwargs):
        """Runs `utrace func` to its end."""
        return self.start("func", *patterns, **kwargs).end(seconds=seconds)


@pytest.fixture(scope="session")
def root():
    workload.needs_tracing()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    """What the tests of one file share."""
    return tmp_path_factory.mktemp(request.module.__name__)


@pytest.fixture(scope="module")
def values(folder):
    return compile_c(folder, "values.c")


@pytest.fixture
def ends():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def utrace(root, tmp_path, ends):
    return Utrace(tmp_path, ends)


@pytest.fixture
def start(ends):
    """start(PROGRAM, ARGS...): a Process of ours."""
    def run(*words, **popen):
        process = Process(words, **popen)
        ends.callback(process.kill)
        return process
    return run


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """built(SOURCE, FLAGS...): the path of the program; the same for the same source and flags."""
    folder = tmp_path_factory.mktemp("built")

    def build(source, *flags, name="prog", lang="c"):
        key = hashlib.sha256(repr((source, flags, name, lang)).encode()).hexdigest()[:12]
        path = folder / key / name
        if path.exists():
            return path
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        file = path.parent / f"source.{lang}"
        file.write_text(source)
        compiler = "g++" if lang == "cc" else "gcc"
        subprocess.run([compiler, "-O1", "-g", "-Wall", "-Wno-unused-function", "-Wno-unused-result", "-Werror", "-o", path, file, *flags], check=True, timeout=60)
        return path
    folder.chmod(0o755)
    for above in folder.parents:  # so that a process of nobody reaches it
        if above.stat().st_uid == os.geteuid() and above != pathlib.Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    return build


@pytest.fixture
def copied(tmp_path, built):
    """copied(SOURCE, NAME): the program under a name, in a folder of its own."""
    def copy(source, name, *flags):
        to = tmp_path / name
        shutil.copy(built(source, *flags), to)
        return to
    return copy


class Nginx:
    """
    An nginx of our own on a port of the loopback; a worker's pid is that of who serves.
    @log: its access log's format; @http, @server: more directives there; @listen: options of the port.
    """

    def __init__(self, folder, workers=1, log="", http="", server="", listen=""):
        self.folder, self.log, self.port = folder, folder / "access.log", free_port()
        (folder / "html").mkdir(parents=True)
        (folder / "html" / "index.html").write_text("hello\n")
        folder.chmod(0o755)
        config = folder / "nginx.conf"
        config.write_text(f"""
            daemon off; worker_processes {workers}; user root; pid {folder}/pid; error_log {folder}/error.log;
            events {{ worker_connections 256; }}
            http {{
                {f"log_format ours '{log}';" if log else ""} access_log {self.log} {"ours" if log else ""};
                client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
                scgi_temp_path {folder}/s; {http}
                server {{ listen 127.0.0.1:{self.port} {listen}; root {folder}/html; {server} }}
            }}""")
        self.popen = subprocess.Popen(["nginx", "-p", folder, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.popen.pid
        until_listens(self.port, self.popen, lambda: len(self.workers()) == workers)

    def workers(self):
        return [int(p) for p in pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def logged(self, n=0):
        """The log's lines, in words, once there are so many: nginx writes each when its request has ended."""
        end = time.monotonic() + DEADLINE_S
        while len(lines := self.log.read_text().splitlines()) < n and time.monotonic() < end:
            os.sched_yield()
        return [line.split() for line in lines]

    def get(self, path="/index.html"):
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as s:
            s.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while got := s.recv(65536):
                answer += got
        return answer

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()


@pytest.fixture
def start_nginx(tmp_path, ends):
    """start_nginx(NAME, ...): an Nginx of ours, or of a class made of it, in a folder of that name."""
    if not shutil.which("nginx"):
        pytest.skip("no nginx here")

    def begin(name="nginx", kind=Nginx, **how):
        server = kind(tmp_path / name, **how)
        ends.callback(server.stop)
        return server
    return begin


@pytest.fixture
def nginx(start_nginx):
    return start_nginx()


@pytest.fixture
def logging_nginx(start_nginx):
    """(port, a function that ends it and returns its access log's lines)."""
    server = start_nginx(log="$request_method $request_uri $status $request_length $bytes_sent $body_bytes_sent",
                         http="gzip on; gzip_types text/plain; client_max_body_size 10m; large_client_header_buffers 4 16k;",
                         server="location /put/ { dav_methods PUT; create_full_put_path on; } location /moved { return 301 /small.html; } "
                                "location /none { return 204; }")
    (server.folder / "html" / "small.html").write_text("hello\n")
    (server.folder / "html" / "big.txt").write_text("0123456789abcde\n" * 40000)

    def log():
        server.stop()
        return [(w[0], w[1], *(int(n) for n in w[2:])) for w in server.logged()]
    return server.port, log


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False
