"""Requests over TLS: what servers log and clients ask is shown as it was meant, by what their TLS libraries are given and give."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE
from test_req import KINDS, Web, attribute, of_spans, requests_of


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate for localhost and of its key, by openssl."""
    folder = tmp_path_factory.mktemp("certificate")
    folder.chmod(0o755)
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True, timeout=DEADLINE_S)
    return cert, key


def trusting(cert, version=None):
    context = ssl.create_default_context(cafile=cert)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def secure_web(tmp_path, ends, certificate, request):
    """An nginx that speaks TLS, with two workers or as many as are asked for."""
    if not shutil.which("nginx"):
        pytest.skip("no nginx here")
    server = Web(tmp_path / "web", getattr(request, "param", 2),
                 secure=f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; ssl_protocols TLSv1.2 TLSv1.3;")
    ends.callback(server.stop)
    return server


def ask(connection, words):
    for method, path, body in words:
        connection.request(method, path, body)
        connection.getresponse().read()


def talk(port, context, words, n=1):
    """@n times all of @words (method, path, body) on one connection that is kept alive."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=DEADLINE_S, context=context)
    for _ in range(n):
        ask(connection, words)
    connection.close()


def workers(web):
    return ",".join(map(str, web.workers()))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls1.2", "tls1.3"])
def test_each_line_of_the_access_log_is_a_request(utrace, secure_web, certificate, version):
    live = utrace.start("req", "-p", workers(secure_web)).ready()
    context = trusting(certificate[0], version)
    clients = [threading.Thread(target=talk, args=(secure_web.port, context, KINDS, 20)) for _ in range(4)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    logged = secure_web.logged(4 * 20 * len(KINDS))
    seen = live.end(signal.SIGINT)
    assert len(logged) == 4 * 20 * len(KINDS)
    assert not seen.lost
    logged = [(m, path, status, received + 5000 * (m == "POST"), sent) for m, path, status, received, sent in logged] # it discards the body
    assert Counter(of_spans(requests_of(seen))) == Counter(logged)
    assert {attribute(o, "url.scheme") for o in requests_of(seen)} == {"https"}


def test_what_curl_asks_is_what_nginx_answers(utrace, secure_web, certificate):
    """Both ends are traced: each request is seen twice, with the same sizes."""
    url = f"https://localhost:{secure_web.port}"
    server = utrace.start("req", "-p", workers(secure_web)).ready()
    client = utrace.start("req", command=["curl", "-s", "--cacert", certificate[0], "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
                                          f"{url}/index.html", f"{url}/big.bin", f"{url}/users/4711"]).end()
    logged = secure_web.logged(3)
    assert len(logged) == 3
    assert of_spans(requests_of(client), "client") == logged
    assert of_spans(requests_of(server.end(signal.SIGINT))) == logged
    assert {attribute(o, "url.scheme") for o in requests_of(client)} == {"https"}


def test_a_connection_that_is_open_already_is_joined(utrace, secure_web, certificate):
    connection = http.client.HTTPSConnection("localhost", secure_web.port, timeout=DEADLINE_S, context=trusting(certificate[0]))
    ask(connection, [("GET", "/index.html", None)] * 3)
    live = utrace.start("req", "-p", workers(secure_web)).ready()
    ask(connection, [("GET", "/index.html", None)] * 20)
    connection.close()
    secure_web.logged(23)
    assert of_spans(requests_of(live.end(signal.SIGINT))) == secure_web.logged(23)[3:]


def test_a_server_survives_a_tracer_that_is_killed(utrace, secure_web, certificate):
    context, connection = trusting(certificate[0]), None
    for _ in range(2):
        live = utrace.start("req", "-p", workers(secure_web)).ready()
        connection = connection or http.client.HTTPSConnection("localhost", secure_web.port, timeout=DEADLINE_S, context=context)
        ask(connection, KINDS)
        os.kill(live.pid, signal.SIGKILL)
        live.popen.wait(DEADLINE_S)
        ask(connection, KINDS) # what was open goes on
        talk(secure_web.port, context, KINDS)
    connection.close()
    assert len(secure_web.logged(6 * len(KINDS))) == 6 * len(KINDS) and secure_web.popen.poll() is None


def test_a_library_that_is_loaded_later_is_picked_up(utrace, secure_web, certificate, start):
    """A request for each line that it gets; the first may come before the probes."""
    code = ("import sys\nprint('here', flush=True)\nsys.stdin.readline()\nimport urllib.request, ssl\n"
            f"context = ssl.create_default_context(cafile='{certificate[0]}')\n"
            "for line in sys.stdin:\n"
            f"    print(urllib.request.urlopen('https://localhost:{secure_web.port}/index.html?' + line.strip(), context=context).status, flush=True)\n")
    program = start("/usr/bin/python3", "-c", code)
    assert program.line() == "here"
    live = utrace.start("req", "-p", program.pid).ready()
    program.go()
    for i in range(40):
        program.go(str(i))
        assert program.line() == "200"
    program.popen.stdin.close()
    program.wait()
    seen, logged = of_spans(requests_of(live.end()), "client"), secure_web.logged(40)
    assert len(seen) > 20 and seen == logged[-len(seen):]


def iana_name(cipher):
    """OpenSSL has names of its own before TLS 1.3."""
    rows = subprocess.run(["openssl", "ciphers", "-stdname", "-v", "ALL"], capture_output=True, text=True, check=True, timeout=DEADLINE_S).stdout
    return {row.split()[2]: row.split()[0] for row in rows.splitlines()}[cipher]


def connections_of(seen):
    return [o for o in seen.objects if o["event_type"] == "connection"]


@pytest.mark.parametrize("version,text", [(ssl.TLSVersion.TLSv1_2, "1.2"), (ssl.TLSVersion.TLSv1_3, "1.3")], ids=["tls1.2", "tls1.3"])
def test_what_was_agreed_on_is_told(utrace, secure_web, certificate, version, text):
    live = utrace.start("req", "--connections", "-p", workers(secure_web)).ready()
    context = trusting(certificate[0], version)
    context.set_alpn_protocols(["spdy/1", "http/1.1"])
    begin = time.monotonic_ns()
    with context.wrap_socket(socket.create_connection(("127.0.0.1", secure_web.port), DEADLINE_S), server_hostname="localhost") as s:
        elapsed_ns = time.monotonic_ns() - begin
        s.sendall(b"GET /index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while s.recv(65536):
            pass
        cipher, chosen, resumed = iana_name(s.cipher()[0]), s.selected_alpn_protocol(), s.session_reused
    secure_web.logged(1)
    seen = live.end(signal.SIGINT)
    (request,), (connection,) = requests_of(seen), connections_of(seen)
    assert {k: v for k, v in request["attributes"].items() if k.startswith("tls.") and k != "tls.next_protocol"} == {
        "tls.protocol.name": "tls", "tls.protocol.version": text, "tls.cipher": cipher, "tls.client.server_name": "localhost"}
    tls = connection["tls"]
    assert (tls["tls.protocol.version"], tls["tls.cipher"], tls["tls.client.server_name"]) == (text, cipher, "localhost")
    assert tls["tls.established"] and tls["tls.resumed"] == resumed and tls["offered_protocols"] == "spdy/1,http/1.1"
    assert tls.get("tls.next_protocol") == (chosen if text == "1.2" else None), "TLS 1.3 hides it"
    assert 0 < tls["handshake_ns"] < elapsed_ns


def test_a_session_that_is_resumed_is_told(utrace, secure_web, certificate):
    live = utrace.start("req", "--connections", "-p", workers(secure_web)).ready()
    context, session, resumed = trusting(certificate[0], ssl.TLSVersion.TLSv1_2), None, []
    for _ in range(3):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", secure_web.port), DEADLINE_S), server_hostname="localhost", session=session) as s:
            s.sendall(b"GET /index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while s.recv(65536):
                pass
            session = s.session
            resumed.append(s.session_reused)
    secure_web.logged(3)
    assert [c["tls"]["tls.resumed"] for c in connections_of(live.end(signal.SIGINT))] == resumed and True in resumed


@pytest.mark.parametrize("secure_web", [1], indirect=True, ids=[""])
@pytest.mark.parametrize("words,told", [
    (["--tls-max", "1.2"], {"alert": "unknown_ca", "alert_by": "peer"}),  # it does not know who signed
    (["--tls-max", "1.3"], {"alert": "unknown_ca", "alert_by": "peer"}),
    (["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"], {"alert": "handshake_failure", "alert_by": "process"}),  # the key is none of RSA
], ids=["unknown issuer", "unknown issuer, 1.3", "no common cipher"])
def test_a_handshake_that_is_refused_is_told_with_its_alert(utrace, secure_web, certificate, words, told):
    live = utrace.start("req", "-p", workers(secure_web)).ready()
    curl = subprocess.run(["curl", "-sv", *words, f"https://localhost:{secure_web.port}/"], capture_output=True, text=True, timeout=DEADLINE_S, env=CLEAN)
    assert curl.returncode in (35, 60), curl.stderr
    talk(secure_web.port, trusting(certificate[0]), KINDS) # by then the one worker has read what curl has sent
    seen = live.end(signal.SIGINT)
    (connection,) = connections_of(seen)
    assert {k: connection["tls"].get(k) for k in told} == told and not connection["tls"]["tls.established"]
    assert connection["tls"]["tls.client.server_name"] == "localhost"


# Servers: words follow that are paths of the certificate and its key; each prints its port.
SERVERS = {
    "python threads": ("/usr/bin/python3", """
import http.server, ssl, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok')
    def log_message(self, *words): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
s.socket = context.wrap_socket(s.socket, server_side=True)
print(s.server_port, flush=True)
s.serve_forever()
"""),
    "python asyncio": ("/usr/bin/python3", """
import asyncio, ssl, sys
async def serve(reader, writer):
    try:
        while await reader.readuntil(b'\\r\\n\\r\\n'):
            await asyncio.sleep(0.001)
            writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
    server = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""),
    "node": ("node", """
const fs = require('fs'), [cert, key] = process.argv.slice(-2)
require('https').createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, (request, response) => {
  setTimeout(() => response.end('ok'), 1)
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
"""),
}


