"""What passes on sockets, as utrace req tells it, against what the programs at both ends say themselves."""
import collections
import json
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from conftest import CLEAN, DEADLINE_S, Nginx

# Both ends of a connection in one program. Each call that passed bytes is noted: which end, in which direction, how many, the first 512.
ENDS = r'''
import json, os, select, socket, sys, threading
family, way = sys.argv[1:3]
log = {"server": [], "client": []}

def note(end, direction, data):
    log[end].append([direction, len(data), bytes(data[:512]).hex()])

def pattern(n, seed):
    return bytes((i * 7 + seed + (i >> 8)) & 255 for i in range(n))

def sent(end, data, n):
    note(end, "sent", data[:n])
    return n

def pieces(data):
    return [memoryview(data)[:2], memoryview(data)[2:14], memoryview(data)[14:14], memoryview(data)[14:]]

def send_send(s, end, data): return sent(end, data, s.send(data))
def send_write(s, end, data): return sent(end, data, os.write(s.fileno(), data))
def send_writev(s, end, data): return sent(end, data, os.writev(s.fileno(), pieces(data)))
def send_sendmsg(s, end, data): return sent(end, data, s.sendmsg(pieces(data)))
def send_pwritev2(s, end, data): return sent(end, data, os.writev(s.fileno(), [data]))

def recv_recv(s, end, n):
    data = s.recv(n); data and note(end, "received", data); return data
def recv_read(s, end, n):
    data = os.read(s.fileno(), n); data and note(end, "received", data); return data
def scattered(n):
    return [bytearray(min(3, n)), bytearray(max(0, n - 3))]
def recv_readv(s, end, n):
    bufs = scattered(n); got = os.readv(s.fileno(), bufs); data = b"".join(bufs)[:got]; data and note(end, "received", data); return data
def recv_recvmsg(s, end, n):
    bufs = scattered(n); got = s.recvmsg_into(bufs)[0]; data = b"".join(bufs)[:got]; data and note(end, "received", data); return data
def recv_peek(s, end, n):
    s.recv(n, socket.MSG_PEEK); s.recv(1, socket.MSG_PEEK); return recv_recv(s, end, n)
def recv_small(s, end, n):
    return recv_recv(s, end, min(n, 5))
def recv_epoll(s, end, n):
    s.setblocking(False)
    while True:
        try:
            return recv_recv(s, end, n)
        except BlockingIOError:
            e = select.epoll(); e.register(s, select.EPOLLIN); e.poll(); e.close()

ways = {"send": (send_send, recv_recv), "write": (send_write, recv_read), "writev": (send_writev, recv_readv), "sendmsg": (send_sendmsg, recv_recvmsg),
        "peek": (send_send, recv_peek), "partial": (send_send, recv_small), "epoll": (send_send, recv_epoll)}
send_one, recv_one = ways[way]

def send_all(s, end, data):
    while data:
        try:
            data = data[send_one(s, end, data):]
        except BlockingIOError:
            select.select([], [s], [])

def recv_all(s, end, n):
    while n:
        n -= len(recv_one(s, end, n))

SIZES = [1, 15, 300, 513, 5000, 100000] if way != "partial" else [1, 4, 23]
def serve(listener):
    s = listener.accept()[0]
    for i, n in enumerate(SIZES):
        recv_all(s, "server", n)
        send_all(s, "server", pattern(n, 100 + i))
    assert s.recv(1) == b""
    s.close()

def connect(s, listener):
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    for i, n in enumerate(SIZES):
        send_all(s, "client", pattern(n, i))
        recv_all(s, "client", n)
    s.close()
    thread.join()

AF = {"inet": socket.AF_INET, "inet6": socket.AF_INET6, "mapped": socket.AF_INET6, "unix": socket.AF_UNIX, "abstract": socket.AF_UNIX}[family]
listener = socket.socket(AF)
if family == "mapped":
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.bind({"inet": ("127.0.0.1", 0), "inet6": ("::1", 0), "mapped": ("::", 0), "unix": os.path.join(sys.argv[3], "own"), "abstract": "\0utrace-%d" % os.getpid()}[family])
listener.listen()
client = socket.socket(socket.AF_INET if family == "mapped" else AF)
address = listener.getsockname()
if family == "mapped":
    address = ("127.0.0.1", address[1])
def name(address):
    if isinstance(address, tuple):
        return ("[%s]:%d" if ":" in address[0] else "%s:%d") % address[:2]
    return "@" + address[1:].decode() if isinstance(address, bytes) else address
client.connect(address)
names = {"server": name(address), "client": name(client.getsockname()) if AF != socket.AF_UNIX else None}
connect(client, listener)
print(json.dumps({"log": log, "names": names}))
'''


