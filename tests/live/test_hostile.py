"""Peers that mean no good: nothing that they send ends the tracer, makes it large, or hides what honest ones ask; each kind is counted.

The traced server reads whatever comes and answers only what is honest. The same under AddressSanitizer: UTRACE=build-asan/src/utrace.
"""
import contextlib
import os
import pathlib
import random
import signal
import socket
import sys
import time

import pytest
from conftest import DEADLINE_S
from test_req import attribute, requests_of

# Answers "GET /honest..." alone; every other connection is read to its end. One thread, epoll: it must bear what we must bear.
SERVER = r"""
import resource, selectors, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
l = socket.create_server(("127.0.0.1", 0), backlog=4096); print(l.getsockname()[1], flush=True)
sel = selectors.DefaultSelector(); sel.register(l, selectors.EVENT_READ)
l.setblocking(False)
while True:
    for key, _ in sel.select():
        if key.fileobj is l:
            try:
                while True:
                    c = l.accept()[0]; c.setblocking(False); sel.register(c, selectors.EVENT_READ)
            except BlockingIOError: pass
            continue
        try: got = key.fileobj.recv(4096)  # as much as is captured of a call
        except (BlockingIOError, InterruptedError): continue
        except OSError: got = b""
        if not got:
            sel.unregister(key.fileobj); key.fileobj.close()
        elif got.startswith(b"GET /honest"):
            key.fileobj.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        elif got.startswith(b"\0answer"):
            key.fileobj.send(got[7:])
"""
GOOD = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
ASAN = "asan" in os.environ.get("UTRACE", "")


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def truncated(port):
    """A request that ends after each of its bytes."""
    for n in range(1, len(GOOD)):
        with connect(port) as s:
            s.sendall(GOOD[:n])


def interleaved(port):
    """Forty connections, a byte of each in turn, each line ended in the middle by the other way of ending lines."""
    with contextlib.ExitStack() as stack:
        all_ = [stack.enter_context(connect(port)) for _ in range(40)]
        for i in range(len(GOOD)):
            for s in all_:
                s.sendall(GOOD[i:i + 1])


def rubbish(port):
    """Any bytes, also where a head, a length or a chunk was promised, both ways."""
    rng = random.Random(1)
    heads = [b"", b"GET ", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"\0answer",
             b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n", b"\0answerHTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"]
    for _ in range(300):
        with connect(port) as s:
            s.sendall(rng.choice(heads) + rng.randbytes(rng.choice((1, 30, 600, 5000))))


def oversized(port):
    """Heads of two megabytes: lines, one line, and ten thousand fields."""
    for head in (b"X-A: " + b"y" * 60 + b"\r\n", b"y" * 100, b"a:\r\n"):
        with connect(port) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
            piece = head * (500 // len(head))
            for _ in range((2 << 20) // len(piece)):
                s.sendall(piece)


def slow(port):
    """Six hundred connections, each with a head of 60 kB that never ends."""
    with contextlib.ExitStack() as stack:
        all_ = [stack.enter_context(connect(port)) for _ in range(600)]
        for s in all_:
            s.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n")
        for _ in range(15):
            for s in all_:
                s.sendall(b"X: " + b"y" * 3994 + b"\r\n")


def pipelined(port):
    """Twenty thousand questions that are never answered, with long targets."""
    with connect(port) as s:
        for i in range(20000):
            s.sendall(b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"x" * 1900))


def scanned(port):
    """Five thousand short connections, each to another path, or with nothing at all."""
    for i in range(5000):
        with connect(port) as s:
            if i % 2:
                s.sendall(b"GET /%x/%d.php HTTP/1.0\r\n\r\n" % (i * 2654435761 % 2**32, i))


def chunked(port):
    """A body of two hundred thousand chunks of one byte."""
    with connect(port) as s:
        s.sendall(b"POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"1\r\nx\r\n" * 680  # 4080 bytes: all is captured
        for _ in range(200_000 // 680):
            s.sendall(piece)
        s.sendall(b"0\r\n\r\n")


# What the run says of it: a pattern of its last words; None: it need not say anything.
ATTACKS = [(truncated, None), (interleaved, None), (rubbish, "times the place"), (oversized, "times the place"), (slow, "left alone"), (pipelined, "made room for others"),
           (scanned, None), (chunked, None)]


def memory_kb(pid, what):
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(what))


def ask_honestly(port, path):
    with connect(port) as s:
        s.sendall(b"GET /honest/%s HTTP/1.1\r\nHost: h\r\n\r\n" % path)
        return s.recv(100)


@pytest.mark.parametrize("attack,says", ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_what_is_sent_in_bad_faith_is_borne(utrace, start, attack, says):
    server = start(sys.executable, "-c", SERVER)
    port = int(server.line())
    live = utrace.start("req", "-p", server.pid, "--capture", "4096", "--buffer", "64M").ready()
    assert ask_honestly(port, b"before").endswith(b"ok")
    before_kb = memory_kb(live.pid, "VmRSS")
    attack(port)
    assert ask_honestly(port, b"after").endswith(b"ok")
    deadline = time.monotonic() + DEADLINE_S
    while b"/honest/after" not in live.out_path.read_bytes() and time.monotonic() < deadline:
        os.sched_yield()
    grown_kb = memory_kb(live.pid, "VmHWM") - before_kb
    seen = live.end(signal.SIGINT)
    honest = [attribute(o, "url.path") for o in requests_of(seen) if (attribute(o, "url.path") or "").startswith("/honest")]
    assert seen.status == 0 and honest == ["/honest/before", "/honest/after"]
    assert ASAN or grown_kb < 48 << 10, "32 MB of what is not whole yet, and what comes with it"
    if says and not seen.lost:
        assert says in seen.stderr


def test_a_body_of_very_many_chunks_is_counted_to_the_byte(utrace, start):
    server = start(sys.executable, "-c", SERVER)
    port = int(server.line())
    live = utrace.start("req", "-p", server.pid, "--capture", "4096", "--buffer", "64M").ready()
    with connect(port) as s:
        head = b"GET /honest/chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        s.sendall(head)
        assert s.recv(100).endswith(b"ok")
        for _ in range(300):
            s.sendall(b"1\r\nx\r\n" * 600)
        s.sendall(b"0\r\n\r\n")
    deadline = time.monotonic() + DEADLINE_S
    while b"/honest/chunks" not in live.out_path.read_bytes() and time.monotonic() < deadline:
        os.sched_yield()
    (request,) = requests_of(live.end(signal.SIGINT))
    assert (attribute(request, "http.request.body.size"), request["request_bytes"], request.get("incomplete")) == (180_000, len(head) + 300 * 3600 + 5, None)
