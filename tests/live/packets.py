"""Captures of packets for the tests: tcpdump on one of our own ports, and what can happen to a capture on its way."""
import contextlib
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest
from conftest import DEADLINE_S

ETHERNET, RAW, NULL, LOOP = 1, 101, 0, 108
LAST = b"/the-last-request-of-the-capture"  # its bytes in the file tell that all before it are


class Tcpdump:
    """A capture of the traffic of one TCP port on an interface, into @path."""

    def __init__(self, path, port, *words, interface="lo", before=()):
        if not shutil.which("tcpdump"):
            pytest.skip("no tcpdump here")
        self.path, self.port = path, port
        self.popen = subprocess.Popen([*before, "tcpdump", "-i", interface, "-n", "-U", "--immediate-mode", "-B", "65536", "-w", path, "-Z", "root", *(words or ("-s", "70000")), "tcp", "port", str(port)],
                                      stderr=subprocess.PIPE, text=True)
        while "listening on" not in (line := self.popen.stderr.readline()):
            assert line, "tcpdump did not begin"

    def _ask_last(self, host):
        with contextlib.suppress(OSError), socket.create_connection((host, self.port), DEADLINE_S) as s:
            s.sendall(b"GET " + LAST + b" HTTP/1.0\r\n\r\n")
            while s.recv(65536):
                pass

    def stop(self, host="127.0.0.1", ask=None):
        """Ends it when the last packets are in the file; returns the path."""
        (ask or self._ask_last)(host)
        end = time.monotonic() + DEADLINE_S
        while LAST not in self.path.read_bytes():
            assert time.monotonic() < end, "tcpdump has not written what passed"
            os.sched_yield()
        self.kill()
        return self.path

    def kill(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            self.popen.wait(DEADLINE_S)
        self.popen.stderr.close()


def read(path):
    """(link layer, [(nanoseconds, length on the wire, bytes)]) of a file of tcpdump's."""
    bytes_ = path.read_bytes()
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", bytes_)
    assert magic == 0xa1b2c3d4
    at, frames = 24, []
    while at < len(bytes_):
        s, us, kept, wire = struct.unpack_from("<IIII", bytes_, at)
        frames.append((s * 10**9 + us * 1000, wire, bytes_[at + 16:at + 16 + kept]))
        at += 16 + kept
    return link, frames


def write(path, link, frames, order="<", nanoseconds=False):
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    for ns, wire, frame in frames:
        out += struct.pack(order + "IIII", ns // 10**9, ns % 10**9 // (1 if nanoseconds else 1000), len(frame), wire) + frame
    path.write_bytes(out)
    return path


def payload_of(frame):
    """Where TCP's payload begins in an Ethernet frame of IPv4, and how much of it there is."""
    at = 14 + (frame[14] & 15) * 4
    begin = at + (frame[at + 12] >> 4) * 4
    return begin, struct.unpack_from(">H", frame, 16)[0] + 14 - begin


# What may become of an Ethernet capture of IPv4 without its requests becoming others.

def shuffled(frames, rng):
    """Each a few places from where it was, as rings of several processors are written; the times stay with the frames."""
    places = sorted(range(len(frames)), key=lambda i: i + rng.random() * 3)
    return [frames[i] for i in places]


def repeated(frames, rng):
    out = []
    for i, f in enumerate(frames):
        out.append(f)
        if i and rng.random() < .3:
            ns, wire, frame = frames[max(0, i - rng.randint(0, 5))]
            out.append((f[0], wire, frame))
    return out


def divided(frames, rng):
    """Segments of three bytes to a hundred, and some that overlap the one before."""
    out = []
    for ns, wire, frame in frames:
        begin, n = payload_of(frame)
        ip = 14
        tcp = ip + (frame[ip] & 15) * 4
        if n < 2 or n > 3000 or frame[tcp + 13] & 7:
            out.append((ns, wire, frame))
            continue
        at = 0
        while at < n:
            overlap, more = rng.choice((0, 0, 1, min(at, 5))), rng.randint(3, 100)
            first = max(0, at - overlap)
            piece = frame[begin + first:begin + at + more]
            seq = (struct.unpack_from(">I", frame, tcp + 4)[0] + first) & 0xffffffff
            head = bytearray(frame[:begin])
            struct.pack_into(">H", head, ip + 2, len(head) - ip + len(piece))
            struct.pack_into(">I", head, tcp + 4, seq)
            out.append((ns, len(head) + len(piece), bytes(head) + piece))
            at += more
    return out


def behind(begin, link):
    """The IP packet behind another head."""
    def change(frames, _):
        return [(ns, wire - 14 + len(begin), begin + frame[14:]) for ns, wire, frame in frames]
    change.link = link
    return change


def with_tag(frames, _):
    return [(ns, wire + 4, frame[:12] + b"\x81\x00\x00\x64" + frame[12:]) for ns, wire, frame in frames]


def as_ipv6(frames, _):
    """The same talk between IPv6 addresses."""
    out = []
    for ns, wire, frame in frames:
        begin = 14 + (frame[14] & 15) * 4
        n = struct.unpack_from(">H", frame, 16)[0] - (begin - 14)
        addresses = [bytes(10) + b"\x20\x01" + frame[at:at + 4] for at in (26, 30)]
        addresses = [b"\x20\x01\x0d\xb8" + bytes(8) + a[-4:] for a in addresses]
        head = frame[:12] + b"\x86\xdd" + b"\x60\0\0\0" + struct.pack(">HBB", n if n < 65536 else 0, 6, 64) + addresses[0] + addresses[1]
        out.append((ns, wire - begin + len(head), head + frame[begin:begin + n]))
    return out


def same(frames, _):
    return frames


CHANGES = {"as it was": same, "in another order": shuffled, "twice": repeated, "in small pieces": divided, "VLAN": with_tag, "IPv6": as_ipv6,
           "raw": behind(b"", RAW), "BSD loopback": behind(b"\2\0\0\0", NULL), "OpenBSD loopback": behind(b"\0\0\0\2", LOOP),
           "cooked": behind(bytes(14) + b"\x08\x00", 113), "cooked, version 2": behind(b"\x08\x00" + bytes(18), 276)}


def changed(path, to, name, seed=1):
    link, frames = read(path)
    assert link == ETHERNET
    change = CHANGES[name]
    return write(to, getattr(change, "link", link), change(frames, random.Random(seed)))
