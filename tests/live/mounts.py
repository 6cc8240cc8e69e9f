"""Mounts that a test needs and that nobody else may see.

unshare -m makes the mounts below / private by the name of /, which a chroot into a plain folder does not have: there / is no
mount, and what holds it cannot be named from inside. A namespace that leaves the mounts as they are would hand each new one on
to the machine wherever they are shared. setns(2) into a mount namespace sets the root to that namespace's own, so from there
all of it is made private, and then the process goes back to where it was.
"""
import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000  # uapi/linux/sched.h
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 1 << 12, 1 << 14, 1 << 18, 1 << 20  # uapi/linux/mount.h


def _must(status):
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind=None, flags=0, data=None):
    """mount(2)"""
    _must(LIBC.mount(source and os.fsencode(source), os.fsencode(target), kind and kind.encode(), flags, data and data.encode()))


def unshare():
    """A mount namespace of the process' own, in which mounts are shared with those of the old one wherever they were shared."""
    _must(LIBC.unshare(CLONE_NEWNS))


def apart():
    """For preexec_fn: from here on the process has mounts of its own, and its root and folder are those that it had."""
    unshare()
    namespace, root, folder = (os.open(path, os.O_RDONLY) for path in ("/proc/self/ns/mnt", "/", "."))
    _must(LIBC.setns(namespace, CLONE_NEWNS))
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    os.fchdir(root)
    os.chroot(".")
    os.fchdir(folder)
