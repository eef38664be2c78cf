"""Rules of Ceph: the quorum survives the loss of a monitor, pools survive the loss of a host, all nodes are on the storage network."""

from collections.abc import Iterator

from inventory.ceph_models import Ceph, CephPool
from inventory.draft import Draft
from inventory.errors import Place, Problem
from inventory.models import DiskPurpose


def monitors_are_odd(draft: Draft) -> Iterator[Problem]:
    """The number of monitors is odd: an even number survives no more losses than one fewer, and can split into two halves."""
    if (ceph := _ceph(draft)) and len(ceph.monitors) % 2 == 0:
        found = f"{len(ceph.monitors)}: {', '.join(ceph.monitors) or 'none'}"
        yield Problem(_place(draft, "monitors"), "ceph.monitors", "an odd number of hosts", found, "add one, or remove one")


def monitors_are_known(draft: Draft) -> Iterator[Problem]:
    """Each monitor runs on a different host of the inventory."""
    if not (ceph := _ceph(draft)) or not _knows_hosts(draft):
        return
    reported = draft.invalid | draft.unknown_hosts.keys()
    for index, host in enumerate(ceph.monitors):
        place = _place(draft, "monitors", index)
        if host in ceph.monitors[:index]:
            yield Problem(place, "ceph.monitors", "each host once", f"{host} again", "name another, or remove it")
        elif host not in draft.hosts and host not in reported:
            yield Problem(place, "ceph.monitors", "a host of the inventory", host, "correct the name")


def storage_nodes_are_on_the_network(draft: Draft) -> Iterator[Problem]:
    """A host with a monitor or an OSD has a loopback in Ceph's network, because its daemons use that address."""
    if not (ceph := _ceph(draft)):
        return
    routers = {end.host for _, cable, end in draft.ends() if cable.network is not None}
    for host in dict.fromkeys((*ceph.monitors, *_osd_hosts(draft))):
        row = draft.hosts.get(host)
        if row is None or (row.loopback is None and host in routers):  # a router without a loopback is already reported
            continue
        if row.loopback is None or row.loopback.ip not in ceph.network:
            found = "none" if row.loopback is None else str(row.loopback)
            yield Problem(draft.at(host, "loopback"), f"{host} loopback", f"an address in {ceph.network}", found, "set one")


def pools_survive_a_loss(draft: Draft) -> Iterator[Problem]:
    """A pool accepts writes with no fewer than two copies, and has at least as many hosts as copies."""
    for name, pool in _pools(draft):
        place, what = _place(draft, "pools", name), f"ceph.pools.{name}"
        if pool.min_size < 2:
            remedy = "with one copy, the loss of the next disk loses data; set 2"
            yield Problem(place, f"{what}.min_size", "at least 2", str(pool.min_size), remedy)
        elif pool.min_size > pool.size:
            yield Problem(place, f"{what}.min_size", f"at most its size, {pool.size}", str(pool.min_size), "correct one of them")
        if pool.size > (hosts := len(_osd_hosts(draft))) and _knows_disks(draft):
            found = f"{pool.size} copies for {hosts} hosts"
            yield Problem(place, f"{what}.size", "no more copies than hosts with an OSD", found, "add disks, or lower it")


def _ceph(draft: Draft) -> Ceph | None:
    return draft.defaults.ceph if draft.defaults is not None else None


def _knows_hosts(draft: Draft) -> bool:
    """Whether hosts.yaml has rows. If not, that is already reported, and rules do not report hosts as unknown."""
    return bool(draft.hosts or draft.invalid)


def _knows_disks(draft: Draft) -> bool:
    """Whether every row and its groups are valid. An invalid row could have the missing disks, so the number of disks is not known."""
    return _knows_hosts(draft) and not draft.invalid and all(draft.is_complete(host) for host in draft.hosts)


def _pools(draft: Draft) -> Iterator[tuple[str, CephPool]]:
    ceph = _ceph(draft)
    yield from ceph.pools.items() if ceph else ()


def _osd_hosts(draft: Draft) -> tuple[str, ...]:
    return tuple(host for host, row in draft.hosts.items() if any(disk.purpose is DiskPurpose.OSD for disk in row.disks.values()))


def _place(draft: Draft, *path: str | int) -> Place:
    return draft.files["defaults"].place("ceph", *path)
