"""Jumbo frames over uplinks: written on both ends, carried end to end, carried over where they are there already, mended, and taken away.

Judged by `ip link` and by packets of full size with the DF bit, which no bridge and no bond takes apart.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rehearsal import Lab
from sites import variant

pytestmark = pytest.mark.lab

ADDRESSES = {"alvin": "172.16.101.1", "simon": "172.16.101.2", "theodore": "172.16.101.3", "sw-rack": "172.16.0.2"}
# All but the fabric and the storage, which no uplink's MTU concerns.
NAMES = ("settings *", "larger packets", "uplink *", "inter-switch *", "gateway *", "packet sizes *")
SETS = tuple(word for name in NAMES for word in ("--set", name))
CHECKS = ("bond", "bridge", "single_ports", "other_ends", "full_packets_cross_the_uplink", "full_packets_reach_the_next_node")
NODE, RACK = ("eno1", "eno2", "bond0", "vmbr0"), ("swp1", "swp2", "po-alvin", "swp3", "swp4", "po-simon")


def site_of(folder: Path, mtu_bytes: int) -> str:
    """The lab's site with an MTU on both ends of the uplinks of alvin and simon; of theodore's nothing is said."""
    said = f"{{mtu_bytes: {mtu_bytes}}}"
    ports = f"  ports: {{eno1: {said}, eno2: {said}}}\n"
    rows = {f"  disks: {{nvme-2TB_SSD_{name}01: {{purpose: osd}}}}\n": ports for name in ("ALVIN", "SIMON")}
    switch = {f"swp{number}: {{}}, ": f"swp{number}: {said}, " for number in (3, 4)}
    first = {"{swp1: {}, swp2: {}, ": f"{{swp1: {said}, swp2: {said}, "}
    return variant(folder, hosts={**rows, **first, **switch})


@pytest.fixture(scope="module")
def jumbo(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return replace(lab, site=site_of(tmp_path_factory.mktemp("jumbo"), 9000))


@pytest.fixture(scope="module")
def plain(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return replace(lab, site=site_of(tmp_path_factory.mktemp("plain"), 1500))


def mtus(lab: Lab, host: str, names: tuple[str, ...]) -> set[int]:
    rows = json.loads(lab.sh(host, "ip -j link"))
    found = {row["ifname"]: row["mtu"] for row in rows}
    return {found[name] for name in names}


def arrives(lab: Lab, host: str, far: str, mtu_bytes: int) -> bool:
    """Whether each of eight packets of that size does: an uplink's two members take some each."""
    ping = f"ping -nq -c 8 -i 0.05 -W 1 -M do -s {mtu_bytes - 28} {ADDRESSES[far]}"
    return " 0% packet loss" in lab.sh(host, ping, check=False)


def states(report: dict) -> dict[str, str]:
    return {one["set"]: one["state"] for stage in report["stages"] for one in stage["sets"]}


def failed(report: dict) -> set[tuple[str, str, str]]:
    """What of bonds, bridges and uplinks is not as wanted."""
    wrong = [row for row in report["stages"][0]["findings"] if not row["ok"] and row["check"].startswith(CHECKS)]
    return {(row["target"], row["want"], row["got"]) for row in wrong}


def test_a_present_mtu_is_carried_over_where_nothing_is_said(lab: Lab) -> None:
    lab.sh("sw-rack", "sed -i 's/^iface swp[56] .*/&\\n\\tmtu 9000/' /etc/network/interfaces && ifreload -a")
    lab.sh(
        "theodore", "sed -i 's/^iface eno1 .*/&\\n\\tmtu 9000/; s/^\\tbridge-fd 0/&\\n\\tmtu 9000/' /etc/network/interfaces && ifreload -a"
    )
    assert mtus(lab, "theodore", ("eno1", "vmbr0")) == {9000}
    done = lab.runbook("bootstrap", "--set", "settings theodore", "--set", "uplink theodore")
    assert done.code == 0, done.out
    assert mtus(lab, "theodore", NODE) == {9000}
    assert mtus(lab, "sw-rack", ("swp5", "swp6", "po-theodore")) == {9000}
    lab.sh("theodore", "ifreload -a")
    assert mtus(lab, "theodore", NODE) == {9000}


def test_a_dry_run_says_what_a_larger_mtu_does(jumbo: Lab) -> None:
    done = jumbo.runbook("bootstrap", "--dry-run", "--set", "uplink alvin")
    assert done.code == 2, done.out
    assert done.out.expandtabs(8).count("mtu 9000") >= 4, done.out
    assert "vmbr0 sends packets of up to 9000 bytes" in done.out


