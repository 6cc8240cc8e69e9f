"""Requests sent over the network: what receivers get is what JSON says of the run, whatever they answer; and capture never waits for them."""
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import receivers
import workload
from workload import ROOT, UTRACE, events, run, until

GOLDEN = ROOT / "tests" / "golden" / "req.utr"
NO_PROXY = {k: v for k, v in workload.CLEAN.items() if not k.startswith("OTEL_") and not k.lower().endswith("_proxy")}

# A server and, in the same process, its client: as many requests as are asked for, one after the other on one connection.
PROGRAM = r"""
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    c = listener.accept()[0]
    while got := c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
threading.Thread(target=serve, daemon=True).start()
c = socket.create_connection(listener.getsockname())
for i in range(int(sys.argv[1])):
    c.sendall(b"GET /users/%d?secret=s3cret HTTP/1.1\r\nHost: h\r\nCookie: s3cret\r\n\r\n" % i)
    c.recv(65536)
"""


def sent(*words, env=None, **kwargs):
    """utrace to its end: (what it showed as JSON, its last line)."""
    done = subprocess.run([UTRACE, *map(str, words)], capture_output=True, text=True, timeout=60, env={**NO_PROXY, **(env or {})}, **kwargs)
    return done


def summary_of(path):
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["event_type"] == "summary"
    return last["exports"]


def golden(tmp_path, to, env=None, status=0):
    """A recording sent: what was shown of it, and the account of the receiver."""
    out = tmp_path / "shown.json"
    done = sent("export", GOLDEN, "-o", out, "--signals", "traces", "--export", to, env=env)
    assert done.returncode == status, done.stderr
    return {o["span_id"]: o for o in events(out.read_text(), "request")}, summary_of(out)[0], done.stderr


def is_same_span(span, o):
    attributes = {**o["attributes"], "thread.id": o["thread_id"]}
    assert span["name"] == o["name"] and span["kind"] == f"SPAN_KIND_{o['kind'].upper()}" and span["trace_id"] == o["trace_id"]
    assert span["end"] - span["begin"] == o["duration_ns"] and span["status"] == f"STATUS_CODE_{o['status'].upper()}"
    assert {k: v for k, v in span["attributes"].items() if not k.startswith("utrace.")} == attributes
    assert span["resource"]["process.pid"] == o["process_id"]


# ---- over HTTP ----

@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_receiver_gets_the_spans_of_the_json(tmp_path, ends, compression):
    receiver = receivers.Receiver(ends)
    shown, account, _ = golden(tmp_path, f"otlp+http://127.0.0.1:{receiver.port}", {"OTEL_EXPORTER_OTLP_COMPRESSION": compression})
    got = {s["span_id"]: s for s in receiver.spans()}
    assert got.keys() == shown.keys() and got
    for span_id, o in shown.items():
        is_same_span(got[span_id], o)
    assert account == {"to": f"http://127.0.0.1:{receiver.port}/v1/traces", "signal": "traces", "sent": len(shown), "spooled": 0, "lost": {}}
    assert {r.path for r in receiver.requests} == {"/v1/traces"}
    assert {r.headers["content-type"] for r in receiver.requests} == {"application/x-protobuf"}
    assert {r.headers.get("content-encoding") for r in receiver.requests} == {None if compression == "none" else compression}


def test_the_standard_environment_says_where_and_how_and_sends_nothing_by_itself(tmp_path, ends):
    receiver = receivers.Receiver(ends)
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}/base", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s%3Dx,tenant=7",
        "OTEL_SERVICE_NAME": "checkout", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=t%C3%A9st,service.name=not-this",
    }
    assert sent("export", GOLDEN, "-o", tmp_path / "x.json", env=env).returncode == 0
    assert not receiver.requests
    golden(tmp_path, "otlp", env)
    assert {r.path for r in receiver.requests} == {"/base/v1/traces"}
    assert receiver.requests[0].headers["api-key"] == "s=x" and receiver.requests[0].headers["tenant"] == "7"
    for span in receiver.spans():
        assert span["resource"]["service.name"] == "checkout" and span["resource"]["deployment.environment"] == "t\u00e9st"


