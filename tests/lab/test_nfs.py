"""The kernel's NFS server from the inventory: clients share files, an invalid export changes nothing, a new one interrupts no client."""

import json
import threading
from pathlib import Path
from typing import Self

import pytest
from deeds import run_with
from rehearsal import HOSTS, NODES, Lab
from sites import variant

pytestmark = pytest.mark.lab

NAMES = "find /etc /mnt -xdev -printf '%p %y %u:%g %m %l\\n' | LC_ALL=C sort"
TEXTS = "find /etc -xdev -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum"
SERVER = "192.168.103.114"
DATA, CONFIGS = "/mnt/Vault/Data", "/mnt/Flash/Configs"
# A row of the inventory's exports, and an additional export.
ROW = (
    "      /mnt/Flash/Configs: {clients: [172.16.0.0/16], purpose: provisioner, squash: no_root_squash, storage: flash-configs, fsid: 5}\n"
)
SCRATCH = '      /mnt/Flash/Scratch: {clients: [172.16.0.0/16], owner: "1000:1000", mode: "0750", fsid: 6}\n'
ALONE = ("--stage", "storage")


def everything(lab: Lab) -> str:
    """The files in /etc and in vault's arrays, and its exports."""
    return lab.sh("vault", f"{NAMES}; {TEXTS}; exportfs -s; cat /proc/fs/nfsd/threads 2>/dev/null || true")


def served(lab: Lab) -> dict[str, str]:
    """{path: options}, as the server reports them."""
    return dict(line.split(maxsplit=1) for line in lab.sh("vault", "exportfs -s").splitlines())


def mount(lab: Lab, node: str, path: str, at: str) -> None:
    lab.sh(node, f"mkdir -p {at} && mount -t nfs4 {SERVER}:{path} {at}")


def unmount(lab: Lab, node: str, at: str) -> None:
    lab.sh(node, f"umount {at}; rmdir {at}", check=False)


def with_hosts(folder: Path, old: str, new: str) -> str:
    """The lab's site with a row of hosts.yaml replaced."""
    return variant(folder, hosts={old: new})


@pytest.fixture(scope="module", autouse=True)
def built(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """The exports on fresh hosts: first only planned, then applied. vault is reachable over the freshly installed network."""
    before = everything(lab)
    done = lab.runbook("bootstrap", "--dry-run", *ALONE)
    assert done.code == 2, f"{done.out}\n{done.err}"
    assert f"+{DATA} 172.16.0.0/16(rw,sync,no_subtree_check,no_root_squash" in done.out
    assert everything(lab) == before
    assert "inactive" in lab.sh("vault", "systemctl is-active nfs-server", check=False)
    code, report = lab.report("bootstrap", *ALONE)
    assert code == 0, report["stages"]


def test_the_server_serves_what_the_inventory_says(lab: Lab) -> None:
    table = served(lab)
    assert set(table) == {DATA, f"{DATA}/InfluxDB", f"{DATA}/etcd", f"{DATA}/monitoring-data", CONFIGS}
    assert all("no_root_squash" in options and "rw" in options for options in table.values())
    assert lab.sh("vault", "cat /proc/fs/nfsd/versions").split()[:2] == ["-3", "+4"]
    assert lab.sh("vault", f"stat -c '%u:%g %a' {DATA}/InfluxDB {DATA}/etcd").split() == ["1000:1000", "750", "0:0", "700"]
    assert lab.sh("vault", "systemctl is-enabled nfs-server").strip() == "enabled"


def test_second_run_changes_nothing(lab: Lab) -> None:
    before = everything(lab)
    code, report = lab.report("bootstrap", *ALONE)
    assert code == 0, report["stages"]
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"unchanged"}
    assert everything(lab) == before


