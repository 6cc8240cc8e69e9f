"""Functions, tracepoints and system calls on other kernels: each mechanism counts what the program itself says it did."""
import pytest
from capabilities import CAPABILITIES, NAMES, written_columns


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_is_exactly_what_the_program_did(guest, name):
    _, seen = guest
    assert seen.check(name) or seen.lacks(CAPABILITIES[NAMES.index(name)])


def test_the_table_of_the_docs_says_what_was_seen(guest):
    kernel, seen = guest
    assert written_columns()[kernel] == seen.column(), f"docs/kernels.md is stale: tests/vm/table {kernel}"
