"""Requests as spans: what OpenTelemetry's own schema and Zipkin read of a run is what JSON says of it."""
import contextlib
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

import viewer
import workload
from workload import ROOT, UTRACE, events, run, until

GOLDEN = ROOT / "tests" / "golden" / "req.utr"
ZIPKIN = "io.zipkin:zipkin-server:3.6.1:jar:exec"
OURS = ("asking_ns", "processing_ns", "answering_ns", "request_bytes", "response_bytes", "incomplete")  # fields without a place in a span

# A server and, in another process of another name, its client: over IPv4, IPv6 and a Unix socket; answers of all kinds, and none.
PROGRAM = r"""
import os, socket, sys, threading

def talk(c):
    while got := c.recv(65536):
        path = got.split()[1]
        if path == b"/gone":
            break
        c.sendall(b"HTTP/1.1 %s x\r\nContent-Length: 3\r\n\r\nabc" % path[-3:])
    c.close()

def serve(listener):
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

ends = [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0)), (socket.AF_UNIX, sys.argv[1])]
listeners = []
for family, where in ends:
    listeners.append(socket.socket(family))
    listeners[-1].bind(where)
    listeners[-1].listen()
child = os.fork()
if child:
    for listener in listeners:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    os.waitpid(child, 0)
    os._exit(0)
open("/proc/self/comm", "wb").write(b'c"\xff\xc3\xa9')
for listener in listeners:
    c = socket.socket(listener.family)
    c.connect(listener.getsockname()[:2] if listener.family != socket.AF_UNIX else sys.argv[1])
    for path in (b"/users/7/200", b"/not/404", b"/bad/500", b"/a%22\\200", b"/gone"):
        c.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\nUser-Agent: a\"b\\c \xff\xc3\xa9\r\n\r\n" % path)
        c.recv(65536)
    c.close()
"""


def shown(path, form):
    done = subprocess.run([UTRACE, "export", path, "--format", form], capture_output=True, timeout=60, env=workload.CLEAN)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()  # UTF-8, or it raises


class Recording:
    def __init__(self, path):
        self.path = path
        objects = events(shown(path, "json"))
        self.requests = {o["span_id"]: o for o in objects if o["event_type"] == "request"}


def ran(folder, suffix):
    """A run that was shown in a format and recorded: (what was shown, the recording)."""
    workload.needs_tracing()
    out, record = folder / f"live{suffix}", folder / f"live{suffix}.utr"
    done = run("req", "--record", record, "-o", out, "--", sys.executable, "-c", PROGRAM, folder / f"socket{suffix}")
    assert done.returncode == 0, done.stderr
    return out.read_text(), Recording(record)


@pytest.fixture(scope="module")
def live_otlp(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("otlp"), ".otlp.jsonl")


@pytest.fixture(scope="module")
def live_zipkin(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("zipkin"), ".zipkin.json")


@pytest.fixture(scope="module")
def live_jaeger(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("jaeger"), ".jaeger.json")


@pytest.fixture(params=["live", "recording", "golden"])
def jaeger(request):
    if request.param == "golden":
        return shown(GOLDEN, "jaeger"), Recording(GOLDEN)
    text, recording = request.getfixturevalue("live_jaeger")
    return text if request.param == "live" else shown(recording.path, "jaeger"), recording


@pytest.fixture(params=["live", "recording", "golden"])
def otlp(request):
    if request.param == "golden":
        return shown(GOLDEN, "otlp"), Recording(GOLDEN)
    text, recording = request.getfixturevalue("live_otlp")
    return text if request.param == "live" else shown(recording.path, "otlp"), recording


@pytest.fixture(params=["live", "recording", "golden"])
def zipkin(request):
    if request.param == "golden":
        return shown(GOLDEN, "zipkin"), Recording(GOLDEN)
    text, recording = request.getfixturevalue("live_zipkin")
    return text if request.param == "live" else shown(recording.path, "zipkin"), recording


def attributes_of(o):
    return {**o["attributes"], "thread.id": o["thread_id"], **{f"utrace.{name}": o[name] for name in OURS if name in o}}


