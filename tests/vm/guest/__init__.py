"""
The rooms of the guest runner, each of one purpose:

  kernels    the table of names, and where an unpacked kernel keeps its parts
  suite      one Debian suite through apt, without touching the machine's own lists
  modules    kernel modules in the order in which they load
  archive    an initramfs in cpio's newc format
  system     what stands in the guest: busybox, utrace, the caller's files, the command
  machine    QEMU, the guest's output and its end
"""


class Fault(Exception):
    """What the user must be told, in one line; `status` is what the runner exits with."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
