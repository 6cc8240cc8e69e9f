"""Requests: each that a server logs is one that we show, with the same method, path, status and sizes, and no other."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE, Nginx


def attribute(o, name):
    return o["attributes"].get(name)


def of_spans(requests, kind="server"):
    return [(attribute(o, "http.request.method"), attribute(o, "url.path"), attribute(o, "http.response.status_code"), o["request_bytes"],
             o["response_bytes"]) for o in requests if o["kind"] == kind]


class Web(Nginx):
    """One that logs what we compare."""

    def __init__(self, folder, workers=2, upstream=None, secure=""):
        proxy = f"location /api/ {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_set_header Connection ''; }}" if upstream else ""
        super().__init__(folder, workers, log="$request_method $uri $status $request_length $bytes_sent $request_time", listen="ssl reuseport" if secure else "reuseport",
                         http="sendfile on; keepalive_requests 100000; client_max_body_size 10m;",
                         server=f'location /post {{ return 201 "created\\n"; }} {proxy} {secure}')
        (folder / "html" / "big.bin").write_bytes(os.urandom(300_000))

    def logged(self, n=0):
        return [(method, path, int(status), int(received), int(sent)) for method, path, status, received, sent, _ in super().logged(n)]


@pytest.fixture
def web(start_nginx):
    return start_nginx(kind=Web)


def requests_of(seen):
    return [o for o in seen.objects if o["event_type"] == "request"]


def talk(port, words, n=1):
    """@n times all of @words (method, path, body) on one connection that is kept alive."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    for _ in range(n):
        for method, path, body in words:
            connection.request(method, path, body)
            connection.getresponse().read()
    connection.close()


KINDS = [("GET", "/index.html", None), ("GET", "/none?secret=1", None), ("HEAD", "/index.html", None), ("GET", "/big.bin", None),
         ("POST", "/post", b"x" * 5000), ("GET", "/users/4711/orders", None)]


def test_each_line_of_the_access_log_is_a_request(utrace, web):
    live = utrace.start("req", "-p", ",".join(map(str, web.workers()))).ready()
    clients = [threading.Thread(target=talk, args=(web.port, KINDS, 50)) for _ in range(4)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    logged = web.logged(4 * 50 * len(KINDS))
    seen = live.end(signal.SIGINT)
    assert len(logged) == 4 * 50 * len(KINDS)
    assert not seen.lost
    logged = [(m, path, status, received + 5000 * (m == "POST"), sent) for m, path, status, received, sent in logged] # it discards the body
    assert Counter(of_spans(requests_of(seen))) == Counter(logged)
    assert all(attribute(o, "http.route") == "/users/{id}/orders" for o in requests_of(seen) if "4711" in attribute(o, "url.path"))


def test_a_connection_that_is_open_already_is_joined(utrace, web):
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=DEADLINE_S)

    def ask(n):
        for _ in range(n):
            connection.request("GET", "/index.html")
            connection.getresponse().read()
    ask(3)
    live = utrace.start("req", "-p", ",".join(map(str, web.workers()))).ready()
    ask(20)
    connection.close()
    web.logged(23)
    seen = live.end(signal.SIGINT)
    assert of_spans(requests_of(seen)) == web.logged(23)[3:]


def test_times_are_those_of_the_server(utrace, tmp_path, ends):
    """A server that takes 50 ms to answer, and says so."""
    code = ("import http.server, time\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            "    protocol_version = 'HTTP/1.1'\n"
            "    def do_GET(self):\n"
            "        time.sleep(0.05)\n"
            "        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok')\n"
            "    def log_message(self, *words): pass\n"
            "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\n"
            "print(s.server_port, flush=True)\n"
            "s.serve_forever()\n")
    server = subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE, text=True)
    ends.callback(server.kill)
    port = int(server.stdout.readline())
    live = utrace.start("req", "-p", server.pid).ready()
    measured = []
    for _ in range(5):
        begin = time.monotonic_ns()
        talk(port, [("GET", "/slow", None)])
        measured.append(time.monotonic_ns() - begin)
    requests = requests_of(live.end(signal.SIGINT))
    assert len(requests) == 5
    for request, elapsed_ns in zip(requests, measured):
        assert 50_000_000 <= request["processing_ns"] <= request["duration_ns"] < elapsed_ns
        assert request["duration_ns"] == request["asking_ns"] + request["processing_ns"] + request["answering_ns"]


@pytest.mark.parametrize("client", ["curl", "wget", "python"])
def test_what_a_client_asks_is_seen(utrace, web, client, tmp_path):
    url = f"http://127.0.0.1:{web.port}/index.html"
    words = {"curl": ["curl", "-s", "-o", "/dev/null", url], "wget": ["wget", "-q", "-O", "/dev/null", url],
             "python": ["python3", "-c", f"import urllib.request; urllib.request.urlopen('{url}').read()"]}[client]
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]} here")
    seen = requests_of(utrace.start("req", command=words).end())
    assert of_spans(seen, "client") == web.logged(1) and len(seen) == 1
    assert attribute(seen[0], "server.port") == web.port


