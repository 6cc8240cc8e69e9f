"""
QEMU, the guest's output and its end.

The guest has no disk and no network. The kernel's console is a serial port that goes to a log file; the command's output,
its errors and its status leave by three ports of virtio-serial, byte for byte, each a socket pair. A guest that ends
without a status has panicked, or was ended by us when its time was over.
"""
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time

from . import Fault

# Instructions are translated (TCG): no /dev/kvm is needed. One thread for all CPUs, because with a thread each uprobes under
# load crash the guest. No cmpxchg16b: QEMU 7.2 computes its flags from a stale operation, the trap and direction flags among
# them, which killed one boot in ten of 6.12; kernels do without where CPUID does not offer it.
FIXED = ["-M", "q35", "-accel", "tcg,thread=single", "-cpu", "max,-cx16", "-display", "none", "-no-reboot",
         "-nodefaults", "-no-user-config"]
APPEND = "console=ttyS0 panic=-1 oops=panic"
# One instruction is one nanosecond of the guest's clocks, and idle time is skipped.
ICOUNT = ["-icount", "shift=0,sleep=off"]
CHUNK_BYTES = 1 << 16
FAREWELL_S = 5
LOG_LINES = 20


class Machine:
    def __init__(self, kernel, initramfs, log, options):
        """@options: smp, mem, append, icount, timeout (seconds or None), shell."""
        self.log = log
        self.options = options
        self.ends = {}
        self.status = b""
        self.command = [qemu(), *FIXED, *self._sizes(), *self._serial(), "-kernel", str(kernel.image),
                        "-initrd", str(initramfs), "-append", f"{APPEND} {options.append}".strip()]

    def _sizes(self):
        return ["-smp", str(self.options.smp), "-m", self.options.mem, *(ICOUNT if self.options.icount else [])]

    def _serial(self):
        escaped = str(self.log).replace(",", ",,")
        ports = ["-chardev", f"file,id=log,path={escaped}", "-serial", "chardev:log", "-device", "virtio-serial-pci"]
        for name in ("out", "err", "status"):
            ports += self._port(name)
        if self.options.shell:
            ports += ["-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal"]
        return ports

    def _port(self, name):
        ours, theirs = socket.socketpair()
        self.ends[name] = (ours, theirs)
        return ["-chardev", f"socket,id={name},fd={theirs.fileno()}", "-device", f"virtserialport,chardev={name},name={name}"]

    def run(self):
        """Returns the status of the command, or faults with the log's last lines."""
        deadline = time.monotonic() + self.options.timeout if self.options.timeout else None
        process = self._start()
        try:
            in_time = self._relay(deadline)
        finally:
            said = ended(process)
        if self.status.strip().isdigit():
            return int(self.status)
        print_tail(self.log)
        raise Fault(self._why(in_time, said))

    def _start(self):
        theirs = [pair[1] for pair in self.ends.values()]
        terminal = None if self.options.shell else subprocess.DEVNULL
        # The guest must not outlive us, however we end.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command], stdin=terminal, stdout=terminal,
                                   stderr=subprocess.PIPE, pass_fds=[end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        return process

    def _relay(self, deadline):
        """Passes output on until QEMU closes its ends; False when time is over first."""
        with selectors.DefaultSelector() as waiting:
            for name, (ours, _) in self.ends.items():
                waiting.register(ours, selectors.EVENT_READ, name)
            while waiting.get_map():
                left = deadline and deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                for key, _ in waiting.select(left):
                    self._pass_on(waiting, key)
        return True

    def _pass_on(self, waiting, key):
        piece = key.fileobj.recv(CHUNK_BYTES)
        if not piece:
            waiting.unregister(key.fileobj)
        elif key.data == "status":
            self.status += piece
        else:
            write_all(1 if key.data == "out" else 2, piece)

    def _why(self, in_time, said):
        if not in_time:
            return f"the command had not ended after {self.options.timeout:g} s; the kernel's log: {self.log}"
        if said and not os.path.getsize(self.log):
            return f"qemu: {said.decode(errors='replace').strip().splitlines()[-1]}"
        return f"{self._last_word()} before the command had ended; the kernel's log: {self.log}"

    def _last_word(self):
        found = re.search(r"Kernel panic - not syncing: (.*)", self.log.read_text(errors="replace"))
        return f"the guest's kernel panicked ({found[1]})" if found else "the guest ended"


def qemu():
    path = shutil.which("qemu-system-x86_64")
    if not path:
        raise Fault("guests run in qemu-system-x86_64 (apt package qemu-system-x86)")
    return path


def ended(process):
    """Ends QEMU gently, so that it gives the terminal back as it was; returns what it said."""
    process.terminate()
    try:
        return process.communicate(timeout=FAREWELL_S)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1]


def write_all(fd, piece):
    while piece:
        piece = piece[os.write(fd, piece):]


def print_tail(log):
    with open(log, errors="replace") as lines:
        sys.stderr.writelines(list(lines)[-LOG_LINES:])
