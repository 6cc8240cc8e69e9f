"""What a pattern means, and the answer to one that means nothing."""
import re
import signal
import subprocess
from collections import Counter

import pytest
from conftest import CLEAN, DEADLINE_S, UTRACE

PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
#define WORK __attribute__((noinline, noclone))
WORK void alpha_one(void) { asm volatile(""); }
WORK void alpha_two(void) { asm volatile(""); }
WORK void beta_one(void) { asm volatile(""); }
WORK void gamma_1(void) { asm volatile(""); }
extern void lib_one(void), lib_two(void);
int main(void)
{
	for (int i = 0; i < 3; i++) { alpha_one(); beta_one(); gamma_1(); lib_one(); }
	alpha_two();
	lib_two();
	char *volatile p = strdup("text");
	free(p);
	return 0;
}
"""
LIBRARY = r"""
__attribute__((noinline)) void lib_one(void) { asm volatile(""); }
__attribute__((noinline)) void lib_two(void) { asm volatile(""); }
"""


@pytest.fixture(scope="session")
def program(built):
    library = built(LIBRARY, "-shared", "-fPIC", name="libsome.so.1")
    return built(PROGRAM, str(library), f"-Wl,-rpath,{library.parent}", name="program"), library


CASES = [
    (["alpha_one"], {"alpha_one": 3}),
    (["alpha_*"], {"alpha_one": 3, "alpha_two": 1}),
    (["alpha_*", "beta_one"], {"alpha_one": 3, "alpha_two": 1, "beta_one": 3}),
    (["*_one", "!beta*"], {"alpha_one": 3}),
    (["!alpha_two", "alpha_*"], {"alpha_one": 3, "alpha_two": 1}),
    (["*_one", "!*_one", "alpha_one"], {"alpha_one": 3}),
    (["u:alpha_one"], {"alpha_one": 3}),
    (["[bg]*_[1o]*"], {"beta_one": 3, "gamma_1": 3}),
    (["alpha_???"], {"alpha_one": 3, "alpha_two": 1}),
    (["libsome:*_one"], {"lib_one": 3}),
    (["libsome.so.1:lib_*"], {"lib_one": 3, "lib_two": 1}),
    (["u:libsome*:lib_two"], {"lib_two": 1}),
    (["program:gamma_1"], {"gamma_1": 3}),
    (["libsome:lib_*", "!libsome:*two", "alpha_two"], {"lib_one": 3, "alpha_two": 1}),
    (["@library:lib_one"], {"lib_one": 3}),
    (["@program:gamma*"], {"gamma_1": 3}),
    (["*:*_two"], {"alpha_two": 1, "lib_two": 1}),
    (["libc:strdup"], {"strdup": 1}),
]


@pytest.mark.parametrize("patterns,calls", CASES, ids=[" ".join(p) for p, _ in CASES])
def test_a_pattern_means_these_functions(utrace, program, patterns, calls):
    path, library = program
    patterns = [p.replace("@library", str(library)).replace("@program", str(path)) for p in patterns]
    seen = utrace.func(*patterns, command=[path])
    got = Counter(c["function_name"].lstrip("_") for c in seen.calls)
    assert got == calls and seen.status == 0


CPLUSPLUS = r"""
#include <cstdio>
#include <string>
#include <vector>
namespace shop { namespace inner {
struct cart {
	std::vector<int> items;
	__attribute__((noinline)) void add(int n) { items.push_back(n); }
	__attribute__((noinline)) long total() const { long t = 0; for (int i : items) t += i; return t; }
	__attribute__((noinline)) cart operator+(const cart &o) const { cart c; c.items = items; return c; }
};
} }
template <typename T> __attribute__((noinline)) T twice(T v) { return v + v; }
int main()
{
	shop::inner::cart c, d;
	for (int i = 0; i < 4; i++) c.add(i);
	d = c + c;
	printf("%ld %d %ld\n", c.total(), twice(2), twice(3L));
}
"""

NAMES = [
    ("shop::inner::cart::add*", {"add": 4}),
    ("shop::*", {"add": 4, "total": 1, "operator+": 1}),
    ("prog:shop::inner::cart::total*", {"total": 1}),
    ("u:*::cart::add*", {"add": 4}),
    ("*twice<*>*", {"twice": 2}),
    ("_ZN4shop5inner4cart3addEi", {"add": 4}),
]


@pytest.mark.parametrize("pattern,calls", NAMES, ids=[p for p, _ in NAMES])
def test_two_colons_never_separate(utrace, built, pattern, calls):
    seen = utrace.func(pattern, command=[built(CPLUSPLUS, lang="cc")])
    got = Counter(re.search(r"(operator\+|\w+)(<\w+>)?(\(.*)?$", c["function_name"])[1] for c in seen.calls)
    assert got == calls


def answer(*words):
    done = subprocess.run([UTRACE, "func", *map(str, words)], env=CLEAN, capture_output=True, text=True, timeout=DEADLINE_S)
    return done.returncode, done.stderr


@pytest.fixture
def sleeper(start, built):
    process = start(built("#include <stdio.h>\n__attribute__((noinline)) void handle_request(void) { asm volatile(\"\"); }\n"
                          "int main(void) { puts(\"begun\"); fflush(stdout); while (getchar() != EOF) handle_request(); return 0; }"))
    process.line()
    return process


def test_no_match_in_a_running_process_is_an_error_with_the_nearest_names(sleeper):
    status, said = answer("handle_reqest", "-p", sleeper.pid)
    assert status == 1
    assert re.fullmatch(r"utrace: no function of prog matches 'handle_reqest'; nearest: handle_request[^\n]*\(list them: [^\n]+\)\n", said), said


def test_no_match_in_what_a_command_runs_is_an_error_only_at_the_end(utrace, program):
    seen = utrace.func("alpha_onee", command=[program[0]], verbose=False)
    assert seen.status == 125 and "no function of program matches 'alpha_onee'; nearest: alpha_one" in seen.stderr
    seen = utrace.func("alpha_onee", "alpha_two", command=[program[0]], verbose=False)
    assert seen.status == 0 and seen.count() == {"alpha_two": 1} and "nearest" not in seen.stderr
    seen = utrace.func("alpha_one", command=["sh", "-c", f"true; {program[0]}; exit 3"], verbose=False)
    assert seen.status == 3 and seen.count() == {"alpha_one": 3}


def test_a_name_that_nobody_has_yet_is_told_when_the_run_ends(utrace):
    live = utrace.start("func", "work", "-n", "utrace-t-nobody").ready()
    seen = live.end(signal.SIGINT)
    assert seen.status == 1 and "utrace: no process came that fits" in seen.stderr


WRONG = [
    (["!alpha"], "no function is asked for"),
    (["libc:"], "'libc:' has an empty part"),
    ([":x"], "':x' has an empty part"),
    (["u:"], "'u:' has an empty part"),
    (["t:sched"], "'t:sched' names no system"),
    (["usdt:x"], "'usdt:x' names no provider"),
    (["file.c:12"], "is a source line"),
    (["go:main.*"], "functions of the go runtime"),
]


@pytest.mark.parametrize("patterns,want", WRONG, ids=[" ".join(p) for p, _ in WRONG])
def test_a_pattern_that_cannot_be_is_answered_in_one_line(sleeper, patterns, want):
    status, said = answer(*patterns, "-p", sleeper.pid)
    assert status in (1, 2) and want in said and re.fullmatch(r"utrace: [^\n]+\n", said)
