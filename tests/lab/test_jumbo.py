"""Jumbo frames over uplinks: set on both ends, sent end to end, kept where they are set already, corrected, and removed.

Verified with `ip link` and with packets of full size with the DF bit, which no bridge and no bond fragments.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rehearsal import Lab
from sites import variant

pytestmark = pytest.mark.lab

ADDRESSES = {"alvin": "172.16.101.1", "simon": "172.16.101.2", "theodore": "172.16.101.3", "sw-rack": "172.16.0.2"}
# All sets except the fabric and the storage, which do not depend on an uplink's MTU.
SETS = tuple(
    word
    for name in ("settings *", "larger packets", "uplink *", "inter-switch *", "gateway *", "packet sizes *")
    for word in ("--set", name)
)
CHECKS = ("bond", "bridge", "single_ports", "other_ends", "full_packets_cross_the_uplink", "full_packets_reach_the_next_node")
NODE, RACK = ("eno1", "eno2", "bond0", "vmbr0"), ("swp1", "swp2", "po-alvin", "swp3", "swp4", "po-simon")


def site_of(folder: Path, mtu_bytes: int) -> str:
    """The lab's site with an MTU on both ends of the uplinks of alvin and simon. theodore's ports have none."""
    value = f"{{mtu_bytes: {mtu_bytes}}}"
    ports = f"  ports: {{eno1: {value}, eno2: {value}}}\n"
    rows = {f"  disks: {{nvme-2TB_SSD_{name}01: {{purpose: osd}}}}\n": ports for name in ("ALVIN", "SIMON")}
    switch = {f"swp{number}: {{}}, ": f"swp{number}: {value}, " for number in (3, 4)}
    first = {"{swp1: {}, swp2: {}, ": f"{{swp1: {value}, swp2: {value}, "}
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
    """Whether eight packets of that size all arrive. Each of an uplink's two members transmits some of them."""
    ping = f"ping -nq -c 8 -i 0.05 -W 1 -M do -s {mtu_bytes - 28} {ADDRESSES[far]}"
    return " 0% packet loss" in lab.sh(host, ping, check=False)


def states(report: dict) -> dict[str, str]:
    return {one["set"]: one["state"] for stage in report["stages"] for one in stage["sets"]}


def failed(report: dict) -> set[tuple[str, str, str]]:
    """The failed findings of bonds, bridges and uplinks."""
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
    """The operator's machine has an MTU of 1500, and so does the inter-switch LAG: TCP uses the smaller MSS of both ends."""
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
    """The members follow the bond's MTU. A single member with another MTU loses half of the flows. The finding's remedy corrects both."""
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
    """Every host stays reachable while the MTU is lowered and afterwards. Ports without a configured MTU keep theirs."""
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
