"""A bad path to the hosts: every management cable drops and delays frames, and the site still comes up."""

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
    """Each cable drops 5 % of its frames and delays each by 20 ms. The path to a node has three such cables."""
    for cable in MANAGEMENT:
        lab.command("impair", cable, "--loss", "5%", "--delay", "20ms")
    yield
    for cable in MANAGEMENT:
        lab.command("impair", cable)


@pytest.mark.usefixtures("bad_cables")
def test_bootstrap_ends_right_over_bad_cables(lab: Lab, tmp_path: Path) -> None:
    """With a site's default timers, no set is late, none is reverted, and a second run changes nothing."""
    site = variant(tmp_path / "site", timers=BY_ITSELF)
    code, report = lab.report("bootstrap", "--site", site)
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"done"}, report["stages"]
    assert code == 0, [one for stage in report["stages"] for one in stage["findings"] if not one["ok"]]
    for node in NODES:
        assert len(lab.partners(node, "bond0")) == 2
        assert lab.sh(node, "vtysh -c 'show ip ospf neighbor' | grep -c Full/") == "4\n"
    assert lab.runbook("bootstrap", "--site", site, "--dry-run").code == 0
