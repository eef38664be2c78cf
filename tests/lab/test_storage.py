"""Ceph over the routed mesh comes up although the controller dies meanwhile. Disks and nodes in use elsewhere are refused."""

import time
from pathlib import Path

import pytest
from ceph_drills import POOL, ceph, is_clean
from deeds import open_set, run_with
from rehearsal import HOSTS, NODES, Lab
from sites import BY_ITSELF, variant

from tasks.core.engine.record import folder

pytestmark = pytest.mark.lab

STORAGE = ("--stage", "storage")
HASH = "find /etc /var/lib/ceph -xdev -type f -o -type l | LC_ALL=C sort | xargs -d '\\n' sha256sum 2>/dev/null | sha256sum"
CHANGED = (*NODES, "vault")
DISK = "/dev/disk/by-id/nvme-2TB_SSD_THEODORE01"
# The records of this module's runs are newer.
BEGUN_S = time.time()
# The stage's steps, in order: those before the first change of a disk, and those after it.
FIRST_STEPS = (
    *("nfs vault", "cluster keys", "cluster alvin", "cluster simon", "cluster theodore", "ceph settings"),
    *("ceph monitor alvin", "ceph monitor simon", "ceph monitor theodore"),
)
LAST_STEPS = ("ceph node theodore", "ceph pool vm-storage", "cluster storages")


@pytest.fixture(scope="module", autouse=True)
def network(site: Lab, fresh: None) -> None:  # noqa: ARG001
    """The network on fresh hosts, without storage."""
    assert site.runbook("bootstrap", "--stage", "host", "--stage", "network").code == 0


def test_dry_run_writes_nothing(site: Lab) -> None:
    before = {host: site.sh(host, HASH) for host in HOSTS}
    done = site.runbook("bootstrap", *STORAGE, "--dry-run")
    assert done.code == 2, done.out
    assert "+ OSD on nvme-2TB_SSD_THEODORE01 (/dev/ubdb)" in done.out
    assert "not undone if a later step fails" in done.out
    assert {host: site.sh(host, HASH) for host in HOSTS} == before


def test_node_of_another_ceph_is_refused_before_anything_joins(site: Lab) -> None:
    fsid = "0d0e1f2a-1111-2222-3333-444455556666"
    site.sh("theodore", f"printf '[global]\\nfsid = {fsid}\\n' > /etc/ceph/ceph.conf")
    _, report = site.report("bootstrap", *STORAGE, "--dry-run")
    site.sh("theodore", "rm /etc/ceph/ceph.conf")
    reasons = {one["set"]: " ".join(one["reasons"]) for stage in report["stages"] for one in stage["sets"]}
    for step in ("cluster alvin", "cluster theodore", "ceph settings"):
        assert f"theodore: /etc/ceph/ceph.conf belongs to the Ceph cluster {fsid}" in reasons[step], reasons


def die_at(lab: Lab, step: str) -> None:
    """Kill the controller after a step is applied and before its checks."""
    last = step.rsplit(maxsplit=1)[-1]
    host = last if last in CHANGED else "theodore" if step == "cluster keys" else "alvin"
    run_with("die", "applied", host, step, *STORAGE)
    lab.wait("the timers have reverted the transactions", lambda: not any(lab.pending(host) for host in CHANGED), 70)
    at_work = "systemctl list-units --no-legend 'burrow-command-*'"
    lab.wait("the commands that it started have ended", lambda: not any(lab.sh(host, at_work) for host in NODES), 120)
    for host in CHANGED:
        lab.sh(host, "rm -f /var/lib/burrow/lease.json")  # as if the lease had expired


def test_controller_killed_at_each_step_leaves_what_the_next_run_goes_on_from(site: Lab) -> None:
    """All in one bring-up. The next drills test the steps that create OSDs, and later ones."""
    for step in FIRST_STEPS:
        die_at(site, step)


