"""The guest runner itself: what goes in, what comes out, and how it fails. Needs QEMU."""
import os
import pty
import re
import subprocess
import time
from pathlib import Path

import pytest
from matrix import KERNELS, NAMED, need

RUN = Path(__file__).parent / "run"
KERNEL = NAMED[0] if NAMED else "6.1"


def run(*words, **options):
    return subprocess.run([RUN, *map(str, words)], capture_output=True, timeout=300, **options)


def lines_of(done):
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("name", KERNELS)
def test_each_kernel_is_its_row_s_and_has_what_tracing_needs(name):
    need(name)
    files = ["/sys/kernel/tracing/kprobe_events", "/sys/kernel/debug/tracing", "/sys/fs/cgroup/cgroup.controllers",
             "/sys/kernel/btf/vmlinux", "/proc/kallsyms", "/dev/shm", "/dev/pts/ptmx"]
    script = "uname -r; id -u; grep -c ' /sys/fs/bpf bpf ' /proc/mounts; ping -c 1 127.0.0.1 >/dev/null; ls -d $0 $@; cat /proc/version"
    release, user, bpf_mounts, *seen, version = lines_of(run(name, "sh", "-c", script, *files))
    assert release.startswith(name.removesuffix("x")) and release.endswith("-cloud-amd64")
    assert version.startswith(f"Linux version {release} ")
    assert (user, bpf_mounts, sorted(seen)) == ("0", "1", sorted(files))


@pytest.mark.parametrize("script, status", [("exit 125", 125), ("kill -SEGV $$", 139), ("exec /no/such/file", 127)])
def test_the_status_of_the_command_is_ours_as_a_shell_tells_it(script, status):
    assert run(KERNEL, "sh", "-c", script).returncode == status


def test_output_passes_byte_for_byte_and_errors_apart(tmp_path):
    sent = os.urandom(10_000_000)
    (tmp_path / "random").write_bytes(sent)
    done = run("--file", "random", KERNEL, "sh", "-c", "echo aside >&2; cat random; echo again >/dev/stderr", cwd=tmp_path)
    assert done.stdout == sent and done.stderr == b"aside\nagain\n"


def test_words_of_the_command_arrive_as_they_are():
    words = ["a b", "", "$HOME", "it's", "*", "--smp", "line\nbreak"]
    assert lines_of(run(KERNEL, "sh", "-c", 'printf "%s|" "$@"', "sh", *words)) == ("|".join(words) + "|").splitlines()


def test_what_the_command_leaves_running_does_not_hold_the_guest():
    begun = time.monotonic()
    assert lines_of(run("--timeout", 60, KERNEL, "sh", "-c", "sleep 1000 & echo left")) == ["left"]
    assert time.monotonic() - begun < 60


def test_files_folders_and_libraries_stand_where_they_are_named(tmp_path):
    (tmp_path / "tree/below").mkdir(parents=True)
    (tmp_path / "tree/below/leaf").write_text("leaf\n")
    (tmp_path / "tree/link").symlink_to("below/leaf")
    (tmp_path / "one").write_text("one\n")
    script = f"cat one {tmp_path}/one /etc/two tree/link /opt/t/below/leaf; /usr/bin/sha256sum --version"
    done = run("--file", "one", "--file", f"{tmp_path}/one", "--file", "one:/etc/two", "--tree", "tree", "--tree", "tree:/opt/t",
               "--file", "/usr/bin/sha256sum", KERNEL, "sh", "-c", script, cwd=tmp_path)
    dynamic = subprocess.run(["/usr/bin/sha256sum", "--version"], capture_output=True, text=True).stdout.splitlines()
    assert lines_of(done) == ["one", "one", "one", "leaf", "leaf", *dynamic]


@pytest.mark.parametrize("name", KERNELS)
def test_modules_are_loaded_with_what_they_need(name):
    need(name)
    assert lines_of(run("--modules", "dm-delay,null_blk", name, "ls", "-d", "/sys/block/nullb0", "/sys/module/dm_mod")) == [
        "/sys/block/nullb0", "/sys/module/dm_mod"]


