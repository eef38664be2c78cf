"""The controller dies in every operation of the bring-up of the cluster and of Ceph: the next run says so, and goes on.

Once from one machine with its journal, and once as if each run came from another machine, without any journal. Both end in the same state,
and no operation is started twice.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ceph_drills import POOL, ceph, is_clean
from deeds import run_with
from rehearsal import NODES, ROOT, Lab

pytestmark = pytest.mark.lab

STORAGE = ("--stage", "storage")
DISKS = {node: f"nvme-2TB_SSD_{node.upper()}01" for node in NODES}


# Each operation in the order of the stage, with its command: until the packages, until the disks, and after them.
CLUSTER = {"cluster/homelab": "pvecm create", "member/simon": "pvecm add", "member/theodore": "pvecm add"}
FIRST = {
    "ceph/homelab": "pveceph init",
    **{f"monitor/{node}": "pveceph mon create" for node in NODES},
}
LAST = {f"pool/{POOL}": "pveceph pool create", f"storage/{POOL}": "pvesm add rbd"}
COMMANDS = (*CLUSTER.values(), *["pveceph install"] * len(NODES), *FIRST.values(), *["pveceph osd create"] * len(NODES), *LAST.values())


@pytest.fixture(params=["with-the-journal", "from-another-machine"])
def machines(request: pytest.FixtureRequest, site: Lab, tmp_path: Path) -> Iterator[Path]:
    """The network on fresh hosts without storage, and the folder of each run's journal, from the first machine on."""
    site.reset()
    assert site.runbook("bootstrap", "--stage", "host", "--stage", "network").code == 0

    def states() -> Iterator[Path]:
        number = 0
        while True:
            number += request.param == "from-another-machine"
            yield tmp_path / f"machine-{number}"

    return states()


def of_node(lab: Lab, node: str) -> tuple[tuple[str, ...], list[str]]:
    """The flags that select the set of a node's manager and disk, and its operations: `pveceph mon create` may have made a manager.

    One node at a time: in parallel, an operation of one may be over when the run dies in that of another.
    """
    only = ("--set", f"ceph node {node}")
    _, report = lab.report("bootstrap", *STORAGE, *only, "--dry-run")
    return only, [one["id"] for stage in report["stages"] for each in stage["sets"] for host in each["hosts"] for one in host["operations"]]


def dies_in(lab: Lab, operation: str, state: Path, *only: str) -> str:
    """What a run prints that is killed while the operation is under way."""
    done, _ = run_with("die", "running", "*", operation, *STORAGE, *only, state=state)
    at_work = "systemctl list-units --no-legend 'burrow-command-*'"
    lab.wait("the commands that it started have ended", lambda: not any(lab.sh(node, at_work) for node in NODES), 120)
    kind, _, name = operation.partition("/")
    if kind in ("monitor", "osd"):
        lab.wait("its daemon is up: no other one is added before that", lambda: daemons_are_up(lab), 90)
    if kind == "manager":
        lab.wait("the monitors know the manager", lambda: name in managers(lab), 60)
    for node in (*NODES, "vault"):
        lab.sh(node, "rm -f /var/lib/burrow/lease.json")  # as if the lease had expired
    return done.stdout


def daemons_are_up(lab: Lab) -> bool:
    """Whether all monitors are in quorum, and all OSDs are up."""
    output = lab.sh("alvin", "ceph --connect-timeout 5 status -f json", check=False)
    if not output.lstrip("\n").startswith("{"):
        return False
    status = json.loads(output)
    return len(status["quorum_names"]) == status["monmap"]["num_mons"] and status["osdmap"]["num_up_osds"] == status["osdmap"]["num_osds"]


def managers(lab: Lab) -> list[str]:
    """The managers that the monitors know, active or standing by."""
    known = ceph(lab, "alvin", "mgr dump")
    return [known["active_name"], *[one["name"] for one in known["standbys"]]]


def started(lab: Lab) -> dict[str, int]:
    """{command: how often systemd started it, on all nodes}."""
    log = "".join(lab.sh(node, "journalctl -q --no-pager -o cat -t systemd | grep '^Started .*Burrow: ' || true") for node in NODES)
    return {command: log.count(command) for command in COMMANDS}


def end_state(lab: Lab) -> object:
    """What the two bring-ups have to have in common."""
    tree = [(one["type"], one["name"]) for one in ceph(lab, "alvin", "osd tree")["nodes"] if one["type"] in ("host", "root")]
    pools = [(one["pool_name"], one["size"], one["min_size"]) for one in ceph(lab, "alvin", "osd dump")["pools"]]
    monitors = sorted(one["name"] for one in ceph(lab, "alvin", "mon dump")["mons"])
    members = lab.sh("alvin", "grep -c 'nodeid' /etc/pve/corosync.conf")
    return sorted(tree), pools, monitors, members, lab.sh("alvin", "grep -v '^$' /etc/pve/storage.cfg")


ENDS: list[object] = []


def test_each_operation_is_killed_once_and_none_is_started_twice(
    site: Lab, machines: Iterator[Path], request: pytest.FixtureRequest
) -> None:
    killed = ""

    def kill(operation: str, *only: str) -> None:
        nonlocal killed
        printed = dies_in(site, operation, next(machines), *only)
        assert not killed or told(printed, killed, journal="with-the-journal" in request.node.name), printed[-3000:]
        killed = operation

    for operation in CLUSTER:
        kill(operation)
    for node in NODES:  # one at a time, as in `of_node`
        kill(f"ceph-packages/{node}", "--set", f"ceph packages {node}")
    for operation in FIRST:
        kill(operation)
    for node in NODES:
        only, operations = of_node(site, node)
        assert f"osd/{DISKS[node]}" in operations
        for operation in operations:
            kill(operation, *only)
    for operation in LAST:
        kill(operation)
    last = next(machines)
    done = subprocess.run(
        [sys.executable, "runbooks/bootstrap.py", *STORAGE, "--json", "-"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(last)},
    )
    report = json.loads(done.stdout)
    assert done.returncode == 0, report["stages"]
    assert any(killed in line for line in report["earlier"]), report["earlier"]
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)
    code, report = site.report("bootstrap", *STORAGE)
    assert (code, {one["state"] for stage in report["stages"] for one in stage["sets"]}) == (0, {"unchanged"})
    assert started(site) == {command: COMMANDS.count(command) for command in COMMANDS}
    ENDS.append(end_state(site))
    assert all(one == ENDS[0] for one in ENDS)


def told(printed: str, operation: str, *, journal: bool) -> bool:
    """Whether a run says which operation of the killed one was under way, and how it ended."""
    lines = [line for line in printed.splitlines() if line.startswith("earlier: ")]
    if journal:
        return any(f"under way: {operation}, which ended with 0" in line for line in lines)
    return any(f"({operation}) of " in line and line.endswith("ended with 0") for line in lines)
