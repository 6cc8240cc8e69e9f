"""A target that pays more of its CPU for our probes than is allowed loses them, is told of, and runs as fast as before."""
import os
import re
import subprocess

import pytest

import workload
from conftest import Nginx
from workload import compile_c, cpu_ns, needs, run, started, tracing, until

pytestmark = pytest.mark.usefixtures("root")


class Loaded(Nginx):
    """One that can be loaded and asked what that cost."""

    def __init__(self, folder):
        needs("nginx", "wrk")
        super().__init__(folder, http="keepalive_requests 1000000000;", server='location = / { return 200 "hello\\n"; }')
        (folder / "html" / "page").write_bytes(bytes(256 * 1024))
        self.url, self.worker = f"http://127.0.0.1:{self.port}/", self.workers()[0]

    def load(self, seconds):
        """The worker's CPU time for each request of a window; how many it takes by the clock is also the work of others on the machine."""
        before = cpu_ns(self.worker)
        out = subprocess.run(["wrk", "-t1", "-c4", f"-d{seconds}s", self.url], capture_output=True, text=True, check=True).stdout
        requests = int(re.search(r"(\d+) requests in", out)[1])
        return (cpu_ns(self.worker) - before) / requests


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    server = Loaded(tmp_path_factory.mktemp("loaded") / "nginx")
    yield server
    server.stop()


@pytest.fixture
def twin(tmp_path):
    """Another one, which nobody probes."""
    server = Loaded(tmp_path / "nginx")
    yield server
    server.stop()


def text_of(pid):
    """The code of our own nginx as it is in memory: other than before while probes are in it."""
    for line in open(f"/proc/{pid}/maps"):
        words = line.split()
        if words[1] == "r-xp" and words[-1].endswith("nginx"):
            start, end = (int(x, 16) for x in words[0].split("-"))
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
                return os.pread(mem.fileno(), end - start, start)
    raise AssertionError("no text")


def test_all_functions_of_a_loaded_nginx_trip_it_within_a_second_and_it_is_fast_again(nginx, twin):
    clean = text_of(nginx.worker)
    with started("wrk", "-t1", "-c4", "-d10s", nginx.url, stdout=subprocess.DEVNULL) as load:
        with tracing("func", "u:*", "-p", nginx.worker, "-o", os.devnull) as tracer:
            until(lambda: text_of(nginx.worker) != clean, 20, "probes are on")
            attached = cpu_ns(nginx.worker)
            until(lambda: text_of(nginx.worker) == clean, 20, "probes are gone")
            lasted = (cpu_ns(nginx.worker) - attached) / 1e9
            _, said = tracer.communicate(timeout=20)
    assert lasted < 1, said  # of its own CPU time, which loaded is all time, unless others on the machine take some
    assert tracer.returncode == 1
    told = [line for line in said.splitlines() if "of its CPU for our probes" in line]
    assert len(told) == 1 and re.match(rf"utrace: nginx\[{nginx.worker}\] paid \d+% .*allowed: 50%.*--max-overhead", told[0]), said
    assert len(said.splitlines()) == 2, said  # and the account
    # Beside one that never had probes, since other work on this machine slows both; with probes it reaches 0.9 in no window.
    windows = []
    while not windows or windows[-1][0] > windows[-1][1] / 0.9:
        assert len(windows) < 8, windows
        windows.append((nginx.load(1), twin.load(1)))


def test_none_switches_the_breaker_off(nginx):
    with started("wrk", "-t1", "-c4", "-d4s", nginx.url, stdout=subprocess.DEVNULL):
        done = run("func", "u:*", "-p", nginx.worker, "--stat", "--max-overhead=none", "--duration", "1500ms", "-o", os.devnull)
    assert done.returncode == 0 and "paid" not in done.stderr, done.stderr


def test_few_functions_of_a_loaded_nginx_do_not_trip_it(nginx):
    """A page takes 40 us of its CPU and a probed call 8 more. The empty answer takes 4, so there one function trips it, and rightly."""
    with started("wrk", "-t1", "-c4", "-d30s", nginx.url + "page", stdout=subprocess.DEVNULL):
        done = run("func", "ngx_http_handler", "-p", nginx.worker, "--stat", "--duration", "1500ms")
    assert done.returncode == 0 and "paid" not in done.stderr, done.stderr
    assert int(done.stdout.splitlines()[1].split()[0]) > 100


@pytest.fixture(scope="module")
def paced(tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("breaker"), "paced.c")


def test_a_low_limit_trips_on_light_load_and_a_high_one_does_not(paced):
    with started(paced, 100, stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout.readline() == "ready\n"
        high = run("func", "step", "-p", target.pid, "--stat", "--max-overhead=95%", "--duration", "1500ms")
        low = run("func", "step", "-p", target.pid, "--stat", "--max-overhead=1%", "--duration", "10s")
        assert target.poll() is None
    assert high.returncode == 0 and "paid" not in high.stderr, high.stderr
    assert low.returncode == 1 and re.search(r"paced\[\d+\] paid \d+% of its CPU for our probes \(allowed: 1%\)", low.stderr), low.stderr
    assert "step" in low.stdout  # what was counted until then is shown


def test_a_command_has_no_breaker_unless_asked(tmp_path):
    source = "long f(long n);\nint main(void) { long s = 0; for (long i = 0; i < 150000; i++) s += f(i); return s == 0; }\n" \
             "__attribute__((noinline)) long f(long n) { return n ^ 1; }\n"
    program = compile_c(tmp_path, source, name="hot")
    done = run("func", "f", "--stat", "--json", "-o", "-", "--", program)
    assert done.returncode == 0 and "paid" not in done.stderr
    assert workload.events(done.stdout, "function_stat")[0]["calls"] == 150000
    asked = run("func", "f", "--stat", "--max-overhead=10%", "--json", "-o", "-", "--", program)
    assert asked.returncode == 0 and "paid" in asked.stderr, "the exit status is the command's"
    assert workload.events(asked.stdout, "function_stat")[0]["calls"] < 150000
