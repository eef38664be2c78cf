"""The Ceph cluster that a node belongs to by its own files, so that nodes of two clusters are not joined. No monitor has to answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory import targets
from inventory.site import Site
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Fact, Facts
from tasks.platforms.proxmox.mounted import OF_A_NODE
from tasks.virtualization.proxmox_cluster.facts import COROSYNC

# One line a file or folder, with its fsid; a daemon's folder has only its path. Proxmox's link to its own file is left out. A folder of
# /var/lib/ceph that is named by an fsid belongs to cephadm.
READ_IDENTITY = r"""
for file in /etc/pve/ceph.conf /etc/ceph/ceph.conf; do
  [ -L "$file" ] || [ ! -e "$file" ] || printf '%s\t%s\n' "$file" \
    "$(sed -n 's/^[[:space:]]*fsid[[:space:]]*=[[:space:]]*["'"'"']\{0,1\}\([0-9A-Fa-f-]*\).*/\1/p' "$file" | head -n 1)"
done
for file in /var/lib/ceph/osd/*/ceph_fsid; do
  [ ! -e "$file" ] || printf '%s\t%s\n' "$file" "$(cat "$file")"
done
for folder in /var/lib/ceph/*-*-*-*-*; do
  [ ! -d "$folder" ] || printf '%s\t%s\n' "$folder" "${folder##*/}"
done
for folder in /var/lib/ceph/mon/* /var/lib/ceph/mgr/* /var/lib/ceph/osd/*; do
  [ ! -d "$folder" ] || printf '%s\t\n' "$folder"
done
"""
BY_HAND = "leave it out of the inventory, or remove its Ceph by hand (`pveceph purge`), then run again"


@dataclass(frozen=True)
class CephIdentity:
    """{path: fsid} of the paths that have one; the daemons' folders, and Ceph's files without an fsid."""

    fsids: Mapping[str, str]
    daemons: tuple[str, ...]


def _identity(output: str) -> CephIdentity:
    rows = [line.split("\t") for line in output.splitlines()]
    fsids = {path: fsid.lower() for path, fsid in rows if fsid}
    return CephIdentity(fsids, tuple(path for path, fsid in rows if not fsid))


CEPH_IDENTITY = Fact("ceph_identity", f"{OF_A_NODE}{READ_IDENTITY}", _identity)


# Of each of the nodes of the Proxmox cluster.
OF_EVERY_NODE = ((targets.PROXMOX, (CEPH_IDENTITY, COROSYNC)),)


def need_one_ceph(site: Site, facts: Facts) -> None:
    """Raises Refused where a node's Ceph is not that of the Proxmox cluster, or of the first node where there is no cluster yet.

    Joining removes the node's ceph.conf, and its daemons are lost. A node of a cluster that has no Ceph loses nothing.
    """
    (cluster,) = site.targets(targets.PROXMOX)
    each = {name: found[CEPH_IDENTITY] for name, found in facts[cluster].each.items()} if cluster in facts else {}
    if not each:
        return
    joined = [name for name, found in facts[cluster].each.items() if found[COROSYNC].name]
    first = next((name for name in joined if each[name].fsids), next(iter((*joined, *each))))
    first_path, first_fsid = next(iter(each[first].fsids.items()), ("", ""))
    wanted = f"{first_path} of {first} to {first_fsid}" if first_fsid else f"{first} has no Ceph cluster"
    reasons = [
        f"{name}: {path} belongs to the Ceph cluster {fsid}, {wanted}"
        for name, found in each.items()
        for path, fsid in found.fsids.items()
        if fsid != first_fsid
    ]
    reasons += [
        f"{name}: {', '.join(found.daemons)} exists, but no file names its Ceph cluster"
        for name, found in each.items()
        if found.daemons and not found.fsids
    ]
    if reasons:
        raise Refused(f"{'; '.join(reasons)}: {BY_HAND}")


def need_every_node(site: Site, facts: Facts) -> None:
    """Raises Refused where a node did not answer: it may have the cluster that would be made anew."""
    (cluster,) = site.targets(targets.PROXMOX)
    answered = facts[cluster].each if cluster in facts else {}
    if silent := [name for name in site.endpoints(cluster) if name not in answered]:
        raise Refused(
            f"{', '.join(silent)} did not answer: a new cluster is made only where no node has one already;"
            " bring it back, or take it out of the inventory, then run again"
        )
