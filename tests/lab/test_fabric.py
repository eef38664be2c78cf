"""The routed fabric on real FRR: it comes up, survives cables and bad candidates, and is judged by ip, vtysh and counted packets."""

import json
from pathlib import Path

import pytest
from fabric_drills import FRR_RULES, MISTAKES, PORT_RULES, Mistake
from napalm.base.exceptions import CommitError
from rehearsal import FOLDER, HOSTS, NODES, Lab
from routers import converged, neighbours, routes
from sites import variant
from traffic import LOOPBACKS, Flow, lost

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.core.frr_impact import frr_impact
from tasks.core.impact import interfaces_impact
from tasks.core.transaction import FRR_RELOAD_SCRIPT

pytestmark = pytest.mark.lab

HASH = "find /etc -xdev -type f -o -type l | LC_ALL=C sort | xargs -d '\\n' sha256sum 2>/dev/null | sha256sum"
THUNDERBOLT = ("alvin:en06", "simon:en06", "theodore:en06")


def packets(lab: Lab, node: str, port: str) -> int:
    return int(lab.sh(node, f"cat /sys/class/net/{port}/statistics/tx_packets"))


@pytest.fixture(scope="module", autouse=True)
def built(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """The whole site, from fresh hosts: first only planned, then made."""
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
    """One cable: at most a second. All three: SFP+ carries it, which its counters show. Back again: nothing is lost."""
    for cables in (THUNDERBOLT[:1], THUNDERBOLT):
        before = packets(lab, "alvin", "enp2s0f1np1")
        with Flow(lab, "alvin", "simon", 100) as flow:
            for cable in cables:
                lab.command("cut", cable)
        assert len(flow.lost) <= 20 * len(cables), f"of 100 requests, 50 ms apart, were lost {flow.lost}"
        if cables == THUNDERBOLT:
            lab.wait("SFP+ carries it", lambda: lost(lab, "alvin", "simon", 5) == [], 10)
            assert routes(lab, "alvin")[LOOPBACKS["simon"]] == "enp2s0f1np1"
            assert packets(lab, "alvin", "enp2s0f1np1") - before > 50
        with Flow(lab, "alvin", "simon", 200) as flow:
            for cable in cables:
                lab.command("splice", cable)
            lab.wait("every adjacency is full", lambda: converged(lab), 30)
        assert flow.lost == []
        lab.wait("Thunderbolt carries it", lambda: routes(lab, "alvin").get(LOOPBACKS["simon"]) == "en06", 10)


@pytest.fixture
def device(lab: Lab) -> Ifupdown2Driver:
    del lab
    device = Ifupdown2Driver("alvin", "", "", optional_args={"ssh_config_file": str(FOLDER / "ssh_config")})
    device.open()
    yield device
    device.close()


FILE = "#### file /etc/frr/frr.conf\n"
IN_PART = f"{FILE}interface en05\n ip ospf cost 77\nexit\nrouter ospf\n network 10.104.0.0/31 area 0.0.0.0\nexit\n"
FORWARDING = "net.ipv4.ip_forward net.ipv6.conf.all.forwarding"
LIVE = "cat /etc/frr/frr.conf; stat -c '%a %U' /etc/frr/frr.conf; vtysh -c 'show running-config'"


def test_candidate_that_applies_in_part_is_taken_back(lab: Lab, device: Ifupdown2Driver) -> None:
    """FRR's checks pass it and ospfd refuses one line: no adjacency drops, and all is as before, live values too."""
    lab.sh("alvin", "sysctl -q net.ipv6.conf.all.forwarding=0")
    look = f"{LIVE}; sysctl {FORWARDING}"
    before, up = lab.sh("alvin", look), neighbours(lab, "alvin")
    device.load_merge_candidate(config=IN_PART)
    with pytest.raises(CommitError, match=r"`frr reload` ended with 1: .*remove all ip ospf area"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", look) == before
    after = neighbours(lab, "alvin")
    assert all(after[port][0] == "Full" and after[port][1] > up[port][1] for port in up), "an adjacency dropped"


def test_syntax_error_is_refused_before_any_write(lab: Lab, device: Ifupdown2Driver) -> None:
    before = lab.sh("alvin", "stat -c %y /etc/frr/frr.conf")
    device.load_merge_candidate(config=f"{FILE}router ospf\n ospf router-id nowhere\nexit\n")
    with pytest.raises(CommitError, match="ospf router-id nowhere"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", "stat -c %y /etc/frr/frr.conf") == before


def test_cost_changes_under_traffic_without_loss(lab: Lab) -> None:
    """A cost that somebody changed is mended by a run, while packets cross the node."""
    mend = "sed -i 's/ ip ospf cost 5$/ ip ospf cost 50/' /etc/frr/frr.conf && /usr/lib/frr/frr-reload.py --reload /etc/frr/frr.conf"
    lab.sh("simon", mend)
    lab.wait("SFP+ is preferred", lambda: routes(lab, "simon").get(LOOPBACKS["alvin"], "").startswith("enp"), 10)
    up = neighbours(lab, "simon")
    with Flow(lab, "alvin", "simon", 400) as flow:
        done = lab.runbook("bootstrap", "--set", "fabric simon")
    assert done.code == 0, done.out
    assert "en06 changes its OSPF cost: traffic moves, adjacencies stay" in done.out
    assert flow.lost == []
    after = neighbours(lab, "simon")
    assert all(after[port][1] > up[port][1] for port in up), "an adjacency dropped"
    lab.wait("Thunderbolt is preferred", lambda: routes(lab, "simon").get(LOOPBACKS["alvin"]) == "en05", 10)


@pytest.mark.parametrize("rule", FRR_RULES)
def test_adjacencies_end_when_the_rule_says_so(lab: Lab, rule: str) -> None:
    """What the impact rules say of a change of frr.conf is what ospfd does, also where they say nothing."""
    script, which = FRR_RULES[rule]
    up = neighbours(lab, "alvin")
    before = lab.sh("alvin", "cp -p /etc/frr/frr.conf /root/frr.conf; cat /etc/frr/frr.conf")
    after = lab.sh("alvin", f"sed -i '{script}' /etc/frr/frr.conf; cat /etc/frr/frr.conf")
    assert after != before
    said = " ".join(frr_impact(before, after))
    ended = set(up) if which == "all" else {which} - {""}
    assert ("every" in said, "en06's OSPF adjacency goes" in said) == (which == "all", which == "en06"), said
    try:
        lab.sh("alvin", FRR_RELOAD_SCRIPT)
        if ended:
            lab.wait("what is to end has ended", lambda: all(_is_another(lab, port, up) for port in ended), 20)
        else:
            assert lost(lab, "alvin", "simon", 60, 0.2) == []  # longer than a dead interval
        assert {port for port in up if not _is_another(lab, port, up)} == set(up) - ended
    finally:
        lab.sh("alvin", f"cp -p /root/frr.conf /etc/frr/frr.conf; {FRR_RELOAD_SCRIPT}")
        lab.wait("every adjacency is full", lambda: converged(lab), 40)


@pytest.mark.parametrize("rule", PORT_RULES)
def test_adjacency_of_a_port_ends_when_the_rule_says_so(lab: Lab, rule: str) -> None:
    """The port stays up, ospfd begins anew on it, and on it alone."""
    path = "/etc/network/interfaces"
    up = neighbours(lab, "alvin")
    before = lab.sh("alvin", f"cp -p {path} /root/interfaces; cat {path}")
    after = lab.sh("alvin", f"sed -i '{PORT_RULES[rule]}' {path}; cat {path}")
    assert after != before
    said = interfaces_impact(before, after, lab.sh("alvin", "cat /etc/frr/frr.conf"))
    assert (
        [line for line in said if "OSPF adjacency" in line]
        == [line for line in said if line.startswith("en06's OSPF adjacency goes")]
        != []
    )
    try:
        lab.sh("alvin", "ifreload -a")
        lab.wait("its adjacency has ended", lambda: _is_another(lab, "en06", up), 20)
        assert {port for port in up if not _is_another(lab, port, up)} == set(up) - {"en06"}
    finally:
        lab.sh("alvin", f"cp -p /root/interfaces {path}; ifreload -a")
        lab.wait("every adjacency is full", lambda: converged(lab), 40)


def _is_another(lab: Lab, port: str, up: dict[str, tuple[str, int]]) -> bool:
    """Whether the adjacency that was there is gone or a new one."""
    now = neighbours(lab, "alvin").get(port, ("", 0))
    return now[0] != "Full" or now[1] < up[port][1]


def test_node_comes_back_with_its_adjacencies(lab: Lab) -> None:
    lab.command("kill", "theodore")
    lab.command("start", "theodore")
    lab.wait("every adjacency is full", lambda: converged(lab), 60)
    lab.wait("the audit is clean", lambda: lab.runbook("audit").code == 0, 60)


def test_thunderbolt_port_comes_back_when_it_is_plugged_in(lab: Lab) -> None:
    """By udev and systemd alone: name, address, MTU, and the adjacency."""
    lab.command("unplug", "simon:en05")
    assert "en05" not in lab.sh("simon", "ls /sys/class/net")
    lab.wait("the adjacency is gone", lambda: "en05" not in neighbours(lab, "simon"), 10)
    lab.command("plug", "simon:en05")
    lab.wait("the adjacency is back", lambda: neighbours(lab, "simon").get("en05", ("",))[0] == "Full", 30)
    (row,) = json.loads(lab.sh("simon", "ip -j address show en05"))
    assert row["mtu"] == 65520
    assert "10.105.0.1" in [one["local"] for one in row["addr_info"]]


def test_daemon_that_dies_during_a_reload_is_noticed(lab: Lab, device: Ifupdown2Driver) -> None:
    before = lab.sh("alvin", "cat /etc/frr/frr.conf")
    death = "while [ ! -e /run/frr/burrow-reload ]; do sleep 0.02; done; kill -9 $(cat /run/frr/bfdd.pid)"
    lab.sh("alvin", f"rm -f /run/frr/burrow-reload; systemd-run -q --collect sh -c '{death}'")
    device.load_merge_candidate(config=f"{FILE}interface en05\n ip ospf cost 77\nexit\n")
    with pytest.raises(CommitError, match="FRR's bfdd died during the reload"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", "cat /etc/frr/frr.conf") == before
    lab.wait("FRR has started it again, and every adjacency is full", lambda: converged(lab), 40)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake_by_hand_is_named(lab: Lab, mistake: Mistake) -> None:
    """MTU, area, keys and router id: the findings say host, port and cause, each in its own words, and show no key; the remedy mends it."""
    for host, command in mistake.by_hand.items():
        lab.sh(host, command)
    try:
        if mistake.ends_adjacency:
            lab.wait("the adjacency has ended", lambda: "en05" not in neighbours(lab, "simon"), 30)
        code, report = lab.report("audit", "--limit", "simon")
        failed = {(one["target"], one["want"], one["got"]) for stage in report["stages"] for one in stage["findings"] if not one["ok"]}
        assert code == 1
        assert mistake.findings <= failed, failed
        assert "hush" not in json.dumps(report)
    finally:
        for host in mistake.by_hand:
            lab.sh(host, mistake.remedy)
        lab.wait("every adjacency is full", lambda: converged(lab), 60)


def test_routers_sign_with_the_sites_key(lab: Lab, tmp_path: Path) -> None:
    """Every router takes it within the others' dead interval, so no adjacency ends; nobody is shown it. Then it goes again."""
    folder = tmp_path / "signs"
    site = variant(folder, defaults={"ospf:\n": "ospf:\n  key_file: key\n"})
    (folder / "key").write_text("hush-hush-16-abc\n")
    code, report = lab.report("bootstrap", "--site", site, "--set", "fabric *")
    assert code == 0, report["stages"]
    lab.wait("every adjacency is full", lambda: converged(lab), 30)
    for node in NODES:
        running = lab.sh(node, "vtysh -c 'show running-config'")
        assert running.count("message-digest-key 1 md5") == 4
        assert lab.sh(node, "setpriv --reuid=65534 --regid=65534 --clear-groups cat /etc/frr/frr.conf", check=False) == ""
    audit = lab.runbook("audit", "--site", site, "--tags", "ospf", "--json", "-")
    assert audit.code == 0
    assert "hush-hush" not in json.dumps(report) + audit.out
    assert lab.runbook("bootstrap", "--set", "fabric *").code == 0
    lab.wait("every adjacency is full", lambda: converged(lab), 30)
    assert "message-digest" not in lab.sh("alvin", "cat /etc/frr/frr.conf")


def test_drained_node_reboots_without_anybody_noticing(lab: Lab) -> None:
    """Out of service, rebooted, waited for, and back: what the other two say to each other goes on."""
    lab.wait("the audit is clean", lambda: lab.runbook("audit").code == 0, 90)
    with Flow(lab, "alvin", "simon", 900) as flow:
        done = lab.runbook("maintain", "theodore")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert flow.lost == []
    assert "max-metric" not in lab.sh("theodore", "vtysh -c 'show running-config'")
    assert lab.runbook("audit").code == 0
