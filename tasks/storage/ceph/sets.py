"""The change sets of the Proxmox cluster and of Ceph. They run one after the other, each after the checks of the one before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from inventory.site import Site
from tasks.core.model.change import Change, ChangeSet, Member
from tasks.core.model.check import Check
from tasks.storage.ceph.change import CephManager, CephMonitor, CephOsds, CephSettings
from tasks.storage.ceph.daemon_checks import MONITOR_CHECKS, NODE_CHECKS
from tasks.storage.ceph.flags import CephFlags
from tasks.storage.ceph.health_checks import no_flag_is_left_behind
from tasks.storage.ceph.identity import CEPH_IDENTITY
from tasks.storage.ceph.maintenance import is_used
from tasks.storage.ceph.pool_checks import POOL_CHECKS
from tasks.storage.ceph.pools import CephPool
from tasks.virtualization.node_keys.change import NodeKeys
from tasks.virtualization.proxmox_cluster.change import ProxmoxCluster
from tasks.virtualization.proxmox_cluster.checks import CLUSTER_CHECKS
from tasks.virtualization.proxmox_cluster.facts import members
from tasks.virtualization.storages.change import PveStorages
from tasks.virtualization.storages.checks import STORAGE_CHECKS

# One lock for the whole cluster: one monitor at a time. Only a cluster that is not used yet gets its daemons on all nodes at once.
LOCK = "cluster"
# A new OSD joins within this time, even on a slow machine; peering and the first copies take as long.
VERIFY_S = 90


def ceph(site: Site) -> Iterator[ChangeSet]:
    """The cluster's nodes, then Ceph's settings, monitors and flags, managers and OSDs by node, pools, and Proxmox's storages on them."""
    if site.ceph is None:
        return
    nodes = members(site)
    yield ChangeSet("cluster keys", tuple(Member(name, (NodeKeys(name),), safe_alone=True) for name in nodes), lock=LOCK)
    for name in nodes:
        yield _with_peers(nodes, _one(f"cluster {name}", name, (ProxmoxCluster(name),), CLUSTER_CHECKS))
    first, *endpoints = site.ceph.monitors
    yield _with_peers(nodes, _one("ceph settings", first, (CephSettings(first),), (), tuple(endpoints)))
    for name in site.ceph.monitors:
        yield _one(f"ceph monitor {name}", name, (CephMonitor(name),), MONITOR_CHECKS)
    yield _one("ceph flags", first, (CephFlags(first),), (no_flag_is_left_behind,), tuple(endpoints))
    for name in nodes:
        daemons: tuple[Change[Any], ...] = (
            *([CephManager(name)] if name in site.ceph.monitors else []),
            *([CephOsds(name)] if site.osds(name) else []),
        )
        if daemons:
            yield _one(f"ceph node {name}", name, daemons, NODE_CHECKS, batch="ceph nodes", serial_if=is_used)
    for name in site.ceph.pools:
        one = _one(f"ceph pool {name}", first, (CephPool(first, name),), POOL_CHECKS, tuple(endpoints))
        yield replace(one, subjects=dict.fromkeys(site.ceph.monitors, frozenset({name})))  # the next pool does not exist yet
    yield _one("cluster storages", first, (PveStorages(first),), STORAGE_CHECKS, tuple(endpoints))


def _with_peers(nodes: tuple[str, ...], one: ChangeSet) -> ChangeSet:
    """The set, which also reads the Ceph identity of all nodes. Later sets read only their own node's: each node has the cluster's file."""
    return replace(one, peers=nodes, peer_facts=(CEPH_IDENTITY,))


def _one(
    name: str, host: str, changes: tuple[Change[Any], ...], checks: tuple[Check, ...], endpoints: tuple[str, ...] = (), **more: Any
) -> ChangeSet:
    member = Member(host, changes, safe_alone=True, endpoints=endpoints)
    return ChangeSet(name, (member,), checks, lock=LOCK, verify_s=VERIFY_S, **more)