def test_a_proxy_asks_what_it_is_asked(utrace, start_nginx):
    behind = start_nginx("behind", kind=Web, workers=1)
    front = start_nginx("front", kind=Web, workers=1, upstream=behind.port)
    live = utrace.start("req", "-p", ",".join(map(str, front.workers()))).ready()
    talk(front.port, [("GET", "/api/things/7", None)], 20)
    logged = front.logged(20)
    behind.logged(20)
    seen = requests_of(live.end(signal.SIGINT))
    assert of_spans(seen) == logged
    assert [row[:3] for row in of_spans(seen, "client")] == [row[:3] for row in behind.logged(20)] == 20 * [("GET", "/api/things/7", 404)]


# HTTP whose answers end with the connection, and on another port something that is none.
MIXED = r"""
import http.server, socket, threading
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if "none" in self.path else 200); self.end_headers(); self.wfile.write(b"ok")
    def handle(self):
        try: super().handle()
        except OSError: pass
    def log_message(self, *words): pass
h = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=h.serve_forever, daemon=True).start()
l = socket.create_server(("127.0.0.1", 0)); print(h.server_port, l.getsockname()[1], flush=True)
def echo(s):
    with s:
        while got := s.recv(1000): s.sendall(got * 3)
while True:
    threading.Thread(target=echo, args=(l.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def mixed(ends):
    server = subprocess.Popen(["python3", "-c", MIXED], stdout=subprocess.PIPE, text=True)
    ends.callback(server.kill)
    server.http, server.echo = map(int, server.stdout.readline().split())
    return server


def echoed(port, *words):
    """Says @words to the echo, and hands over the connection."""
    s = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    for word in words:
        s.sendall(word)
        left = 3 * len(word)
        while left:
            left -= len(s.recv(left))
    return s


def visit(server):
    """Requests, one that is never whole, and connections that carry none."""
    for path in ("/some", "/none"):
        with echoed(server.echo, b"12345678", b"abc") as s:
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b""
        talk(server.http, [("GET", path, None)])
    with socket.create_connection(("127.0.0.1", server.http)) as s:
        s.sendall(b"GET /half HTTP/1.1\r\nHost: a\r\n")
        s.shutdown(socket.SHUT_WR)
        while s.recv(1000):
            pass


def reported(recording, *words):
    done = subprocess.run([UTRACE, "report", recording, *words], capture_output=True, timeout=20, env=CLEAN, check=True)
    return done.stdout, done.stderr.decode()


@pytest.mark.parametrize("words", [[], ["--connections"], ["--raw"]], ids=["requests", "connections", "raw"])
def test_a_recording_shows_what_was_shown(utrace, mixed, tmp_path, words):
    """Also what of connections was not recorded, and in the same order."""
    recording = tmp_path / "r.utr"
    live = utrace.start("req", "-p", mixed.pid, "--record", recording, *words).ready()
    visit(mixed)
    with echoed(mixed.echo, b"still here"):
        seen = live.end(signal.SIGINT)
    assert reported(recording, "--json")[0] == live.out_path.read_bytes()
    connections = [o for o in seen.objects if o["event_type"] == "connection"]
    assert not any("lost_bytes" in o for o in connections)
    told = Counter((o["received_bytes"], o["sent_bytes"], o["end"]) for o in connections if o["local_address"].endswith(f":{mixed.echo}"))
    assert told == {(11, 33, "closed"): 2, (10, 30, "open"): 1}


def test_a_request_that_is_never_whole_is_of_the_process_that_read_it(utrace, mixed):
    live = utrace.start("req", "-p", mixed.pid).ready()
    visit(mixed)
    half = [o for o in requests_of(live.end(signal.SIGINT)) if attribute(o, "url.path") == "/half"]
    assert [o.get("process_id") for o in half] == [mixed.pid]


@pytest.mark.parametrize("words,paths,echoes", [
    (["--status", "404"], ["/none"], 0), (["--path", "/so*"], ["/some"], 0), (["--method", "P*"], [], 0), (["--port", "{http}"], ["/some", "/none", "/half"], 0),
    (["--port", "{echo}"], [], 2), (["--method", "P*", "--connections"], [], 2), (["--port", "{http}", "--raw"], ["/some", "/none", "/half"], 0)],
    ids=lambda o: "".join(o) if isinstance(o, list) else str(o))
def test_what_is_asked_of_requests_is_no_question_to_connections(utrace, mixed, tmp_path, words, paths, echoes):
    recording = tmp_path / "r.utr"
    words = [w.format(http=mixed.http, echo=mixed.echo) for w in words]
    live = utrace.start("req", "-p", mixed.pid, "--record", recording, *words).ready()
    visit(mixed)
    seen = live.end(signal.SIGINT)
    connections = [o for o in seen.objects if o["event_type"] == "connection"]
    assert sorted(attribute(o, "url.path") for o in requests_of(seen)) == sorted(paths)
    assert len([o for o in connections if o["local_address"].endswith(f":{mixed.echo}")]) == echoes
    assert {o["connection_id"] for o in seen.objects if o["event_type"] == "segment"} <= {o["connection_id"] for o in connections}
    assert reported(recording, "--json")[0] == live.out_path.read_bytes()


@pytest.mark.parametrize("more", [[], ["--connections"], ["--raw"]], ids=["alone", "connections", "raw"])
def test_a_table_stands_alone(utrace, mixed, tmp_path, more):
    recording, table = tmp_path / "r.utr", tmp_path / "t.csv"
    live = utrace.start("req", "--stat", *more, "-p", mixed.pid, "--record", recording).ready()
    visit(mixed)
    seen = live.end(signal.SIGINT)
    assert Counter(o["event_type"] for o in seen.objects) == {"request_stat": 3, "summary": 1}
    assert "utrace: 3 events, 0 lost" in seen.stderr
    said = reported(recording, "-o", table)[1]
    assert len(table.read_text().splitlines()) == 1 + 3 and "utrace: 3 events, 0 lost" in said


def test_filters_and_tables(utrace, web, tmp_path):
    recording = tmp_path / "r.utr"
    live = utrace.start("req", "-p", ",".join(map(str, web.workers())), "--record", recording).ready()
    talk(web.port, KINDS, 10)
    web.logged(60)
    seen = live.end(signal.SIGINT)
    everything = requests_of(seen)

    def asked(*words):
        out = subprocess.run([UTRACE, "report", recording, "req", "--json", *words], capture_output=True, timeout=20, env=CLEAN, check=True).stdout
        return [json.loads(line) for line in out.splitlines()]
    again = subprocess.run([UTRACE, "report", recording, "--json"], capture_output=True, timeout=20, env=CLEAN, check=True).stdout
    assert again == live.out_path.read_bytes(), "what was shown live"

    def some(*words):
        return {o["span_id"] for o in asked(*words) if o["event_type"] == "request"}
    assert some("--status", "404") == {o["span_id"] for o in everything if attribute(o, "http.response.status_code") == 404}
    assert some("--status", "2xx") == {o["span_id"] for o in everything if attribute(o, "http.response.status_code") // 100 == 2}
    assert some("--method", "P*") == {o["span_id"] for o in everything if attribute(o, "http.request.method") == "POST"}
    assert some("--path", "/users/*") == {o["span_id"] for o in everything if attribute(o, "url.path").startswith("/users/")}
    assert some("--port", str(web.port + 1)) == set() and len(some("--port", str(web.port))) == 60
    rows = {o["name"]: o for o in asked("--stat") if o["event_type"] == "request_stat"}
    assert {name: row["requests"] for name, row in rows.items()} == Counter(o["name"] for o in everything)
    assert b"secret" not in recording.read_bytes() + live.out_path.read_bytes(), "queries are not kept"


def test_requests_are_made_anew_of_a_raw_recording(utrace, web, tmp_path):
    def reported(path, *words):
        done = subprocess.run([UTRACE, "report", path, "req", "--json", *words], capture_output=True, timeout=20, env=CLEAN, check=True)
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        return [{k: v for k, v in o.items() if k not in ("trace_id", "span_id")} for o in objects if o["event_type"] == "request"], done.stderr.decode()
    raw, lean = tmp_path / "raw.utr", tmp_path / "lean.utr"
    workers = ",".join(map(str, web.workers()))
    both = [utrace.start("req", "-p", workers, "--record", raw, "--raw").ready(), utrace.start("req", "-p", workers, "--record", lean).ready()]
    talk(web.port, KINDS, 10)
    web.logged(60)
    for live in both:
        live.end(signal.SIGINT)
    told, _ = reported(raw)
    assert len(told) == 60 and reported(raw, "--reparse")[0] == told
    assert len(reported(lean)[0]) == 60
    anew, said = reported(lean, "--reparse")
    assert anew == [] and "holds no bytes" in said


def test_nothing_of_headers_and_bodies_is_kept(utrace, web, tmp_path):
    recording = tmp_path / "r.utr"
    secret = "Zm9yYmlkZGVu"
    live = utrace.start("req", "-p", ",".join(map(str, web.workers())), "--record", recording).ready()
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=DEADLINE_S)
    for where in ({"Authorization": f"Basic {secret}"}, {"Cookie": f"session={secret}"}, {"X-Api-Key": secret}):
        connection.request("POST", f"/post?token={secret}", body=f"password={secret}", headers=where)
        connection.getresponse().read()
    connection.close()
    web.logged(3)
    seen = live.end(signal.SIGINT)
    assert len(requests_of(seen)) == 3
    shown = subprocess.run([UTRACE, "report", recording, "req", "--json", "--connections"], capture_output=True, timeout=20, env=CLEAN, check=True).stdout
    assert secret.encode() not in live.out_path.read_bytes() + shown
    raw = subprocess.run([UTRACE, "report", recording, "req", "--json", "--raw"], capture_output=True, timeout=20, env=CLEAN, check=True).stdout
    assert secret.encode() not in raw and secret.encode().hex().encode() not in raw