def test_jumbo_frames_cross_the_uplinks_end_to_end(jumbo: Lab) -> None:
    code, report = jumbo.report("bootstrap", *SETS)
    assert code == 0, report
    done = [event["change_set"] for event in report["events"] if event["kind"] == "done" and not event["change_set"].startswith("settings")]
    assert done[0] == "larger packets", done
    assert states(report)["uplink theodore"] == "unchanged"
    for node in ("alvin", "simon"):
        assert mtus(jumbo, node, NODE) == {9000}
    assert mtus(jumbo, "sw-rack", (*RACK, "br0")) == {9000}
    for host, far in (("alvin", "sw-rack"), ("sw-rack", "alvin"), ("alvin", "simon"), ("simon", "alvin"), ("theodore", "alvin")):
        assert arrives(jumbo, host, far, 9000), (host, far)
    assert not arrives(jumbo, "alvin", "sw-rack", 9001)


def test_large_transfers_cross_to_who_takes_less(jumbo: Lab) -> None:
    """The operator has 1500, and so has the inter-switch LAG on the way: TCP asks both ends."""
    done = jumbo.ssh("alvin", "head -c 20000000 /dev/zero | tr '\\0' x", wait_s=20)
    assert len(done.out) == 20_000_000


def test_second_run_changes_nothing(jumbo: Lab) -> None:
    code, report = jumbo.report("bootstrap", *SETS)
    assert code == 0, report
    assert set(states(report).values()) == {"unchanged"}


def test_the_audit_is_clean_and_sends_full_packets(jumbo: Lab) -> None:
    report = jumbo.report("audit")[1]
    assert not failed(report)
    targets = {row["target"] for row in report["stages"][0]["findings"]}
    assert {"alvin:bond0 to sw-rack (172.16.0.2), 9000 bytes", "sw-rack:po-simon to simon (172.16.101.2), 9000 bytes"} <= targets
    assert "alvin to simon (172.16.101.2), 9000 bytes" in targets


def test_an_mtu_set_by_hand_is_named(jumbo: Lab) -> None:
    """On the bond, the members follow; a member alone loses half of the streams; both are mended by what the remedy says."""
    jumbo.sh("alvin", "ip link set bond0 mtu 1500")
    wrong = failed(jumbo.report("audit", "--limit", "alvin")[1])
    assert {(f"alvin:{name} mtu", "9000", "1500") for name in ("bond0", "eno1", "eno2")} <= wrong, wrong
    assert ("alvin:bond0 to sw-rack (172.16.0.2), 9000 bytes", "answers", "no answer") in wrong
    jumbo.sh("alvin", "ifreload -a; ip link set eno2 mtu 1500")
    assert ("alvin:eno2 mtu", "9000", "1500") in failed(jumbo.report("audit", "--limit", "alvin")[1])
    jumbo.sh("alvin", "ifreload -a")
    assert mtus(jumbo, "alvin", NODE) == {9000}
    assert not failed(jumbo.report("audit", "--limit", "alvin")[1])


def test_an_mtu_in_the_file_is_drift_and_is_mended(jumbo: Lab) -> None:
    jumbo.sh(
        "simon", "sed -i '/^iface eno[12]/,/^$/ s/mtu 9000/mtu 1500/; /^iface bond0/,/^$/ s/mtu 9000/mtu 1500/' /etc/network/interfaces"
    )
    jumbo.sh("simon", "ifreload -a")
    assert mtus(jumbo, "simon", ("eno1", "eno2", "bond0")) == {1500}
    assert ("simon:bond0 mtu", "9000", "1500") in failed(jumbo.report("audit", "--limit", "simon")[1])
    code, report = jumbo.report("bootstrap", "--set", "uplink simon")
    assert code == 0, report
    assert states(report)["uplink simon"] == "done"
    assert mtus(jumbo, "simon", NODE) == {9000}
    assert arrives(jumbo, "simon", "alvin", 9000)


def test_an_mtu_is_lowered_at_the_node_first(plain: Lab) -> None:
    """While it is lowered, and afterwards, nobody is stranded; what nothing is said of stays."""
    done = plain.runbook("bootstrap", *SETS, "--dry-run")
    assert "packets of more than 1500 bytes to bond0 are lost" in done.out, done.out
    code, report = plain.report("bootstrap", *SETS)
    assert code == 0, report
    for node in ("alvin", "simon"):
        assert mtus(plain, node, NODE) == {1500}
        assert arrives(plain, node, "sw-rack", 1500)
    assert mtus(plain, "sw-rack", RACK) == {1500}
    assert mtus(plain, "theodore", NODE) == {9000}
    assert len(plain.ssh("alvin", "head -c 5000000 /dev/zero | tr '\\0' x", wait_s=20).out) == 5_000_000
