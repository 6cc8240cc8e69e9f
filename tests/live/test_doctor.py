"""What `utrace doctor` says, against bpftool, the kernel's configuration and its own files."""
import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import mounts
from workload import UTRACE

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="asks what root may do")


def run(*args, prefix=(), without=None, utrace=UTRACE):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UTRACE_")}
    if without is not None:
        env["UTRACE_WITHOUT"] = without
    return subprocess.run([*prefix, utrace, "doctor", *args], env=env, capture_output=True, text=True, timeout=60)


def doctor(**how):
    done = run("--json", **how)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def here(told):
    return {a["name"]: a["here"] for a in told["abilities"]}


def kernel_at_least(*version):
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups())) >= version


def kernel_config():
    boot = Path(f"/boot/config-{os.uname().release}")
    if Path("/proc/config.gz").exists():
        text = gzip.open("/proc/config.gz", "rt").read()
    elif boot.exists():
        text = boot.read_text()
    else:
        pytest.skip("the kernel's configuration is not to be had")
    return dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M))


def securityfs(name):
    """Mounted in a mount namespace of its own: nobody else sees it."""
    script = f"mount -t securityfs securityfs /sys/kernel/security && cat /sys/kernel/security/{name}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, preexec_fn=mounts.apart)
    if done.returncode:
        pytest.skip(done.stderr)
    return done.stdout.strip()


@pytest.fixture
def bpftool():
    path = shutil.which("bpftool") or "/usr/sbin/bpftool"
    if not os.path.exists(path):
        pytest.skip("no bpftool")
    return json.loads(subprocess.run([path, "-j", "feature", "probe"], capture_output=True, text=True).stdout)


@pytest.fixture
def reachable_utrace():
    """A copy where any user can run it."""
    folder = Path("/tmp") / f"utrace-doctor-{os.getpid()}"
    folder.mkdir(mode=0o755)
    shutil.copy(UTRACE, folder / "utrace")
    (folder / "utrace").chmod(0o755)
    yield str(folder / "utrace")
    shutil.rmtree(folder)


def test_the_machine_is_uname_and_btf_is_the_file():
    kernel = doctor()["kernel"]
    assert (kernel["release"], kernel["machine"]) == (os.uname().release, os.uname().machine)
    assert kernel["btf"] == os.path.exists("/sys/kernel/btf/vmlinux")


def test_sysctls_are_those_of_proc():
    kernel = doctor()["kernel"]
    names = ["unprivileged_bpf_disabled", "perf_event_paranoid", "kptr_restrict"]
    assert {n: kernel[n] for n in names} == {n: int(Path("/proc/sys/kernel", n).read_text()) for n in names}


def test_capabilities_are_those_that_capsh_decodes():
    effective = re.search(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text()).group(1)
    capsh = shutil.which("capsh") or "/usr/sbin/capsh"
    if not os.path.exists(capsh):
        pytest.skip("no capsh")
    decoded = subprocess.run([capsh, f"--decode={effective}"], capture_output=True, text=True).stdout.strip()
    names = decoded.split("=", 1)[1].upper()
    assert doctor()["user"]["capabilities"] == [n for n in names.split(",") if n]


@as_root
def test_lockdown_is_the_word_in_brackets():
    assert doctor()["kernel"]["lockdown"] == re.search(r"\[(\w+)\]", securityfs("lockdown")).group(1)


@as_root
def test_security_modules_are_those_of_securityfs():
    assert doctor()["kernel"]["security_modules"] == securityfs("lsm").split(",")


@as_root
def test_programs_maps_and_helpers_are_those_that_bpftool_finds(bpftool):
    helpers = set(bpftool["helpers"]["kprobe_available_helpers"])
    programs, maps, told = bpftool["program_types"], bpftool["map_types"], here(doctor())
    assert {n: told[n] for n in ("bpf", "ringbuf", "cookie", "bpf_loop", "task_storage", "raw_tp", "fentry", "lsm")} == {
        "bpf": programs["have_kprobe_prog_type"],
        "ringbuf": maps["have_ringbuf_map_type"],
        "cookie": "bpf_get_attach_cookie" in helpers,
        "bpf_loop": "bpf_loop" in helpers,
        "task_storage": maps["have_task_storage_map_type"] and "bpf_task_storage_get" in helpers,
        "raw_tp": programs["have_raw_tracepoint_prog_type"],
        "fentry": programs["have_tracing_prog_type"],
        "lsm": programs["have_lsm_prog_type"] and "bpf" in securityfs("lsm").split(","),
    }


@as_root
def test_probes_are_those_that_the_kernel_was_built_with():
    config, told = kernel_config(), here(doctor())
    on = lambda *names: all(config.get("CONFIG_" + n) == "y" for n in names)
    assert {n: told[n] for n in ("uprobe", "multi", "session", "semaphore", "kprobe", "kprobe_multi", "kprobe_session")} == {
        "uprobe": on("UPROBE_EVENTS", "PERF_EVENTS"),
        "multi": on("UPROBES", "BPF_EVENTS") and kernel_at_least(6, 6),
        "session": on("UPROBES", "BPF_EVENTS") and kernel_at_least(6, 13),
        "semaphore": on("UPROBE_EVENTS") and kernel_at_least(4, 20),
        "kprobe": on("KPROBE_EVENTS"),
        "kprobe_multi": on("FPROBE") and kernel_at_least(5, 18),
        "kprobe_session": on("FPROBE") and kernel_at_least(6, 10),
    }


