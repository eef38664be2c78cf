"""Failures that an operator meets: wrong cabling, dead hosts, two operators, a clock that jumps, Ctrl-C, an unmanaged switch."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deeds import open_set
from rehearsal import NODES, ROOT, Lab, states
from sites import BY_ITSELF, variant

pytestmark = pytest.mark.lab

NETWORK = ("--stage", "network", "--set", "uplink *")
# A set, and the flags of the run that applies it.
ALVIN = ("uplink alvin", *NETWORK, "--limit", "alvin")


def reasons(report: dict, name: str) -> str:
    return " ".join(reason for stage in report["stages"] for one in stage["sets"] if one["set"] == name for reason in one["reasons"])


def is_bonded(lab: Lab, node: str) -> bool:
    partners = lab.partners(node, "bond0")
    return len(partners) == 2 and "00:00:00:00:00:00" not in partners


def is_plain(lab: Lab, node: str) -> bool:
    links = lab.sh(node, "ls /sys/class/net; ls /sys/class/net/vmbr0/brif") + lab.sh("sw-rack", "ls /sys/class/net")
    return "bond0" not in links and f"po-{node}" not in links and "eno1" in lab.sh(node, "ls /sys/class/net/vmbr0/brif")


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """A fresh site with its base settings applied. These drills are about the network."""
    assert lab.runbook("bootstrap", "--stage", "host").code == 0


@pytest.fixture(autouse=True)
def plain(lab: Lab) -> Iterator[None]:
    """Every drill starts from the fresh network."""
    yield
    for host in ("sw-rack", *NODES):
        lab.put_back(host)


def test_channel_with_a_member_of_another_node(lab: Lab, tmp_path: Path) -> None:
    """Two rows of the cable table are swapped: their sets revert and report where and why. The third node's set stays applied."""
    swap = {
        "{from: alvin:eno2, to: sw-rack:swp2,": "{from: alvin:eno2, to: sw-rack:swp9,",
        "{from: simon:eno2, to: sw-rack:swp4,": "{from: simon:eno2, to: sw-rack:swp2,",
        "sw-rack:swp9,": "sw-rack:swp4,",
    }
    code, report = lab.report("bootstrap", *NETWORK, "--site", variant(tmp_path / "site", cables=swap))
    assert code == 1
    assert states(report) == {"uplink alvin": "reverted", "uplink simon": "reverted", "uplink theodore": "done"}
    assert "alvin:eno2" in reasons(report, "uplink alvin")
    assert "no partner" in reasons(report, "uplink alvin")
    assert is_bonded(lab, "theodore")
    assert is_plain(lab, "alvin")
    assert is_plain(lab, "simon")


def test_channel_that_swallows_the_way_to_the_operator(lab: Lab, tmp_path: Path) -> None:
    """A LAG takes the switch's own uplink: no host is reachable, the timers revert the set, and the other sets stay applied."""
    wrong = {
        "{from: alvin:eno2, to: sw-rack:swp2,": "{from: alvin:eno2, to: sw-rack:swp9,",
        "{from: sw-rack:swp7, to: sw-core:swp1,": "{from: sw-rack:swp2, to: sw-core:swp1,",
        "sw-rack:swp9,": "sw-rack:swp7,",
    }
    code, report = lab.report("bootstrap", *NETWORK, "--site", variant(tmp_path / "site", cables=wrong))
    assert code == 1
    assert states(report) == {"uplink alvin": "reverted", "uplink simon": "done", "uplink theodore": "done"}, report["stages"]
    assert "sw-rack" in reasons(report, "uplink alvin")
    assert "swp7" in reasons(report, "uplink alvin")
    assert is_plain(lab, "alvin")
    assert is_bonded(lab, "simon")
    assert is_bonded(lab, "theodore")
    assert all(lab.reachable(host) for host in (*NODES, "sw-rack"))


def test_one_host_is_down(lab: Lab) -> None:
    lab.command("kill", "simon")
    try:
        code, report = lab.report("bootstrap", *NETWORK)
        assert code == 1
        assert states(report) == {"uplink alvin": "done", "uplink simon": "refused", "uplink theodore": "done"}
        assert "simon" in report["unreachable"]
    finally:
        lab.command("start", "simon")
    code, report = lab.report("bootstrap", *NETWORK)
    assert code == 0, report
    assert states(report) == {"uplink alvin": "unchanged", "uplink simon": "done", "uplink theodore": "unchanged"}
    assert is_bonded(lab, "simon")


def test_one_host_accepts_and_says_nothing(lab: Lab) -> None:
    listener = lab.sh("theodore", "systemctl show -p MainPID --value ssh.service").strip()
    lab.sh("theodore", f"kill -STOP {listener}")
    try:
        code, report = lab.report("bootstrap", *NETWORK)
        assert code == 1
        assert states(report) == {"uplink alvin": "done", "uplink simon": "done", "uplink theodore": "refused"}
        assert "no SSH connection within" in report["unreachable"]["theodore"]
    finally:
        lab.sh("theodore", f"kill -CONT {listener}")
    code, report = lab.report("bootstrap", *NETWORK)
    assert code == 0, report
    assert is_bonded(lab, "theodore")


@pytest.mark.parametrize(("kind", "host"), [("prepared", "alvin"), ("reachable", "sw-rack")])
def test_second_operator_is_refused_by_name(lab: Lab, tmp_path: Path, kind: str, host: str) -> None:
    """By the lease before the first change, and by the open transaction after it. The first run's timers outlast the whole second run."""
    patient = variant(tmp_path / "site", timers=BY_ITSELF)
    with open_set(tmp_path / "go", kind, host, *ALVIN, "--site", patient) as first:
        second = lab.runbook("bootstrap", *NETWORK, "--limit", "alvin")
        assert second.code == 3, second.out
        assert f"(process {first.pid})" in second.out, second.out
    assert first.returncode == 0
    assert is_bonded(lab, "alvin")
    assert lab.runbook("bootstrap", *NETWORK, "--limit", "alvin").code == 0


