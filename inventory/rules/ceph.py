"""Rules of Ceph: a quorum that survives a monitor, pools that survive a host, everybody on the storage network."""

from collections.abc import Iterator

from inventory.ceph_models import Ceph, CephPool
from inventory.draft import Draft
from inventory.errors import Place, Problem
from inventory.models import DiskPurpose


def monitors_are_odd(draft: Draft) -> Iterator[Problem]:
    """An even number of monitors survives no more losses than one fewer, and may be split in two halves."""
    if (ceph := _ceph(draft)) and len(ceph.monitors) % 2 == 0:
        found = f"{len(ceph.monitors)}: {', '.join(ceph.monitors) or 'none'}"
        yield Problem(_place(draft, "monitors"), "ceph.monitors", "an odd number of hosts", found, "add one, or take one away")


def monitors_are_known(draft: Draft) -> Iterator[Problem]:
    """A monitor runs on a host of the inventory, once."""
    if not (ceph := _ceph(draft)) or not _knows_hosts(draft):
        return
    for index, host in enumerate(ceph.monitors):
        place = _place(draft, "monitors", index)
        if host in ceph.monitors[:index]:
            yield Problem(place, "ceph.monitors", "each host once", f"{host} again", "name another, or remove it")
        elif host not in draft.hosts and host not in draft.unsound:
            yield Problem(place, "ceph.monitors", "a host of the inventory", host, "correct the name")


def storage_nodes_are_on_the_network(draft: Draft) -> Iterator[Problem]:
    """A host with a monitor or an OSD has a loopback in Ceph's network: that is the address that it speaks from."""
    if not (ceph := _ceph(draft)):
        return
    for host in dict.fromkeys((*ceph.monitors, *_osd_hosts(draft))):
        row = draft.hosts.get(host)
        if row is not None and (row.loopback is None or row.loopback.ip not in ceph.network):
            found = "none" if row.loopback is None else str(row.loopback)
            yield Problem(draft.at(host, "loopback"), f"{host} loopback", f"an address in {ceph.network}", found, "give it one")


def pools_survive_a_loss(draft: Draft) -> Iterator[Problem]:
    """A pool keeps two copies of what it takes, and has as many hosts as copies."""
    for name, pool in _pools(draft):
        place, what = _place(draft, "pools", name), f"ceph.pools.{name}"
        if pool.min_size < 2:
            remedy = "with one copy the next lost disk loses what was written meanwhile; say 2"
            yield Problem(place, f"{what}.min_size", "at least 2", str(pool.min_size), remedy)
        elif pool.min_size > pool.size:
            yield Problem(place, f"{what}.min_size", f"at most its size, {pool.size}", str(pool.min_size), "correct one of them")
        if pool.size > (hosts := len(_osd_hosts(draft))) and _knows_disks(draft):
            found = f"{pool.size} copies for {hosts} hosts with an OSD"
            yield Problem(place, f"{what}.size", "no more copies than hosts that may hold one each", found, "add disks, or lower it")


def _ceph(draft: Draft) -> Ceph | None:
    return draft.defaults.ceph if draft.defaults is not None else None


def _knows_hosts(draft: Draft) -> bool:
    """Whether hosts.yaml could be read as rows: if not, that is reported, and no host is missed in other files."""
    return bool(draft.hosts or draft.unsound)


def _knows_disks(draft: Draft) -> bool:
    """Whether every row is sound with its groups: one that is not may be what is missed, and the number of the others says nothing."""
    return _knows_hosts(draft) and not draft.unsound and all(draft.knows_groups_of(host) for host in draft.hosts)


def _pools(draft: Draft) -> Iterator[tuple[str, CephPool]]:
    ceph = _ceph(draft)
    yield from ceph.pools.items() if ceph else ()


def _osd_hosts(draft: Draft) -> tuple[str, ...]:
    return tuple(host for host, row in draft.hosts.items() if any(disk.purpose is DiskPurpose.OSD for disk in row.disks.values()))


def _place(draft: Draft, *path: str | int) -> Place:
    return draft.files["defaults"].place("ceph", *path)
