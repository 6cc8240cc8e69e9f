"""The paths of the request tests by Python's http.server: stdlib.py VERSION (HTTP/1.0 or HTTP/1.1)."""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = sys.argv[1], True

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, kind, n, _ = self.path.partition("?")[0].split("/")
        status, size = (int(n), 0) if kind == "status" else (200, int(n))
        self.send_response(status)
        chunked = kind == "chunked" and self.protocol_version == "HTTP/1.1" and self.request_version == "HTTP/1.1"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif status not in (204, 304):
            self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command == "HEAD" or status in (204, 304):
            return
        for at in range(0, size, 700):
            piece = b"x" * min(700, size - at)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
