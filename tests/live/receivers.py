"""Receivers of spans and metrics that the tests send to: one of our own that does what it is told, and the OpenTelemetry Collector.

The Collector is built once by its own builder from Go modules, into a cache outside the tree; what cannot be had skips the test with a word.
"""
import gzip
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

import viewer
import workload
from workload import free_port, until

VERSION, STABLE = "v0.155.0", "v1.61.0"
BUILDER = f"go.opentelemetry.io/collector/cmd/builder@{VERSION}"
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
COLLECTOR = f"""
dist: {{name: otelcol, output_path: OUT}}
receivers: [{{gomod: go.opentelemetry.io/collector/receiver/otlpreceiver {VERSION}}}]
exporters: [{{gomod: {CONTRIB}/exporter/fileexporter {VERSION}}}]
providers:
- {{gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider {STABLE}}}
- {{gomod: go.opentelemetry.io/collector/confmap/provider/envprovider {STABLE}}}
"""


# ---- a receiver of our own ----

class Request:
    def __init__(self, handler, body):
        self.path, self.headers, self.body = handler.path, {k.lower(): v for k, v in handler.headers.items()}, body
        if self.headers.get("content-encoding") == "gzip":
            self.body = gzip.decompress(body)


class Receiver:
    """Answers as it is told: @answer(n, request) gives (status, headers, body) for the n-th request from 0; a body may be an iterator."""

    def __init__(self, ends, answer=lambda n, request: (200, {"Content-Type": "application/x-protobuf"}, b""), tls=None, port=0):
        self.requests, self.lock = [], threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = Request(self, self.rfile.read(int(self.headers["Content-Length"])))
                with receiver.lock:
                    receiver.requests.append(request)
                    n = len(receiver.requests) - 1
                status, headers, body = answer(n, request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if isinstance(body, bytes):
                    self.send_header("Content-Length", str(len(body)))
                else:
                    self.close_connection = True
                self.end_headers()
                for piece in [body] if isinstance(body, bytes) else body:
                    try:
                        self.wfile.write(piece)
                    except OSError:
                        return

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        ends.callback(self.server.server_close)
        ends.callback(self.server.shutdown)

    def spans(self):
        return [s for r in self.requests for s in decoded(r.body)]


DECODE = """
import json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.KIND.v1.KIND_service_pb2 import NAME
request = NAME()
request.ParseFromString(sys.stdin.buffer.read())
assert not request.FindInitializationErrors()
found = []
def value(v):
    kind = v.WhichOneof("value")
    return [value(x) for x in v.array_value.values] if kind == "array_value" else getattr(v, kind)
def attributes(all):
    assert len({a.key for a in all}) == len(all)
    return {a.key: value(a.value) for a in all}
"""
TRACES = """
for r in request.resource_spans:
    for scope in r.scope_spans:
        for s in scope.spans:
            found.append({"resource": attributes(r.resource.attributes), "scope": [scope.scope.name, scope.scope.version], "trace_id": s.trace_id.hex(),
                "span_id": s.span_id.hex(), "parent": s.parent_span_id.hex(), "name": s.name, "kind": s.SpanKind.Name(s.kind), "begin": s.start_time_unix_nano,
                "end": s.end_time_unix_nano, "attributes": attributes(s.attributes), "status": s.status.StatusCode.Name(s.status.code)})
json.dump(found, sys.stdout)
"""


def by_schema(program, data):
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(viewer.fetched("otlp")), "PYTHONUTF8": "1"})
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def decoded(body):
    """The spans of a request, as OpenTelemetry's own schema reads them; what it does not know raises."""
    return by_schema(DECODE.replace("KIND", "trace").replace("NAME", "ExportTraceServiceRequest") + TRACES, body)


# ---- the Collector ----

def go(*words, **kwargs):
    return subprocess.run(["go", *words], capture_output=True, text=True, timeout=1200, **kwargs)


def build_collector(folder):
    (folder / "build.yaml").write_text(COLLECTOR.replace("OUT", str(folder / "source")))
    env = {**os.environ, "GOBIN": str(folder), "GOWORK": "off"}
    done = go("install", BUILDER, cwd=folder, env=env)
    if done.returncode == 0:  # it writes the sources; what it thinks of the modules then is not asked
        subprocess.run([folder / "builder", "--config", folder / "build.yaml", "--skip-compilation"], capture_output=True, timeout=600, env=env)
        done = go("mod", "tidy", "-e", cwd=folder / "source", env=env)
    if done.returncode == 0:
        done = go("build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "otelcol"), ".", cwd=folder / "source", env=env)
    return None if (folder / "otelcol").exists() else (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]


def collector_binary():
    path = viewer.CACHE / f"otelcol-{VERSION}"
    if path.exists():
        return path
    workload.needs("go")
    part = viewer.CACHE / f"otelcol.{os.getpid()}"
    part.mkdir(parents=True)
    why = build_collector(part)
    if not why:
        (part / "otelcol").rename(path)
    shutil.rmtree(part, ignore_errors=True)
    if why:
        pytest.skip(f"the OpenTelemetry Collector {VERSION} cannot be had by go: {why}")
    return path


class Collector:
    """The Collector: OTLP over HTTP and gRPC into a file of JSON."""

    def __init__(self, ends, folder, tls=None):
        self.file, self.http, self.grpc = folder / "collected.jsonl", free_port(), free_port()
        config, log = folder / "collector.yaml", folder / "collector.log"
        security = f"tls: {json.dumps(tls)}" if tls else ""
        config.write_text(f"""
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{self.http}", {security}}}, grpc: {{endpoint: "127.0.0.1:{self.grpc}", {security}}}}}}}}}
exporters: {{file: {{path: "{self.file}", flush_interval: 100ms}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}, metrics: {{receivers: [otlp], exporters: [file]}}}}
""")
        out = ends.enter_context(log.open("w"))
        process = subprocess.Popen([collector_binary(), "--config", f"file:{config}"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        ends.callback(lambda: (process.kill(), process.wait(20)))
        until(lambda: process.poll() is not None or "Everything is ready" in log.read_text(), 60, "the Collector begins")
        assert process.poll() is None, log.read_text()

    def spans(self):
        lines = [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []
        return [{**s, "resource": r["resource"]} for line in lines for r in line.get("resourceSpans", []) for scope in r["scopeSpans"] for s in scope["spans"]]


POINTS = """
for r in request.resource_metrics:
    for scope in r.scope_metrics:
        for m in scope.metrics:
            assert m.WhichOneof("data") == "exponential_histogram" and m.exponential_histogram.aggregation_temporality == 2
            for p in m.exponential_histogram.data_points:
                base, low = 2 ** (2 ** -p.scale), p.positive.offset
                found.append({"name": m.name, "unit": m.unit, "resource": attributes(r.resource.attributes), "attributes": attributes(p.attributes),
                    "since": p.start_time_unix_nano, "time": p.time_unix_nano, "count": p.count, "sum": p.sum, "min": p.min, "max": p.max, "zero": p.zero_count,
                    "buckets": [[base ** (low + i), base ** (low + i + 1), n] for i, n in enumerate(p.positive.bucket_counts) if n],
                    "exemplars": [[x.trace_id.hex(), x.span_id.hex(), x.as_double] for x in p.exemplars]})
json.dump(found, sys.stdout)
"""


def points(body):
    """The points of a request with metrics, as OpenTelemetry's own schema reads them; buckets as [above, up to, count]."""
    return by_schema(DECODE.replace("KIND", "metrics").replace("NAME", "ExportMetricsServiceRequest") + POINTS, body)