def test_a_file_from_one_node_is_read_on_another(lab: Lab) -> None:
    mount(lab, "alvin", DATA, "/run/data")
    mount(lab, "theodore", DATA, "/run/data")
    try:
        lab.sh("alvin", "head -c 1000000 /dev/urandom > /run/data/drill && sync /run/data/drill")
        sums = {lab.sh(host, f"sha256sum < {path}") for host, path in (("alvin", "/run/data/drill"), ("theodore", "/run/data/drill"))}
        assert sums == {lab.sh("vault", f"sha256sum < {DATA}/drill")}
        assert lab.sh("vault", f"stat -c %u:%g {DATA}/drill").strip() == "0:0"
        lab.sh("theodore", "rm /run/data/drill")
        assert lab.sh("vault", f"ls {DATA}").split() == ["InfluxDB", "etcd", "monitoring-data"]
    finally:
        for node in ("alvin", "theodore"):
            unmount(lab, node, "/run/data")


def test_probes_find_all_well_and_leave_nothing(lab: Lab) -> None:
    before = lab.sh("vault", "find /mnt -xdev -mindepth 2 | LC_ALL=C sort")
    code, report = lab.report("audit", "--tags", "nfs,array")
    findings = [one for stage in report["stages"] for one in stage["findings"]]
    assert code == 0, [one for one in findings if not one["ok"]]
    assert {one["host"] for one in findings if one["check"] == "exports_keep_what_is_written"} == set(NODES)
    assert lab.sh("vault", "find /mnt -xdev -mindepth 2 | LC_ALL=C sort") == before
    assert all(lab.sh(node, "grep -c nfs4 /proc/mounts", check=False).strip() == "0" for node in NODES)


class Transfer:
    """Synchronous writes from alvin while a block runs. `output` has their number, the slowest in milliseconds, and whether all arrived."""

    SCRIPT = r"""
import os, sys, time
slowest, written, start = 0, 0, time.monotonic()
open('/run/data/begun', 'w').close()
with open('/run/data/transfer', 'wb', buffering=0) as file:
    while not os.path.exists('/run/transfer-ends'):
        before = time.monotonic()
        file.write(b'x' * 65536)
        os.fsync(file.fileno())
        written, slowest = written + 1, max(slowest, time.monotonic() - before)
print(written, round(slowest * 1000), os.path.getsize('/run/data/transfer') == written * 65536)
"""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.output = lab, ""
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        self.output = self.lab.command("exec", "alvin", "--", "python3", "-c", self.SCRIPT).out

    def __enter__(self) -> Self:
        self.lab.sh("alvin", "rm -f /run/transfer-ends")
        self._thread.start()
        self.lab.wait("the transfer runs", lambda: "begun" in self.lab.sh("vault", f"ls {DATA}"), 10)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.sh("alvin", "touch /run/transfer-ends")
        self._thread.join()


def test_settings_of_the_server_restart_it_and_the_plan_says_so(lab: Lab, tmp_path: Path) -> None:
    """Clients wait, and lose no writes."""
    mount(lab, "alvin", DATA, "/run/data")
    try:
        with Transfer(lab) as transfer:
            done = lab.runbook("bootstrap", "--site", with_hosts(tmp_path, "  nfs:\n", "  nfs:\n    threads: 8\n"), *ALONE)
        assert done.code == 0, f"{done.out}\n{done.err}"
        assert "the NFS server restarts for its own settings" in done.out
        assert transfer.output.split()[2] == "True"
        assert lab.sh("vault", "cat /proc/fs/nfsd/threads").strip() == "8"
        assert lab.runbook("bootstrap", *ALONE).code == 0
    finally:
        lab.sh("alvin", "rm -f /run/data/transfer /run/data/begun", check=False)
        unmount(lab, "alvin", "/run/data")


# Why an export is refused before any change: by the inventory, then by the server's state.
INVALID = {
    "outside an array": (
        ROW,
        ROW + '      /srv/files: {clients: [172.16.0.0/16], owner: "1000:1000", fsid: 9}\n',
        "wanted a folder in an array",
    ),
    "a database with root squash": (
        ROW,
        ROW.replace("purpose: provisioner, squash: no_root", "purpose: database, squash: root"),
        "for a database",
    ),
    "an fsid of another": (ROW, ROW + SCRATCH.replace("fsid: 6", "fsid: 5"), "wanted a unique number, found 5"),
    "without its parent": (ROW, ROW + SCRATCH.replace("/Scratch", "/nobody/made/this"), "/mnt/Flash/nobody/made does not exist"),
    "shadowed": (ROW, ROW + SCRATCH.replace("/Scratch", "/Configs/scratch"), "whose options apply for v4 clients"),
}


