"""Arguments, results, durations and counts are those that the program printed itself, however they are asked for."""
import pytest

from truth import as_root, build, utrace

pytestmark = as_root

STRING_BYTES = 64  # kept of a string by default
SLEEP_NS = 5_000_000


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("values"), "printed_values.c", "-O1", "-fno-builtin")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    names = ["plain", "with space", 'quo"te', "back\\slash", "gr\u00fc\u00df", "newline\nhere", "x" * 100]
    for name in names:
        (folder / name).write_text("")
    return [str(folder / name) for name in names] + ["", "/no/such/file"]


def printed(stdout, name):
    """[(argument, result)] of each call of @name, as the program printed them."""
    fields = [line.split("\t") for line in stdout.split("\n")]
    return [tuple(f[1:]) for f in fields if f[0] == name]


def of(run, name):
    return [call for call in run.calls if call["function_name"] == name]


@pytest.fixture(scope="module", params=[("return", ""), ("return", "session"), ("sites", "")], ids=["session", "multi", "sites"])
def run(request, program, paths, tmp_path_factory):
    exits, without = request.param
    run = utrace(tmp_path_factory.mktemp("run"), "func", "libc:open", "libc:getenv", "libc:close", "value_*", f"--exits={exits}",
                 "--", program, *paths, without=without)
    assert run.status == 0 and run.lost == 0, run.stderr
    return run


def test_strings_and_descriptors_of_open_are_those_of_the_program(run, paths):
    descriptors = [line.rsplit("\t", 1)[1] for line in run.stdout.replace("newline\nhere", "newline here").splitlines() if line.startswith("open\t")]
    seen = [(c["arguments"][0]["value"], c["return_value"]["value"]) for c in of(run, "open")]
    assert [int(d) for d in descriptors] == [result for _, result in seen]
    assert [p.encode()[:STRING_BYTES - 1] for p in paths] == [text.encode()[:STRING_BYTES - 1] for text, _ in seen]
    for path, call in zip(paths, of(run, "open")):
        assert call["arguments"][0].get("truncated", False) == (len(path.encode()) >= STRING_BYTES)


def test_getenv_is_told_as_text_and_pointer(run):
    seen = [(c["arguments"][0]["value"], c["return_value"]["value"]) for c in of(run, "getenv")]
    assert seen == [(name, "0x0" if result == "(nil)" else result) for name, result in printed(run.stdout, "getenv")]


def test_int_results_keep_their_sign(run):
    wrong = [(c["arguments"][0]["value"], c["return_value"]["value"]) for c in of(run, "close")][-2:]
    assert wrong == [(int(fd), int(result)) for fd, result in printed(run.stdout, "close")] == [(-1, -1), (2**31 - 1, -1)]


def as_word(text):
    return hex(0 if text == "(nil)" else int(text, 0) & 2**64 - 1)


@pytest.mark.parametrize("name", ["value_long", "value_pointer"])
def test_a_function_without_prototype_has_its_words(run, name):
    seen = [(c["arguments"][0]["value"], c["return_value"]["value"]) for c in of(run, name)]
    assert seen == [(as_word(argument), as_word(result)) for argument, result in printed(run.stdout, name)]


def test_durations_add_up_to_what_the_program_measured(run):
    (_, calls, measured_ns), = printed(run.stdout, "measured")
    outer, inner = of(run, "value_outer"), of(run, "value_sleep")
    assert len(outer) == len(inner) == int(calls)
    for o, i in zip(outer, inner):
        assert SLEEP_NS <= i["duration_ns"] <= o["duration_ns"]
        assert o["self_ns"] == o["duration_ns"] - i["duration_ns"]
        assert i["parent_call_id"] == o["call_id"]
    assert sum(o["duration_ns"] for o in outer) <= int(measured_ns)


@pytest.mark.parametrize("what", ["--stat", "--hist"])
def test_counts_made_in_the_kernel_are_those_of_the_stream(run, program, paths, what, tmp_path):
    counted = utrace(tmp_path, "func", "libc:open", "libc:getenv", "libc:close", "value_*", what, "--", program, *paths)
    stream = {name: len(of(run, name)) for name in {c["function_name"] for c in run.calls}}
    stats = {s["function_name"]: s for s in counted.of_type("function_stat")}
    assert {name: s["calls"] for name, s in stats.items()} == stream
    for s in stats.values():
        assert s["min_ns"] <= s["max_ns"] <= s["total_ns"] and s["self_ns"] <= s["total_ns"]
        assert s["min_ns"] * s["calls"] <= s["total_ns"] <= s["max_ns"] * s["calls"]
        if what == "--hist":
            assert sum(b["count"] for b in s["histogram"]) == s["calls"]
            assert s["histogram"][-1]["le_ns"] >= s["max_ns"]
    sleep = stats["value_sleep"]
    assert SLEEP_NS <= sleep["min_ns"] and SLEEP_NS <= sleep["p50_ns"] <= sleep["p99_ns"]
    (_, calls, measured_ns), = printed(counted.stdout, "measured")
    assert stats["value_outer"]["total_ns"] <= int(measured_ns)
    # On a machine that is not busy half of the sleeps of 5 ms end within 6; a bucket is an eighth wide.
    if int(measured_ns) < int(calls) * SLEEP_NS * 1.15:
        assert sleep["p50_ns"] <= 6_000_000
