"""mounts.py: what a test mounts for itself stays its own, also in a chroot on a machine whose mounts are shared."""
import os
import pathlib
import traceback

import pytest

import mounts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def child(act):
    """Runs it in a process of its own, which must end well."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def table():
    return pathlib.Path("/proc/self/mountinfo").read_text()


def shared_with_a_root_in_it(folder):
    """Makes @folder a shared mount; the root in it is none."""
    mounts.apart()  # what the claim is about must not reach the machine when it is wrong
    mounts.mount(folder, folder, flags=mounts.MS_BIND)
    mounts.mount(None, folder, flags=mounts.MS_SHARED)
    for name in ("proc", "here"):
        (folder / "root" / name).mkdir(parents=True)
    mounts.mount("proc", folder / "root" / "proc", "proc")


@pytest.mark.parametrize("separate,same", [(mounts.apart, True), (mounts.unshare, False)], ids=["apart", "unshare alone"])
def test_a_mount_made_apart_is_in_no_other_table(tmp_path, separate, same):
    def mount_in_chroot():
        os.chroot(tmp_path / "root")
        os.chdir("/")
        separate()
        mounts.mount("tmpfs", "/here", "tmpfs")
        assert os.path.ismount("/here")

    def beside():
        shared_with_a_root_in_it(tmp_path)
        before = table()
        child(mount_in_chroot)
        assert (table() == before) == same
    before = table()
    child(beside)
    assert table() == before


def test_the_root_and_the_folder_stay(tmp_path):
    (tmp_path / "root" / "folder").mkdir(parents=True)

    def look():
        shared_with_a_root_in_it(tmp_path)
        os.chroot(tmp_path / "root")
        os.chdir("/folder")
        before = os.stat("/"), os.stat(".")
        mounts.apart()
        assert (os.stat("/"), os.stat(".")) == before
    child(look)
