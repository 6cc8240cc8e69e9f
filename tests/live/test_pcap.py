"""Captures by tcpdump: their requests are those of the server's log and of tshark, whatever the capture has done to the packets."""
import collections
import datetime
import http.client
import json
import random
import shutil
import struct
import subprocess
import sys
import threading

import packets
import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE
from test_req import KINDS, Web, attribute, of_spans, talk

WITHOUT = "made without libpcap"


class Shown:
    def __init__(self, path, *words, command=("req",)):
        done = subprocess.run([UTRACE, "report", path, *command, "--json", *words], capture_output=True, timeout=DEADLINE_S, env=CLEAN, check=False)
        self.stderr, self.status = done.stderr.decode(), done.returncode
        if WITHOUT in self.stderr:
            pytest.skip("this utrace was made without libpcap")
        assert self.status == 0, self.stderr
        self.objects = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.requests = [o for o in self.objects if o["event_type"] == "request" and attribute(o, "url.path") != packets.LAST.decode()]
        self.connections = [o for o in self.objects if o["event_type"] == "connection"]
        self.notes = self.objects[-1].get("notes", [])

    def rows(self):
        return of_spans(self.requests)

    def times(self):
        return [(o["timestamp"], o["duration_ns"], o["processing_ns"], o["answering_ns"]) for o in self.requests]


@pytest.fixture
def web(tmp_path, ends):
    if not shutil.which("nginx"):
        pytest.skip("no nginx here")
    server = Web(tmp_path / "web")
    ends.callback(server.stop)
    return server


@pytest.fixture
def dump(tmp_path, ends):
    def start(port, *words, **more):
        d = packets.Tcpdump(tmp_path / f"{port}.pcap", port, *words, **more)
        ends.callback(d.kill)
        return d
    return start


def logged(web, n):
    """As the log has them, but that nginx does not count bodies that it throws away, and without the last request of the capture."""
    rows = [row for row in web.logged(n + 1) if row[1] != packets.LAST.decode()]
    assert len(rows) == n
    return collections.Counter((m, path, status, received + 5000 * (m == "POST"), sent) for m, path, status, received, sent in rows)