def test_clock_jumps_during_a_transaction(lab: Lab, tmp_path: Path) -> None:
    """Neither the timer nor the lease uses the wall clock."""
    hosts = ("alvin", "sw-rack")
    with open_set(tmp_path / "go", "reachable", "sw-rack", *ALVIN) as run:
        for host in hosts:
            lab.sh(host, "date -s '+1 hour' >/dev/null")
        assert all(lab.pending(host) for host in hosts)
        status = json.loads(lab.sh("alvin", "burrow status --json"))
        assert 0 < status["pending"]["revert_in_s"] <= 41
        assert status["lease"] is not None
    try:
        assert run.returncode == 0
        assert is_bonded(lab, "alvin")
    finally:
        for host in hosts:
            lab.sh(host, "date -s '-1 hour' >/dev/null; systemctl restart chrony", check=False)


def test_interrupt_rolls_back(lab: Lab, tmp_path: Path) -> None:
    words = [sys.executable, "runbooks/bootstrap.py", *NETWORK, "--limit", "alvin", "--json", str(tmp_path / "run.json")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "sw-rack" in line and "applied" in line:
                run.send_signal(signal.SIGINT)
                break
        printed = run.stdout.read()
    assert run.returncode == 130, printed
    assert "rolling back" in printed
    report = json.loads((tmp_path / "run.json").read_text())
    assert states(report) == {"uplink alvin": "interrupted"}
    assert is_plain(lab, "alvin")
    assert not lab.pending("alvin")
    assert not lab.pending("sw-rack")
    assert json.loads(lab.sh("alvin", "burrow status --json"))["lease"] is None


def test_switch_that_is_not_ours(lab: Lab, tmp_path: Path) -> None:
    """The node's end is applied without loss, the plan lists the switch ports to bundle, and the audit fails until they are bundled."""
    site = variant(tmp_path / "site", hosts={"sw-rack:\n  groups: [switch]\n": "sw-rack:\n  groups: [switch]\n  managed: false\n"})
    before = lab.sh("sw-rack", "cat /etc/network/interfaces")
    done = lab.runbook("bootstrap", *NETWORK, "--site", site, "--limit", "alvin")
    assert "sw-rack: bundle swp1 and swp2 as one fast LACP channel to alvin" in done.out, done.out
    assert done.code == 1, done.out
    assert lab.sh("sw-rack", "cat /etc/network/interfaces") == before
    assert "802.3ad" in lab.sh("alvin", "cat /sys/class/net/bond0/bonding/mode")
    assert " 0% packet loss" in lab.sh("sw-core", "ping -q -c 200 -i 0.02 172.16.101.1")
    code, audit = lab.report("audit", "--site", site, "--limit", "alvin", "--tags", "bond")
    failed = [row for row in audit["stages"][0]["findings"] if not row["ok"]]
    assert code == 1
    assert any("swp1 and swp2" in row["want"] and row["target"] == "alvin:eno1" for row in failed), failed
    lab.command("exec", "sw-rack", "--", "python3", "-c", BUNDLE)
    lab.wait("the partner is there", lambda: is_bonded(lab, "alvin"), 15)
    lab.wait_for_success(30, "audit", "--site", site, "--limit", "alvin", "--tags", "bond")


def test_site_of_ones_own_is_planned_and_asked(lab: Lab, tmp_path: Path) -> None:
    """The site is not the lab: without a terminal and without --yes, a run applies nothing."""
    site = variant(tmp_path / "home", rehearsal=False)
    flags = (*NETWORK, "--limit", "alvin", "--site", site)
    planned = lab.runbook("bootstrap", *flags)
    assert planned.code == 2, planned.out
    assert "--yes was not given" in planned.out
    assert is_plain(lab, "alvin")
    assert lab.runbook("bootstrap", *flags, "--yes").code == 0
    assert is_bonded(lab, "alvin")


def test_agent_at_the_console(lab: Lab, tmp_path: Path) -> None:
    """Without the controller, the host's console shows and reverts the open transaction, and can remove the host agent."""
    with open_set(tmp_path / "go", "applied", "alvin", *ALVIN) as run:
        run.kill()
    status = lab.sh("alvin", "burrow status")
    assert "pending: uplink alvin" in status, status
    assert f"(process {run.pid})" in status
    assert "burrow: a transaction is open" in lab.command("exec", "alvin", "--", "burrow", "remove", check=False).err
    lab.sh("alvin", "burrow revert")
    assert is_plain(lab, "alvin")
    assert "by hand on the host" in lab.sh("alvin", "burrow status")
    lab.sh("alvin", "burrow remove")
    units = "/etc/systemd/system/burrow-*.service /etc/systemd/system/*.target.wants/burrow-*.service"
    left = lab.sh("alvin", f"ls -d /usr/local/sbin/burrow /var/lib/burrow {units} 2>/dev/null", check=False)
    assert not left


BUNDLE = r"""
import subprocess
from pathlib import Path
path = Path("/etc/network/interfaces")
text = path.read_text().replace("bridge-ports swp1 swp2", "bridge-ports po-alvin")
attributes = ("bond-slaves swp1 swp2", "bond-mode 802.3ad", "bond-miimon 100", "bond-lacp-rate fast")
path.write_text(text + "\nauto po-alvin\niface po-alvin\n\t" + "\n\t".join(attributes) + "\n")
subprocess.run(["ifreload", "-a"], check=True)
"""
