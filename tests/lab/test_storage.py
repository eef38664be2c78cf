"""Ceph over the routed mesh: it comes up, whoever dies meanwhile, and goes on when cables, nodes and controllers go."""

import json
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from rehearsal import HOSTS, NODES, ROOT, Lab
from sites import LAB, variant

from tasks.core.record import folder

pytestmark = pytest.mark.lab

STORAGE = ("--stage", "storage")
HASH = "find /etc /var/lib/ceph -xdev -type f -o -type l | LC_ALL=C sort | xargs -d '\\n' sha256sum 2>/dev/null | sha256sum"
POOL = "vm-storage"
CHANGED = (*NODES, "vault")
DISK = "/dev/disk/by-id/nvme-2TB_SSD_THEODORE01"
# nornir_config.yaml
MAINTENANCE_S = 60
# Records of runs are younger than this module.
BEGUN_S = time.time()
THUNDERBOLT = ("alvin:en06", "simon:en06", "theodore:en06")
# The stage's steps, in their order: those before the first disk is touched, and those after it.
FIRST_STEPS = (
    *("nfs vault", "cluster keys", "cluster alvin", "cluster simon", "cluster theodore", "ceph settings"),
    *("ceph monitor alvin", "ceph monitor simon", "ceph monitor theodore"),
)
LAST_STEPS = ("ceph node theodore", "ceph pool vm-storage", "cluster storages")


def ceph(lab: Lab, node: str, command: str) -> dict:
    return json.loads(lab.sh(node, f"ceph --connect-timeout 10 {command} -f json"))


def is_clean(lab: Lab, node: str = "alvin") -> bool:
    """HEALTH_OK, three of all, every placement group active and clean: what Ceph says first is not yet what is."""
    said = lab.sh(node, "ceph --connect-timeout 5 status -f json", check=False)
    if not said.startswith("\n{") and not said.startswith("{"):
        return False
    status = json.loads(said)
    osds, states = status["osdmap"], {one["state_name"] for one in status["pgmap"]["pgs_by_state"]}
    return (
        status["health"]["status"] == "HEALTH_OK"
        and len(status["quorum_names"]) == 3
        and osds["num_up_osds"] == osds["num_in_osds"] == 3
        and states == {"active+clean"}
    )


def flags(lab: Lab, node: str = "alvin") -> dict[str, list[str]]:
    return dict(ceph(lab, node, "osd dump")["crush_node_flags"])


class Bench:
    """Writes of `rados bench` on a node while a block runs; afterwards what it said, and whether it failed."""

    def __init__(self, lab: Lab, node: str, length_s: int) -> None:
        words = f"rados -p {POOL} bench {length_s} write -b 65536 -t 4 --no-hints 2>&1"
        self.said = ""
        self._thread = threading.Thread(target=self._run, args=(lab, node, words, length_s))

    def _run(self, lab: Lab, node: str, words: str, length_s: int) -> None:
        done = lab.command("exec", "--wait", str(length_s + 120), node, "--", "sh", "-c", words, check=False)
        self.said = f"{done.out}\nexit {done.code}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def went_well(self) -> bool:
        """It ended by itself, and wrote."""
        written = re.search(r"Total writes made: +(\d+)", self.said)
        return "exit 0" in self.said and written is not None and int(written[1]) > 0 and "error" not in self.said.lower()


@pytest.fixture(scope="module")
def site(lab: Lab) -> Lab:
    """The lab, with all that the inventory says."""
    return replace(lab, site="lab")


@pytest.fixture(scope="module", autouse=True)
def network(site: Lab, fresh: None) -> None:  # noqa: ARG001
    """The network on fresh hosts; of storage nothing."""
    assert site.runbook("bootstrap", "--stage", "host", "--stage", "network").code == 0


def test_dry_run_writes_nothing(site: Lab) -> None:
    before = {host: site.sh(host, HASH) for host in HOSTS}
    done = site.runbook("bootstrap", *STORAGE, "--dry-run")
    assert done.code == 2, done.out
    assert "+ OSD on nvme-2TB_SSD_THEODORE01 (/dev/ubdb)" in done.out
    assert "not taken back where a later step fails" in done.out
    assert {host: site.sh(host, HASH) for host in HOSTS} == before


def test_node_of_another_ceph_is_refused_before_anything_joins(site: Lab) -> None:
    fsid = "0d0e1f2a-1111-2222-3333-444455556666"
    site.sh("theodore", f"printf '[global]\\nfsid = {fsid}\\n' > /etc/ceph/ceph.conf")
    _, report = site.report("bootstrap", *STORAGE, "--dry-run")
    site.sh("theodore", "rm /etc/ceph/ceph.conf")
    reasons = {one["set"]: " ".join(one["reasons"]) for stage in report["stages"] for one in stage["sets"]}
    for step in ("cluster alvin", "cluster theodore", "ceph settings"):
        assert f"theodore: /etc/ceph/ceph.conf is of the Ceph cluster {fsid}" in reasons[step], reasons


