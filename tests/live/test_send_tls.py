"""Sending with TLS: to those alone whose certificate is trusted, and with a certificate of our own where it is asked for."""
import sys

import pytest

import certificates
import receivers
import workload
from test_send import PROGRAM, golden, sent, summary_of
from workload import events, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return certificates.made(tmp_path_factory.mktemp("tls") / "made")


def files(folder, ca="ca", client=None):
    env = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(folder / f"{ca}.pem")} if ca else {}
    if client:
        env.update({"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(folder / f"{client}.pem"), "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(folder / f"{client}.key")})
    return env


@pytest.mark.parametrize("asks_client", [False, True])
def test_a_trusted_receiver_gets_the_spans(tmp_path, ends, folder, asks_client):
    receiver = receivers.Receiver(ends, tls=certificates.server_context(folder, asks_client))
    shown, account, _ = golden(tmp_path, f"otlp+https://127.0.0.1:{receiver.port}", files(folder, client="client" if asks_client else None))
    assert account["sent"] == len(shown) == len(receiver.spans()) and account["to"].startswith("https://")


DISTRUST = {  # what the sender has, whether the receiver asks for a certificate
    "unknown authority": (dict(ca="other"), False),
    "authorities of the system alone": (dict(ca=None), False),
    "no certificate of ours": (dict(), True),
    "a certificate of a stranger": (dict(client="stranger"), True),
}


@pytest.mark.parametrize("kind", DISTRUST)
def test_without_trust_nothing_is_sent(tmp_path, ends, folder, kind):
    workload.needs_tracing()
    own, asks_client = DISTRUST[kind]
    receiver, out = receivers.Receiver(ends, tls=certificates.server_context(folder, asks_client)), tmp_path / "out.json"
    words = ["req", "--signals", "traces", "--export", f"otlp+https://127.0.0.1:{receiver.port}", "-o", out, "--", sys.executable, "-c", PROGRAM, 3]
    done = sent(*words, env=files(folder, **own))
    assert done.returncode == 0, done.stderr
    assert not receiver.requests and summary_of(out)[0]["lost"] == {"at_end": 6} and "cannot be reached" in done.stderr
    assert len(events(out.read_text(), "request")) == 6


@pytest.mark.parametrize("wire", ["otlp+https", "otlp+grpcs"])
def test_the_collector_takes_them_from_a_client_that_it_knows(tmp_path, ends, folder, wire):
    tls = {"cert_file": str(folder / "server.pem"), "key_file": str(folder / "server.key"), "client_ca_file": str(folder / "ca.pem")}
    collector = receivers.Collector(ends, tmp_path, tls)
    port = collector.grpc if "grpc" in wire else collector.http
    shown, account, _ = golden(tmp_path, f"{wire}://127.0.0.1:{port}", files(folder, client="client"))
    assert account["sent"] == len(shown)
    assert {s["spanId"] for s in until(collector.spans, 20, "the Collector writes")} == shown.keys()


def test_a_file_that_is_not_there_is_told_before_anything_is_traced(tmp_path):
    done = sent("req", "--export", "otlp+https://127.0.0.1:1", "--", "true", env={"OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "none.pem")})
    assert done.returncode == 2 and "OTEL_EXPORTER_OTLP_CERTIFICATE" in done.stderr
