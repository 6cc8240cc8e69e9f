"""A recording comes from a stranger: what it says is shown, and nothing else happens."""
import struct

import pytest

import workload
from workload import run

MAGIC, FILE_HEADER, CHUNK_HEADER, META = 0x4b484355, 64, 104, 1  # src/record/format.h


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    workload.needs_tracing()
    file = tmp_path_factory.mktemp("recording") / "true.utr"
    run("record", "sys", "-o", str(file), "--", "true")
    return file.read_bytes()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def with_meta(recording, meta):
    """The recording with another META chunk, checksums included."""
    magic, header_bytes, kind = struct.unpack_from("<IHB", recording, FILE_HEADER)
    stored_bytes, = struct.unpack_from("<I", recording, FILE_HEADER + 16)
    assert (magic, header_bytes, kind) == (MAGIC, CHUNK_HEADER, META)
    head = bytearray(recording[FILE_HEADER:FILE_HEADER + CHUNK_HEADER])
    head[7] = 0  # not compressed
    struct.pack_into("<II", head, 16, len(meta), len(meta))
    struct.pack_into("<I", head, 84, crc32c(meta))
    struct.pack_into("<I", head, 100, crc32c(head[:100]))
    return recording[:FILE_HEADER] + head + meta + recording[FILE_HEADER + CHUNK_HEADER + stored_bytes:]


def test_the_words_that_a_recording_keeps_are_used(recording, tmp_path):
    (tmp_path / "r").write_bytes(with_meta(recording, b'{"command":"sys","words":["execve"]}'))
    done = run("report", str(tmp_path / "r"))
    assert done.returncode == 0 and "execve(" in done.stdout and "mmap(" not in done.stdout, done


@pytest.mark.parametrize("words", ['"-o","FILE"', '"--output=FILE"', '"-qoFILE"', '"--json","-oFILE"', '"--config","FILE"', '"--help"',
                                   '"--record","FILE"', '"--","touch","FILE"', '"-p","1"'])
def test_the_words_that_a_recording_keeps_cannot_write_or_run_anything(recording, tmp_path, words):
    file = tmp_path / "precious"
    file.write_text("{}")
    (tmp_path / "r").write_bytes(with_meta(recording, b'{"command":"sys","words":[%s]}' % words.replace("FILE", str(file)).encode()))
    done = run("report", str(tmp_path / "r"))
    assert file.read_text() == "{}"
    assert done.returncode in (1, 2) and not done.stdout and done.stderr.count("\n") == 1, done
    assert run("report", str(tmp_path / "r"), "sys", "execve").stdout.count("execve(") == 1
