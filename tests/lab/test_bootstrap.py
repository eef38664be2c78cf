"""The fresh site comes up, a second run changes nothing, drift is corrected, and unmanaged configuration stays."""

import pytest
from deeds import run_with
from rehearsal import HOSTS, NODES, Lab, etc, states

pytestmark = pytest.mark.lab

# Unmanaged configuration on a node.
FOREIGN = """
sed -i '/^iface vmbr0/a\\\t# wired to the rack in the cellar\\n\\tbridge-ageing 120' /etc/network/interfaces
cat >> /etc/network/interfaces <<'END'

# the guests of the lab course
auto vmbr9
iface vmbr9 inet static
\taddress 10.99.0.1/24
\tbridge-ports none
\tbridge-stp off
\tbridge-fd 0
END
ifreload -a
"""


def test_fresh_site_is_only_planned_by_a_dry_run(lab: Lab) -> None:
    before = etc(lab)
    done = lab.runbook("bootstrap", "--dry-run")
    assert done.code == 2, f"{done.out}\n{done.err}"
    assert "+auto bond0" in done.out
    assert "goes down for a moment and joins bond0" in done.out
    assert etc(lab) == before


def test_fresh_site_comes_up(lab: Lab) -> None:
    macs = {node: lab.sh(node, "cat /sys/class/net/vmbr0/address") for node in NODES}
    code, report = lab.report("bootstrap")
    assert code == 0, report
    assert set(states(report).values()) == {"done"}
    for node in NODES:
        partners = lab.partners(node, "bond0")
        assert len(partners) == 2, f"{node}: {partners}"
        assert set(partners) == {lab.sh("sw-rack", f"cat /sys/class/net/po-{node}/address").strip()}
        assert "state forwarding" in lab.sh("sw-rack", f"bridge link show dev po-{node}")
        assert lab.sh(node, "cat /sys/class/net/vmbr0/address") == macs[node]
        assert "0% packet loss" in lab.sh("vault", f"ping -q -c 20 -i 0.05 {node}")
        assert lab.sh(node, f"getent -s dns hosts {node}.mrcurls.org").startswith("172.16.101.")


def test_second_run_changes_nothing(lab: Lab) -> None:
    before = etc(lab)
    code, report = lab.report("bootstrap")
    assert code == 0, report
    assert set(states(report).values()) == {"unchanged"}
    assert etc(lab) == before


def test_run_without_changes_is_one_round_trip(lab: Lab) -> None:
    """By the hosts' sshd logs: one connection and one exec over SSH, one connection and at most three execs through NAPALM."""
    marks = {host: lab.sh(host, "journalctl -q -n 1 --show-cursor -o cat | sed -n 's/^-- cursor: //p'").strip() for host in HOSTS}
    assert lab.runbook("bootstrap").code == 0
    for host in (*NODES, "vault", "sw-rack"):
        log = lab.sh(host, f"journalctl -q -o cat --after-cursor '{marks[host]}'")
        connections, execs = log.count("Accepted publickey"), log.count("Starting session: command")
        assert (connections, execs) == (1, 1) or (host == "sw-rack" and connections == 1 and 1 <= execs <= 3), (
            f"{host}: {connections} connections, {execs} execs"
        )


def test_audit_is_clean(lab: Lab) -> None:
    code, report = lab.report("audit")
    failed = [row for row in report["stages"][0]["findings"] if not row["ok"]]
    assert code == 0, failed
    assert not failed
    assert {row["host"] for row in report["stages"][0]["findings"]} == set(HOSTS)


def test_a_change_by_hand_is_drift_and_is_mended(lab: Lab) -> None:
    lab.sh("alvin", "sed -i 's/bond-lacp-rate fast/bond-lacp-rate slow/' /etc/network/interfaces && ifreload -a")
    assert "slow" in lab.sh("alvin", "cat /sys/class/net/bond0/bonding/lacp_rate")
    done = lab.runbook("bootstrap", "--dry-run")
    assert done.code == 2, done.out
    assert "+\tbond-lacp-rate fast" in done.out.expandtabs(8).replace("+       ", "+\t")
    assert "bond0 goes down and up: lacp-rate changes" in done.out
    assert lab.runbook("bootstrap").code == 0
    assert "fast" in lab.sh("alvin", "cat /sys/class/net/bond0/bonding/lacp_rate")