@as_root
@pytest.mark.parametrize(
    "without, key, mechanism",
    [
        ("session", "user_functions", "multi"),
        ("multi", "user_functions", "perf_event"),
        ("multi,uprobe", "user_functions", "none"),
        ("multi", "usdt", "perf_event"),
        ("ringbuf", "events", "perf_buffer"),
        ("btf", "system_calls", "raw_tp"),
        ("cookie", "user_functions", "perf_event"),
        ("tracepoint", "tracepoints", "none"),
        ("raw_tp", "system_calls", "none"),
        ("sock_length", "sockets", "raw_tp"),
        ("sock_length,raw_tp", "sockets", "none"),
        ("session", "tls", "multi"),
        ("multi,uprobe", "tls", "none"),
        ("bpf", "events", "none"),
    ],
)
def test_utrace_without_turns_rows_off_and_changes_the_mechanism(without, key, mechanism):
    told = doctor(without=without)
    for name in without.split(","):
        row = next(a for a in told["abilities"] if a["name"] == name)
        assert (row["here"], row["why_not"]) == (False, "switched off by UTRACE_WITHOUT")
    assert told["mechanisms"][key] == mechanism


def test_an_unknown_name_in_utrace_without_is_a_usage_error():
    done = run(without="ringbuf,mult")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("utrace: UTRACE_WITHOUT: there is no ability 'mult'; there are: bpf, btf, ringbuf")
    assert done.stderr.count("\n") == 1


@as_root
def test_nobody_is_told_what_is_missing_and_how_to_get_it(reachable_utrace):
    told = doctor(prefix=NOBODY, utrace=reachable_utrace)
    assert told["user"]["missing_capabilities"] == ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_PERFMON", "CAP_BPF"]
    assert told["user"]["grant"].endswith(
        f"sudo setcap cap_dac_read_search,cap_sys_ptrace,cap_perfmon,cap_bpf+ep {reachable_utrace}")
    assert {name for name, is_here in here(told).items() if is_here} <= {"btf"}
    assert all(a["why_not"] for a in told["abilities"] if not a["here"])
    text = run(prefix=NOBODY, utrace=reachable_utrace)
    assert (text.returncode, text.stderr) == (0, "")
    assert "BPF_PROG_LOAD: needs CAP_PERFMON, CAP_BPF" in text.stdout


@as_root
def test_the_grant_that_doctor_names_is_enough_for_user_functions(reachable_utrace):
    words = doctor(prefix=NOBODY, utrace=reachable_utrace)["user"]["grant"].split("sudo ")[-1].split()
    if subprocess.run(words).returncode:
        pytest.skip("this file system keeps no capabilities")
    told = doctor(prefix=NOBODY, utrace=reachable_utrace)
    assert told["user"]["missing_capabilities"] == []
    mine = doctor()
    for key in ("user_functions", "system_calls", "events"):
        if told["mechanisms"][key] != "perf_event":
            assert told["mechanisms"][key] == mine["mechanisms"][key]
    assert told["mechanisms"]["user_functions"] != "none" or not kernel_at_least(6, 6)


@as_root
def test_nothing_is_attached_while_doctor_looks():
    links = lambda: {line for line in subprocess.run(
        [shutil.which("bpftool") or "/usr/sbin/bpftool", "link"], capture_output=True, text=True).stdout.splitlines()}
    before = links()
    doctor()
    assert links() <= before


@pytest.mark.parametrize("prefix", [[], NOBODY])
def test_text_is_one_screen_of_100_columns(prefix, reachable_utrace):
    if prefix and os.geteuid() != 0:
        pytest.skip("asks what others may do")
    lines = run(prefix=prefix, utrace=reachable_utrace).stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 60
    for name, is_here in here(doctor(prefix=prefix, utrace=reachable_utrace)).items():
        row = next(line for line in lines if line.startswith(name + " "))
        assert row.split()[1] == ("yes" if is_here else "no")


def test_output_goes_to_the_file_that_o_names(tmp_path):
    done = run("--json", "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "out").read_text()).keys() == doctor().keys()


@pytest.mark.parametrize("args, status, says", [
    (["extra"], 2, "doctor takes no 'extra'"),
    (["-o", "/nonexistent/file"], 1, "cannot write to /nonexistent/file: No such file or directory"),
])
def test_wrong_input_is_answered_in_one_line(args, status, says):
    done = run(*args)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(f"utrace: {says}") and done.stderr.count("\n") == 1


def test_a_full_disk_is_a_failure():
    with open("/dev/full", "w") as full:
        done = subprocess.run([UTRACE, "doctor"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr


@as_root
@pytest.mark.parametrize("without", ["", "session,multi,uprobe", "session,multi,uprobe,kprobe,kprobe_multi,fentry,tracepoint"])
def test_utrace_alone_names_what_does_not_work_here(without):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UTRACE_")} | {"UTRACE_WITHOUT": without}
    alone = subprocess.run([UTRACE], env=env, capture_output=True, text=True, timeout=60, check=True).stdout
    here = " ".join(alone[alone.index("\nHere "):].split())
    commands = {"user_functions": "func PATTERN (", "usdt": "func usdt: (", "kernel_functions": "func k: (", "tracepoints": "func t: (",
                "system_calls": "sys (", "sockets": "req (", "tls": "req of TLS (", "events": "all ("}
    missing = {commands[use] for use, mechanism in doctor(without=without)["mechanisms"].items() if mechanism == "none"}
    assert {words for words in commands.values() if words in here} == missing
    assert here.startswith("Here all works but" if missing else "Here all of it works")


@as_root
def test_utrace_alone_says_what_a_user_lacks(reachable_utrace):
    alone = subprocess.run([*NOBODY, reachable_utrace], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "\nHere tracing needs" in alone and "cap_bpf" in alone
