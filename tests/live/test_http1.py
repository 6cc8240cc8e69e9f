"""The HTTP/1 parser on what real servers and clients write, beside what those say of it: access logs, http.client, http.server.

A tap between the two keeps what passes each way; tests/unit/messages.c shows what the parser makes of that.
"""
import collections
import contextlib
import http.client
import http.server
import io
import json
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import threading

import pytest
from conftest import DEADLINE_S, UTRACE

MESSAGES = pathlib.Path(UTRACE).parents[1] / "tests" / "unit" / "messages"
Exchange = collections.namedtuple("Exchange", "method target status request_bytes response_bytes request_body response_body")


class Head:
    def __init__(self, words):
        self.side, self.id, self.answers, self.offset, self.bytes = words[1], int(words[2]), int(words[3]), int(words[4]), int(words[5])
        self.method, self.target = (bytes.fromhex(w).decode("latin-1") for w in words[6:8])
        self.status, self.cut, self.interim, self.upgrade = int(words[8]), words[9] == "1", words[10] == "1", words[11]
        self.fields = [tuple(bytes.fromhex(part).decode("latin-1") for part in word.split("=")) for word in words[12:]]
        self.wire_bytes = self.body_bytes = self.end = None


class Messages:
    """What the parser made of one connection: a list of (side, what, bytes or a number)."""

    def __init__(self, steps, midway=False):
        script = b"".join(who.encode() + what.encode() + (struct.pack("<I", len(x)) + x if what == "d" else struct.pack("<I", x))
                          for who, what, x in steps)
        done = subprocess.run([MESSAGES, "http1", *(["midway"] if midway else [])], input=script, capture_output=True, check=True)
        self.heads, self.lost = [], []
        for line in done.stdout.decode().splitlines():
            words = line.split("\t")
            if words[0] == "head":
                self.heads.append(Head(words))
            elif words[0] == "lost":
                self.lost.append(line)
            else:
                head = next(h for h in reversed(self.heads) if (h.side, h.id) == (words[1], int(words[2])))
                head.wire_bytes, head.body_bytes, head.end = int(words[4]), int(words[5]), words[6]

    def of(self, side):
        return [h for h in self.heads if h.side == side and not h.interim]

    def exchanges(self):
        answers = {h.answers: h for h in self.of("<")}
        sent = collections.Counter()  # by request: with the answers before the answer, as servers count
        for head in self.heads:
            sent[head.answers] += head.wire_bytes or 0
        return [Exchange(q.method, q.target, a.status, q.wire_bytes, sent[q.id], q.body_bytes, a.body_bytes)
                for q in self.of(">") if (a := answers.get(q.id))]


class Tap:
    """Forwards connections of the loopback to @port, and keeps what passes."""

    def __init__(self, port):
        self.to, self.connections, self.threads = port, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to), DEADLINE_S)
                kept = []
                self.connections.append(kept)
                for side, source, sink in ((">", client, server), ("<", server, client)):
                    self.threads.append(threading.Thread(target=self._forward, args=(kept, side, source, sink), daemon=True))
                    self.threads[-1].start()

    @staticmethod
    def _forward(kept, side, source, sink):
        with contextlib.suppress(OSError):
            while got := source.recv(65536):
                kept.append((side, got))  # before it goes on, so that nothing is answered before it is kept
                sink.sendall(got)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        kept.append((side, None))

    def stop(self):
        """What passed; connections that are still open are waited for."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(DEADLINE_S)
        for thread in self.threads:
            thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in self.threads), "a connection is still open"
        return self.connections


def steps_of(passed, keep=None):
    """@keep: of each piece so many bytes are captured, the rest is a gap."""
    for side, piece in passed:
        if piece is None:
            yield side, "c", 0
            continue
        yield side, "s", 0
        yield side, "d", piece[:keep]
        if keep is not None and len(piece) > keep:
            yield side, "g", len(piece) - keep


def curl(*words, **more):
    subprocess.run(["curl", "-s", "--max-time", str(DEADLINE_S), *words], stdout=subprocess.DEVNULL, check=False, **more)


def say(port, text):
    """@text as it is; returns when the server has closed."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as s:
        s.sendall(text)
        while s.recv(65536):
            pass