def nanoseconds(timestamp):
    whole, fraction = timestamp[:-1].split(".")
    done = subprocess.run(["date", "-u", "-d", whole + "Z", "+%s"], capture_output=True, text=True, check=True)
    return int(done.stdout) * 10**9 + int(fraction)


def test_the_run_holds_what_is_to_be_tested(live_otlp):
    found = list(live_otlp[1].requests.values())
    assert {o["kind"] for o in found} == {"server", "client"} and {o["status"] for o in found} == {"unset", "error"}
    assert {o["attributes"].get("network.peer.address") for o in found} == {"127.0.0.1", "::1", None}
    assert len({o["process_id"] for o in found}) == 2 and 'c"\xff\xe9' in {o["process_name"] for o in found}
    assert len(found) == 2 * 3 * 5, "each request at both ends, the unanswered too"


# ---- otlp ----

# JSON of protobuf has bytes in base64; OTLP/HTTP says that ids are hexadecimal instead: "JSON Protobuf Encoding".
DECODE = """
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

def value(v):
    kind = v.WhichOneof("value")
    return [kind, [value(x) for x in v.array_value.values] if kind == "array_value" else getattr(v, kind)]

def attributes(all):
    assert len({a.key for a in all}) == len(all)
    return {a.key: value(a.value) for a in all}

lines = []
for line in sys.stdin.read().splitlines():
    parsed = json.loads(line)
    for span in [s for r in parsed["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span:
                span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    request = json_format.ParseDict(parsed, ExportTraceServiceRequest())
    lines.append([{"resource": attributes(r.resource.attributes), "scope": [scope.scope.name, scope.scope.version], "trace": s.trace_id.hex(),
                   "span": s.span_id.hex(), "parent": s.parent_span_id.hex(), "name": s.name, "kind": s.SpanKind.Name(s.kind),
                   "begin": s.start_time_unix_nano, "end": s.end_time_unix_nano, "attributes": attributes(s.attributes),
                   "status": s.status.StatusCode.Name(s.status.code)}
                  for r in request.resource_spans for scope in r.scope_spans for s in scope.spans])
json.dump(lines, sys.stdout)
"""


