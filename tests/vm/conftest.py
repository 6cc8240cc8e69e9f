"""A boot that tests share."""
import pytest
from capabilities import examine
from matrix import KERNELS, need


@pytest.fixture(scope="session", params=KERNELS)
def guest(request, tmp_path_factory):
    """One boot of each kernel: its name in the table, what was seen."""
    need(request.param)
    return request.param, examine(request.param, tmp_path_factory.mktemp("guest"))
