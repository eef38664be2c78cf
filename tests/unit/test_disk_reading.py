"""The script that reads a host's disks, with tools of the test instead of the host's."""

import os
import subprocess
from pathlib import Path

import pytest

from tasks.storage.ceph.facts import OSD_DISKS, READ_DISKS, Disk

LSBLK = """echo '{"blockdevices": [{"name": "sda", "type": "disk", "fstype": null, "pttype": null, "mountpoints": [null]}]}'"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder with a disk, and an lsblk that finds nothing on it."""
    (tmp_path / "disk").touch()
    tool(tmp_path, "lsblk", LSBLK)
    return tmp_path


def tool(host: Path, name: str, script: str) -> None:
    (host / name).write_text(f"#!/bin/sh\n{script}\n")
    (host / name).chmod(0o755)


def read(host: Path) -> Disk:
    script = READ_DISKS.replace("{ids}", "disk").replace("/dev/disk/by-id", str(host)).replace("[ -b", "[ -f")
    environment = {**os.environ, "PATH": f"{host}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    return OSD_DISKS.parse(done.stdout)["disk"]


def test_disk_with_no_signature_is_empty(host: Path) -> None:
    tool(host, "wipefs", "exit 0")
    assert read(host) == Disk(str(host / "disk"), ())


def test_disk_with_a_signature_is_not(host: Path) -> None:
    tool(host, "wipefs", """printf '{\\n\\t"signatures": [{"type": "ext4"}]\\n}\\n'""")
    assert read(host).holds == ("ext4",)


def test_disk_that_cannot_be_read_is_not_empty(host: Path) -> None:
    tool(host, "wipefs", "echo 'error: probing failed' >&2; exit 1")
    assert read(host).unseen == "wipefs ended with 1"