@pytest.mark.parametrize("why", INVALID)
def test_an_invalid_export_is_refused_before_anything_changes(lab: Lab, tmp_path: Path, why: str) -> None:
    old, new, reason = INVALID[why]
    before = everything(lab)
    done = lab.runbook("bootstrap", "--site", with_hosts(tmp_path, old, new), *ALONE)
    assert done.code == 3, f"{done.out}\n{done.err}"
    assert reason in f"{done.out}{done.err}".replace("\n", " ")
    assert everything(lab) == before


def test_an_array_that_is_not_mounted_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Flash is not in use in this drill, so it can be unmounted."""
    lab.sh("vault", "exportfs -u 172.16.0.0/16:/mnt/Flash/Configs && exportfs -f && umount /mnt/Flash")
    try:
        before = everything(lab)
        done = lab.runbook("bootstrap", "--site", with_hosts(tmp_path, ROW, ROW + SCRATCH), *ALONE)
        assert done.code == 3, done.out
        assert "/mnt/Flash is not mounted" in done.out
        assert everything(lab) == before
        code, report = lab.report("audit", "--tags", "array")
        assert code == 1
        assert [one["got"] for one in report["stages"][0]["findings"] if not one["ok"]] == ["not mounted"]
    finally:
        lab.sh("vault", "mount /mnt/Flash && exportfs -ra")


def test_adding_an_export_interrupts_no_running_transfer(lab: Lab, tmp_path: Path) -> None:
    """No error, no write that waits for a stopped server, no restart. Removing the export lists the clients that may have mounted it."""
    started = lab.sh("vault", "systemctl show -p ActiveEnterTimestampMonotonic nfs-server; pgrep -x nfsd | head -1")
    mount(lab, "alvin", DATA, "/run/data")
    try:
        with Transfer(lab) as transfer:
            done = lab.runbook("bootstrap", "--site", with_hosts(tmp_path, ROW, ROW + SCRATCH), *ALONE)
        assert done.code == 0, f"{done.out}\n{done.err}"
        assert "/mnt/Flash/Scratch is created: owner 1000:1000, mode 0750" in done.out
        written, slowest_ms, whole = transfer.output.split()
        assert int(written) > 50
        assert int(slowest_ms) < 2000, transfer.output
        assert whole == "True"
        assert "/mnt/Flash/Scratch" in served(lab)
        assert lab.sh("vault", "systemctl show -p ActiveEnterTimestampMonotonic nfs-server; pgrep -x nfsd | head -1") == started
        audit = lab.runbook("audit", "--site", str(tmp_path), "--tags", "nfs")
        assert audit.code == 0, audit.out  # root of a node is squashed, so the probe writes as the folder's owner
        mount(lab, "simon", "/mnt/Flash/Scratch", "/run/scratch")
        lab.sh(
            "simon",
            "setpriv --reuid 1000 --regid 1000 --clear-groups touch /run/scratch/kept; touch /run/scratch/roots 2>/dev/null || true",
        )
        done = lab.runbook("bootstrap", *ALONE)
        assert done.code == 0, done.out
        printed = " ".join(done.out.split())
        assert "/mnt/Flash/Scratch is no longer served to 172.16.0.0/16; the folder and its content stay" in printed
        assert "simon (172.16.101.2)" in printed
        assert lab.sh("vault", "ls /mnt/Flash/Scratch").split() == ["kept"]
    finally:
        unmount(lab, "simon", "/run/scratch")
        lab.sh("alvin", "rm -f /run/data/transfer /run/data/begun", check=False)
        unmount(lab, "alvin", "/run/data")


def test_exports_of_others_stay(lab: Lab, tmp_path: Path) -> None:
    lab.sh(
        "vault",
        "mkdir -p /srv/guest && echo '/srv/guest 10.9.0.0/16(ro,sync,no_subtree_check)' > /etc/exports.d/guest.exports && exportfs -ra",
    )
    try:
        assert lab.runbook("bootstrap", "--site", with_hosts(tmp_path, ROW, ""), *ALONE).code == 0
        assert {"/srv/guest", DATA} <= set(served(lab))
        assert CONFIGS not in served(lab)
        assert lab.runbook("bootstrap", *ALONE).code == 0
        assert {"/srv/guest", CONFIGS} <= set(served(lab))
        assert "10.9.0.0/16" in lab.sh("vault", "cat /etc/exports.d/guest.exports")
        lab.sh("vault", "exportfs -o ro 10.9.0.1:/srv")
        done = lab.runbook("bootstrap", "--site", with_hosts(tmp_path / "other", ROW, ""), *ALONE)
        assert done.code == 3
        assert "/srv is exported by hand" in done.out
    finally:
        lab.sh("vault", "rm /etc/exports.d/guest.exports; exportfs -ra")


@pytest.mark.parametrize("moment", ["prepared", "armed", "applied", "checked", "confirmed"])
def test_a_controller_that_dies_is_undone_by_the_timer_or_finished_by_the_next_run(lab: Lab, tmp_path: Path, moment: str) -> None:
    """Files, export table and the new folder are all as before or all as wanted. After another run, all are as wanted."""
    before = everything(lab)
    site = with_hosts(tmp_path, ROW, ROW + SCRATCH.replace("Scratch", "Undone"))
    done, _ = run_with("die", moment, "" if moment == "checked" else "vault", "nfs vault", "--site", site, *ALONE)
    assert done.returncode == -9, f"{done.stdout}\n{done.stderr}"
    lab.wait("nothing is open on vault", lambda: not lab.pending("vault"), 40)
    if moment == "confirmed":
        assert "/mnt/Flash/Undone" in served(lab)
    else:
        assert everything(lab) == before
    lab.wait_for_success(40, "bootstrap", "--site", site, *ALONE)
    assert "/mnt/Flash/Undone" in served(lab)
    lab.wait_for_success(40, "bootstrap", *ALONE)
    lab.sh("vault", "rmdir /mnt/Flash/Undone")


def test_drift_by_hand_is_mended(lab: Lab) -> None:
    lab.sh(
        "vault", f"chown 7:7 {DATA}/etcd; touch {DATA}/etcd/member; chown 7:7 {DATA}/etcd/member; exportfs -o ro 172.16.0.0/16:{CONFIGS}"
    )
    code, report = lab.report("audit", "--tags", "nfs", "--limit", "vault")
    wrong = {one["check"] for one in report["stages"][0]["findings"] if not one["ok"]}
    assert (code, wrong) == (1, {"exports_are_as_intended", "export_folders_have_their_owner_and_mode"}), report["stages"]
    done = lab.runbook("bootstrap", *ALONE)
    assert done.code == 0, done.out
    assert f"{DATA}/etcd: owner 7:7 becomes 0:0; its content is not touched" in done.out
    assert lab.sh("vault", f"stat -c %u {DATA}/etcd {DATA}/etcd/member").split() == ["0", "7"]
    lab.sh("vault", f"rm {DATA}/etcd/member")


def test_the_server_comes_back_with_its_exports(lab: Lab) -> None:
    before = served(lab)
    lab.command("kill", "vault")
    _, report = lab.report("audit", "--limit", "alvin", "--tags", "nfs,host")
    lab.command("start", "vault")
    assert "alvin" not in report["unreachable"], report["unreachable"]
    found = {one["check"] for stage in report["stages"] for one in stage["findings"] if one["host"] == "alvin" and not one["ok"]}
    assert "exports_can_be_mounted" in found, found
    lab.wait("vault serves again", lambda: served(lab) == before, 30)
    lab.wait_for_success(60, "audit", "--tags", "nfs,array")


def test_memory_stays_in_its_bounds(lab: Lab) -> None:
    hosts = json.loads(lab.command("status", "--json").out)["hosts"]
    assert sum(hosts[name]["pss_bytes"] for name in HOSTS) < 1.5 * 2**30