def visit(port, folder):
    """Each way of asking that real clients have."""
    at = f"http://127.0.0.1:{port}"
    upload = folder / "upload"
    upload.write_bytes(bytes(range(256)) * 8192)
    curl(f"{at}/small.html", f"{at}/big.txt", f"{at}/missing?a=b", f"{at}/moved", f"{at}/none")
    curl("-0", f"{at}/small.html")
    curl("-I", f"{at}/small.html", f"{at}/big.txt")
    curl("--compressed", f"{at}/big.txt", f"{at}/small.html")                                # chunked
    curl("-H", "If-Modified-Since: Sat, 21 Nov 2099 00:00:00 GMT", f"{at}/big.txt", f"{at}/small.html")  # 304
    curl("-r", "5-9", f"{at}/big.txt", "--next", "-r", "0-1,4-5", f"{at}/big.txt")
    curl("-T", upload, f"{at}/put/a")                                                        # Expect: 100-continue
    curl("-T", "-", f"{at}/put/b", stdin=upload.open("rb"))                                  # a chunked request
    curl("-X", "PUT", "-d", "a=b", f"{at}/put/c", f"{at}/put/c")
    curl("-H", "Cookie: " + "x" * 9000, f"{at}/small.html", f"{at}/small.html")              # a head in pieces
    if shutil.which("wget"):
        subprocess.run(["wget", "-q", "-O", "/dev/null", f"{at}/small.html", f"{at}/big.txt"], check=False, timeout=DEADLINE_S)
    say(port, b"GET /small.html HTTP/1.1\r\nHost: x\r\n\r\n" * 20 + b"HEAD /big.txt HTTP/1.1\r\nHost: x\r\n\r\n"
              b"GET /small.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    say(port, b"GET /small.html HTTP/1.1\r\n\r\n")                                           # 400: no Host
    say(port, b"\r\nGET /small.html  HTTP/1.1\nHost: x\nConnection: close\n\n")
    say(port, b"POST /small.html HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\nabc")      # 400


@pytest.fixture
def visited(logging_nginx, tmp_path):
    """(what passed on each connection, nginx' log)."""
    port, log = logging_nginx
    tap = Tap(port)
    visit(tap.port, tmp_path)
    return tap.stop(), log()


def as_logged(e):
    return (e.method, e.target, e.status, e.request_bytes, e.response_bytes)


def differ(ours, theirs, columns):
    ours, theirs = (collections.Counter(row[:columns] for row in rows) for rows in (ours, theirs))
    return sorted((ours - theirs).elements()), sorted((theirs - ours).elements())


def test_every_request_of_the_access_log_is_a_pair_of_messages_of_its_size(visited):
    passed, log = visited
    told = [as_logged(e) for kept in passed for e in Messages(steps_of(kept)).exchanges()]
    want = [w[:5] for w in log]
    assert len(want) > 40
    assert differ(told, want, 3) == ([], [])
    # What of a refused request still counts is the server's affair.
    assert differ(*([row for row in rows if row[2] != 400] for rows in (told, want)), 5) == ([], [])


def is_whole_when_cut(kept, whole):
    """Nothing but bodies of known length lies beyond the first 1000 bytes of each piece."""
    chunked = any(("transfer-encoding", "chunked") in [(k.lower(), v) for k, v in h.fields] for h in whole.heads)
    return not chunked and not whole.lost and max(h.bytes for h in whole.heads) < 1000 and len(whole.of(">")) < 15


def test_content_that_is_not_captured_changes_no_size(visited):
    passed, _ = visited
    whole = [(kept, Messages(steps_of(kept))) for kept in passed]
    chosen = [(kept, m) for kept, m in whole if is_whole_when_cut(kept, m)]
    assert sum(e.response_body > 100000 for _, m in chosen for e in m.exchanges()) >= 2
    for kept, messages in chosen:
        cut = Messages(steps_of(kept, keep=1000))
        assert cut.exchanges() == messages.exchanges()
        assert not cut.lost


def test_attached_anywhere_no_message_is_invented(visited):
    passed, _ = visited
    for kept in passed:
        true = {(h.side, h.offset) for h in Messages(steps_of(kept)).heads}
        for begin in range(1, len(kept), max(1, len(kept) // 20)):
            before = {side: sum(len(b) for s, b in kept[:begin] if s == side and b) for side in "<>"}
            seen = Messages(steps_of(kept[begin:]), midway=True)
            assert {(h.side, h.offset + before[h.side]) for h in seen.heads} <= true


NODE = """
const http = require('http');
const server = http.createServer((q, a) => {
  let bytes = 0;
  q.on('data', d => { bytes += d.length; });
  q.on('end', () => {
    const n = parseInt(q.url.split('=')[1]);
    a.setHeader('X-Body', bytes);
    if (q.url.startsWith('/length')) a.setHeader('Content-Length', n);
    if (q.url.startsWith('/trailer')) { a.setHeader('Trailer', 'Sum'); a.addTrailers({'Sum': '1'}); }
    for (let left = n; left > 0; left -= 700) a.write('x'.repeat(Math.min(left, 700)));
    a.end();
    console.log(JSON.stringify([q.method, q.url, bytes, q.method == 'HEAD' ? 0 : n]));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


def test_chunked_messages_of_node_and_http_client_are_those_that_node_saw(start):
    if not shutil.which("node"):
        pytest.skip("no node here")
    node = start("node", "-e", NODE)
    tap = Tap(int(node.line()))
    client = http.client.HTTPConnection("127.0.0.1", tap.port, timeout=DEADLINE_S)
    asked = [("GET", "/chunked?n=0", None), ("GET", "/chunked?n=5000", None), ("GET", "/length?n=3000", None), ("HEAD", "/length?n=3000", None),
             ("POST", "/trailer?n=900", b"x" * 5000), ("POST", "/chunked?n=1", (b"y" * n for n in (1, 2, 70000))), ("HEAD", "/chunked?n=9", None)]
    for method, target, body in asked:
        client.request(method, target, body=body, encode_chunked=True, headers={} if body is None or isinstance(body, bytes) else {"Transfer-Encoding": "chunked"})
        client.getresponse().read()
    client.close()
    saw = [tuple(json.loads(node.line())) for _ in asked]
    (kept,) = tap.stop()
    told = Messages(steps_of(kept))
    assert [(e.method, e.target, e.request_body, e.response_body) for e in told.exchanges()] == saw
    assert all(h.end == "complete" for h in told.heads) and not told.lost


class Bytes:
    """A socket for http.client that has received everything already."""

    def __init__(self, received):
        self.received = received

    def makefile(self, *_):
        return io.BytesIO(self.received)


def chunks(rng, body):
    made = b""
    while body:
        n = rng.randint(1, len(body))
        made += b"%x%s\r\n%s\r\n" % (n, rng.choice((b"", b";a", b" ;a=\"b\"", b"  ")), body[:n])
        body = body[n:]
    return made + b"0\r\n" + rng.choice((b"", b"Sum: 1\r\n")) + b"\r\n"


def fields(rng, eol):
    names = ["Date", "Server", "X-A", "Set-Cookie", "ETag", "x_y", "Accept"]
    return b"".join(b"%s:%s%s%s%s" % (rng.choice(names).encode(), rng.choice((b" ", b"", b"\t ")), rng.choice((b"a", b"", b"b, c: d", b"\xe9", b"x" * 300)),
                                      rng.choice((b"", b" ")), eol) for _ in range(rng.randint(0, 8)))


def a_response(rng):
    """(bytes, whether HEAD was asked)."""
    eol, status, body = rng.choice((b"\r\n", b"\r\n", b"\n")), rng.choice((200, 200, 201, 204, 206, 301, 304, 404, 500)), bytes(rng.randint(0, 255) for _ in range(rng.randint(0, 400)))
    how, head = rng.choice(("length", "chunked", "close")), rng.random() < .2
    if status in (204, 304) and how == "chunked":
        how = "length"  # http.client waits for chunks of a 204 (9112 6.3 (1) has none)
    line = b"HTTP/1.%d %d%s" % (rng.choice((0, 1, 1)) if how == "close" else 1, status, rng.choice((b" OK", b"", b" Not at all")))
    more = {"length": b"Content-Length: %d" % len(body), "chunked": b"transfer-encoding: Chunked", "close": b"Connection: close"}[how]
    empty = head or status in (204, 304)
    text = b"" if empty else chunks(rng, body) if how == "chunked" else body
    return line + eol + fields(rng, eol) + more + eol + eol + text, head


@pytest.mark.parametrize("seed", range(10))
def test_responses_are_read_as_http_client_reads_them(seed):
    rng = random.Random(seed)
    for _ in range(10):
        sent, head = a_response(rng)
        theirs = http.client.HTTPResponse(Bytes(sent), method="HEAD" if head else "GET")
        theirs.begin()
        ask = b"%s / HTTP/1.1\r\nHost: x\r\n\r\n" % (b"HEAD" if head else b"GET")
        cut = rng.randint(0, len(sent))
        ours = Messages([(">", "d", ask), ("<", "d", sent[:cut]), ("<", "d", sent[cut:]), ("<", "c", 0)]).of("<")
        assert len(ours) == 1, sent
        (told,) = ours
        assert (told.status, told.fields, told.end) == (theirs.status, [(k, v.strip()) for k, v in theirs.getheaders()], "complete"), sent
        assert (told.body_bytes, told.wire_bytes) == (len(theirs.read()), len(sent)), sent


class Asked(http.server.BaseHTTPRequestHandler):
    """Reads one request from bytes, and answers nowhere."""

    def __init__(self, sent):  # pylint: disable=super-init-not-called
        self.rfile, self.wfile, self.client_address, self.refused = io.BytesIO(sent), io.BytesIO(), ("", 0), False
        self.raw_requestline = self.rfile.readline()
        self.good = self.parse_request()

    def log_message(self, *_):
        pass


def a_request(rng):
    good = [b"GET /a?b=c HTTP/1.1", b"POST /x HTTP/1.0", b"OPTIONS * HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"X-Y http://a/ HTTP/1.1"]
    bad = [b"GET /a b HTTP/1.1", b"GET / HTTP/1", b"GET / HTTP/2.0", b"GET / HTTP/x.y", b"GET / HTP/1.1", b"GET /", b"GET / HTTP/1.1.1"]
    eol = rng.choice((b"\r\n", b"\n"))
    return rng.choice(good * 2 + bad) + eol + fields(rng, eol) + eol


@pytest.mark.parametrize("seed", range(10))
def test_requests_are_those_that_http_server_takes(seed):
    rng = random.Random(seed)
    for _ in range(20):
        sent = a_request(rng)
        theirs, ours = Asked(sent), Messages([(">", "d", sent)]).of(">")
        accepted = theirs.good and theirs.request_version in ("HTTP/1.0", "HTTP/1.1")  # it takes 0.9, too
        assert len(ours) == accepted, sent
        if accepted:
            assert (ours[0].method, ours[0].target) == (theirs.command, theirs.path), sent
            assert ours[0].fields == [(k, v.strip()) for k, v in theirs.headers.items()], sent
