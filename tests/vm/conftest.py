"""A boot that tests share."""
import pytest
from capabilities import examined
from matrix import KERNELS, need


@pytest.fixture(scope="session")
def boots(request, tmp_path_factory):
    """What will have been seen on each kernel that a test of this run asks for: all are begun when the first is."""
    params = (item.callspec.params for item in request.session.items if hasattr(item, "callspec"))
    names = dict.fromkeys(p["guest"] for p in params if "guest" in p)
    with examined(names, lambda: tmp_path_factory.mktemp("guest")) as seen:
        yield seen


@pytest.fixture(scope="session", params=KERNELS)
def guest(request, boots):
    """One boot of each kernel: its name in the table, what was seen."""
    need(request.param)
    return request.param, boots[request.param].result()
