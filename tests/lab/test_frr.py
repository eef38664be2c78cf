"""FRR's files on real FRR: a partly applied change is reverted, and a change ends exactly the adjacencies that its impact lists."""

import json
from pathlib import Path

import pytest
from fabric_drills import FRR_RULES, MISTAKES, PORT_RULES, Difference, Mistake
from napalm.base.exceptions import CommitError
from rehearsal import FOLDER, NODES, Lab
from routers import Adjacency, converged, kept, neighbours, watched
from sites import variant
from traffic import lost

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.platforms.frr.files import FRR_RELOAD_SCRIPT
from tasks.platforms.frr.impact import frr_impact
from tasks.platforms.ifupdown2.impact import interfaces_impact

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Lab) -> None:
    """The whole network, as earlier drills left it or built now, instead of fresh hosts."""
    lab.build()
    lab.wait("every adjacency is full", lambda: converged(lab), 40)


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
    """FRR's checks accept the candidate, but ospfd refuses a line: no adjacency drops, and files and live values are restored."""
    lab.sh("alvin", "sysctl -q net.ipv6.conf.all.forwarding=0")
    command = f"{LIVE}; sysctl {FORWARDING}"
    before, up = lab.sh("alvin", command), neighbours(lab, "alvin")
    device.load_merge_candidate(config=IN_PART)
    with pytest.raises(CommitError, match=r"`frr reload` ended with 1: .*remove all ip ospf area"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", command) == before
    assert kept(lab, "alvin", up) == set(up), "an adjacency dropped"


def test_syntax_error_is_refused_before_any_write(lab: Lab, device: Ifupdown2Driver) -> None:
    before = lab.sh("alvin", "stat -c %y /etc/frr/frr.conf")
    device.load_merge_candidate(config=f"{FILE}router ospf\n ospf router-id nowhere\nexit\n")
    with pytest.raises(CommitError, match="ospf router-id nowhere"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", "stat -c %y /etc/frr/frr.conf") == before


def test_thunderbolt_port_comes_back_when_it_is_plugged_in(lab: Lab, device: Ifupdown2Driver) -> None:
    """udev and systemd restore name, address, MTU and the adjacency, also while a transaction is open on the host."""
    _port_comes_back(lab)
    device.load_merge_candidate(config=f"{FILE}interface en06\n description held open\nexit\n")
    device.commit_config(revert_in=60)
    _port_comes_back(lab)
    assert device.has_pending_commit()
    device.rollback()


def _is_full(lab: Lab, node: str, port: str) -> bool:
    now = neighbours(lab, node)
    return port in now and now[port].state == "Full"


def _port_comes_back(lab: Lab) -> None:
    """Unplug and plug both ends of a cable, as Thunderbolt removes both NICs."""
    ends = {"alvin": ("en06", "10.105.0.0"), "simon": ("en05", "10.105.0.1")}
    for verb in ("unplug", "plug"):
        for host, (port, _) in ends.items():
            lab.command(verb, f"{host}:{port}")
            assert (port in lab.sh(host, "ls /sys/class/net")) == (verb == "plug")
        if verb == "unplug":
            lab.wait("the adjacency is gone", lambda: "en05" not in neighbours(lab, "simon"), 10)
    lab.wait("the adjacency is back", lambda: _is_full(lab, "simon", "en05"), 30)
    for host, (port, address) in ends.items():
        (row,) = json.loads(lab.sh(host, f"ip -j address show {port}"))
        assert row["mtu"] == 65520
        assert address in [one["local"] for one in row["addr_info"]]


def test_daemons_start_and_end_beside_those_that_stay(lab: Lab) -> None:
    """As Debian's package installs FRR: it runs without OSPF and BFD. zebra and the unit keep running."""
    command = "cat /run/frr/zebra.pid; systemctl show frr -p NRestarts -p ActiveEnterTimestamp"
    stop = "sed -i 's/^ospfd=yes/ospfd=no/; s/^bfdd=yes/bfdd=no/' /etc/frr/daemons && systemctl reload frr"
    lab.sh("theodore", stop)
    before = lab.sh("theodore", command)
    assert not lab.sh("theodore", "pgrep -x 'ospfd|bfdd'", check=False)
    done = lab.runbook("bootstrap", "--set", "fabric theodore")
    assert done.code == 0, done.out
    assert lab.sh("theodore", command) == before
    lab.wait("every adjacency is full", lambda: converged(lab), 40)
    lab.sh("theodore", f"{stop.partition(' &&')[0]}; {FRR_RELOAD_SCRIPT}")
    assert not lab.sh("theodore", "pgrep -x 'ospfd|bfdd'", check=False)
    assert lab.sh("theodore", command) == before
    assert lab.runbook("bootstrap", "--set", "fabric theodore").code == 0


@pytest.mark.parametrize("daemon", ["bfdd", "ospfd"])
def test_daemon_that_dies_during_a_reload_is_noticed(lab: Lab, device: Ifupdown2Driver, daemon: str) -> None:
    before = lab.sh("alvin", "cat /etc/frr/frr.conf")
    death = f"while [ ! -e /run/frr/burrow-reload ]; do sleep 0.02; done; kill -9 $(cat /run/frr/{daemon}.pid)"
    lab.sh("alvin", f"rm -f /run/frr/burrow-reload; systemd-run -q --collect sh -c '{death}'")
    device.load_merge_candidate(config=f"{FILE}interface en05\n ip ospf cost 77\nexit\n")
    with pytest.raises(CommitError, match=f"FRR's {daemon} died during the reload"):
        device.commit_config(revert_in=30)
    assert lab.sh("alvin", "cat /etc/frr/frr.conf") == before
    lab.wait("FRR has started it again, and every adjacency is full", lambda: converged(lab), 40)


def test_routers_sign_with_the_sites_key(lab: Lab, tmp_path: Path) -> None:
    """A key on one router ends its adjacencies, so it is reverted. All routers get it within a dead interval. No output shows it."""
    folder = tmp_path / "signs"
    site = variant(folder, defaults={"ospf:\n": "ospf:\n  key_file: key\n"})
    (folder / "key").write_text("hush-hush-16-abc\n")
    (folder / "key").chmod(0o600)
    alone = lab.runbook("bootstrap", "--site", site, "--set", "fabric alvin")
    assert alone.code == 1
    assert "no neighbour uses the new OSPF parameters" in alone.out
    lab.wait("every adjacency is full", lambda: converged(lab), 30)
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


@pytest.mark.parametrize("difference", FRR_RULES.values(), ids=FRR_RULES)
def test_adjacencies_end_when_the_rule_says_so(lab: Lab, difference: Difference) -> None:
    """The impact rules predict what ospfd does on a change of frr.conf. Adjacencies that stay also survive the change back."""
    hosts = {"alvin", *difference.ready}
    for host in hosts:
        lab.sh(host, "cp -p /etc/frr/frr.conf /root/frr.conf")
    try:
        for host, script in difference.ready.items():
            lab.sh(host, f"sed -i '{script}' /etc/frr/frr.conf; {FRR_RELOAD_SCRIPT}")
        lab.wait("every adjacency is full and watched", lambda: watched(lab, hosts), 40)
        up = neighbours(lab, "alvin")
        _assert_shown_and_done(lab, difference, up)
    finally:
        for host in hosts:
            lab.sh(host, f"cp -p /root/frr.conf /etc/frr/frr.conf; {FRR_RELOAD_SCRIPT}")
        lab.wait("every adjacency is full", lambda: converged(lab), 40)
    assert difference.ends or kept(lab, "alvin", up) == set(up)


def _assert_shown_and_done(lab: Lab, difference: Difference, up: dict[str, Adjacency]) -> None:
    before = lab.sh("alvin", "cat /etc/frr/frr.conf")
    after = lab.sh("alvin", f"sed -i '{difference.script}' /etc/frr/frr.conf; cat /etc/frr/frr.conf")
    assert after != before
    printed = " ".join(frr_impact(before, after))
    if difference.impact:
        assert printed == difference.impact
    else:
        which = (difference.ends == "all", difference.ends == "en06")
        assert ("every" in printed, "en06's OSPF adjacency goes" in printed) == which, printed
    assert "is unknown" not in printed
    lab.sh("alvin", FRR_RELOAD_SCRIPT)
    ended = set(up) if difference.ends == "all" else {difference.ends} - {""}
    if ended:
        lab.wait("what is to end has ended", lambda: not kept(lab, "alvin", up) & ended, 20)
    else:
        assert lost(lab, "alvin", "simon", 60, 0.2) == []  # longer than a dead interval
    assert kept(lab, "alvin", up) == set(up) - ended


@pytest.mark.parametrize("rule", PORT_RULES)
def test_adjacency_of_a_port_ends_when_the_rule_says_so(lab: Lab, rule: str) -> None:
    """The port stays up. ospfd restarts the adjacency on this port only."""
    path = "/etc/network/interfaces"
    up = neighbours(lab, "alvin")
    before = lab.sh("alvin", f"cp -p {path} /root/interfaces; cat {path}")
    after = lab.sh("alvin", f"sed -i '{PORT_RULES[rule]}' {path}; cat {path}")
    assert after != before
    printed = interfaces_impact(before, after, lab.sh("alvin", "cat /etc/frr/frr.conf"))
    assert (
        [line for line in printed if "OSPF adjacency" in line]
        == [line for line in printed if line.startswith("en06's OSPF adjacency goes")]
        != []
    )
    try:
        lab.sh("alvin", "ifreload -a")
        lab.wait("its adjacency has ended", lambda: "en06" not in kept(lab, "alvin", up), 20)
        assert kept(lab, "alvin", up) == set(up) - {"en06"}
    finally:
        lab.sh("alvin", f"cp -p /root/interfaces {path}; ifreload -a")
        lab.wait("every adjacency is full", lambda: converged(lab), 40)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake_by_hand_is_named(lab: Lab, mistake: Mistake) -> None:
    """MTU, area, keys and router ID: each finding reports host, port and cause, and shows no key. The remedy corrects it."""
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