def decoded(text):
    """The spans of each line, as OpenTelemetry's own schema reads them; what it does not know raises."""
    done = subprocess.run([sys.executable, "-c", DECODE], input=text, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(viewer.fetched("otlp")), "PYTHONUTF8": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def typed(v):
    return ["string_value", v] if isinstance(v, str) else ["int_value", v]


def span_of(o, host):
    begin = nanoseconds(o["timestamp"])
    return {
        "resource": {"service.name": typed(o.get("service_name", o["process_name"])), "process.pid": typed(o["process_id"]), "host.name": typed(host)},
        "scope": ["utrace", run("version").stdout.split()[1]], "trace": o["trace_id"], "span": o["span_id"],
        "parent": o.get("parent_span_id", ""), "name": o["name"], "kind": f"SPAN_KIND_{o['kind'].upper()}", "begin": begin,
        "end": begin + o["duration_ns"], "attributes": {k: typed(v) for k, v in attributes_of(o).items()},
        "status": f"STATUS_CODE_{o['status'].upper()}",
    }


def test_spans_of_opentelemetrys_schema_are_the_requests_of_the_json(otlp):
    text, recording = otlp
    host = "golden" if recording.path == GOLDEN else os.uname().nodename
    got = {s["span"]: s for line in decoded(text) for s in line}
    assert got.keys() == recording.requests.keys() and got
    for span, o in recording.requests.items():
        assert got[span] == span_of(o, host)


def test_a_line_tells_each_resource_once(otlp):
    for line in otlp[0].splitlines():
        resources = [json.dumps(r["resource"]) for r in json.loads(line)["resourceSpans"]]
        assert len(set(resources)) == len(resources)


# ---- zipkin ----

def is_address(version):
    return lambda v: ipaddress.ip_address(v).version == version


def is_hex(pattern):
    return lambda v: re.fullmatch(f"[0-9a-f]{{{pattern}}}", v) and int(v, 16) != 0


# openzipkin/zipkin-api, zipkin2-api.yaml: the types, and the rules that stand in the descriptions.
ENDPOINT = {"serviceName": (str, len), "ipv4": (str, is_address(4)), "ipv6": (str, is_address(6)), "port": (int, lambda v: 0 < v < 65536)}
SPAN = {
    "traceId": (str, is_hex("16}|[0-9a-f]{32")), "id": (str, is_hex("16")), "parentId": (str, is_hex("16")), "name": (str, len),
    "kind": (str, ("CLIENT", "SERVER", "PRODUCER", "CONSUMER").__contains__),
    "timestamp": (int, lambda v: 10**15 < v < 10**16), "duration": (int, lambda v: v >= 1),
    "localEndpoint": (dict, lambda v: fits(v, ENDPOINT)), "remoteEndpoint": (dict, lambda v: fits(v, ENDPOINT)),
    "tags": (dict, lambda v: all(isinstance(x, str) for x in v.values())),
}


def fits(given, rules):
    """Every member is one that is known, of its type, and by its rule; an empty object stands for nothing and is left out."""
    for name, v in given.items():
        kind, rule = rules[name]
        assert type(v) is kind and rule(v), (name, v)
    return bool(given)


def no_twice(pairs):
    assert len({k for k, _ in pairs}) == len(pairs), "a name is there once"
    return dict(pairs)


def endpoint(o, side):
    address, port = (o["attributes"].get(f"network.{side}.{what}") for what in ("address", "port"))
    return {**({"ipv6" if ":" in address else "ipv4": address} if address else {}), **({"port": port} if port else {})}


def zipkin_of(o):
    begin, peer = nanoseconds(o["timestamp"]), endpoint(o, "peer")
    tags = {k: str(v) for k, v in attributes_of(o).items()}
    return {
        "traceId": o["trace_id"], "id": o["span_id"], "kind": o["kind"].upper(), "name": o["name"], "timestamp": begin // 1000,
        "duration": max(o["duration_ns"] // 1000, 1), "localEndpoint": {"serviceName": o.get("service_name", o["process_name"]), **endpoint(o, "local")},
        **({"parentId": o["parent_span_id"]} if "parent_span_id" in o else {}), **({"remoteEndpoint": peer} if peer else {}),
        "tags": {**tags, "process.pid": str(o["process_id"]), **({"error": tags["error.type"]} if o["status"] == "error" else {})},
    }


def test_zipkin_spans_keep_the_rules_and_are_the_requests_of_the_json(zipkin):
    text, recording = zipkin
    spans = json.loads(text, object_pairs_hook=no_twice)
    assert {s["id"] for s in spans} == recording.requests.keys() and len(spans) == len(recording.requests) > 0
    for span in spans:
        assert fits(span, SPAN) and {"traceId", "id"} <= span.keys()
        assert span == zipkin_of(recording.requests[span["id"]])


def zipkin_jar():
    """Zipkin's server, fetched by Maven at the first time."""
    workload.needs("java")
    jar = viewer.CACHE / ("-".join(ZIPKIN.split(":")[1:3]) + "-exec.jar")
    if jar.exists():
        return jar
    workload.needs("mvn")
    done = subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ZIPKIN}", f"-DoutputDirectory={viewer.CACHE}"],
                          capture_output=True, text=True, timeout=300)
    if done.returncode or not jar.exists():
        pytest.skip(f"{ZIPKIN} cannot be had by mvn: {(done.stdout.strip() or 'no reason given').splitlines()[0]}")
    return jar


def ask(url, data=None):
    """(status, body); no answer yet: None."""
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()
    except OSError:
        return None