def program(start, words, *more):
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]} here")
    return start(words[0], "-e" if words[0] == "node" else "-c", words[1], *more)


def talk_of_ports(port, context, n, asked):
    """@n requests on one connection, whose paths tell its port: who mistakes it for another is found out."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=DEADLINE_S, context=context)
    connection.connect()
    own = connection.sock.getsockname()[1]
    for i in range(n):
        ask(connection, [("GET", f"/{own}/{i}", None)])
        asked.append(f"/{own}/{i}")
    connection.close()


@pytest.mark.parametrize("server", SERVERS)
def test_each_request_of_a_server_is_of_its_connection(utrace, certificate, start, server):
    process = program(start, SERVERS[server], *certificate)
    port, context, asked = int(process.line()), trusting(certificate[0]), []
    live = utrace.start("req", "-p", process.pid).ready()
    for _ in range(2):  # objects of the first round are used again in the second
        clients = [threading.Thread(target=talk_of_ports, args=(port, context, 20, asked)) for _ in range(8)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
    seen = live.end(signal.SIGINT)
    requests = requests_of(seen)
    assert Counter(attribute(o, "url.path") for o in requests) == Counter(asked) and len(asked) == 320
    assert all(attribute(o, "url.path").startswith(f"/{attribute(o, 'network.peer.port')}/") for o in requests)
    assert {(attribute(o, "http.response.status_code"), attribute(o, "url.scheme")) for o in requests} == {(200, "https")}
    assert not seen.lost and not seen.summary.get("notes")


# Clients: the certificate, the port; 8 connections at a time ask 20 times each for a path that tells their own port.
CLIENTS = {
    "python asyncio": ("/usr/bin/python3", """
