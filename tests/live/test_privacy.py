"""What people must be able to say: secrets that pass are in nothing that utrace writes, unless the bytes themselves were asked for.

A word of its own is planted in each place of requests and answers; then every format, table and recording (its chunks unpacked) is searched
for it, also in hexadecimal and base64. --raw, which asks for the bytes, shows that the search finds what is there.
"""
import base64
import ctypes
import ctypes.util
import itertools
import json
import re
import signal
import socket
import subprocess
import sys

import packets
import pytest
import receivers
from conftest import CLEAN, DEADLINE_S, UTRACE

SERVER = r"""
import socket, sys
l = socket.create_server(("127.0.0.1", 0)); print(l.getsockname()[1], flush=True)
body = b"zqsecretbodyofanswer" * 3
while True:
    s = l.accept()[0]
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            got = s.recv(65536)
            if not got: break
            data += got
        head, found, data = data.partition(b"\r\n\r\n")
        if not found: break
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        n = int(fields.get(b"content-length", 0))
        while len(data) < n: data += s.recv(65536)
        data = data[n:]
        s.sendall(b"HTTP/1.1 200 zqsecretreason\r\nSet-Cookie: id=zqsecretsetcookie; HttpOnly\r\nLocation: http://zqsecretuser:zqsecretlocation@x/?a=zqsecretquery\r\nETag: zqsecretetag\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (0 if head.startswith(b"HEAD") else len(body), b"" if head.startswith(b"HEAD") else body))
    s.close()
"""
CLIENT = r"""
import base64, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
secret = base64.b64encode(b"zqsecretuser:zqsecretbasic")
def ask(line, *fields, body=b"", host=b"localhost"):
    s.sendall(b"\r\n".join((line, b"Host: " + host, *fields, b"Content-Length: %d" % len(body), b"", b"")) + body)
    got = b""
    while b"\r\n\r\n" not in got: got += s.recv(65536)
    left = int(got.split(b"Content-Length: ")[1].split(b"\r\n")[0]) - len(got.partition(b"\r\n\r\n")[2])
    while left > 0: left -= len(s.recv(65536))
ask(b"GET /authorization HTTP/1.1", b"Authorization: Basic " + secret, b"Proxy-Authorization: Bearer zqsecretbearer")
ask(b"GET /cookie HTTP/1.1", b"Cookie: session=zqsecretcookie; b=2", b"X-Api-Key: zqsecretapikey", b"X-Forwarded-For: zqsecretforwarded")
ask(b"GET /query?token=zqsecretquery&zqsecretname=1#zqsecretfragment HTTP/1.1", b"Referer: http://x/?a=zqsecretreferer")
ask(b"POST /body HTTP/1.1", b"Content-Type: application/x-www-form-urlencoded", body=b"password=zqsecretbody&a=1")
ask(b"POST /long HTTP/1.1", body=b"zqsecretlongbody" * 20000)
ask(b"GET http://zqsecretuser:zqsecretuserinfo@localhost/absolute?a=zqsecretquery HTTP/1.1")
ask(b"GET http://zqsecretuser:zqsecretuserinfo@localhost HTTP/1.1")
ask(b"OPTIONS zqsecretuser:zqsecretuserinfo@localhost:443 HTTP/1.1")
ask(b"GET /host HTTP/1.1", host=b"zqsecretuser:zqsecrethost@localhost")
ask(b"GET /parameters;jsessionid=zqsecretsession/in/it;zqsecretversion?a HTTP/1.1")
ask(b"GET /folded HTTP/1.1", b"X-A: b\r\n zqsecretfolded")
ask(b"GET /bad HTTP/1.1", b"zqsecret bad line")
ask(b"GET /long/head HTTP/1.1", b"X-Long: " + b"zqsecretlonghead" * 3000)
s.close()
"""
SECRETS = [b"zqsecret"]  # all of them begin with it, and nothing else has it
KINDS = ("authorization", "cookie", "query", "body", "long", "absolute", "host", "parameters/in/it", "folded", "bad")


def forms(secret):
    """As bytes, hexadecimal, base64 at each of three places."""
    yield secret
    yield secret.hex().encode()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + b"zqsecretuser:zqsecretbasic")
        yield text[4 if shift else 0:-4]


def found(text):
    return [(form, text[max(0, at - 60):at + 60]) for secret in SECRETS for form in forms(secret) if (at := text.lower().find(form.lower())) >= 0]


def unpacked(path):
    """What the chunks of a recording hold, by zstd's own library."""
    name = ctypes.util.find_library("zstd")
    if not name:
        pytest.skip("no libzstd here")
    zstd = ctypes.CDLL(name)
    for function in ("ZSTD_findFrameCompressedSize", "ZSTD_decompress"):
        getattr(zstd, function).restype = ctypes.c_size_t
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    file, out, at = path.read_bytes(), [], 0
    while (at := file.find(b"\x28\xb5\x2f\xfd", at)) >= 0:  # RFC 8878, 3.1.1
        rest = file[at:]
        size, content = zstd.ZSTD_findFrameCompressedSize(rest, ctypes.c_size_t(len(rest))), zstd.ZSTD_getFrameContentSize(rest, ctypes.c_size_t(len(rest)))
        buffer = ctypes.create_string_buffer(min(content, 1 << 28) or 1)
        got = zstd.ZSTD_decompress(buffer, ctypes.c_size_t(len(buffer)), rest, ctypes.c_size_t(size))
        assert got == content, "a chunk that zstd does not unpack"
        out.append(buffer.raw[:got])
        at += size
    assert out
    return file + b"".join(out)


