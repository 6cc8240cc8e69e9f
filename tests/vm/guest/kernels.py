"""
The kernels that we boot: the table's rows by name, and the parts of an unpacked one.

A kernel is fetched once and kept, outside the tree, in a folder of its name; it stays until that folder is deleted.
"""
import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from . import Fault
from .suite import Suite

TABLE = Path(__file__).parent.parent / "kernels"


class Row(NamedTuple):
    name: str
    suite: str
    package: str


class Kernel(NamedTuple):
    name: str
    release: str    # what uname -r says in the guest
    image: Path
    config: Path
    modules: Path   # holds kernel/, modules.builtin


def table():
    lines = (line.split("#")[0].split() for line in TABLE.read_text().splitlines())
    return {fields[0]: Row(*fields) for fields in lines if fields}


def row(name):
    rows = table()
    if name not in rows:
        raise Fault(f"no kernel is named '{name}'; there are: {' '.join(rows)}", status=2)
    return rows[name]


def cache_folder():
    """Where kernels are kept: $UTRACE_VM_CACHE, or utrace-vm in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("UTRACE_VM_CACHE") or Path(base) / "utrace-vm")


def kernel(name):
    """The kernel of the table's row @name, fetched if it is not in the cache."""
    wanted = row(name)
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / name).exists():
            _fetch(wanted, cache)
    return _parts(name, cache / name)


def _fetch(wanted, cache):
    with tempfile.TemporaryDirectory(dir=cache) as work:
        suite = Suite(wanted.suite, Path(work) / "apt")
        packages = next(filter(None, map(suite.parts, suite.packages(wanted.package))), None)
        if not packages:
            raise Fault(f"Debian's {wanted.suite} has no complete package {wanted.package} on this machine's mirror")
        tree = Path(work) / "tree"
        tree.mkdir()
        for package in suite.download(packages, work):
            subprocess.run(["dpkg", "-x", package, tree], check=True)
        _parts(wanted.name, tree)
        shutil.move(tree, cache / wanted.name)


def _parts(name, tree):
    modules = _only(tree, "lib/modules/*", "usr/lib/modules/*")
    return Kernel(name, modules.name, _only(tree, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"),
                  _only(tree, "boot/config-*", "usr/lib/modules/*/config"), modules)


def _only(tree, *patterns):
    found = [path for pattern in patterns for path in tree.glob(pattern)]
    if len(found) != 1:
        raise Fault(f"the kernel package in {tree} has {len(found)} of {' or '.join(patterns)}, not one")
    return found[0]