import asyncio, ssl, sys
async def ask(context):
    reader, writer = await asyncio.open_connection('localhost', int(sys.argv[2]), ssl=context, server_hostname='localhost', family=2)
    own = writer.get_extra_info('sockname')[1]
    for i in range(20):
        writer.write(b'GET /%d/%d HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' % (own, i))
        head = await reader.readuntil(b'\\r\\n\\r\\n')
        await reader.readexactly(int(head.lower().split(b'content-length:')[1].split(b'\\r')[0]))
    writer.close()
async def main():
    context = ssl.create_default_context(cafile=sys.argv[1])
    await asyncio.gather(*(ask(context) for _ in range(8)))
asyncio.run(main())
"""),
    "python threads": ("/usr/bin/python3", """
import http.client, ssl, sys, threading
def ask(context):
    c = http.client.HTTPSConnection('localhost', int(sys.argv[2]), context=context)
    c.connect()
    for i in range(20):
        c.request('GET', '/%d/%d' % (c.sock.getsockname()[1], i))
        c.getresponse().read()
context = ssl.create_default_context(cafile=sys.argv[1])
threads = [threading.Thread(target=ask, args=(context,)) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
"""),
    "node": ("node", """
const fs = require('fs'), https = require('https'), [cert, port] = process.argv.slice(-2)
const one = (agent, path) => new Promise((done) =>
  https.get({ agent, host: 'localhost', family: 4, port, path }, (r) => { const own = r.socket.localPort; r.resume(); r.on('end', () => done(own)) }))
async function ask() {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: fs.readFileSync(cert) })
  const own = await one(agent, '/index.html')
  for (let i = 1; i < 20; i++) await one(agent, `/${own}/${i}`)
  agent.destroy()
}
Promise.all([...Array(8)].map(ask)).then(() => process.exit(0))
"""),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_each_request_of_a_client_is_of_its_connection(utrace, secure_web, certificate, client):
    name, code = CLIENTS[client]
    if not shutil.which(name):
        pytest.skip(f"no {name} here")
    seen = utrace.start("req", command=[name, "-e" if name == "node" else "-c", code, certificate[0], secure_web.port]).end()
    requests, logged = [o for o in requests_of(seen) if o["kind"] == "client"], secure_web.logged(160)
    assert Counter(of_spans(requests, "client")) == Counter(logged) and len(logged) == 160
    assert all(attribute(o, "url.path").startswith(f"/{attribute(o, 'network.local.port')}/") for o in requests if attribute(o, "url.path") != "/index.html")
    assert not seen.lost and not seen.summary.get("notes")


def test_what_wget_asks_is_seen(utrace, secure_web, certificate):
    """By GnuTLS."""
    if not shutil.which("wget"):
        pytest.skip("no wget here")
    url = f"https://localhost:{secure_web.port}"
    words = ["wget", "-q", "--ca-certificate", certificate[0], "-O", "/dev/null", f"{url}/index.html", f"{url}/big.bin"]
    seen = requests_of(utrace.start("req", command=words).end())
    assert of_spans(seen, "client") == secure_web.logged(2) and {attribute(o, "url.scheme") for o in seen} == {"https"}


def test_what_a_client_of_nss_asks_is_seen(utrace, secure_web, tmp_path):
    if not shutil.which("tstclnt"):
        pytest.skip("no tstclnt here")
    asks = tmp_path / "asks"
    asks.write_text("GET /index.html HTTP/1.1\r\nHost: a\r\n\r\nGET /users/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    with asks.open() as stdin:
        words = ["tstclnt", "-h", "localhost", "-4", "-p", str(secure_web.port), "-D", "-o"]
        seen = requests_of(utrace.start("req", command=words, stdin=stdin).end())
    assert of_spans(seen, "client") == secure_web.logged(2) and {attribute(o, "url.scheme") for o in seen} == {"https"}


def test_nothing_of_headers_and_bodies_is_kept(utrace, secure_web, certificate, tmp_path):
    recording, secret = tmp_path / "r.utr", "Zm9yYmlkZGVu"
    live = utrace.start("req", "--connections", "-p", workers(secure_web), "--record", recording).ready()
    connection = http.client.HTTPSConnection("localhost", secure_web.port, timeout=DEADLINE_S, context=trusting(certificate[0]))
    for where in ({"Authorization": f"Basic {secret}"}, {"Cookie": f"session={secret}"}, {"X-Api-Key": secret}):
        connection.request("POST", f"/post?token={secret}", body=f"password={secret}", headers=where)
        connection.getresponse().read()
    connection.close()
    secure_web.logged(3)
    seen = live.end(signal.SIGINT)
    assert len(requests_of(seen)) == 3
    again = subprocess.run([UTRACE, "report", recording, "--json"], capture_output=True, timeout=DEADLINE_S, env=CLEAN, check=True).stdout
    assert again == live.out_path.read_bytes(), "what was shown live, the handshake too"
    raw = subprocess.run([UTRACE, "report", recording, "req", "--json", "--raw"], capture_output=True, timeout=DEADLINE_S, env=CLEAN, check=True).stdout
    for text in (again, raw, recording.read_bytes()):
        assert secret.encode() not in text and secret.encode().hex().encode() not in text


@pytest.mark.parametrize("without", ["session", "session,multi", "cookie", "ringbuf", "sock_length"])
def test_lesser_mechanisms_see_the_same(utrace, secure_web, certificate, without):
    live = utrace.start("req", "-p", workers(secure_web), env={**CLEAN, "UTRACE_WITHOUT": without}).ready()
    talk(secure_web.port, trusting(certificate[0]), KINDS, 5)
    logged = [(m, path, status, received + 5000 * (m == "POST"), sent) for m, path, status, received, sent in secure_web.logged(5 * len(KINDS))]
    assert of_spans(requests_of(live.end(signal.SIGINT))) == logged


def test_without_uprobes_the_handshake_is_told_alone(utrace, secure_web, certificate):
    live = utrace.start("req", "-p", workers(secure_web), env={**CLEAN, "UTRACE_WITHOUT": "uprobe,multi"}).ready()
    talk(secure_web.port, trusting(certificate[0]), KINDS)
    secure_web.logged(len(KINDS))
    seen = live.end(signal.SIGINT)
    (connection,) = connections_of(seen)
    assert not requests_of(seen) and connection["tls"]["tls.established"] and "the plaintext of TLS needs uprobes" in seen.stderr


def test_a_process_that_begins_to_unwind_goes_on_being_seen(utrace, secure_web, certificate):
    """From then on the ends of calls are seen at their RETs: a return probe would end it."""
    code = ("import ctypes, http.client, ssl\n"
            f"c = http.client.HTTPSConnection('localhost', {secure_web.port}, context=ssl.create_default_context(cafile='{certificate[0]}'))\n"
            "for i in range(20):\n"
            "    if i == 10: ctypes.CDLL('libgcc_s.so.1')\n"
            "    c.request('GET', '/%d' % i); c.getresponse().read()\n")
    seen = utrace.start("req", command=["/usr/bin/python3", "-c", code]).end()
    assert of_spans(requests_of(seen), "client") == secure_web.logged(20) and seen.status == 0



def test_a_server_is_named_behind_much_else(utrace, secure_web):
    """As clients write it that mix their extensions, one of them large: keys for a time of quantum computers."""
    def vector(width, text):
        return len(text).to_bytes(width, "big") + text
    name = vector(2, b"\0" + vector(2, b"behind.example"))
    extensions = b"\0\x15" + vector(2, bytes(1200)) + b"\0\0" + vector(2, name)
    hello = b"\3\3" + bytes(32) + vector(1, b"") + vector(2, b"\xc0\x2b") + vector(1, b"\0") + vector(2, extensions)
    live = utrace.start("req", "-p", workers(secure_web)).ready()
    with socket.create_connection(("127.0.0.1", secure_web.port), DEADLINE_S) as s:
        s.sendall(b"\x16\3\1" + vector(2, b"\1" + vector(3, hello)))
        while s.recv(65536):
            pass
    assert [c["tls"]["tls.client.server_name"] for c in connections_of(live.end(signal.SIGINT))] == ["behind.example"]
