"""--spool: what a receiver could not take waits on the disk, and the next run sends it; bounded, and whole or not at all."""
import subprocess
import sys

import receivers
import workload
from test_send import NO_PROXY, PROGRAM, sent, summary_of
from workload import UTRACE, events


def traced(tmp_path, port, spool, n=10, name="out.json", **env):
    workload.needs_tracing()
    out = tmp_path / name
    words = ["req", "--signals", "traces", "--export", f"otlp+http://127.0.0.1:{port}", "--spool", spool, "-o", out]
    done = sent(*words, "--", sys.executable, "-c", PROGRAM, n, env=env)
    assert done.returncode == 0, done.stderr
    return {o["span_id"] for o in events(out.read_text(), "request")}, summary_of(out)[0], done.stderr


def parcels(spool):
    return sorted(p for p in spool.iterdir() if p.name.startswith("traces-"))


def test_what_a_receiver_that_was_down_has_missed_comes_with_the_next_run(tmp_path, ends):
    spool, port = tmp_path / "spool", receivers.free_port()
    first, account, stderr = traced(tmp_path, port, spool)
    assert account["sent"] == 0 and account["lost"] == {} and account["spooled"] == 20 and "20 in the spool" in stderr
    assert parcels(spool) and {p.stat().st_mode & 0o777 for p in parcels(spool)} == {0o600} and spool.stat().st_mode & 0o777 == 0o700
    second, account, _ = traced(tmp_path, port, spool, name="second.json")  # still down
    assert account["spooled"] == 40
    receiver = receivers.Receiver(ends, port=port)
    third, account, _ = traced(tmp_path, port, spool, name="third.json")
    assert account["spooled"] == 0 and account["sent"] == 60 and account["lost"] == {}
    assert sorted(s["span_id"] for s in receiver.spans()) == sorted(first | second | third)
    assert not parcels(spool)


def test_no_secret_lies_on_the_disk(tmp_path):
    spool = tmp_path / "spool"
    traced(tmp_path, receivers.free_port(), spool)
    assert parcels(spool)
    for p in parcels(spool):
        assert b"users" in p.read_bytes() and b"s3cret" not in p.read_bytes()


def test_what_is_damaged_or_cut_is_thrown_away_and_the_rest_is_sent(tmp_path, ends):
    spool, port = tmp_path / "spool", receivers.free_port()
    kept = set()
    for i in range(4):
        seen, _, _ = traced(tmp_path, port, spool, name=f"{i}.json")
        kept |= seen if i in (0, 3) else set()
    files = parcels(spool)
    assert len(files) == 4
    files[1].write_bytes(files[1].read_bytes()[:-9])
    damaged = bytearray(files[2].read_bytes())
    damaged[200] ^= 1
    files[2].write_bytes(damaged)
    (spool / files[0].name.replace("0000000000000001", "00000000000000ff")).write_bytes(b"rubbish")
    receiver = receivers.Receiver(ends, port=port)
    last, account, stderr = traced(tmp_path, port, spool, name="last.json")
    assert stderr.count("files of the spool were damaged") >= 1
    assert sorted(s["span_id"] for s in receiver.spans()) == sorted(kept | last) and not parcels(spool)


def test_the_spool_has_a_bound_and_what_is_beyond_it_is_counted(tmp_path):
    spool = tmp_path / "spool"
    workload.needs_tracing()
    out, n = tmp_path / "out.json", 3000
    words = ["req", "--signals", "traces", "--export", f"otlp+http://127.0.0.1:{receivers.free_port()}", "--spool", spool, "--spool-size", "1M", "-o", out]
    assert sent(*words, "--", sys.executable, "-c", PROGRAM, n).returncode == 0
    account = summary_of(out)[0]
    assert sum(p.stat().st_size for p in parcels(spool)) <= 1 << 20
    assert account["lost"]["spool"] > 0 and account["spooled"] > 0 and account["lost"]["spool"] + account["spooled"] == 2 * n


def test_a_spool_is_one_utraces_own(tmp_path):
    spool = tmp_path / "spool"
    workload.needs_tracing()
    words = [UTRACE, "req", "--export", "otlp+http://127.0.0.1:1", "--spool", spool, "-o", tmp_path / "o.json", "--", sys.executable, "-c", "print('up', flush=True); input()"]
    with workload.started(*words, env=NO_PROXY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "up\n"
        second = sent("req", "--export", "otlp+http://127.0.0.1:1", "--spool", spool, "--", "true")
        assert second.returncode == 125 and "another utrace uses" in second.stderr and len(second.stderr.splitlines()) == 1
        first.communicate("\n", timeout=30)
