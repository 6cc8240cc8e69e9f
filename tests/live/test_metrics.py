"""Metrics of requests: what OpenTelemetry's schema, the Collector and Prometheus read is what the JSON of the same run counts."""
import collections
import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

import receivers
import workload
from workload import ROOT, UTRACE, events, run, until
from test_send import NO_PROXY, sent, summary_of

PROGRAM = r"""
import socket, sys, threading, time
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    c = listener.accept()[0]
    while got := c.recv(65536):
        path = got.split()[1]
        time.sleep(0.03 if path == b"/slow" else 0)
        c.sendall(b"HTTP/1.1 %s x\r\nContent-Length: 2\r\n\r\nhi" % (b"500" if path == b"/bad" else b"200"))
threading.Thread(target=serve, daemon=True).start()
c = socket.create_connection(listener.getsockname())
for i in range(40):
    for ask in ("GET /users/%d" % i, "POST /users/%d" % i, "BREW /pot", "GET /bad", *(["GET /slow"] if i % 20 == 0 else [])):
        c.sendall(f"{ask} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        c.recv(65536)
print("done", flush=True)
if sys.argv[1:]:
    sys.stdin.readline()
"""
KNOWN = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}


def series_of(o):
    """Name and attributes of the metric that counts this request, by the semantic conventions."""
    a = o["attributes"]
    names = ["http.response.status_code", "error.type"] + (["server.address", "server.port"] if o["kind"] == "client" else ["http.route", "url.scheme"])
    method = a["http.request.method"]
    return f"http.{o['kind']}.request.duration", frozenset({"http.request.method": method if method in KNOWN else "_OTHER", **{k: a[k] for k in names if k in a}}.items())


def durations(path):
    """Of a run that was shown as JSON: each series with the seconds of its requests."""
    found = collections.defaultdict(list)
    for o in events(path.read_text(), "request"):
        found[series_of(o)].append(o["duration_ns"] / 1e9)
    return found


def must_count(point, seconds):
    """A point of an exponential histogram holds these values."""
    assert point["unit"] == "s" and point["count"] == len(seconds) == point["zero"] + sum(n for _, _, n in point["buckets"])
    assert point["sum"] == pytest.approx(sum(seconds)) and point["min"] == min(seconds) and point["max"] == max(seconds)
    assert point["since"] < point["time"]
    for low, high, n in point["buckets"]:
        assert sum(low * (1 - 1e-9) < s <= high * (1 + 1e-9) for s in seconds) >= n > 0