def die_at(lab: Lab, step: str) -> None:
    """The controller is killed at the end of a step's work, before its checks."""
    last = step.rsplit(maxsplit=1)[-1]
    host = last if last in CHANGED else "theodore" if step == "cluster keys" else "alvin"
    words = [sys.executable, str(Path(__file__).with_name("controller.py")), "die", "applied", host, step]
    done = subprocess.run([*words, "--", *STORAGE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"drill: die at applied of {host}" in done.stdout, f"{step}\n{done.stdout[-3000:]}{done.stderr}"
    lab.wait("what has a timer is taken back", lambda: not any(lab.pending(host) for host in CHANGED), 70)
    at_work = "systemctl list-units --no-legend 'burrow-command-*'"
    lab.wait("what it had begun elsewhere has ended", lambda: not any(lab.sh(host, at_work) for host in NODES), 120)
    for host in CHANGED:
        lab.sh(host, "rm -f /var/lib/burrow/lease.json")  # as if its holder had been dead for long enough


def test_controller_killed_at_each_step_leaves_what_the_next_run_goes_on_from(site: Lab) -> None:
    """In one bring-up; the steps that make OSDs and what comes after them are the next drills'."""
    for step in FIRST_STEPS:
        die_at(site, step)


def test_disk_with_a_file_system_is_refused_and_left_alone(site: Lab) -> None:
    """Also by a run whose controller is killed while the other nodes make their OSDs."""
    site.sh(
        "theodore", f"mkfs.ext4 -q {DISK} && mkdir -p /mnt/old && mount {DISK} /mnt/old && echo precious > /mnt/old/file && umount /mnt/old"
    )
    before = site.sh("theodore", f"sha256sum < {DISK}")
    die_at(site, "ceph node alvin")
    code, report = site.report("bootstrap", *STORAGE)
    reasons = {one["set"]: " ".join(one["reasons"]) for stage in report["stages"] for one in stage["sets"]}
    assert code in (1, 3), "1 where simon had not ended what the killed run had begun there"
    assert "nvme-2TB_SSD_THEODORE01 (/dev/ubdb) is not empty: ext4" in reasons["ceph node theodore"], reasons
    assert "'ceph node theodore' comes first" in reasons["ceph pool vm-storage"]
    assert site.sh("theodore", f"sha256sum < {DISK}") == before
    site.sh("theodore", f"wipefs -qa {DISK}")


def test_stage_ends_healthy_and_a_second_run_changes_nothing(site: Lab) -> None:
    for step in LAST_STEPS:
        die_at(site, step)
    code, report = site.report("bootstrap", *STORAGE)
    assert code == 0, report["stages"]
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)
    code, report = site.report("bootstrap", *STORAGE)
    assert code == 0
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"unchanged"}
    (pool,) = [one for one in ceph(site, "simon", "osd dump")["pools"] if one["pool_name"] == POOL]
    assert (pool["size"], pool["min_size"], list(pool["application_metadata"])) == (3, 2, ["rbd"])
    site.sh("alvin", f"echo hello > /tmp/object && rados -p {POOL} put greeting /tmp/object")
    assert site.sh("theodore", f"rados -p {POOL} get greeting -") == "hello\n"
    assert "vault-data" in site.sh("theodore", "pvesm status")


def test_no_key_is_shown(site: Lab) -> None:
    """Neither in what a run writes, nor in what these runs kept, here and on the nodes, nor in a file that others may read."""
    keys = [one["key"] for one in ceph(site, "alvin", "auth ls")["auth_dump"]]
    assert len(keys) > 9
    assert all(len(key) > 30 for key in keys)
    records = [path for path in folder("lab").glob("*.json") if path.stat().st_mtime > BEGUN_S]
    assert records
    texts = {str(path): path.read_text() for path in records}
    texts["a run"] = site.runbook("bootstrap", *STORAGE, "--json", "-").out
    texts |= {node: site.sh(node, "grep -rah '' /var/lib/burrow") for node in NODES}
    assert [where for where, text in texts.items() if any(key in text for key in keys)] == []
    assert site.sh("alvin", "find /etc/pve /etc/ceph /var/lib/ceph -name '*keyring*' -perm /o=r") == ""


