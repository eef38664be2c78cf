"""A bad way to the hosts: every management cable loses and delays, and the site comes up all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rehearsal import NODES, Lab
from sites import BY_ITSELF, variant

pytestmark = pytest.mark.lab

MANAGEMENT = (
    *(f"{node}:{port}" for node in NODES for port in ("eno1", "eno2")),
    *("sw-rack:swp7", "sw-rack:swp8", "sw-core:swp3", "sw-core:swp4"),
)


@pytest.fixture
def bad_cables(lab: Lab) -> Iterator[None]:
    """5 % of the frames of each cable are lost, and each is 20 ms late: three such cables lead to a node."""
    for cable in MANAGEMENT:
        lab.command("impair", cable, "--loss", "5%", "--delay", "20ms")
    yield
    for cable in MANAGEMENT:
        lab.command("impair", cable)


@pytest.mark.usefixtures("bad_cables")
def test_bootstrap_ends_right_over_bad_cables(lab: Lab, tmp_path: Path) -> None:
    """With the timers that a site has by itself: no set is late, none is reverted, and a second run finds nothing to do."""
    site = variant(tmp_path / "site", timers=BY_ITSELF)
    code, report = lab.report("bootstrap", "--site", site)
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"done"}, report["stages"]
    assert code == 0, [one for stage in report["stages"] for one in stage["findings"] if not one["ok"]]
    for node in NODES:
        assert len(lab.partners(node, "bond0")) == 2
        assert lab.sh(node, "vtysh -c 'show ip ospf neighbor' | grep -c Full/") == "4\n"
    assert lab.runbook("bootstrap", "--site", site, "--dry-run").code == 0