HTML = (200, {"Content-Type": "text/html"}, b"<html>Welcome to the proxy</html>")
GARBAGE = (200, {"Content-Type": "application/x-protobuf"}, b"\xff" * 40)
ENDLESS = (200, {"Content-Type": "application/x-protobuf"}, itertools.repeat(b"x" * 65536))
PARTLY = (200, {"Content-Type": "application/x-protobuf"}, b"\x0a\x0b\x08\x02\x12\x07too old")
WRONG = {
    "400": ((400, {"Content-Type": "text/plain"}, b"no such thing"), {"refused": 4}, "answers 400: no such thing"),
    "401": ((401, {}, b""), {"refused": 4}, "answers 401"),
    "404": ((404, {}, b""), {"refused": 4}, "answers 404"),
    "301": ((301, {"Location": "http://127.0.0.1:1/"}, b""), {"refused": 4}, "answers 301"),
    "html": (HTML, {"no_receiver": 4}, "text/html"),
    "garbage": (GARBAGE, {"no_receiver": 4}, "no protobuf"),
    "endless": (ENDLESS, {"no_receiver": 4}, "endless"),
    "partly": (PARTLY, {"rejected": 2}, "rejected 2: too old"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_a_receiver_does_not_take_is_told_and_counted_by_cause(tmp_path, ends, kind):
    answer, lost, told = WRONG[kind]
    receiver = receivers.Receiver(ends, lambda n, request: answer)
    shown, account, stderr = golden(tmp_path, f"otlp+http://127.0.0.1:{receiver.port}", status=1)
    assert account["lost"] == lost and account["sent"] == len(shown) - sum(lost.values())
    assert told in stderr and f"{sum(lost.values())} lost" in stderr.splitlines()[-1]
    assert len(receiver.requests) == 1, "none of these is tried again"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_receiver_that_is_busy_is_asked_again_when_it_says(tmp_path, ends, status):
    times = []

    def answer(n, request):
        times.append(time.monotonic())
        return (status, {"Retry-After": "2"}, b"") if n == 0 else (200, {"Content-Type": "application/x-protobuf"}, b"")

    receiver = receivers.Receiver(ends, answer)
    shown, account, _ = golden(tmp_path, f"otlp+http://127.0.0.1:{receiver.port}")
    assert account["sent"] == len(shown) and account["lost"] == {}
    assert len(times) == 2 and times[1] - times[0] >= 2
    assert receiver.requests[0].body == receiver.requests[1].body


def listening(ends):
    """A port that takes connections and never answers."""
    server = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
    return server.getsockname()[1]


@pytest.mark.parametrize("kind", ["down", "silent", "endless"])
def test_capture_does_not_wait_for_a_receiver(tmp_path, ends, kind):
    """Each request is shown, be the receiver down, silent or endless, and the run ends soon after the program."""
    workload.needs_tracing()
    port = {"down": receivers.free_port, "silent": lambda: listening(ends), "endless": lambda: receivers.Receiver(ends, lambda n, r: ENDLESS).port}[kind]()
    out, n = tmp_path / "out.json", 3000
    env = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1500"}
    begin = time.monotonic()
    done = sent("req", "--signals", "traces", "--export", f"otlp+http://127.0.0.1:{port}", "-o", out, "--", sys.executable, "-c", PROGRAM, n, env=env)
    assert done.returncode == 0, done.stderr
    shown, account = events(out.read_text(), "request"), summary_of(out)[0]
    assert len(shown) == 2 * n and sum(account["lost"].values()) == 2 * n and account["sent"] == 0
    assert set(account["lost"]) == {"no_receiver"} if kind == "endless" else {"at_end"}
    assert time.monotonic() - begin < 30
    assert f"{2 * n} lost" in done.stderr.splitlines()[-1]


# ---- a live run ----

def test_live_spans_name_the_service_and_hold_no_secret(tmp_path, ends):
    workload.needs_tracing()
    script = tmp_path / "shop.py"
    script.write_text(PROGRAM)
    receiver, out = receivers.Receiver(ends), tmp_path / "out.json"
    done = sent("req", "--signals", "traces", "--export", f"otlp+http://127.0.0.1:{receiver.port}", "-o", out, "--", sys.executable, script, 20)
    assert done.returncode == 0, done.stderr
    shown = {o["span_id"]: o for o in events(out.read_text(), "request")}
    got = {s["span_id"]: s for s in receiver.spans()}
    assert len(got) == 40 and got.keys() == shown.keys()
    for span_id, o in shown.items():
        is_same_span(got[span_id], o)
        assert got[span_id]["resource"]["service.name"] == o["service_name"] == "shop"
        assert got[span_id]["resource"]["host.name"] == os.uname().nodename
    assert not any(b"s3cret" in r.body for r in receiver.requests)


def test_spans_come_while_the_run_goes_on(tmp_path, ends, start):
    workload.needs_tracing()
    server = start(sys.executable, "-c", SERVER, stderr=subprocess.DEVNULL)
    port, receiver = int(server.line()), receivers.Receiver(ends)
    with workload.tracing("req", "-v", "--signals", "traces", "-p", str(server.pid), "--export", f"otlp+http://127.0.0.1:{receiver.port}", "-o", tmp_path / "out.json") as utrace:
        for line in utrace.stderr:
            if line.startswith("utrace: ready"):
                break
        with socket.create_connection(("127.0.0.1", port)) as c:
            c.sendall(b"GET /now HTTP/1.0\r\n\r\n")
            assert c.recv(100)
        until(lambda: receiver.requests, 10, "the span is sent")
        assert [s["name"] for s in receiver.spans()] == ["GET /now"]
        workload.stop(utrace, signal.SIGINT)


def test_a_receiver_that_comes_back_gets_what_waited(tmp_path, ends):
    workload.needs_tracing()
    port, out = workload.free_port(), tmp_path / "out.json"
    program = PROGRAM + "print('done', flush=True)\nsys.stdin.readline()\n"
    words = ["req", "--signals", "traces", "--export", f"otlp+http://127.0.0.1:{port}", "-o", out, "--", sys.executable, "-c", program, "50"]
    with workload.started(UTRACE, *words, env=NO_PROXY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as utrace:
        assert utrace.stdout.readline() == "done\n"
        assert "cannot be reached" in utrace.stderr.readline()
        receiver = receivers.Receiver(ends, port=port)
        until(lambda: receiver.requests, 20, "it is tried again")
        utrace.communicate("\n", timeout=30)
    assert summary_of(out)[0]["sent"] == 100 == len({s["span_id"] for s in receiver.spans()}) and summary_of(out)[0]["lost"] == {}


LEAKY = r"""
import socket, threading
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    c = listener.accept()[0]
    while got := c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: s3cret\r\nX-Token: s3cret\r\nContent-Length: 6\r\n\r\ns3cret")
threading.Thread(target=serve, daemon=True).start()
c = socket.create_connection(listener.getsockname())
for target in (b"/a?key=s3cret", b"/b#s3cret", b"http://me:s3cret@h/c?s3cret"):
    c.sendall(b"POST %s HTTP/1.1\r\nHost: h\r\nAuthorization: Basic s3cret\r\nCookie: s3cret\r\nReferer: http://h/?s3cret\r\nContent-Length: 6\r\n\r\ns3cret" % target)
    c.recv(65536)
print("done", flush=True)
input()
"""


def test_no_secret_of_a_request_leaves_by_any_way(tmp_path, ends):
    workload.needs_tracing()
    otlp, zipkin, port, spool = receivers.Receiver(ends), receivers.Receiver(ends), workload.free_port(), tmp_path / "spool"
    words = ["req", "--listen", port, "--spool", spool, "--record", tmp_path / "run.utr", "-o", tmp_path / "out.jaeger.json", "--export", f"otlp+http://127.0.0.1:{otlp.port}",
             "--export", f"zipkin+http://127.0.0.1:{zipkin.port}", "--export", f"otlp+http://127.0.0.1:{workload.free_port()}", "--", sys.executable, "-c", LEAKY]
    env = {**NO_PROXY, "OTEL_METRIC_EXPORT_INTERVAL": "300"}
    with workload.started(UTRACE, *map(str, words), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as utrace:
        assert utrace.stdout.readline() == "done\n"
        until(lambda: len(otlp.requests) > 2 and zipkin.requests, 20, "spans and metrics are sent")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            scraped = answer.read()
        told = "".join(utrace.communicate("\n", timeout=30))
    ways = {"otlp": b"".join(r.body for r in otlp.requests), "zipkin": b"".join(r.body for r in zipkin.requests), "scrape": scraped, "stderr": told.encode(),
            "spool": b"".join(p.read_bytes() for p in spool.iterdir()), "jaeger": (tmp_path / "out.jaeger.json").read_bytes(), "recording": run("export", tmp_path / "run.utr", "--format", "json").stdout.encode()}
    assert all(ways.values()) and b"POST" in ways["spool"] and b"POST" in ways["scrape"]
    assert not [way for way, what in ways.items() if b"s3cret" in what]


SERVER = r"""
import http.server, socketserver
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


# ---- the Collector ----

@pytest.fixture
def collector(ends, tmp_path):
    return receivers.Collector(ends, tmp_path)


@pytest.mark.parametrize("wire", ["otlp+http", "otlp+grpc", "http/json"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_collector_has_the_spans_of_the_json(tmp_path, collector, wire, compression):
    env = {"OTEL_EXPORTER_OTLP_COMPRESSION": compression}
    if wire == "http/json":
        env.update({"OTEL_EXPORTER_OTLP_PROTOCOL": wire, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.http}"})
    to = {"otlp+http": f"otlp+http://127.0.0.1:{collector.http}", "otlp+grpc": f"otlp+grpc://127.0.0.1:{collector.grpc}"}.get(wire, "otlp")
    shown, account, _ = golden(tmp_path, to, env)
    assert account["sent"] == len(shown) and account["lost"] == {}
    got = {s["spanId"]: s for s in until(collector.spans, 20, "the Collector writes")}
    assert got.keys() == shown.keys()
    for span_id, o in shown.items():
        span = got[span_id]
        assert span["traceId"] == o["trace_id"] and span["name"] == o["name"]
        assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == o["duration_ns"]
        values = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
        assert {k: str(v) for k, v in o["attributes"].items()}.items() <= {k: str(v) for k, v in values.items()}.items()
