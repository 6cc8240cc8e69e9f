"""
Kernel modules in the order in which they load.

Debian's packages carry no modules.dep (depmod makes it at installation), so what a module needs is read from the module
itself: the `depends=` string of its .modinfo. From 6.12 on the files are xz-packed; the guest gets them unpacked.
"""
import lzma
import re

from . import Fault


def plain(name):
    """The kernel takes - and _ in a module's name for the same."""
    return name.replace("-", "_")


class Modules:
    def __init__(self, kernel):
        self.kernel = kernel
        self.files = {plain(path.name.split(".ko")[0]): path for path in (kernel.modules / "kernel").rglob("*.ko*")}
        lines = (kernel.modules / "modules.builtin").read_text().splitlines()
        self.builtin = {plain(line.rsplit("/", 1)[-1].removesuffix(".ko")) for line in lines}

    def in_order(self, names):
        """{name: bytes of the module}, each after what it needs; what is built into the kernel is left out."""
        loaded = {}
        for name in names:
            self._add(plain(name), loaded)
        return loaded

    def _add(self, name, loaded):
        if name in self.builtin or name in loaded:
            return
        if name not in self.files:
            raise Fault(f"kernel {self.kernel.release} has no module '{name}'")
        image = unpacked(self.files[name])
        for needed in depends(image):
            self._add(needed, loaded)
        loaded[name] = image


def unpacked(path):
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def depends(image):
    found = re.search(rb"\bdepends=([\w,-]*)\0", image)
    return [plain(name) for name in found[1].decode().split(",") if name] if found else []
