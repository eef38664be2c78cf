"""The routed fabric on real FRR: it comes up and survives pulled cables and reboots, verified with ip, vtysh and counted packets."""

import pytest
from rehearsal import HOSTS, NODES, Lab
from routers import converged, kept, neighbours, routes
from traffic import LOOPBACKS, Flow, lost

pytestmark = pytest.mark.lab

HASH = "find /etc -xdev -type f -o -type l | LC_ALL=C sort | xargs -d '\\n' sha256sum 2>/dev/null | sha256sum"
THUNDERBOLT = ("alvin:en06", "simon:en06", "theodore:en06")


def packets(lab: Lab, node: str, port: str) -> int:
    return int(lab.sh(node, f"cat /sys/class/net/{port}/statistics/tx_packets"))


@pytest.fixture(scope="module", autouse=True)
def built(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """The whole site, from fresh hosts: first only planned, then applied."""
    before = {host: lab.sh(host, HASH) for host in HOSTS}
    done = lab.runbook("bootstrap", "--dry-run")
    assert done.code == 2, f"{done.out}\n{done.err}"
    assert "+router ospf" in done.out
    assert {host: lab.sh(host, HASH) for host in HOSTS} == before
    code, report = lab.report("bootstrap")
    assert code == 0, report["stages"]


def test_every_neighbour_is_full_and_thunderbolt_is_preferred(lab: Lab) -> None:
    lab.wait("every adjacency is full", lambda: converged(lab), 30)
    for node in NODES:
        assert set(routes(lab, node).values()) == {"en05", "en06"}
        assert "src " + LOOPBACKS[node] in lab.sh(node, "ip route show proto ospf")
        assert lab.sh(node, "systemctl is-enabled frr").strip() == "enabled"
        for other in NODES:
            if other != node:
                assert lost(lab, node, other, 5) == []
    assert "0% packet loss" in lab.sh("alvin", f"ping -q -c 3 -M do -s 65492 -I {LOOPBACKS['alvin']} {LOOPBACKS['simon']}")
    assert len(lab.partners("sw-rack", "trunk")) == 2
    assert len(set(lab.partners("sw-core", "trunk"))) == 1


def test_second_run_changes_nothing_and_the_audit_is_clean(lab: Lab) -> None:
    code, report = lab.report("bootstrap")
    assert code == 0, report
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"unchanged"}
    code, report = lab.report("audit")
    assert code == 0, [one for stage in report["stages"] for one in stage["findings"] if not one["ok"]]


def test_traffic_moves_when_thunderbolt_goes_and_comes_back_without_loss(lab: Lab) -> None:
    """With one cable cut, at most a second of traffic is lost. With all three, traffic uses SFP+, by its counters. Splicing loses none."""
    for cables in (THUNDERBOLT[:1], THUNDERBOLT):
        before = packets(lab, "alvin", "enp2s0f1np1")
        with Flow(lab, "alvin", "simon", 100) as flow:
            for cable in cables:
                lab.command("cut", cable)
        assert len(flow.lost) <= 20 * len(cables), f"of 100 requests, 50 ms apart, were lost {flow.lost}"
        if cables == THUNDERBOLT:
            lab.wait("traffic uses SFP+", lambda: lost(lab, "alvin", "simon", 5) == [], 10)
            assert routes(lab, "alvin")[LOOPBACKS["simon"]] == "enp2s0f1np1"
            assert packets(lab, "alvin", "enp2s0f1np1") - before > 50
        with Flow(lab, "alvin", "simon", 200) as flow:
            for cable in cables:
                lab.command("splice", cable)
            lab.wait("every adjacency is full", lambda: converged(lab), 30)
        assert flow.lost == []
        lab.wait("traffic uses Thunderbolt", lambda: routes(lab, "alvin").get(LOOPBACKS["simon"]) == "en06", 10)


def test_cost_changes_under_traffic_without_loss(lab: Lab) -> None:
    """A run corrects a cost that was changed by hand, while packets cross the node."""
    mend = "sed -i 's/ ip ospf cost 5$/ ip ospf cost 50/' /etc/frr/frr.conf && /usr/lib/frr/frr-reload.py --reload /etc/frr/frr.conf"
    lab.sh("simon", mend)
    lab.wait("SFP+ is preferred", lambda: routes(lab, "simon").get(LOOPBACKS["alvin"], "").startswith("enp"), 10)
    up = neighbours(lab, "simon")
    with Flow(lab, "alvin", "simon", 400) as flow:
        done = lab.runbook("bootstrap", "--set", "fabric simon")
    assert done.code == 0, done.out
    assert "en06 changes its OSPF cost: traffic moves, adjacencies stay" in done.out
    assert flow.lost == []
    assert kept(lab, "simon", up) == set(up), "an adjacency dropped"
    lab.wait("Thunderbolt is preferred", lambda: routes(lab, "simon").get(LOOPBACKS["alvin"]) == "en05", 10)


def test_node_comes_back_with_its_adjacencies(lab: Lab) -> None:
    lab.command("kill", "theodore")
    lab.command("start", "theodore")
    lab.wait("every adjacency is full", lambda: converged(lab), 60)
    lab.wait_for_success(60, "audit")


def test_drained_node_reboots_without_anybody_noticing(lab: Lab) -> None:
    """A node is drained, rebooted and put back, while traffic between the other two continues."""
    lab.wait_for_success(90, "audit")
    with Flow(lab, "alvin", "simon", 900) as flow:
        done = lab.runbook("maintain", "theodore")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert flow.lost == []
    assert "max-metric" not in lab.sh("theodore", "vtysh -c 'show running-config'")
    assert lab.runbook("audit").code == 0