def test_cpus_memory_and_kernel_words_are_as_asked():
    done = run("--smp", 2, "--mem", "512M", "--append", "utrace.mark=7", KERNEL, "sh", "-c",
               "nproc; grep MemTotal /proc/meminfo; cat /proc/cmdline")
    cpus, memory, words = lines_of(done)
    assert cpus == "2" and int(memory.split()[1]) < 512 * 1024 and "utrace.mark=7" in words.split()


LOOP = """
#include <stdio.h>
#include <time.h>
int main(void)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 10000000; i; i--) __asm__ volatile("");
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%ld\\n", (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
}
"""


@pytest.mark.long
def test_under_icount_an_instruction_takes_a_nanosecond(tmp_path):
    (tmp_path / "loop.c").write_text(LOOP)
    subprocess.run(["gcc", "-O1", "-static", "-o", tmp_path / "loop", tmp_path / "loop.c"], check=True)
    took_ns = int(lines_of(run("--icount", "--file", f"{tmp_path}/loop:/loop", KERNEL, "/loop"))[0])
    assert 20_000_000 <= took_ns < 20_200_000   # 10 million of sub and jne, and the timer's interrupts


def test_a_panic_is_told_with_the_end_of_the_log():
    done = run(KERNEL, "sh", "-c", "echo c >/proc/sysrq-trigger")
    said = done.stderr.decode().splitlines()
    assert done.returncode == 1 and "panicked (sysrq triggered crash)" in said[-1]
    assert len(said) == 21 and all(line.startswith("[") for line in said[:-1])


def test_a_command_without_end_is_ended_and_told():
    done = run("--timeout", 3, KERNEL, "sleep", "1000")
    assert done.returncode == 1 and b"had not ended after 3 s" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("words, said", [
    (["4.4", "true"], "no kernel is named '4.4'"),
    ([KERNEL], "no COMMAND"),
    (["--nosuch", KERNEL, "true"], "--nosuch"),
    (["--smp", "many", KERNEL, "true"], "many"),
    (["--icount", "--smp", "2", KERNEL, "true"], "--icount is for one CPU"),
])
def test_wrong_usage_is_one_line_and_2(words, said):
    done = run(*words)
    assert done.returncode == 2 and done.stdout == b""
    assert said in done.stderr.decode() and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("words, said", [
    (["--file", "/no/such", KERNEL, "true"], "cannot read '/no/such'"),
    (["--bin", "/no/such", KERNEL, "true"], "cannot read '/no/such'"),
    (["--modules", "nosuch", KERNEL, "true"], "has no module 'nosuch'"),
])
def test_what_cannot_be_had_is_one_line_and_1(words, said):
    done = run(*words)
    assert done.returncode == 1 and said in done.stderr.decode() and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("tool, package", [("qemu-system-x86_64", "qemu-system-x86"), ("busybox", "busybox-static")])
def test_a_missing_tool_is_told_by_its_package(tool, package, tmp_path):
    for needed in {"python3", "qemu-system-x86_64", "busybox", "ldd", "setpriv"} - {tool}:
        (tmp_path / needed).symlink_to(subprocess.run(["which", needed], capture_output=True, text=True).stdout.strip())
    done = run(KERNEL, "true", env=os.environ | {"PATH": str(tmp_path)})
    assert done.returncode == 1 and f"apt package {package}" in done.stderr.decode() and done.stderr.count(b"\n") == 1


def test_a_shell_has_a_terminal_and_its_status_is_ours():
    ours, theirs = pty.openpty()
    shell = subprocess.Popen([RUN, "--shell", "--timeout", "60", KERNEL], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = read_until(ours, b"# ")
    os.write(ours, b"tty; echo $((6 * 7)); exit 9\n")
    shown += read_until(ours, None)
    assert shell.wait() == 9
    assert re.search(rb"/dev/hvc0\r+\n42\r+\n", shown), shown


def read_until(fd, mark):
    """What @fd shows up to @mark, or to its end."""
    seen = b""
    try:
        while not (mark and mark in seen) and (piece := os.read(fd, 65536)):
            seen += piece
    except OSError:     # EIO: the other side is closed
        pass
    return seen