def test_points_of_opentelemetrys_schema_are_the_requests_of_the_json(tmp_path, ends):
    workload.needs_tracing()
    receiver, out = receivers.Receiver(ends), tmp_path / "out.json"
    done = sent("req", "--export", f"otlp+http://127.0.0.1:{receiver.port}", "--signals", "metrics", "-o", out, "--", sys.executable, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert {r.path for r in receiver.requests} == {"/v1/metrics"}
    got = {(p["name"], frozenset(p["attributes"].items())): p for r in receiver.requests for p in receivers.points(r.body)}
    want = durations(out)
    assert got.keys() == want.keys() and len(want) == 9
    shown = {o["trace_id"]: o for o in events(out.read_text(), "request")}
    for series, seconds in want.items():
        must_count(got[series], seconds)
        assert all(series_of(shown[trace]) == series and value * 1e9 == pytest.approx(shown[trace]["duration_ns"]) for trace, _, value in got[series]["exemplars"])
        assert got[series]["exemplars"]
    assert summary_of(out)[0] == {"to": f"http://127.0.0.1:{receiver.port}/v1/metrics", "signal": "metrics", "sent": 9, "spooled": 0, "lost": {}}


def test_metrics_are_sent_while_the_run_goes_on_and_stat_counts_the_same(tmp_path, ends):
    workload.needs_tracing()
    receiver, table = receivers.Receiver(ends), tmp_path / "table.json"
    env = {**NO_PROXY, "OTEL_METRIC_EXPORT_INTERVAL": "300"}
    words = ["req", "--stat", "--export", f"otlp+http://127.0.0.1:{receiver.port}", "--signals", "metrics", "-o", table, "--", sys.executable, "-c", PROGRAM, "wait"]
    with workload.started(UTRACE, *words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as utrace:
        assert utrace.stdout.readline() == "done\n"
        until(lambda: len(receiver.requests) >= 3, 20, "metrics come again and again")
        assert utrace.communicate("\n", timeout=30)[0] == "" and utrace.returncode == 0
    last = receivers.points(receiver.requests[-1].body)
    rows = {(o["kind"], o["name"]): o["requests"] for o in events(table.read_text(), "request_stat")}
    assert sum(p["count"] for p in last if "server" in p["name"]) == sum(n for (kind, _), n in rows.items() if kind == "server") == 162
    first = {(p["name"], *sorted(map(str, p["attributes"].items()))): p for p in receivers.points(receiver.requests[0].body)}
    for p in last:  # sums since the same beginning
        key = (p["name"], *sorted(map(str, p["attributes"].items())))
        assert key not in first or (first[key]["since"] == p["since"] and first[key]["count"] <= p["count"])


@pytest.mark.parametrize("wire", ["http", "grpc"])
def test_the_collector_has_the_points_of_the_json(tmp_path, ends, wire):
    workload.needs_tracing()
    collector, out = receivers.Collector(ends, tmp_path), tmp_path / "out.json"
    done = sent("req", "--export", f"otlp+{wire}://127.0.0.1:{getattr(collector, wire)}", "-o", out, "--", sys.executable, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert [(x["signal"], x["lost"]) for x in summary_of(out)] == [("traces", {}), ("metrics", {})]
    want, got = durations(out), {}
    for r in until(lambda: [json.loads(line) for line in collector.file.read_text().splitlines() if "resourceMetrics" in line], 20, "the Collector writes"):
        for metric in [m for resource in r["resourceMetrics"] for scope in resource["scopeMetrics"] for m in scope["metrics"]]:
            for p in metric["exponentialHistogram"]["dataPoints"]:
                attributes = {a["key"]: int(a["value"]["intValue"]) if "intValue" in a["value"] else a["value"]["stringValue"] for a in p["attributes"]}
                got[metric["name"], frozenset(attributes.items())] = p
    assert got.keys() == want.keys()
    for series, seconds in want.items():
        assert int(got[series]["count"]) == len(seconds) and got[series]["sum"] == pytest.approx(sum(seconds))
        assert sum(map(int, got[series]["positive"]["bucketCounts"])) == len(seconds)


def test_a_receiver_without_metrics_is_asked_once_and_nothing_is_lost(tmp_path, ends):
    good = (200, {"Content-Type": "application/x-protobuf"}, b"")
    receiver = receivers.Receiver(ends, lambda n, r: (404, {}, b"") if r.path == "/v1/metrics" else good)
    out = tmp_path / "out.json"
    done = sent("export", ROOT / "tests" / "golden" / "req.utr", "-o", out, "--export", f"otlp+http://127.0.0.1:{receiver.port}")
    assert done.returncode == 0, done.stderr
    assert [x["lost"] for x in summary_of(out)] == [{}, {}] and "no more of this is sent" in done.stderr


# ---- Prometheus ----

def scraped(port, accept=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read()


@pytest.fixture
def scrape(tmp_path):
    """A run that has seen all of its requests and still serves: (port, what it shows)."""
    workload.needs_tracing()
    port, out = receivers.free_port(), tmp_path / "out.json"
    words = ["req", "--listen", port, "-o", out, "--", sys.executable, "-c", PROGRAM, "wait"]
    with workload.started(UTRACE, *words, env=NO_PROXY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as utrace:
        assert utrace.stdout.readline() == "done\n"
        until(lambda: sum(int(n) for n in re.findall(rb"_count\{.*\} (\d+)", scraped(port)[1])) == 2 * 162, 20, "all requests are counted")
        until(lambda: out.read_text().count('"service_name"') == 2 * 162, 20, "all requests are shown")
        yield port, out
        utrace.communicate("\n", timeout=30)


LINE = re.compile(r'^(\w+?)_(bucket|sum|count)\{(.*?)\} (\S+)(?: # \{trace_id="(\w{32})",span_id="(\w{16})"\} (\S+) (\S+))?$')


def as_label(attribute):
    return attribute.replace(".", "_")


def test_a_scrape_counts_the_requests_of_the_json(scrape):
    port, out = scrape
    kind, text = scraped(port)
    assert kind.startswith("text/plain; version=0.0.4")
    got = collections.defaultdict(dict)
    for line in text.decode().splitlines():
        if not line.startswith("#"):
            name, what, labels, value = LINE.match(line).groups()[:4]
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            got[name, frozenset((k, v) for k, v in labels.items() if k not in ("le", "service_name"))][what, labels.get("le")] = float(value)
    want = {(f"{as_label(name)}_seconds", frozenset((as_label(k), str(v)) for k, v in attributes)): s for (name, attributes), s in durations(out).items()}
    assert got.keys() == want.keys()
    for series, seconds in want.items():
        for (what, le), value in got[series].items():
            assert value == pytest.approx(sum(seconds) if what == "sum" else sum(s <= float(le or "inf") for s in seconds))


def test_openmetrics_has_exemplars_that_are_requests(scrape):
    port, out = scrape
    kind, text = scraped(port, "application/openmetrics-text; version=1.0.0, text/plain;q=0.1")
    assert kind.startswith("application/openmetrics-text; version=1.0.0") and text.endswith(b"\n# EOF\n")
    shown = {o["span_id"]: o for o in events(out.read_text(), "request")}
    found = [m for m in map(LINE.match, text.decode().splitlines()) if m and m[5]]
    assert len(found) >= 9
    for m in found:
        o, le = shown[m[6]], float(dict(re.findall(r'(\w+)="([^"]*)"', m[3]))["le"])
        assert o["trace_id"] == m[5] and float(m[7]) == pytest.approx(o["duration_ns"] / 1e9) and float(m[7]) <= le


def test_promtool_has_no_complaint(scrape):
    workload.needs("promtool")
    text = scraped(scrape[0])[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()


def test_prometheus_itself_reads_classic_and_native_histograms(scrape, tmp_path, ends):
    workload.needs("prometheus")
    port, out = scrape
    own, config = receivers.free_port(), tmp_path / "prometheus.yml"
    config.write_text(f"scrape_configs: [{{job_name: u, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]")
    log = ends.enter_context((tmp_path / "prometheus.log").open("w"))
    server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{own}",
                               "--enable-feature=native-histograms"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ends.callback(lambda: (server.kill(), server.wait(20)))

    def query(expression):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{own}/api/v1/query?query={urllib.parse.quote(expression)}", timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return None

    def counts(expression):
        return {frozenset((k, v) for k, v in r["metric"].items() if k not in ("__name__", "instance", "job", "service_name")): float(r["value"][1]) for r in query(expression)}

    until(lambda: query("http_server_request_duration_seconds"), 60, "Prometheus scrapes")
    want = {frozenset((as_label(k), str(v)) for k, v in attributes): s for (name, attributes), s in durations(out).items() if "server" in name}
    native = counts("histogram_count(http_server_request_duration_seconds)")
    assert native == {k: len(s) for k, s in want.items()}
    last, first = (counts(f"histogram_quantile({q}, http_server_request_duration_seconds)") for q in (1, 0))
    for labels, seconds in want.items():  # the bounds of the outermost buckets hold what is in them
        assert first[labels] <= min(seconds) * (1 + 1e-9) and last[labels] >= max(seconds) * (1 - 1e-9)
    median = counts("histogram_quantile(0.5, http_server_request_duration_seconds)")
    for labels, seconds in want.items():
        middle = sorted(seconds)
        assert middle[(len(middle) - 1) // 2] * 0.8 <= median[labels] <= middle[len(middle) // 2] * 1.25


def test_other_paths_and_methods_are_refused_and_a_port_that_is_taken_is_told(scrape):
    port, _ = scrape
    for url, data, status in (("/", None, 404), ("/metrics", b"x", 405)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{url}", data), timeout=10)
        assert refused.value.code == status
    done = run("req", "--listen", port, "--", "true")
    assert done.returncode == 125 and "cannot be listened on" in done.stderr and len(done.stderr.splitlines()) == 1
