"""The lab for tests, booted once for each session."""

import os
import sys
from dataclasses import replace

import measure
import pytest
from rehearsal import Lab
from sites import variant


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The six running hosts, with a site without Ceph. They keep running after the tests; `python -m lab down` stops them."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("THE LAB CANNOT RUN HERE: it needs Linux on x86-64; every lab test is skipped")
    lab = Lab(variant(tmp_path_factory.mktemp("site")))
    lab.command("up")
    return lab


@pytest.fixture(scope="module")
def site(lab: Lab) -> Lab:
    """The lab, with the whole inventory."""
    return replace(lab, site="lab")


@pytest.fixture(scope="module", autouse=True)
def measured(request: pytest.FixtureRequest) -> None:
    """`make drills` measures what runs from here on under the module's name."""
    measure.begin(request.path.name)


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Lab, measured: None) -> None:  # noqa: ARG001
    """Every module begins with fresh hosts."""
    lab.reset()
