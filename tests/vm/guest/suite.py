"""
One Debian suite through apt, beside the machine's own lists and never in them.

The mirror is the one that this machine's apt already uses for its own release, so no address is written here. The
archive's signature is checked by Debian's keyring: bookworm's knows the keys of bullseye and trixie as well.
"""
import fnmatch
import re
import subprocess
from pathlib import Path

from . import Fault

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
OWN_NAMES = ("stable", "testing", "unstable", "sid")


def own_codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    return None


def mirror():
    """The address from which this machine gets `main` of its own release."""
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise Fault("kernels come through Debian's apt-get, which this machine lacks") from None
    for release, component, address in (line.split(None, 2) for line in listed.splitlines()):
        if component == "main" and release in (own_codename(), *OWN_NAMES):
            return address
    raise Fault("no Debian mirror in this machine's apt sources (apt-get indextargets); kernels come from there")


class Suite:
    def __init__(self, name, folder):
        """@folder holds the lists while they are needed; the caller deletes it."""
        self.name = name
        self.folder = Path(folder)
        for kept in ("lists/partial", "cache/archives/partial"):
            (self.folder / kept).mkdir(parents=True)
        (self.folder / "status").touch()
        self.options = [f"-o{key}={value}" for key, value in self._settings().items()]
        self._fetch_lists()

    def _settings(self):
        return {
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::State::Status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "Acquire::Languages": "none",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
        }

    def _fetch_lists(self):
        source = f"deb [arch=amd64 signed-by={KEYRING}] {mirror()} {self.name} main\n"
        (self.folder / "sources.list").write_text(source)
        self._run("apt-get", "-qq", "--error-on=any", "update", failure=f"the mirror does not serve Debian's {self.name}")

    def _run(self, tool, *arguments, failure, cwd=None):
        done = subprocess.run([tool, *self.options, *arguments], capture_output=True, text=True, cwd=cwd)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            raise Fault(f"{failure}: {said[0][3:] if said else 'apt failed'}")
        return done.stdout

    def packages(self, pattern):
        """Names that match @pattern, the newest version first."""
        names = self._run("apt-cache", "pkgnames", "linux-image-", failure="apt-cache").split()
        return sorted(fnmatch.filter(names, pattern), key=version_order, reverse=True)

    def parts(self, package):
        """
        @package and what it is divided into, or None if the suite lacks a part. From 6.19 on the image is an empty
        package: linux-binary-RELEASE, linux-modules-RELEASE and linux-base-RELEASE hold the kernel, its modules and its
        configuration. Older images have all of it, so that a linux-base which has left the suite is not missed.
        """
        release = package.removeprefix("linux-image-")
        named = set(re.findall(rf"linux-(?:base|binary|modules)-{re.escape(release)}(?![\w.+-])", self._record(package)))
        offered = [name for name in named if self._offers(name)]
        lacking = [name for name in named.difference(offered) if not name.startswith("linux-base-")]
        return None if lacking else [package, *offered]

    def _record(self, package):
        return self._run("apt-cache", "--no-all-versions", "show", package, failure=package)

    def _offers(self, package):
        """apt also knows names that others only depend on."""
        names = self._run("apt-cache", "pkgnames", package, failure="apt-cache").split()
        return package in names and "\nFilename:" in self._record(package)

    def download(self, packages, folder):
        self._run("apt-get", "-qq", "download", *packages, cwd=folder, failure=f"cannot fetch {packages[0]}")
        return sorted(Path(folder).glob("*.deb"))


def version_order(text):
    """Sorts 6.12.9 before 6.12.10."""
    return [(1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in re.findall(r"\d+|\D+", text)]
