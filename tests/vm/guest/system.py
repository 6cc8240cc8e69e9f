"""
What stands in the guest: busybox, utrace, the caller's files and folders, and the command.

A path means the same here and there: an absolute one stays, a relative one stands under the guest's working folder.
"""
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from . import Fault
from .archive import Archive
from .modules import Modules

ROOM = Path(__file__).parent
HOME = "/root"
# The driver of the ports through which output leaves the guest; built in from 6.12 on.
PORTS = ["virtio_pci", "virtio_console"]
PLACES = ("/dev", "/proc", "/run", "/sys", "/var/tmp", "/home/user", HOME)


class System:
    def __init__(self, kernel):
        self.kernel = kernel
        self.archive = Archive()
        self._places()
        self._busybox()
        self.file(kernel.config, f"/boot/config-{kernel.release}")
        self.archive.file("/init", (ROOM / "init").read_bytes(), 0o755)
        self.modules([])

    def _places(self):
        for path in PLACES:
            self.archive.folder(path)
        self.archive.folder("/tmp", 0o1777)
        self._text("/etc/hostname", f"guest-{self.kernel.name}\n")
        self._text("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self._text("/etc/passwd", f"root:x:0:0:root:{HOME}:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n")
        self._text("/etc/group", "root:x:0:\nuser:x:1000:\n")

    def _text(self, path, text):
        self.archive.file(path, text.encode())

    def _busybox(self):
        path = shutil.which("busybox")
        if not path or interpreter_of(path):
            raise Fault("the guest needs a static busybox (apt package busybox-static)")
        self.file(path, "/usr/bin/busybox")
        for name in output_of(path, "--list-full").split():
            if name != "bin/busybox":
                self.archive.link(f"/{name}", "/usr/bin/busybox")

    def file(self, source, target=None):
        """Copies a file, and for a dynamic executable its interpreter and libraries."""
        path = readable(source)
        self.archive.file(place(source, target), path.read_bytes(), path.stat().st_mode & 0o7777)
        for library in libraries(path):
            self.archive.file(library, Path(library).read_bytes(), 0o755)

    def tree(self, source, target=None):
        """Copies a folder with all below it; links stay links."""
        top, under = readable(source), place(source, target)
        self.archive.folder(under)
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                path = Path(folder, name)
                self._copy(path, f"{under}/{path.relative_to(top)}")

    def _copy(self, path, target):
        if path.is_symlink():
            self.archive.link(target, os.readlink(path))
        elif path.is_dir():
            self.archive.folder(target, path.stat().st_mode & 0o7777)
        elif path.is_file():
            self.archive.file(target, path.read_bytes(), path.stat().st_mode & 0o7777)

    def modules(self, names):
        """The modules to load before the command runs."""
        images = Modules(self.kernel).in_order(PORTS + names)
        for name, image in images.items():
            self.archive.file(f"/vm/{name}.ko", image)
        self._text("/vm/load", "".join(f"{name}\n" for name in images))

    def command(self, words, environment):
        lines = [f"export {name}={shlex.quote(value)}" for name, value in {"HOME": HOME, **environment}.items()]
        self._text("/vm/command", "\n".join([*lines, f"cd {HOME}", f"exec {shlex.join(words)}", ""]))

    def terminal(self, rows, columns):
        self._text("/vm/terminal", f"{rows} {columns}\n")

    def write(self, path):
        with open(path, "wb") as out:
            self.archive.write(out)


def place(source, target):
    return os.path.normpath(os.path.join(HOME, target or source))


def readable(source):
    path = Path(source)
    if not os.access(path, os.R_OK):
        raise Fault(f"cannot read '{source}'")
    return path


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def interpreter_of(path):
    """The dynamic loader that an ELF file names; None for a static one and for what is no ELF file."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
    lines = output_of("ldd", path).splitlines()
    return next((line.split()[0] for line in lines if line.strip().startswith("/")), None)


def libraries(path):
    """Absolute paths of the loader and the libraries that ldd names for @path."""
    if not interpreter_of(path):
        return []
    words = [line.split() for line in output_of("ldd", path).splitlines()]
    missing = [line[0] for line in words if "not found" in " ".join(line)]
    if missing:
        raise Fault(f"'{path}' needs {missing[0]}, which ldd does not find")
    return [word for line in words for word in line if word.startswith("/")]
