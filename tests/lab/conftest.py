"""The lab for tests: booted once a session."""

import os
import sys
from dataclasses import replace

import measure
import pytest
from rehearsal import Lab
from sites import variant


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The six hosts, running, on a site without Ceph. It stays up after the tests; `python -m lab down` ends it."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("THE LAB CANNOT RUN HERE: it needs Linux on x86-64; every lab test is skipped")
    lab = Lab(variant(tmp_path_factory.mktemp("site")))
    lab.command("up")
    return lab


@pytest.fixture(scope="module")
def site(lab: Lab) -> Lab:
    """The lab, with all that the inventory says."""
    return replace(lab, site="lab")


@pytest.fixture(scope="module", autouse=True)
def measured(request: pytest.FixtureRequest) -> None:
    """What runs from here on is measured under the module's name, where `make drills` measures."""
    measure.begin(request.path.name)


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Lab, measured: None) -> None:  # noqa: ARG001
    """Every module begins with fresh hosts, whatever the one before it left."""
    lab.reset()
