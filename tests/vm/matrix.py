"""The kernels that tests of guests boot: two in ./check, the rest of the table in ./check --vm; $UTRACE_VM_KERNELS names others."""
import os

import pytest

from guest import Fault
from guest.kernels import kernel, table

ALWAYS = ("6.1", "6.12")
NAMED = os.environ.get("UTRACE_VM_KERNELS", "").split()
KERNELS = NAMED or [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.long) for name in table()]


def need(name):
    """Skips the test if the mirror no longer has a kernel of the long table: Debian keeps only the newest of its backports."""
    try:
        kernel(name)
    except Fault as fault:
        if name in (*ALWAYS, *NAMED):
            raise
        pytest.skip(str(fault))