def test_what_is_somebody_elses_stays(lab: Lab) -> None:
    """Unmanaged configuration survives a change and a revert, and the audit lists it."""
    lab.sh("simon", FOREIGN)
    theirs = (
        "# wired to the rack in the cellar",
        "bridge-ageing 120",
        "# the guests of the lab course",
        "iface vmbr9 inet static",
        "10.99.0.1/24",
    )
    code, report = lab.report("audit", "--limit", "simon")
    assert code == 0, [row for row in report["stages"][0]["findings"] if not row["ok"]]
    notes = [f"{row['target']} {row['got']}" for row in report["stages"][0]["findings"] if row["severity"] == "note"]
    assert any("vmbr9" in note for note in notes), notes
    assert any("vmbr0 bridge-ageing 120" in note for note in notes), notes
    lab.sh("simon", "sed -i 's/bond-lacp-rate fast/bond-lacp-rate slow/' /etc/network/interfaces && ifreload -a")
    before = lab.sh("simon", "cat /etc/network/interfaces")
    done, _ = run_with("die", "applied", "simon", "uplink simon", "--limit", "simon")
    assert done.returncode == -9
    lab.wait("the timer restored simon", lambda: not lab.pending("simon"), 50)
    lab.wait("its bond has its partner again", lambda: "00:00:00:00:00:00" not in lab.partners("simon", "bond0"), 20)
    assert lab.sh("simon", "cat /etc/network/interfaces") == before
    assert "slow" in lab.sh("simon", "cat /sys/class/net/bond0/bonding/lacp_rate")
    assert lab.runbook("bootstrap", "--limit", "simon").code == 0
    text = lab.sh("simon", "cat /etc/network/interfaces")
    assert all(line in text for line in theirs), text
    assert "vmbr9" in lab.sh("simon", "ip -br link show type bridge")
    assert lab.sh("simon", "cat /sys/class/net/vmbr0/bridge/ageing_time").strip() == "12000"


def test_staged_change_of_somebody_else_is_refused(lab: Lab) -> None:
    drift = "sed -i 's/bond-lacp-rate fast/bond-lacp-rate slow/' /etc/network/interfaces"
    lab.sh("theodore", f"cp /etc/network/interfaces /etc/network/interfaces.new; {drift}")
    try:
        done = lab.runbook("bootstrap", "--stage", "network", "--limit", "theodore")
        assert done.code == 3, done.out
        assert "theodore: /etc/network/interfaces.new exists" in done.out
    finally:
        lab.sh("theodore", "mv /etc/network/interfaces.new /etc/network/interfaces")
    assert lab.runbook("bootstrap", "--stage", "network", "--limit", "theodore").code == 0


def test_one_member_down_keeps_management(lab: Lab) -> None:
    lab.command("cut", "alvin:eno2")
    try:
        lab.wait("the bond drops the port", lambda: "down" in lab.sh("alvin", "grep -A1 'Interface: eno2' /proc/net/bonding/bond0"), 10)
        assert lab.reachable("alvin")
        code, report = lab.report("audit", "--limit", "alvin")
        failed = [row for row in report["stages"][0]["findings"] if not row["ok"]]
        assert code == 1
        assert any(row["target"] == "alvin:eno2" and row["check"] == "bond_members_have_carrier" for row in failed), failed
    finally:
        lab.command("splice", "alvin:eno2")
    lab.wait("the bond has its port again", lambda: "00:00:00:00:00:00" not in lab.partners("alvin", "bond0"), 15)


def test_node_comes_back_by_itself(lab: Lab) -> None:
    lab.command("kill", "theodore")
    assert lab.runbook("audit", "--limit", "theodore").code == 1
    lab.command("start", "theodore")
    lab.wait_for_success(60, "audit")
