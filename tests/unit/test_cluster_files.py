"""Files below /etc/pve are read and written only while it is mounted, on a folder instead of the host's root."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cases import case_of

from tasks.core.engine.planning import plan_member
from tasks.core.model.change import Member
from tasks.core.model.operation import PVE, Command
from tasks.platforms.proxmox.mounted import OF_A_NODE, OF_ANY_HOST
from tasks.virtualization.node_keys.change import NodeKeys
from tasks.virtualization.proxmox_cluster.facts import COROSYNC


def read(root: Path, command: str, mounted: bool) -> subprocess.CompletedProcess[str]:
    (root / "mounts").write_text(f"none {root}/etc/pve hostfs rw 0 0\n" if mounted else "/dev/sda / ext4 rw 0 0\n")
    script = command.replace("/etc/", f"{root}/etc/").replace("/usr/", f"{root}/usr/").replace("/var/", f"{root}/var/")
    script = script.replace("/proc/mounts", f"{root}/mounts")
    return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)


def write(root: Path, path: str, text: str = "x\n") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


PROOFS = ("etc/corosync/corosync.conf", "etc/corosync/authkey", "var/lib/pve-cluster/config.db", "usr/bin/pvecm")


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("begin", [OF_ANY_HOST, OF_A_NODE])
def test_node_whose_folder_is_not_mounted_is_not_a_fresh_node(tmp_path: Path, begin: str, proof: str) -> None:
    write(tmp_path, proof)
    write(tmp_path, "etc/pve/corosync.conf", "left below the mount point\n")
    done = read(tmp_path, f"{begin}cat /etc/pve/corosync.conf", mounted=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"/etc/pve is not mounted, though {tmp_path}/{proof} is there" in done.stderr
    assert "`systemctl status pve-cluster`" in done.stderr


def test_host_that_is_not_a_node_has_no_such_files(tmp_path: Path) -> None:
    assert read(tmp_path, f"{OF_ANY_HOST}echo read", mounted=False).stdout == "read\n"


def test_host_in_the_cluster_group_without_proxmox_is_not_a_fresh_node(tmp_path: Path) -> None:
    done = read(tmp_path, COROSYNC.command, mounted=False)
    assert done.returncode == 1
    assert "and there is no pvecm: install Proxmox VE" in done.stderr


def test_daemon_that_died_under_its_mount_is_reported(tmp_path: Path) -> None:
    """The mount is still listed, and every access fails."""
    done = read(tmp_path, COROSYNC.command, mounted=True)
    assert done.returncode == 1
    assert "is mounted but does not answer" in done.stderr


def test_fresh_node_has_no_file_and_a_member_has_one(tmp_path: Path) -> None:
    (tmp_path / "etc/pve").mkdir(parents=True)
    assert read(tmp_path, COROSYNC.command, mounted=True).stdout == ""
    assert read(tmp_path, COROSYNC.command, mounted=True).returncode == 0
    write(tmp_path, "etc/pve/corosync.conf", "totem {\n")
    assert read(tmp_path, COROSYNC.command, mounted=True).stdout == "totem {\n"


def test_empty_file_is_not_an_absent_file(tmp_path: Path) -> None:
    write(tmp_path, "etc/pve/corosync.conf", "")
    done = read(tmp_path, COROSYNC.command, mounted=True)
    assert done.returncode == 1
    assert "corosync.conf is empty" in done.stderr


def test_target_of_a_link_is_written_only_on_its_mount() -> None:
    shared = case_of("node_keys", "shared-file-is-written-by-the-first")
    for case, mounts in ((shared, [PVE]), (replace(shared, name="fresh-node"), ["", ""])):
        plan = plan_member(Member("alvin", (NodeKeys("alvin"),)), "keys", case.site, case.facts)
        assert plan.transaction is not None
        assert [one["mount"] for one in plan.transaction.request(30)["files"]] == mounts


def test_command_that_writes_there_is_not_run_without_it(tmp_path: Path) -> None:
    """Neither is its undo."""
    for one in (Command(("touch", f"{tmp_path}/{name}"), str(tmp_path)) for name in ("made", "undone")):
        done = subprocess.run(one.guarded, capture_output=True, text=True, check=False)
        assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
        assert done.stderr == f"{tmp_path} is not mounted: nothing was done; start what mounts it, then run again\n"
    touch = ("touch", f"{tmp_path}/made")
    assert subprocess.run(Command(touch, "/proc").guarded, check=False).returncode == 0
    assert (tmp_path / "made").exists()
    assert Command(touch).guarded == touch
