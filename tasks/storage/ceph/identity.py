"""What a node itself has of a Ceph cluster, whether or not anybody answers: nodes of two clusters are not put together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.core.model.errors import Refused
from tasks.core.model.fact import Fact, Facts
from tasks.platforms.proxmox.mounted import OF_A_NODE

# A line a trace, and the fsid that it says; of a daemon's folder its path alone. Proxmox's link to its own file says nothing new. A folder
# of /var/lib/ceph that is called by an fsid is cephadm's.
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
BY_HAND = "leave it out of the inventory, or take its Ceph apart by hand (`pveceph purge`), then run again"


@dataclass(frozen=True)
class CephIdentity:
    """{where: fsid} of all that says one; the folders of daemons, and files of Ceph that say none."""

    fsids: Mapping[str, str]
    daemons: tuple[str, ...]


def _identity(output: str) -> CephIdentity:
    rows = [line.split("\t") for line in output.splitlines()]
    fsids = {where: fsid.lower() for where, fsid in rows if fsid}
    return CephIdentity(fsids, tuple(where for where, fsid in rows if not fsid))


CEPH_IDENTITY = Fact("ceph_identity", f"{OF_A_NODE}{READ_IDENTITY}", _identity)


def need_one_ceph(names: Iterable[str], facts: Facts) -> None:
    """Raises Refused where a node has a Ceph that is not the first node's: joining drops its ceph.conf, and its daemons are lost."""
    read = [name for name in names if name in facts and CEPH_IDENTITY.name in facts[name].readings]
    if not read:
        return
    first = read[0]
    where, ours = next(iter(facts[first][CEPH_IDENTITY].fsids.items()), ("", ""))
    others = f"{first}'s {where} of {ours}" if ours else f"{first} has none"
    strange = [
        f"{name}: {path} is of the Ceph cluster {fsid}, {others}"
        for name in read
        for path, fsid in facts[name][CEPH_IDENTITY].fsids.items()
        if fsid != ours
    ]
    strange += [
        f"{name}: {', '.join(found.daemons)} is there, and nothing says of which Ceph cluster"
        for name in read
        if (found := facts[name][CEPH_IDENTITY]).daemons and not found.fsids
    ]
    if strange:
        raise Refused(f"{'; '.join(strange)}: {BY_HAND}")
