"""What stands in for Proxmox's cluster file system on this machine: a folder for each node that is alone, and one for each cluster.

A node mounts one of them at /etc/pve (`rootfs/usr/lib/lab/proxmox/mount-pve`): its own folder until it is in a cluster, then that of the
cluster, which is named after the cluster's key. So a node that is reset leaves a cluster's folder to the others, as it was.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

# What PVE's installer leaves in /etc/pve, as far as the lab has any use for it.
STORAGE = "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n"


def own_folder(run: Path, node: str) -> Path:
    """What a node that is in no cluster has at /etc/pve."""
    return run / "pve" / "nodes" / node


def lay_out(run: Path, node: str) -> None:
    """Give a node the folder of a fresh install."""
    folder = own_folder(run, node)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "priv").mkdir(parents=True, mode=0o700)
    (folder / "storage.cfg").write_text(STORAGE)


def forget(run: Path, machines: Iterable[str]) -> None:
    """Put those of the machines that are nodes back to a fresh install; with the last of them, the clusters' folders go."""
    nodes = {path.name for path in (run / "pve" / "nodes").glob("*")}
    for node in nodes.intersection(machines):
        lay_out(run, node)
    if nodes <= set(machines):
        shutil.rmtree(run / "pve" / "clusters", ignore_errors=True)
