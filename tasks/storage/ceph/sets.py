"""The change sets of the Proxmox cluster and of Ceph. They run one after the other, each after the checks of the one before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from inventory.site import Site
from inventory.targets import PROXMOX, Target
from tasks.core.model.change import Change, ChangeSet, Concurrency, Member
from tasks.core.model.check import Check
from tasks.storage.ceph.change import CephManager, CephMonitor, CephOsds, CephSettings
from tasks.storage.ceph.daemon_checks import MONITOR_CHECKS, NODE_CHECKS, ceph_programs_are_installed
from tasks.storage.ceph.facts import ceph_of
from tasks.storage.ceph.flags import CephFlags
from tasks.storage.ceph.health_checks import no_flag_is_left_behind
from tasks.storage.ceph.host_facts import nodes_with_daemons
from tasks.storage.ceph.maintenance import is_used
from tasks.storage.ceph.packages import CephPackages
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
IN_ORDER = Concurrency(LOCK)
# A new OSD joins within this time, even on a slow machine; peering and the first copies take as long.
VERIFY_S = 90


def ceph(site: Site) -> Iterator[ChangeSet]:
    """The cluster's nodes, then Ceph's settings, monitors and flags, managers and OSDs by node, pools, and Proxmox's storages on them."""
    if site.ceph is None:
        return
    nodes, cluster = members(site), ceph_of(site)
    (proxmox,) = site.targets(PROXMOX)
    yield ChangeSet("cluster keys", tuple(Member(name, (NodeKeys(name),), safe_alone=True) for name in nodes), concurrency=IN_ORDER)
    for name in nodes:
        yield _one(f"cluster {name}", name, (ProxmoxCluster(name),), CLUSTER_CHECKS, clusters=(proxmox,))
    for name in nodes_with_daemons(site):
        installing = Concurrency(LOCK, len(nodes))
        yield _one(f"ceph packages {name}", name, (CephPackages(name),), (ceph_programs_are_installed,), installing, (cluster,))
    yield _one("ceph settings", cluster, (CephSettings(cluster),), ())
    for name in site.ceph.monitors:
        yield _one(f"ceph monitor {name}", name, (CephMonitor(name),), MONITOR_CHECKS, clusters=(cluster,))
    yield _one("ceph flags", cluster, (CephFlags(cluster),), (no_flag_is_left_behind,))
    for name in nodes:
        daemons: tuple[Change[Any], ...] = (
            *([CephManager(name)] if name in site.ceph.monitors else []),
            *([CephOsds(name)] if site.osds(name) else []),
        )
        if daemons:
            yield _one(f"ceph node {name}", name, daemons, NODE_CHECKS, Concurrency(LOCK, len(nodes), is_used), clusters=(cluster,))
    for name in site.ceph.pools:
        one = _one(f"ceph pool {name}", cluster, (CephPool(cluster, name),), POOL_CHECKS)
        yield replace(one, subjects={cluster: frozenset({name})})  # the next pool does not exist yet
    yield _one("cluster storages", proxmox, (PveStorages(proxmox),), STORAGE_CHECKS)


def _one(
    name: str,
    target: str,
    changes: tuple[Change[Any], ...],
    checks: tuple[Check, ...],
    concurrency: Concurrency = IN_ORDER,
    clusters: tuple[Target, ...] = (),
) -> ChangeSet:
    member = Member(target, changes, safe_alone=True)
    return ChangeSet(name, (member,), checks, concurrency=concurrency, verify_s=VERIFY_S, clusters=clusters)
