"""Ceph serves clients while cables, nodes and controllers fail, and while its nodes are changed."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ceph_drills import Bench, ceph, flags, is_clean
from rehearsal import NODES, ROOT, Lab
from sites import LAB, variant

pytestmark = pytest.mark.lab

# nornir_config.yaml
MAINTENANCE_S = 60
THUNDERBOLT = ("alvin:en06", "simon:en06", "theodore:en06")


@pytest.fixture(scope="module", autouse=True)
def fresh(site: Lab) -> None:
    """The whole site, as earlier drills left it or built now, instead of fresh hosts."""
    site.build()
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def test_writes_move_to_sfp_when_thunderbolt_goes(site: Lab) -> None:
    counter = "cat /sys/class/net/enp2s0f*/statistics/tx_bytes | awk '{total += $1} END {print total}'"
    before = int(site.sh("alvin", counter))
    with Bench(site, "alvin", 20) as bench:
        for cable in THUNDERBOLT:
            site.command("cut", cable)
    moved = int(site.sh("alvin", counter)) - before
    for cable in THUNDERBOLT:
        site.command("splice", cable)
    assert bench.went_well, bench.output
    assert moved > 1_000_000, f"{moved} bytes on SFP+"
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def spoil_cost(lab: Lab, node: str) -> None:
    """Change a cost by hand, for a run to correct."""
    lab.sh(node, "sed -i 's/ ip ospf cost 5$/ ip ospf cost 50/' /etc/frr/frr.conf && /usr/lib/frr/frr-reload.py --reload /etc/frr/frr.conf")


def test_node_is_changed_while_ceph_waits_for_it(site: Lab) -> None:
    spoil_cost(site, "simon")
    with Bench(site, "alvin", 25) as bench:
        done = site.runbook("bootstrap", "--set", "fabric simon")
    assert done.code == 0, f"{done.out}\n{done.err}"
    output = done.out[done.out.index(" queued") :]
    waits, changed, ended = output.index("Ceph waits for the OSDs of simon"), output.index(" simon      armed"), output.index(" put back")
    assert waits < changed < ended, output
    assert bench.went_well, bench.output
    assert flags(site) == {}


def test_node_whose_bucket_is_called_otherwise_is_waited_for_too(site: Lab) -> None:
    """CRUSH has no bucket with the node's name, so the flag is set on each of its OSDs."""
    ((number, *_),) = [one["children"] for one in ceph(site, "alvin", "osd tree")["nodes"] if one["name"] == "simon"]
    site.sh("alvin", "ceph osd crush rename-bucket simon simon-ssd")
    try:
        spoil_cost(site, "simon")
        planned = site.runbook("bootstrap", "--set", "fabric simon", "--dry-run")
        assert "Ceph waits for the OSDs of simon (noout for this host only" in planned.out, planned.out
        done = site.runbook("bootstrap", "--set", "fabric simon")
        log = site.sh("alvin", "ceph log last 100 info audit")
    finally:
        site.sh("alvin", "ceph osd crush rename-bucket simon-ssd simon")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert f'"prefix":"osdunset-group","flags":"noout","who":["osd.{number}"]' in "".join(log.split()), log
    (osd,) = [one for one in ceph(site, "alvin", "osd dump")["osds"] if one["osd"] == number]
    assert "noout" not in osd["state"]