def test_disk_with_a_file_system_is_refused_and_left_alone(site: Lab) -> None:
    """Also by a run whose controller is killed while the other nodes create their OSDs."""
    site.sh(
        "theodore", f"mkfs.ext4 -q {DISK} && mkdir -p /mnt/old && mount {DISK} /mnt/old && echo precious > /mnt/old/file && umount /mnt/old"
    )
    before = site.sh("theodore", f"sha256sum < {DISK}")
    die_at(site, "ceph node alvin")
    code, report = site.report("bootstrap", *STORAGE)
    reasons = {one["set"]: " ".join(one["reasons"]) for stage in report["stages"] for one in stage["sets"]}
    assert code in (1, 3), "1 if simon still ran a command of the killed run"
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
    """No key is in a run's output, in the records here and on the nodes, or in a file that other users can read."""
    keys = [one["key"] for one in ceph(site, "alvin", "auth ls")["auth_dump"]]
    assert len(keys) > 9
    assert all(len(key) > 30 for key in keys)
    records = [path for path in folder("lab").glob("*.json") if path.stat().st_mtime > BEGUN_S]
    assert records
    texts = {str(path): path.read_text() for path in records}
    texts["a run"] = site.runbook("bootstrap", *STORAGE, "--json", "-").out
    texts |= {node: site.sh(node, "grep -rah '' /var/lib/burrow") for node in NODES}
    assert [where for where, text in texts.items() if any(key in text for key in keys)] == []
    others = "setpriv --reuid 65534 --regid 65534 --clear-groups"
    assert site.sh("alvin", f"{others} find /etc/pve /etc/ceph /var/lib/ceph -name '*keyring*' -readable 2>/dev/null", check=False) == ""


def test_flag_that_somebody_left_set_goes(site: Lab) -> None:
    site.sh("simon", "ceph osd set noscrub && ceph osd set nodeep-scrub")
    done = site.runbook("bootstrap", "--set", "ceph flags")
    assert done.code == 0, done.out
    assert "+ flag noscrub is unset" in done.out
    assert not {"noscrub", "nodeep-scrub"} & set(ceph(site, "simon", "osd dump")["flags_set"])


def test_manager_that_was_stopped_is_started_again(site: Lab) -> None:
    site.sh("simon", "systemctl stop ceph-mgr@simon && ceph mgr fail simon")
    site.wait(
        "Ceph drops it", lambda: "simon" not in site.sh("alvin", "ceph mgr dump -f json | jq -c '[.active_name, .standbys[].name]'"), 60
    )
    done = site.runbook("bootstrap", *STORAGE, "--set", "ceph node simon")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert "manager simon is started" in done.out
    assert site.sh("simon", "systemctl is-active ceph-mgr@simon") == "active\n"
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)


def test_second_operator_is_refused_on_the_cluster_too(site: Lab, tmp_path: Path) -> None:
    """One changes a host of the cluster; the other changes the cluster itself, which needs the leases of most of its hosts."""
    site.sh("simon", "sed -i '/vault/d' /etc/hosts")
    site.sh("alvin", f"ceph osd pool set {POOL} pg_autoscale_mode warn")
    own = ("--stage", "host", "--set", "settings simon", "--site", variant(tmp_path / "site", ceph=True, timers=BY_ITSELF))
    with open_set(tmp_path / "go", "prepared", "simon", "settings simon", *own) as first:
        second = site.runbook("bootstrap", "--set", f"ceph pool {POOL}")
        assert second.code == 3, second.out
        assert f"(process {first.pid})" in second.out, second.out
        (pool,) = [one for one in ceph(site, "simon", "osd dump")["pools"] if one["pool_name"] == POOL]
        assert pool["pg_autoscale_mode"] == "warn"
    assert first.returncode == 0
    assert "vault" in site.sh("simon", "cat /etc/hosts")
    assert site.runbook("bootstrap", "--set", f"ceph pool {POOL}").code == 0
    (pool,) = [one for one in ceph(site, "simon", "osd dump")["pools"] if one["pool_name"] == POOL]
    assert pool["pg_autoscale_mode"] == "on"