def test_manager_that_was_stopped_is_started_again(site: Lab) -> None:
    site.sh("simon", "systemctl stop ceph-mgr@simon && ceph mgr fail simon")
    site.wait(
        "Ceph misses it", lambda: "simon" not in site.sh("alvin", "ceph mgr dump -f json | jq -c '[.active_name, .standbys[].name]'"), 60
    )
    done = site.runbook("bootstrap", *STORAGE, "--set", "ceph node simon")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert "manager simon is started" in done.out
    assert site.sh("simon", "systemctl is-active ceph-mgr@simon") == "active\n"
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
    assert bench.went_well, bench.said
    assert moved > 1_000_000, f"{moved} bytes on SFP+"
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def spoil_cost(lab: Lab, node: str) -> None:
    """What somebody does by hand, for a run to mend."""
    lab.sh(node, "sed -i 's/ ip ospf cost 5$/ ip ospf cost 50/' /etc/frr/frr.conf && /usr/lib/frr/frr-reload.py --reload /etc/frr/frr.conf")


def test_node_is_changed_while_ceph_waits_for_it(site: Lab) -> None:
    spoil_cost(site, "simon")
    with Bench(site, "alvin", 25) as bench:
        done = site.runbook("bootstrap", "--set", "fabric simon")
    assert done.code == 0, f"{done.out}\n{done.err}"
    told = done.out[done.out.index(" queued") :]
    waits, changed, forgets = told.index("Ceph waits for the OSDs of simon"), told.index(" simon      armed"), told.index(" put back")
    assert waits < changed < forgets, told
    assert bench.went_well, bench.said
    assert flags(site) == {}


def test_routers_take_a_key_at_once_while_ceph_serves(site: Lab, tmp_path: Path) -> None:
    """One at a time each would lose its neighbours, and its OSDs with them."""
    folder = tmp_path / "signs"
    signs = variant(folder, ceph=True, defaults={"ospf:\n": "ospf:\n  key_file: key\n"})
    (folder / "key").write_text("hush-hush-16-abc\n")
    for brief in (signs, site.site):
        with Bench(site, "alvin", 20) as bench:
            done = site.runbook("bootstrap", "--site", brief, "--set", "fabric *")
        assert done.code == 0, f"{done.out}\n{done.err}"
        assert "at once with the others" in done.out
        assert bench.went_well, bench.said
        site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def test_node_that_dies_is_not_missed_and_comes_back_by_itself(site: Lab) -> None:
    """Meanwhile no other node is taken out of service, nor changed."""
    spoil_cost(site, "simon")
    with Bench(site, "alvin", 40) as bench:
        site.command("kill", "theodore")
        refused = [site.runbook("maintain", "simon", *flags) for flags in ((), ("--dry-run",))]
        refused.append(site.runbook("bootstrap", "--set", "fabric simon"))
        site.command("start", "theodore")
    for done in refused:
        assert done.code == 3, f"{done.out}\n{done.err}"
    assert all("theodore" in done.out + done.err for done in refused[:2])
    assert "missed" in refused[2].out, refused[2].out
    assert bench.went_well, bench.said
    site.wait("Ceph is healthy without anybody's doing", lambda: is_clean(site), 120)
    assert site.runbook("bootstrap", "--set", "fabric simon").code == 0


@pytest.mark.parametrize("node", NODES)
def test_node_reboots_under_writes(site: Lab, node: str, tmp_path: Path) -> None:
    """It takes longer than the flag's timer, which this run renews."""
    other, speaks = NODES[NODES.index(node) - 1], "simon" if node == "alvin" else "alvin"
    brief = variant(tmp_path / "brief", ceph=True, timers={**LAB, "maintenance_s": 30})
    site.wait("the audit is clean", lambda: site.runbook("audit").code == 0, 90)
    with Bench(site, other, 60) as bench:
        done = site.runbook("maintain", node, "--site", brief)
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert bench.went_well, bench.said
    assert flags(site) == {}
    last = json.loads(site.sh(speaks, "tail -n 1 /var/lib/burrow/record.jsonl"))
    assert (last["why"], last["reason"]) == (f"maintenance {node}", "maintenance has ended")


def failed(lab: Lab) -> list[dict[str, str]]:
    """What the audit of Ceph finds amiss."""
    _, report = lab.report("audit", "--tags", "ceph")
    return [one for stage in report["stages"] for one in stage["findings"] if not one["ok"]]


def die_in_maintenance(lab: Lab) -> None:
    """The controller is killed while theodore reboots; alvin holds its flag."""
    lab.wait("the audit is clean", lambda: lab.runbook("audit").code == 0, 90)
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
    """Ceph is silent by then, two of its three monitors being down: alvin owes the flag's end, and keeps at it from its boot on."""
    die_in_maintenance(site)
    assert flags(site) == {"theodore": ["noout"]}
    site.command("kill", "alvin")
    site.command("start", "alvin")
    site.wait("Ceph is healthy", lambda: is_clean(site, "simon"), 180)
    site.wait("the flag is gone", lambda: flags(site, "simon") == {}, 30)
    owed = "ls /var/lib/burrow/owed 2>/dev/null"
    site.wait("alvin owes nothing", lambda: not site.sh("alvin", owed, check=False), 30)
    assert not site.pending("alvin")
