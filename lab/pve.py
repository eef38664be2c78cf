"""Folders of this machine that replace Proxmox's cluster file system: one for each node without a cluster, and one for each cluster.

A node mounts one of them at /etc/pve (`rootfs/usr/lib/lab/proxmox/mount-pve`): its own folder until it joins a cluster, then the cluster's,
whose name comes from the cluster's key. So the reset of a node does not change its cluster's folder.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

# The storage.cfg of PVE's installer, as far as the lab needs it.
STORAGE = "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n"


def own_folder(run: Path, node: str) -> Path:
    """The folder that a node without a cluster mounts at /etc/pve."""
    return run / "pve" / "nodes" / node


def lay_out(run: Path, node: str) -> None:
    """Create a node's folder as after a fresh install."""
    folder = own_folder(run, node)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "priv").mkdir(parents=True, mode=0o700)
    (folder / "storage.cfg").write_text(STORAGE)


def forget(run: Path, machines: Iterable[str]) -> None:
    """Reset the folders of those machines that are nodes. If these are all nodes, also remove the clusters' folders."""
    nodes = {path.name for path in (run / "pve" / "nodes").glob("*")}
    for node in nodes.intersection(machines):
        lay_out(run, node)
    if nodes <= set(machines):
        shutil.rmtree(run / "pve" / "clusters", ignore_errors=True)