@pytest.fixture
def visited(web, dump):
    """(capture, the server's log)"""
    d = dump(web.port)
    clients = [threading.Thread(target=talk, args=(web.port, KINDS, 10)) for _ in range(3)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    subprocess.run(["curl", "-s", "-0", *[f"http://127.0.0.1:{web.port}/index.html?a=b", "-o", "/dev/null"] * 3], check=True, timeout=DEADLINE_S)
    path = d.stop()
    return path, logged(web, 3 * 10 * len(KINDS) + 3)


def test_each_line_of_the_access_log_is_a_request_of_the_capture(visited):
    path, log = visited
    seen = Shown(path)
    assert collections.Counter(seen.rows()) == log
    assert not seen.notes and {o["kind"] for o in seen.requests} == {"server"}
    assert not any(o.get("incomplete") for o in seen.requests)
    assert Shown(path, command=()).rows() == seen.rows(), "requests are what a capture is shown as"


def tshark(path, port, *fields, only="http"):
    if not shutil.which("tshark"):
        pytest.skip("no tshark here")
    words = [w for f in fields for w in ("-e", f)]
    out = subprocess.run(["tshark", "-n", "-r", path, "-d", f"tcp.port=={port},http", "-Y", only, "-T", "fields", *words], capture_output=True, timeout=60, check=True,
                         text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def us_of(epoch):
    """Microseconds; tshark writes nine places."""
    seconds, fraction = epoch.split(".")
    return int(seconds) * 10**6 + int(fraction[:6])


def seen_by_tshark(path, port):
    """(client's port, method, path, status, when the answer's last byte passed, when the question's did) of each request, in microseconds."""
    asked, answered = collections.defaultdict(list), collections.defaultdict(list)
    for ports, method, uri, status, epoch in tshark(path, port, "tcp.port", "http.request.method", "http.request.uri", "http.response.code", "frame.time_epoch",
                                                    only="http.request || http.response"):
        client = next(p for p in map(int, ports.split(",")) if p != port)
        if method:
            asked[client].append((method, uri, us_of(epoch)))
        else:
            answered[client].append((int(status), us_of(epoch)))
    # In the order of each connection: an answer may come before the body of its question, where tshark's http.request_in is empty.
    return [(client, method, uri.split("?")[0], status, end, begin) for client, questions in asked.items()
            for (method, uri, begin), (status, end) in zip(questions, answered[client]) if uri != packets.LAST.decode()]


def test_requests_are_those_that_tshark_sees(visited, web):
    path, _ = visited
    theirs = seen_by_tshark(path, web.port)
    ours = [(attribute(o, "network.peer.port"), attribute(o, "http.request.method"), attribute(o, "url.path"), attribute(o, "http.response.status_code"), *ends_us(o))
            for o in Shown(path).requests]
    assert len(theirs) == 183
    assert sorted(ours) == sorted(theirs)


def ns_of(timestamp):
    date, fraction = timestamp.rstrip("Z").split(".")
    return int(datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc).timestamp()) * 10**9 + int(fraction)


def ends_us(o):
    """When the last byte of the answer passed, and of the question."""
    begin = ns_of(o["timestamp"])
    return (begin + o["duration_ns"]) // 1000, (begin + o["asking_ns"]) // 1000


@pytest.mark.parametrize("change", packets.CHANGES)
def test_what_a_capture_does_to_packets_changes_no_request(visited, tmp_path, change):
    path, log = visited
    seen = Shown(packets.changed(path, tmp_path / "changed.pcap", change))
    assert collections.Counter(seen.rows()) == log
    if change in ("twice", "VLAN", "IPv6", "raw", "cooked", "cooked, version 2", "BSD loopback", "OpenBSD loopback"):
        assert seen.times() == Shown(path).times()


@pytest.mark.parametrize("form", ["pcapng", "big-endian", "nanoseconds"])
def test_the_form_of_the_file_does_not_matter(visited, tmp_path, form):
    path, log = visited
    other = tmp_path / "other"
    link, frames = packets.read(path)
    if form == "pcapng":
        if not shutil.which("editcap"):
            pytest.skip("no editcap here")
        subprocess.run(["editcap", "-F", "pcapng", path, other], check=True, timeout=DEADLINE_S)
    else:
        packets.write(other, link, frames, order=">" if form == "big-endian" else "<", nanoseconds=form == "nanoseconds")
    assert (collections.Counter(Shown(other).rows()), Shown(other).times()) == (log, Shown(path).times())


def test_any_interface_is_captured_as_well(web, dump):
    d = dump(web.port, interface="any")
    talk(web.port, KINDS, 5)
    assert collections.Counter(Shown(d.stop()).rows()) == logged(web, 5 * len(KINDS))


def test_bodies_need_not_be_captured(web, dump):
    d = dump(web.port, "-s", "600")
    talk(web.port, KINDS, 5)
    seen = Shown(d.stop())
    assert collections.Counter(seen.rows()) == logged(web, 5 * len(KINDS))
    assert d.path.stat().st_size < 300_000


def test_what_was_not_captured_is_marked_and_nothing_is_invented(visited, tmp_path):
    path, log = visited
    link, frames = packets.read(path)
    for seed in range(8):
        rng = random.Random(seed)
        lossy = Shown(packets.write(tmp_path / "lossy.pcap", link, [f for f in frames if rng.random() > .03]))
        whole = collections.Counter(of_spans([o for o in lossy.requests if not o.get("incomplete")]))
        asked = collections.Counter((m, p) for m, p, *_ in lossy.rows())
        assert asked <= collections.Counter((m, p) for m, p, *_ in log.elements())
        assert sum((whole - log).values()) == 0, "what is told as whole is as it was"
        assert sum(whole.values()) > 130 and any("not in the capture" in n for n in lossy.notes)


def test_a_capture_that_begins_late_joins_what_is_open(visited, tmp_path):
    path, log = visited
    link, frames = packets.read(path)
    whole = Shown(path)
    for begin in range(10, len(frames), len(frames) // 6):
        late = Shown(packets.write(tmp_path / "late.pcap", link, frames[begin:]))
        times = {(o["timestamp"], *row) for o, row in zip(whole.requests, whole.rows())}
        seen = {(o["timestamp"], *row) for o, row in zip(late.requests, late.rows()) if not o.get("incomplete")}
        first = frames[begin][0]
        assert seen <= times
        missing = [t for t in times - seen if ns_of(t[0]) > first + 10**9]
        assert not missing


def test_the_server_is_who_answers_where_no_beginning_was_captured(visited, tmp_path):
    """Ports exchanged, so that the server's is the higher one."""
    path, log = visited
    link, frames = packets.read(path)
    port = max(collections.Counter(struct.unpack_from(">H", f, 36)[0] for _, _, f in frames).items(), key=lambda kv: kv[1])[0]
    out = []
    for ns, wire, f in frames:
        ends = [65535 if p == port else p % 20000 + 1024 for p in struct.unpack_from(">HH", f, 34)]
        if not f[47] & 2:
            out.append((ns, wire, f[:34] + struct.pack(">HH", *ends) + f[38:]))
    seen = Shown(packets.write(tmp_path / "turned.pcap", link, out))
    assert collections.Counter(seen.rows()) == log
    assert {(o["kind"], attribute(o, "server.port"), attribute(o, "network.local.port")) for o in seen.requests} == {("server", 65535, 65535)}


IPV6 = """
import http.server, socket
class S(http.server.HTTPServer): address_family = socket.AF_INET6
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'until the end')
s = S(('::1', 0), H)
print(s.server_port, flush=True)
s.serve_forever()
"""


def test_ipv6_and_an_answer_that_ends_with_its_connection(start, dump):
    server = start(sys.executable, "-c", IPV6, stderr=subprocess.DEVNULL)
    port = int(server.line())
    d = dump(port)
    for i in range(3):
        connection = http.client.HTTPConnection("::1", port, timeout=DEADLINE_S)
        connection.request("GET", f"/{i}")
        assert connection.getresponse().read() == b"until the end"
        connection.close()
    seen = Shown(d.stop("::1"), "--connections")
    assert [(attribute(o, "url.path"), attribute(o, "http.response.body.size"), attribute(o, "network.peer.address"), o.get("incomplete")) for o in seen.requests] == \
        [(f"/{i}", 13, "::1", None) for i in range(3)]
    assert [(c["local_address"], c["end"]) for c in seen.connections[:3]] == [(f"[::1]:{port}", "closed")] * 3


@pytest.fixture
def lossy_path(ends, start):
    """Two network namespaces of ours, 10.9.0.1 and 10.9.0.2, with a link between them that loses, repeats, delays and reorders packets."""
    names = [f"utrace-{random.randrange(1 << 30):x}-{side}" for side in "ab"]
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True, timeout=DEADLINE_S)
            ends.callback(subprocess.run, ["ip", "netns", "del", name], check=False, capture_output=True)
    except (subprocess.CalledProcessError, FileNotFoundError) as why:
        pytest.skip(f"no network namespaces here: {getattr(why, 'stderr', why)}")
    link = start(sys.executable, "-c", LINK, *names)
    if (said := link.line()) != "ready":
        pytest.skip(f"no tun here: {said}")
    return names


LINK = """
import fcntl, heapq, os, random, select, struct, subprocess, sys, time
fds = []
for i, name in enumerate(sys.argv[1:]):
    with open(f'/run/netns/{name}') as ns:
        os.setns(ns.fileno(), os.CLONE_NEWNET) if hasattr(os, 'setns') else __import__('ctypes').CDLL(None).setns(ns.fileno(), 0x40000000)
    try:
        fd = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH14x', b'tun0', 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    except OSError as why:
        print(why, flush=True); sys.exit()
    subprocess.run(['ip', 'addr', 'add', f'10.9.0.{i + 1}/24', 'dev', 'tun0'], check=True)
    subprocess.run(['ip', 'link', 'set', 'tun0', 'up'], check=True)
    fds.append(fd)
print('ready', flush=True)
rng, queue, n = random.Random(1), [], 0
while True:
    wait = max(0, queue[0][0] - time.monotonic()) if queue else None
    ready = select.select(fds, [], [], wait)[0]
    while queue and queue[0][0] <= time.monotonic():
        _, _, to, packet = heapq.heappop(queue)
        os.write(to, packet)
    for fd in ready:
        packet = os.read(fd, 65536)
        if packet[0] >> 4 != 4: continue
        for _ in range(0 if rng.random() < .04 else 2 if rng.random() < .04 else 1):
            n += 1
            heapq.heappush(queue, (time.monotonic() + rng.choice((.001, .001, .001, .006)), n, fds[fd == fds[0]], packet))
"""
CLIENT = """
import http.client, sys
port = int(sys.argv[1])
c = http.client.HTTPConnection("10.9.0.2", port, timeout=60)
for i in range(40):
    c.request(*(("GET", f"/{i}?n={i * 700}") if i % 3 else ("POST", f"/{i}?n={i * 100}", b"x" * i * 500)))
    print(*(i % 3 and "GET" or "POST", f"/{i}", 200, i % 3 == 0 and i * 500 or 0, len(c.getresponse().read())))
c.request("GET", sys.argv[2])
c.getresponse().read()
"""
SERVER = """
import http.server
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        n = int(self.path.partition('=')[2] or 0)
        self.send_response(200); self.send_header('Content-Length', str(n)); self.end_headers(); self.wfile.write(b'x' * n)
    do_POST = do_GET
    def log_message(self, *words): pass
s = http.server.ThreadingHTTPServer(('10.9.0.2', 0), H)
print(s.server_port, flush=True)
s.serve_forever()
"""


def test_packets_that_are_lost_repeated_and_reordered_on_their_way(start, dump, lossy_path):
    asking, inside = (["ip", "netns", "exec", name] for name in lossy_path)
    server = start(*inside, sys.executable, "-c", SERVER)
    port = int(server.line())
    d = dump(port, before=inside, interface="tun0")
    told = []

    def ask(_):
        told.append(subprocess.run([*asking, sys.executable, "-c", CLIENT, str(port), packets.LAST.decode()], check=True, capture_output=True, timeout=60, text=True).stdout)
    path = d.stop(ask=ask)
    if shutil.which("tshark"):
        assert tshark(path, port, "frame.number", only="tcp.analysis.retransmission || tcp.analysis.out_of_order"), "nothing was lost on the way"
    assert packets.read(path)[0] == packets.RAW
    seen = Shown(path)
    assert [(attribute(o, "http.request.method"), attribute(o, "url.path"), attribute(o, "http.response.status_code"), attribute(o, "http.request.body.size"),
             attribute(o, "http.response.body.size")) for o in seen.requests] == [(m, p, int(s), int(a), int(b)) for m, p, s, a, b in map(str.split, told[0].splitlines())]
    assert not any(o.get("incomplete") for o in seen.requests) and not seen.notes


def test_filters_formats_and_times_are_those_of_recordings(visited, tmp_path):
    path, log = visited
    everything = Shown(path)
    some = [o for o in everything.requests if attribute(o, "http.response.status_code") == 404]
    assert len(Shown(path, "--status", "404").requests) == len(some)
    rows = {o["name"]: o["requests"] for o in Shown(path, "--stat").objects if o["event_type"] == "request_stat"}
    assert rows == collections.Counter(o["name"] for o in everything.objects if o["event_type"] == "request")
    middle = sorted(o["timestamp"] for o in everything.requests)[90]
    later = Shown(path, "--since", middle)
    assert [o["timestamp"] for o in later.requests] == [o["timestamp"] for o in everything.requests if o["timestamp"] >= middle]
    otlp = tmp_path / "x.otlp.json"
    subprocess.run([UTRACE, "export", path, "-o", otlp], check=True, timeout=DEADLINE_S, env=CLEAN, capture_output=True)
    spans = [s for line in otlp.read_text().splitlines() for r in json.loads(line)["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
    assert len(spans) == len(everything.requests) + 1


@pytest.mark.parametrize("words,says", [(("func",), "it holds requests alone"), (("req", "-p", "1"), "belong to no process"), (("req", "-n", "nginx"), "belong to no process")])
def test_what_packets_cannot_tell_is_refused(tmp_path, words, says):
    path = packets.write(tmp_path / "x.pcap", packets.ETHERNET, [])
    done = subprocess.run([UTRACE, "report", path, *words], capture_output=True, text=True, timeout=DEADLINE_S, env=CLEAN, check=False)
    assert done.returncode == 2 and says in done.stderr


def test_a_file_that_is_cut_or_of_another_kind_is_said_to_be_so(visited, tmp_path):
    path, _ = visited
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(path.read_bytes()[:-30])
    seen = Shown(cut)
    assert len(seen.requests) > 100 and any("in the middle of a packet" in n for n in seen.notes)
    other = packets.write(tmp_path / "other.pcap", 105, [])  # 802.11
    done = subprocess.run([UTRACE, "report", other], capture_output=True, text=True, timeout=DEADLINE_S, env=CLEAN, check=False)
    assert done.returncode == 1 and "IEEE802_11" in done.stderr
    assert "none of the 0 packets is TCP" in Shown(packets.write(tmp_path / "empty.pcap", packets.ETHERNET, [])).notes[0]
