"""Certificates of a day for tests of TLS, made by openssl: an authority, a server at 127.0.0.1, a client; and another authority."""
import ssl
import subprocess

import workload


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 1, "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-addext", "basicConstraints=critical,CA:TRUE")


def signed(folder, name, by):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{by}.pem", "-CAkey", folder / f"{by}.key", "-days", 1,
            "-extfile", folder / "ext", "-out", folder / f"{name}.pem")


def made(folder):
    workload.needs("openssl")
    folder.mkdir()
    for name in ("ca", "other"):
        authority(folder, name)
    for name in ("server", "client"):
        signed(folder, name, "ca")
    signed(folder, "stranger", "other")
    return folder


def server_context(folder, asks_client):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if asks_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    return context
