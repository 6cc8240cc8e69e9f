"""
An initramfs in cpio's newc format (kernel: Documentation/driver-api/early-userspace/buffer-format.rst).

Written here rather than by cpio(1): everything belongs to root whoever runs us, and nothing is staged on the disk.
"""
import stat

# Debian's merged /usr: these names of the root are links into usr.
MERGED = ("bin", "sbin", "lib", "lib64")


class Archive:
    def __init__(self):
        self.entries = {}       # path without the leading /: (mode, bytes)
        for name in MERGED:
            self.folder(f"/usr/{name}")
            self.link(f"/{name}", f"usr/{name}")

    def folder(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode, b"")

    def file(self, path, content, mode=0o644):
        self._add(path, stat.S_IFREG | mode, content)

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def _add(self, path, mode, content):
        name = resting_place(path)
        above = name.rpartition("/")[0]
        if above and above not in self.entries:
            self.folder(above)
        self.entries[name] = (mode, content)

    def write(self, out):
        for inode, (name, (mode, content)) in enumerate(self.entries.items(), 1):
            out.write(entry(name, inode, mode, content))
        out.write(entry("TRAILER!!!", 0, 0, b""))


def resting_place(path):
    name = path.strip("/")
    return f"usr/{name}" if name.split("/")[0] in MERGED and "/" in name else name


def entry(name, inode, mode, content):
    encoded = name.encode() + b"\0"
    #         ino    mode  uid gid nlink mtime size       dev:maj min rdev:maj min namesize  check
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    return padded(head) + padded(content)


def padded(piece):
    return piece + bytes(-len(piece) % 4)
