"""Options and fixtures of all tests."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_handled() -> None:
    """A shell starts background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would then wait forever."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--save` writes the expected results of each case into its file. Review them in the diff."""
    parser.addoption("--save", action="store_true", help="write the expected results of each case into its file")


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that asserts that the results of a case are the expected ones, or saves them with `--save`."""
    from case_files import save

    def verify(case: Any, found: Mapping[str, Any]) -> None:
        if request.config.getoption("--save"):
            assert "PYTEST_XDIST_WORKER" not in os.environ, "only one process may save cases: omit -n"
            save(case.subject, case.name, found)
        else:
            assert dict(found) == case.expected

    return verify