def test_routers_take_a_key_at_once_while_ceph_serves(site: Lab, tmp_path: Path) -> None:
    """If the routers changed one at a time, each would lose its neighbors, and Ceph its OSDs."""
    folder = tmp_path / "signs"
    signs = variant(folder, ceph=True, defaults={"ospf:\n": "ospf:\n  key_file: key\n"})
    (folder / "key").write_text("hush-hush-16-abc\n")
    (folder / "key").chmod(0o600)
    for brief in (signs, site.site):
        with Bench(site, "alvin", 20) as bench:
            done = site.runbook("bootstrap", "--site", brief, "--set", "fabric *")
        assert done.code == 0, f"{done.out}\n{done.err}"
        assert "together with the other routers" in done.out
        assert bench.went_well, bench.output
        site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def test_node_that_dies_is_not_missed_and_comes_back_by_itself(site: Lab) -> None:
    """Meanwhile a run refuses to drain or change another node."""
    spoil_cost(site, "simon")
    with Bench(site, "alvin", 40) as bench:
        site.command("kill", "theodore")
        refused = [site.runbook("maintain", "simon", *flags) for flags in ((), ("--dry-run",))]
        refused.append(site.runbook("bootstrap", "--set", "fabric simon"))
        site.command("start", "theodore")
    for done in refused:
        assert done.code == 3, f"{done.out}\n{done.err}"
    assert all("theodore" in done.out + done.err for done in refused[:2])
    assert "wanted none down, found" in refused[2].out, refused[2].out
    assert bench.went_well, bench.output
    site.wait("Ceph is healthy by itself", lambda: is_clean(site), 120)
    assert site.runbook("bootstrap", "--set", "fabric simon").code == 0


@pytest.mark.parametrize("node", NODES)
def test_node_reboots_under_writes(site: Lab, node: str, tmp_path: Path) -> None:
    """The reboot takes longer than the flag's timer, which the run renews."""
    other, speaks = NODES[NODES.index(node) - 1], "simon" if node == "alvin" else "alvin"
    brief = variant(tmp_path / "brief", ceph=True, timers={**LAB, "maintenance_s": 30})
    site.wait_for_success(90, "audit")
    with Bench(site, other, 60) as bench:
        done = site.runbook("maintain", node, "--site", brief)
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert bench.went_well, bench.output
    assert flags(site) == {}
    last = json.loads(site.sh(speaks, "tail -n 1 /var/lib/burrow/record.jsonl"))
    assert (last["why"], last["reason"]) == (f"maintenance {node}", "maintenance has ended")


def failed(lab: Lab) -> list[dict[str, str]]:
    """The failed findings of Ceph's audit."""
    _, report = lab.report("audit", "--tags", "ceph")
    return [one for stage in report["stages"] for one in stage["findings"] if not one["ok"]]


def die_in_maintenance(lab: Lab) -> None:
    """Kill the controller while theodore reboots. alvin holds its flag."""
    lab.wait_for_success(90, "audit")
    with subprocess.Popen([sys.executable, "runbooks/maintain.py", "theodore"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert any("rebooting" in line for line in run.stdout)
        run.kill()


def test_controller_killed_in_maintenance_leaves_a_flag_that_goes_by_itself(site: Lab) -> None:
    die_in_maintenance(site)
    started = time.monotonic()
    assert flags(site) == {"theodore": ["noout"]}
    site.wait("the audit names it", lambda: any("noout for theodore" in one["got"] for one in failed(site)), MAINTENANCE_S / 2)
    assert flags(site) == {"theodore": ["noout"]}
    site.wait("the flag is gone", lambda: flags(site) == {}, MAINTENANCE_S + 10 - (time.monotonic() - started))
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)
    assert site.runbook("maintain", "theodore").code == 0


def test_flag_goes_though_the_host_that_holds_it_loses_power(site: Lab) -> None:
    """Ceph does not answer then, because two of three monitors are down. alvin defers clearing the flag, and retries after its boot."""
    die_in_maintenance(site)
    assert flags(site) == {"theodore": ["noout"]}
    site.command("kill", "alvin")
    site.command("start", "alvin")
    site.wait("Ceph is healthy", lambda: is_clean(site, "simon"), 180)
    site.wait("the flag is gone", lambda: flags(site, "simon") == {}, 30)
    deferred = "ls /var/lib/burrow/owed 2>/dev/null"
    site.wait("alvin has no deferred undo", lambda: not site.sh("alvin", deferred, check=False), 30)
    assert not site.pending("alvin")