@pytest.fixture(scope="module")
def zipkin_server(tmp_path_factory):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    words = [f"--armeria.ports[0].{k}={v}" for k, v in (("ip", "127.0.0.1"), ("port", port), ("protocols[0]", "http"))]
    log = tmp_path_factory.mktemp("zipkin-server") / "log"
    with contextlib.ExitStack() as ends:
        out = ends.enter_context(log.open("w"))
        server = subprocess.Popen(["java", "-Xmx300m", "-jar", zipkin_jar(), *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        ends.callback(lambda: (server.kill(), server.wait(20)))
        at = f"http://127.0.0.1:{port}"
        until(lambda: server.poll() is not None or (ask(f"{at}/health") or (0,))[0] == 200, 120, "Zipkin begins")
        assert server.poll() is None, log.read_text()
        yield at


def test_zipkin_itself_gives_back_what_we_export(zipkin, zipkin_server):
    text, recording = zipkin
    assert ask(f"{zipkin_server}/api/v2/spans", text.encode()) == (202, b"")
    for o in recording.requests.values():
        url = f"{zipkin_server}/api/v2/trace/{o['trace_id']}"
        until(lambda: ask(url)[0] == 200, 20, "the span is stored")  # it answers 202 before it has stored it
        want = zipkin_of(o)
        want["name"], want["localEndpoint"]["serviceName"] = want["name"].lower(), want["localEndpoint"]["serviceName"].lower()
        assert json.loads(ask(url)[1]) == [want]


def test_zipkin_gets_them_over_the_network(live_zipkin, zipkin_server, tmp_path):
    _, recording = live_zipkin
    env = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{zipkin_server}/api/v2/spans", "no_proxy": "*"}
    done = run("export", recording.path, "-o", tmp_path / "x.json", "--export", "zipkin", env=env)
    assert done.returncode == 0 and f"{len(recording.requests)} spans sent to {zipkin_server}/api/v2/spans, 0 lost" in done.stderr
    for o in recording.requests.values():
        url = f"{zipkin_server}/api/v2/trace/{o['trace_id']}"
        until(lambda: ask(url)[0] == 200, 20, "the span is stored")
        want = zipkin_of(o)
        want["name"], want["localEndpoint"]["serviceName"] = want["name"].lower(), want["localEndpoint"]["serviceName"].lower()
        assert json.loads(ask(url)[1]) == [want]


# ---- jaeger ----

# jaegertracing/jaeger, internal/uimodel/model.go: the members of each object, all of which its UI expects.
TRACE = {"traceID": str, "spans": list, "processes": dict, "warnings": type(None)}
JAEGER_SPAN = {"traceID": str, "spanID": str, "operationName": str, "references": list, "startTime": int, "duration": int, "processID": str,
               "logs": list, "warnings": type(None), "tags": list}
TAG_TYPES = {"string": str, "int64": int, "bool": bool, "float64": float}


def tags_of(tags):
    for tag in tags:
        assert set(tag) == {"key", "type", "value"} and type(tag["value"]) is TAG_TYPES[tag["type"]]
    return no_twice([(tag["key"], tag["value"]) for tag in tags])


def is_of(given, members):
    return given.keys() == members.keys() and all(type(given[k]) is kind for k, kind in members.items())


def test_jaeger_traces_keep_the_model_and_are_the_requests_of_the_json(jaeger):
    text, recording = jaeger
    traces = json.loads(text, object_pairs_hook=no_twice)["data"]
    assert len({t["traceID"] for t in traces}) == len(traces), "a trace is in one place"
    found = {}
    for t in traces:
        assert is_of(t, TRACE) and t["processes"].keys() == {s["processID"] for s in t["spans"]}
        for s in t["spans"]:
            assert is_of(s, JAEGER_SPAN) and s["traceID"] == t["traceID"]
            found[s["spanID"]] = (s, t["processes"][s["processID"]])
    assert found.keys() == recording.requests.keys() and found
    for span_id, o in recording.requests.items():
        span, process = found[span_id]
        assert (span["traceID"], span["operationName"], span["references"]) == (o["trace_id"], o["name"], [])
        assert (span["startTime"], span["duration"]) == (nanoseconds(o["timestamp"]) // 1000, o["duration_ns"] // 1000)
        assert tags_of(span["tags"]) == {**attributes_of(o), "span.kind": o["kind"], **({"error": True} if o["status"] == "error" else {})}
        assert process["serviceName"] == o.get("service_name", o["process_name"]) and tags_of(process["tags"])["process.pid"] == o["process_id"]
