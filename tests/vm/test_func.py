"""Functions, tracepoints and system calls on other kernels: each mechanism counts what the program itself says it did."""
import pytest
from capabilities import CAPABILITIES, NAMES, examine, written_columns
from matrix import KERNELS, need


@pytest.fixture(scope="module", params=KERNELS)
def guest(request, tmp_path_factory):
    """One boot: the kernel's name in the table, what was seen."""
    need(request.param)
    return request.param, examine(request.param, tmp_path_factory.mktemp("guest"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_is_exactly_what_the_program_did(guest, name):
    _, seen = guest
    assert seen.check(name) or seen.lacks(CAPABILITIES[NAMES.index(name)])


def test_verify_finds_the_programs_within_their_budget(guest):
    """Of a utrace that has it."""
    _, seen = guest
    assert seen.verified() is not False, "\n".join(seen.sections["verify"][-20:])


def test_the_table_of_the_docs_says_what_was_seen(guest):
    kernel, seen = guest
    assert written_columns()[kernel] == seen.column(), f"docs/kernels.md is stale: tests/vm/table {kernel}"
