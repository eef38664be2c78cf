"""For all tests."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """A shell starts what runs in the background with SIGINT ignored, children inherit it, and tests of Ctrl-C would wait for ever."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--save` writes what follows from each case into its file, for a person to read in the diff."""
    parser.addoption("--save", action="store_true", help="write what follows from each case into its file")


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Callable[..., None]:
    """What follows from a case is what the case says."""
    from case_files import save

    def judge(case: Any, found: Mapping[str, Any]) -> None:
        if request.config.getoption("--save"):
            assert "PYTEST_XDIST_WORKER" not in os.environ, "cases are saved by one process: leave -n out"
            save(case.subject, case.name, found)
        else:
            assert dict(found) == case.expected

    return judge