class Seen:
    def __init__(self, seen):
        assert seen.status == 0, seen.stderr
        self.summary = seen.summary
        self.connections = [o for o in seen.objects if o["event_type"] == "connection"]
        self.segments = collections.defaultdict(list)
        for o in seen.objects:
            if o["event_type"] == "segment":
                self.segments[o["connection_id"]].append(o)

    def of(self, role):
        found = [c for c in self.connections if c.get("role") == role]
        assert len(found) == 1, self.connections
        return found[0]

    def calls(self, connection):
        return [[s["direction"], s["bytes"], s.get("payload", "")] for s in self.segments[connection["connection_id"]]]

    def stream(self, connection, direction):
        """Bytes by sequence number."""
        return {(s["tcp_sequence"] + i) & 0xffffffff: s["payload"][2 * i:2 * i + 2]
                for s in self.segments[connection["connection_id"]] if s["direction"] == direction for i in range(len(s["payload"]) // 2)}


@pytest.fixture(autouse=True, params=["", "sock_length"], ids=["lengths", "exits"])
def without(request, monkeypatch):
    """By the tracepoints of sockets, and on kernels that lack them."""
    if request.param:
        monkeypatch.setitem(CLEAN, "UTRACE_WITHOUT", ",".join(filter(None, [CLEAN.get("UTRACE_WITHOUT"), request.param])))
    return request.param


@pytest.fixture
def req(utrace):
    def run(*words, seconds=DEADLINE_S, **kwargs):
        return Seen(utrace.start("req", "--connections", *words, **kwargs).end(seconds=seconds))
    return run


def run_ends(req, tmp_path, family, way, *words):
    program = tmp_path / "ends.py"
    program.write_text(ENDS)
    out = tmp_path / "said.json"
    seen = req(*words, command=["sh", "-c", f"exec {sys.executable} {program} {family} {way} {tmp_path} > {out}"])
    return json.loads(out.read_text()), seen


WAYS = ["send", "write", "writev", "sendmsg", "peek", "partial", "epoll"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", ["inet", "inet6", "mapped", "unix", "abstract"])
def test_every_call_is_told_with_its_bytes(req, tmp_path, family, way):
    if family not in ("inet", "unix") and way not in ("send", "sendmsg"):
        pytest.skip("the way is tried with the other families")
    said, seen = run_ends(req, tmp_path, family, way, "--raw")
    for end in ("server", "client"):
        assert seen.calls(seen.of(end)) == said["log"][end]


@pytest.mark.parametrize("family", ["inet", "inet6", "mapped", "unix", "abstract"])
def test_a_connection_tells_who_it_was_and_how_much_passed(req, tmp_path, family):
    said, seen = run_ends(req, tmp_path, family, "send")
    assert not seen.segments
    for end, other in (("server", "client"), ("client", "server")):
        c = seen.of(end)
        total = collections.Counter()
        for direction, n, _ in said["log"][end]:
            total[direction] += n
            total[direction + " calls"] += 1
        assert (c["received_bytes"], c["sent_bytes"], c["receives"], c["sends"]) == \
            (total["received"], total["sent"], total["received calls"], total["sent calls"])
        assert c.get("local_address") == said["names"][end] or end == "client"
        if family not in ("unix", "abstract"):
            assert (c["local_address"], c["peer_address"], c["end"]) == (said["names"][end], said["names"][other], "closed")
    assert seen.of("client")["peer_address"] == said["names"]["server"]


@pytest.mark.parametrize("family", ["inet", "inet6", "mapped"])
def test_both_ends_join_by_sequence_numbers(req, tmp_path, family):
    said, seen = run_ends(req, tmp_path, family, "partial", "--raw")
    for sender, receiver in (("client", "server"), ("server", "client")):
        there, here = seen.stream(seen.of(sender), "sent"), seen.stream(seen.of(receiver), "received")
        assert there == here and len(there) == sum(n for d, n, _ in said["log"][sender] if d == "sent")


def test_no_more_is_captured_than_asked_for(req, tmp_path):
    said, seen = run_ends(req, tmp_path, "inet", "send", "--raw", "--capture", "4096")
    most = max(len(payload) // 2 for _, _, payload in seen.calls(seen.of("client")))
    assert most == 4096
    _, seen = run_ends(req, tmp_path, "inet", "send", "--raw", "--capture", "3")
    assert [p for _, _, p in seen.calls(seen.of("client"))] == [payload[:6] for _, _, payload in said["log"]["client"]]


# A client and a server apart, told what to do line by line.
PEER = r'''
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(s.getsockname()[1], flush=True)
for line in sys.stdin:
    word, n = line.split()
    if word == "send": s.sendall(b"x" * int(n))
    elif word == "recv":
        left = int(n)
        while left: left -= len(s.recv(left))
    elif word == "rest": s.recv(int(n))
    elif word == "half": s.shutdown(socket.SHUT_WR)
    elif word == "close": s.close()
    print("done", flush=True)
'''


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s


def tell(process, *lines):
    for line in lines:
        process.go(line)
        assert process.line() == "done"


def test_a_connection_that_was_open_before_is_joined(utrace, start, listening):
    client = start(sys.executable, "-c", PEER, listening.getsockname()[1])
    port = int(client.line())
    server = listening.accept()[0]
    server.sendall(b"y" * 70)
    tell(client, "send 100", "recv 70")
    live = utrace.start("req", "--connections", "-p", client.pid).ready()
    server.sendall(b"y" * 7)
    tell(client, "recv 7", "send 10", "close 0")
    client.popen.stdin.close()
    seen = Seen(live.end())
    assert [(c["role"], c["local_address"], c["sent_before_bytes"], c["received_before_bytes"], c["sent_bytes"], c["received_bytes"])
            for c in seen.connections] == [("client", f"127.0.0.1:{port}", 100, 70, 10, 7)]


def test_the_server_of_a_connection_that_was_open_before_is_known(utrace, start):
    server = start(sys.executable, "-c", r'''
import socket, sys
l = socket.create_server(("127.0.0.1", 0)); print(l.getsockname()[1], flush=True)
s = l.accept()[0]; s.recv(10); s.sendall(b"12345"); print("done", flush=True)
sys.stdin.readline(); s.recv(10); s.sendall(b"123"); s.close()
''')
    with socket.create_connection(("127.0.0.1", int(server.line()))) as client:
        client.sendall(b"123")
        server.line()
        live = utrace.start("req", "--connections", "-p", server.pid).ready()
        client.sendall(b"12")
        server.go()
        server.wait()
        c = Seen(live.end()).of("server")
    assert (c["received_before_bytes"], c["sent_before_bytes"], c["received_bytes"], c["sent_bytes"], c["end"]) == (3, 5, 2, 3, "closed")


def test_a_server_that_is_late_is_told_how_late(utrace, start):
    server = start(sys.executable, "-c", r'''
import socket, sys, time
l = socket.create_server(("127.0.0.1", 0)); print(l.getsockname()[1], flush=True)
sys.stdin.readline(); s = l.accept()[0]; before = time.monotonic_ns(); s.recv(10); print(before, time.monotonic_ns(), flush=True); s.close()
''')
    port = int(server.line())
    live = utrace.start("req", "-p", server.pid).ready()
    began = time.monotonic_ns()
    with socket.create_connection(("127.0.0.1", port)) as client:
        ended = time.monotonic_ns()
        client.sendall(b"123")
        server.go()
        before, after = map(int, server.line().split())
        server.wait()
    late = Seen(live.end()).of("server")["unread_ns"]
    assert before - ended - 1000 <= late <= after - began  # the kernel counts in microseconds


def test_bytes_after_a_half_close_are_counted(utrace, start, listening):
    client = start(sys.executable, "-c", PEER, listening.getsockname()[1])
    client.line()
    server = listening.accept()[0]
    live = utrace.start("req", "--connections", "-p", client.pid).ready()
    tell(client, "send 5", "half 0")
    assert server.recv(100) == b"xxxxx"
    server.sendall(b"z" * 33)
    server.close()
    tell(client, "recv 33", "close 0")
    client.popen.stdin.close()
    c = Seen(live.end()).of("client")
    assert (c["sent_bytes"], c["received_bytes"], c["end"]) == (5, 33, "closed")


def test_the_end_that_is_read_with_the_last_bytes_is_none_of_them(utrace, start, listening):
    client = start(sys.executable, "-c", PEER, listening.getsockname()[1])
    client.line()
    server = listening.accept()[0]
    live = utrace.start("req", "--connections", "-p", client.pid).ready()
    server.sendall(b"123")
    server.close()
    tell(client, "recv 2", "rest 100", "close 0")
    client.popen.stdin.close()
    c = Seen(live.end()).of("client")
    assert (c["received_bytes"], c.get("lost_bytes")) == (3, None)


def test_a_reset_and_a_refusal_are_told(req, listening, tmp_path):
    port = listening.getsockname()[1]
    free = socket.create_server(("127.0.0.1", 0))
    refused = free.getsockname()[1]
    free.close()

    def reset_it():
        s = listening.accept()[0]
        s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
    thread = threading.Thread(target=reset_it)
    thread.start()
    seen = req(command=[sys.executable, "-c", f"""
import socket
with socket.create_connection(("127.0.0.1", {port})) as s:
    s.send(b"x")
    try: s.recv(1)
    except ConnectionResetError: pass
try: socket.create_connection(("127.0.0.1", {refused}))
except ConnectionRefusedError: pass
"""])
    thread.join()
    assert [(c["peer_address"], c["end"], c["error"], c["sent_bytes"]) for c in seen.connections] == \
        [(f"127.0.0.1:{port}", "reset", "ECONNRESET", 1), (f"127.0.0.1:{refused}", "failed", "ECONNREFUSED", 0)]


def test_what_is_spliced_from_a_socket_is_known_to_be_missing(req, listening, without):
    port = listening.getsockname()[1]

    def feed():
        s = listening.accept()[0]
        s.sendall(b"a" * 40)
        s.recv(1)
        s.sendall(b"b" * 9)
        s.close()
    thread = threading.Thread(target=feed)
    thread.start()
    # os.splice is there from Python 3.10 on
    seen = req("--raw", command=[sys.executable, "-c", f"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
s = socket.create_connection(("127.0.0.1", {port}))
r, w = os.pipe()
s.recv(4)
left = 36
while left: left -= libc.splice(s.fileno(), None, w, None, ctypes.c_size_t(left), 0)
s.send(b"x")
s.recv(9)
s.close()
"""])
    thread.join()
    c = seen.of("client")
    if without:  # the call itself is seen
        assert (c["received_bytes"], c.get("lost_bytes")) == (49, None)
        return
    assert (c["received_bytes"], c["lost_bytes"]) == (49, 36)
    assert [(s["offset"], s["bytes"], s.get("lost_before_bytes")) for s in seen.segments[c["connection_id"]] if s["direction"] == "received"] == \
        [(0, 4, None), (40, 9, 36)]


# A receive that waits in an io_uring is done when the same thread, in write(), has sent what it waits for.
URING = r"""
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
static int ring;
static char *sq, *cq;
static struct io_uring_sqe *sqes;
static struct io_uring_params p;
static unsigned at(char *base, unsigned offset) { return __atomic_load_n((unsigned *)(base + offset), __ATOMIC_ACQUIRE); }
static void submit(int op, int fd, char *buffer, unsigned n)
{
	unsigned tail = at(sq, p.sq_off.tail), i = tail & at(sq, p.sq_off.ring_mask);
	memset(&sqes[i], 0, sizeof(*sqes));
	sqes[i].opcode = op; sqes[i].fd = fd; sqes[i].addr = (unsigned long)buffer; sqes[i].len = n;
	((unsigned *)(sq + p.sq_off.array))[i] = i;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0);
}
static int result(void)
{
	unsigned head = at(cq, p.cq_off.head);
	if (head == at(cq, p.cq_off.tail)) syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	int r = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))[head & at(cq, p.cq_off.ring_mask)].res;
	__atomic_store_n((unsigned *)(cq + p.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return r;
}
int main(void)
{
	static char a[700], b[1000];
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	if ((ring = syscall(SYS_io_uring_setup, 8, &p)) < 0) return 77;
	sq = mmap(0, p.sq_off.array + p.sq_entries * 4, 3, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), 3, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(0, p.sq_entries * sizeof(*sqes), 3, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	bind(l, (void *)&addr, len); listen(l, 1); getsockname(l, (void *)&addr, &len);
	connect(c, (void *)&addr, len);
	int s = accept(l, NULL, NULL), ok = 1;
	memset(a, 'A', sizeof(a));
	submit(IORING_OP_RECV, s, b, sizeof(b));
	ok &= write(c, a, 700) == 700 && result() == 700;
	submit(IORING_OP_SEND, c, a, 300);
	ok &= result() == 300 && read(s, b, sizeof(b)) == 300;
	close(c); close(s);
	return !ok;
}
"""


def test_io_uring_is_told_by_sizes_and_never_by_the_buffers_of_others(utrace, built, without):
    live = utrace.start("req", "--connections", "--raw", command=[built(URING)]).end()
    if live.status == 77:
        pytest.skip("no io_uring here")
    seen = Seen(live)
    a = "41" * 512
    if without:  # no call with a descriptor: known by what TCP has counted, when another follows
        assert (seen.of("server")["received_bytes"], seen.of("server")["received_before_bytes"], seen.of("client")["sent_bytes"]) == (300, 700, 700)
        return
    for role, expected in (("server", [["received", 700, None, "foreign"], ["received", 300, a[:600], None]]),
                           ("client", [["sent", 700, a, None], ["sent", 300, None, "foreign"]])):
        told = seen.segments[seen.of(role)["connection_id"]]
        assert [[s["direction"], s["bytes"], s.get("payload"), s.get("missing")] for s in told] == expected


class Site(Nginx):
    """One whose log tells the bytes of each request, by the client's port."""

    def __init__(self, folder, workers, listen):
        super().__init__(folder, workers, log="$remote_port $request_length $bytes_sent", http="sendfile on;", listen=listen)
        (folder / "html" / "big").write_bytes(bytes(range(256)) * 4000)

    def sums(self):
        """Requests, bytes received and sent of each client port."""
        sums = collections.defaultdict(lambda: [0, 0, 0])
        for port, received, sent in (map(int, words) for words in self.logged()):
            for i, n in enumerate((1, received, sent)):
                sums[port][i] += n
        return sums


def load_by_curl(site):  # and no POST: a body that nginx throws away is not in its $request_length
    for path in ("index.html", "big", "nothing"):
        subprocess.run(["curl", "-s", *[f"http://127.0.0.1:{site.port}/{path}", "-o", "/dev/null"] * 5], check=True, timeout=DEADLINE_S)


def load_by_wrk(site):
    subprocess.run(["wrk", "-t1", "-c8", "-d1s", f"http://127.0.0.1:{site.port}/index.html"], check=True, timeout=DEADLINE_S, stdout=subprocess.DEVNULL)


def load_by_short_connections(site):
    subprocess.run(["wrk", "-t1", "-c8", "-d1s", "-H", "Connection: close", f"http://127.0.0.1:{site.port}/index.html"], check=True, timeout=DEADLINE_S,
                   stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("load", [load_by_curl, load_by_wrk, load_by_short_connections], ids=["curl", "wrk", "short"])
@pytest.mark.parametrize("workers,listen", [(1, ""), (2, "reuseport")], ids=["one", "reuseport"])
def test_bytes_of_each_connection_are_those_of_the_access_log(utrace, start_nginx, load, workers, listen):
    for needed in ("curl", "wrk"):
        if not shutil.which(needed):
            pytest.skip(f"no {needed} here")
    site = start_nginx(kind=Site, workers=workers, listen=listen)
    live = utrace.start("req", "--connections", "-p", ",".join(map(str, site.workers()))).ready()
    load(site)
    site.stop()
    seen = Seen(live.end())
    told = collections.defaultdict(lambda: [0, 0])
    for c in seen.connections:
        if c.get("transport") == "tcp":
            sums = told[int(c["peer_address"].rsplit(":")[-1])]
            sums[0] += c["received_bytes"]
            sums[1] += c["sent_bytes"]
    logged = site.sums()
    assert not any(seen.summary["lost"].values()) and sum(n for n, _, _ in logged.values()) >= 15
    assert told == {port: [received, sent] for port, (_, received, sent) in logged.items()}


def test_others_are_left_alone(req, tmp_path, start, listening):
    """The other end of a traced program's connection is nobody's business."""
    echo = start(sys.executable, "-c", r'''
import socket
l = socket.create_server(("127.0.0.1", 0)); print(l.getsockname()[1], flush=True)
s = l.accept()[0]
while got := s.recv(100): s.sendall(got)
''')
    port = echo.line()
    seen = req("--raw", command=[sys.executable, "-c", f"import socket; s = socket.create_connection(('127.0.0.1', {port})); s.sendall(b'hello'); s.recv(5)"])
    assert len(seen.connections) == 1 and seen.connections[0]["role"] == "client"
    assert echo.pid not in {s["process_id"] for segments in seen.segments.values() for s in segments}


def test_what_was_lost_is_known_to_the_byte(req, listening):
    port = listening.getsockname()[1]

    def swallow():
        s = listening.accept()[0]
        while s.recv(1 << 20):
            pass
    thread = threading.Thread(target=swallow)
    thread.start()
    seen = req("--raw", "--capture", "4096", "--buffer", "64k", command=[sys.executable, "-c", f"""
import socket
s = socket.create_connection(("127.0.0.1", {port}))
for i in range(20000): s.sendall(b"x" * 4000)
s.close()
"""], seconds=60)
    thread.join()
    c = seen.of("client")
    told = sum(s["bytes"] for s in seen.segments[c["connection_id"]])
    assert c["sent_bytes"] == 80000000
    assert c["lost_bytes"] == 80000000 - told > 0
    assert seen.summary["lost"]["ring_full"] * 4000 >= c["lost_bytes"]