@pytest.fixture
def talked(utrace, start, tmp_path):
    """record(words): a recording of the server and the client, and what was shown live."""
    def record(*words, name="r.utr"):
        server = start(sys.executable, "-c", SERVER)
        port = int(server.line())
        recording = tmp_path / name
        live = utrace.start("req", "-p", server.pid, "--connections", "--record", recording, *words).ready()
        of_client = utrace.start("req", *words, "--record", tmp_path / f"client-{name}", command=[sys.executable, "-c", CLIENT, port]).end()
        live.end(signal.SIGINT)
        assert len([o for o in of_client.objects if o["event_type"] == "request"]) == 13
        return [recording, tmp_path / f"client-{name}"], live.out_path.read_bytes() + b"".join(repr(o).encode() for o in of_client.objects)
    return record


def formats():
    """All that there are, by the message that names them."""
    said = subprocess.run([UTRACE, "req", "--format", "none", "--", "true"], capture_output=True, env=CLEAN, text=True, check=False).stderr
    names = re.findall(r"\w+", said.partition("there are: ")[2].partition("(")[0])
    assert {"text", "json", "csv", "otlp", "zipkin"} <= set(names), said
    return names


def shown(path, how, *words):
    done = subprocess.run([UTRACE, "report", path, "req", *how, *words], capture_output=True, timeout=DEADLINE_S, env=CLEAN, check=False)
    assert done.returncode in (0, 2), done.stderr.decode()
    return done.stdout + done.stderr


def test_no_secret_is_in_anything_that_is_written(talked):
    recordings, live = talked()
    assert not found(live)
    for recording in recordings:
        assert not found(unpacked(recording)), "in the recording"
        for name, more in itertools.product(formats(), ([], ["--connections"], ["--stat"], ["--raw"])):
            assert not found(shown(recording, ["--format", name], *more)), (name, more)
        kinds = shown(recording, ["--json"])
        assert all(f"/{kind}".encode() in kinds for kind in KINDS), "it was looked for where there was something"
        requests = [json.loads(line) for line in kinds.splitlines() if b'"request"' in line]
        assert {o["attributes"]["server.address"] for o in requests if o["event_type"] == "request"} == {"localhost"}


def test_what_is_asked_for_is_there(talked):
    recordings, live = talked("--raw", name="raw.utr")
    assert found(live)
    for recording in recordings:
        assert found(unpacked(recording)) and found(shown(recording, ["--json"], "--raw"))
        assert not found(shown(recording, ["--json"])), "it is asked anew when it is shown"


def test_no_secret_of_a_capture_is_shown(start, tmp_path, ends):
    server = start(sys.executable, "-c", SERVER)
    port = int(server.line())
    dump = packets.Tcpdump(tmp_path / "x.pcap", port)
    ends.callback(dump.kill)
    subprocess.run([sys.executable, "-c", CLIENT, str(port)], check=True, timeout=DEADLINE_S)

    def ask_last(host):
        with socket.create_connection((host, port), DEADLINE_S) as s:
            s.sendall(b"GET " + packets.LAST + b" HTTP/1.0\r\n\r\n")
            s.recv(65536)
    path = dump.stop(ask=ask_last)
    assert found(path.read_bytes())
    for name in formats():
        said = shown(path, ["--format", name], "--connections")
        if b"without libpcap" in said:
            pytest.skip("this utrace was made without libpcap")
        assert not found(said), name
    assert found(shown(path, ["--json"], "--raw"))


def test_no_secret_is_sent_nor_lies_in_a_spool(utrace, start, tmp_path, ends):
    server = start(sys.executable, "-c", SERVER)
    port, spool = int(server.line()), tmp_path / "spool"
    receiver = receivers.Receiver(ends)
    here = {**CLEAN, "NO_PROXY": "127.0.0.1"}
    ways = [["--export", f"otlp+http://127.0.0.1:{receiver.port}"], ["--export", f"zipkin+http://127.0.0.1:{receiver.port}"],
            ["--export", f"otlp+http://127.0.0.1:{receivers.free_port()}", "--spool", spool]]
    for words in ways:
        seen = utrace.start("req", *words, command=[sys.executable, "-c", CLIENT, port], env=here).end()
        if "made without" in seen.stderr:
            pytest.skip("this utrace sends nothing")
        assert seen.status == 0, seen.stderr
    bodies = [r.body for r in receiver.requests]
    spooled = [p.read_bytes() for p in spool.iterdir() if p.is_file()]
    assert any(b"/authorization" in b for b in bodies) and any(b"/authorization" in b for b in spooled)
    assert not found(b"".join(bodies) + b"".join(spooled))
