"""The script that reads a host's Ceph identity, on a folder instead of the host's root."""

import subprocess
from pathlib import Path

from tasks.storage.ceph.identity import CEPH_IDENTITY, READ_IDENTITY, CephIdentity

FSID = "69db3ab3-0ef7-4b42-8333-bba3ffc663a7"


def read(root: Path) -> CephIdentity:
    script = READ_IDENTITY.replace("/etc/", f"{root}/etc/").replace("/var/", f"{root}/var/")
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    return CEPH_IDENTITY.parse(done.stdout.replace(str(root), ""))


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_host_without_ceph_has_none(tmp_path: Path) -> None:
    for folder in ("etc/ceph", "var/lib/ceph/mon", "var/lib/ceph/osd", "var/lib/ceph/bootstrap-osd"):
        (tmp_path / folder).mkdir(parents=True)
    assert read(tmp_path) == CephIdentity({}, ())


def test_each_file_and_folder_counts_except_the_link(tmp_path: Path) -> None:
    write(tmp_path, "etc/pve/ceph.conf", f"[global]\n\tfsid = {FSID.upper()} ; ours\n")
    write(tmp_path, "var/lib/ceph/osd/ceph-0/ceph_fsid", f"{FSID}\n")
    (tmp_path / "var/lib/ceph/mgr/ceph-alvin").mkdir(parents=True)
    (tmp_path / "var/lib/ceph" / FSID).mkdir()
    (tmp_path / "etc/ceph").mkdir()
    (tmp_path / "etc/ceph/ceph.conf").symlink_to(tmp_path / "etc/pve/ceph.conf")
    where = ("/etc/pve/ceph.conf", "/var/lib/ceph/osd/ceph-0/ceph_fsid", f"/var/lib/ceph/{FSID}")
    assert read(tmp_path) == CephIdentity(dict.fromkeys(where, FSID), ("/var/lib/ceph/mgr/ceph-alvin", "/var/lib/ceph/osd/ceph-0"))


def test_regular_file_instead_of_the_link_counts(tmp_path: Path) -> None:
    write(tmp_path, "etc/ceph/ceph.conf", f"[global]\nfsid={FSID}\n")
    assert read(tmp_path).fsids == {"/etc/ceph/ceph.conf": FSID}
