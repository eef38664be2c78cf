"""The Proxmox cluster and Ceph on it as change sets: one after the other, each judged by what Ceph itself says before the next begins."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from inventory.schema import Site
from tasks.checks.ceph_daemons import MONITOR_CHECKS, NODE_CHECKS
from tasks.checks.ceph_health import no_flag_is_left_behind
from tasks.checks.ceph_pools import POOL_CHECKS
from tasks.checks.proxmox_cluster import CLUSTER_CHECKS
from tasks.checks.proxmox_storages import STORAGE_CHECKS
from tasks.core.change import Change, ChangeSet, Member
from tasks.core.check import Check
from tasks.storage.ceph_daemons import CephManager, CephMonitor, CephOsds, CephSettings
from tasks.storage.ceph_flags import CephFlags
from tasks.storage.ceph_maintenance import is_used
from tasks.storage.ceph_pools import CephPool, PveStorages
from tasks.storage.ceph_traces import CEPH_TRACES
from tasks.storage.node_keys import NodeKeys
from tasks.storage.proxmox_cluster import ProxmoxCluster, members

# One right for the whole cluster: a monitor at a time. What nobody uses yet, daemons of a fresh cluster, is added on all nodes at once.
RIGHT = "cluster"
# An OSD that has just begun joins within this, on a slow machine too; peering and the first copies take as long.
SETTLE_S = 90


def ceph(site: Site) -> Iterator[ChangeSet]:
    """The cluster's nodes, then Ceph's settings, monitors and flags, the rest of each node, pools, and what Proxmox knows of them."""
    if site.ceph is None:
        return
    nodes = members(site)
    yield ChangeSet("cluster keys", tuple(Member(name, (NodeKeys(name),), safe_alone=True) for name in nodes), right=RIGHT)
    for name in nodes:
        yield _compared(nodes, _one(f"cluster {name}", name, (ProxmoxCluster(name),), CLUSTER_CHECKS))
    first, *others = site.ceph.monitors
    yield _compared(nodes, _one("ceph settings", first, (CephSettings(first),), (), tuple(others)))
    for name in site.ceph.monitors:
        yield _one(f"ceph monitor {name}", name, (CephMonitor(name),), MONITOR_CHECKS)
    yield _one("ceph flags", first, (CephFlags(first),), (no_flag_is_left_behind,), tuple(others))
    for name in nodes:
        daemons: tuple[Change[Any], ...] = (
            *([CephManager(name)] if name in site.ceph.monitors else []),
            *([CephOsds(name)] if site.osds(name) else []),
        )
        if daemons:
            yield _one(f"ceph node {name}", name, daemons, NODE_CHECKS, group="ceph nodes", apart=is_used)
    for name in site.ceph.pools:
        one = _one(f"ceph pool {name}", first, (CephPool(first, name),), POOL_CHECKS, tuple(others))
        yield replace(one, subjects=dict.fromkeys(site.ceph.monitors, frozenset({name})))  # the next pool is yet to come
    yield _one("cluster storages", first, (PveStorages(first),), STORAGE_CHECKS, tuple(others))


def _compared(nodes: tuple[str, ...], one: ChangeSet) -> ChangeSet:
    """The set, with what all nodes have of Ceph in view; later a node's own is enough, since the cluster's file is on each."""
    return replace(one, beside=nodes, compares=(CEPH_TRACES,))


def _one(
    name: str, host: str, changes: tuple[Change[Any], ...], checks: tuple[Check, ...], instead: tuple[str, ...] = (), **more: Any
) -> ChangeSet:
    member = Member(host, changes, safe_alone=True, instead=instead)
    return ChangeSet(name, (member,), checks, right=RIGHT, settle_s=SETTLE_S, **more)
