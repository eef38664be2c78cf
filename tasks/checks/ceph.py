"""Ceph: its monitors, managers and OSDs as the inventory wants them, and the cluster's own health."""

from collections.abc import Iterator

from inventory.schema import Site
from tasks.core.check import Finding, Severity, check
from tasks.core.facts import Facts
from tasks.storage.ceph_facts import CEPH, COROSYNC, STORAGES
from tasks.storage.ceph_pools import PveStorages
from tasks.storage.proxmox_cluster import links, members

TAGS = ("storage", "ceph")
STAGE = "Run the storage stage; `journalctl -u ceph-*` on the host says why a daemon does not run."


@check(
    needs=(COROSYNC,),
    severity=Severity.CRITICAL,
    remediation="Run the storage stage; `pvecm status` says more.",
    tags=("storage", "proxmox"),
)
def node_is_in_the_proxmox_cluster(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node is a member of the site's Proxmox cluster, on its own addresses."""
    if host in members(site) and site.ceph is not None:
        found = facts[host][COROSYNC]
        want = f"{site.ceph.cluster} at {' and '.join(links(site, host))}"
        got = f"{found.name} at {' and '.join(found.nodes[host])}" if host in found.nodes else "in no cluster"
        yield Finding(f"{host}:corosync", want, got, host)


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation=STAGE, tags=TAGS)
def monitors_are_in_quorum(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each host that is to have a monitor has one, and it is in quorum."""
    if site.ceph is not None and host in site.ceph.monitors:
        state = facts[host][CEPH]
        there = "a monitor, not in quorum" if host in state.monitors else "no monitor"
        yield Finding(f"{host}:mon", "in quorum", "in quorum" if host in state.quorum else state.error or there, host)


@check(needs=(CEPH,), severity=Severity.MAJOR, remediation=STAGE, tags=TAGS)
def managers_are_there(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each host with a monitor has a manager, so that one stands by."""
    if site.ceph is not None and host in site.ceph.monitors:
        yield Finding(f"{host}:mgr", "a manager", "a manager" if host in facts[host][CEPH].managers else "none", host)


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation=STAGE, tags=TAGS)
def osds_are_up_and_in(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """There is an OSD for each disk that is meant for one, and it is up and in."""
    wanted = site.osds(host) if site.ceph is not None else ()
    if not wanted:
        return
    state = facts[host][CEPH]
    numbers = tuple(state.osds_of(host))
    yield Finding(f"{host}:osd", f"{len(wanted)} OSD", f"{len(numbers)} OSD", host)
    for number in numbers:
        osd = state.osds[number]
        yield Finding(f"{host}:osd.{number}", "up and in", f"{'up' if osd['up'] else 'down'} and {'in' if osd['in'] else 'out'}", host)


@check(
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="`ceph pg stat` and `ceph health detail` say which, and what they wait for.",
    tags=TAGS,
)
def placement_groups_are_clean(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """All placement groups are active and clean."""
    if site.ceph is not None and host in site.ceph.monitors[:1] and facts[host][CEPH].fsid:
        states = facts[host][CEPH]["status"]["pgmap"].get("pgs_by_state", ())
        other = ", ".join(f"{one['count']} {one['state_name']}" for one in states if one["state_name"] not in CLEAN)
        yield Finding("ceph:pgs", "active+clean", other or "active+clean")


# Scrubbing is housekeeping.
CLEAN = ("active+clean", "active+clean+scrubbing", "active+clean+scrubbing+deep")


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation="`ceph health detail` says what to do about each reason.", tags=TAGS)
def ceph_is_healthy(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Ceph says HEALTH_OK."""
    if site.ceph is not None and host in site.ceph.monitors[:1]:
        state = facts[host][CEPH]
        health = state["status"].get("health", {})
        reasons = "; ".join(one["summary"]["message"] for one in health.get("checks", {}).values())
        got = f"{health.get('status', 'no answer')}{': ' if reasons else ''}{reasons}"
        yield Finding("ceph:health", "HEALTH_OK", state.error or got)


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation="Run the storage stage: it sets size and min_size.", tags=TAGS)
def pools_keep_their_copies(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each pool has the inventory's size and min_size, and no pool takes writes with one copy."""
    if site.ceph is None or host not in site.ceph.monitors[:1]:
        return
    pools = facts[host][CEPH].pools
    for name, pool in site.ceph.pools.items():
        found = pools.get(name)
        got = f"{found['size']}/{found['min_size']}" if found else "no pool"
        yield Finding(f"ceph:{name}", f"{pool.size}/{pool.min_size}", got, name)
    for name in pools.keys() - site.ceph.pools.keys():
        least = pools[name]["min_size"]
        yield Finding(f"ceph:{name}", "min_size 2 or more", f"min_size {least}", name, least >= 2)


@check(needs=(STORAGES,), severity=Severity.MAJOR, remediation="Run the storage stage; see `pvesm status`.", tags=("storage", "proxmox"))
def storages_are_registered(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Proxmox knows the pools and exports that are meant for it."""
    if site.ceph is not None and host in site.ceph.monitors[:1]:
        change = PveStorages(host)
        there = change.observe(site, facts).storages
        for one in change.intend(site, facts).storages:
            yield Finding(f"storage {one[0]}", f"{one[1]} {one[2]}", f"{one[1]} {one[2]}" if one in there else "not registered", one[0])


CLUSTER_CHECKS = (node_is_in_the_proxmox_cluster,)
MONITOR_CHECKS = (monitors_are_in_quorum,)
NODE_CHECKS = (managers_are_there, osds_are_up_and_in)
POOL_CHECKS = (pools_keep_their_copies, placement_groups_are_clean)
STORAGE_CHECKS = (storages_are_registered,)
CEPH_CHECKS = (*CLUSTER_CHECKS, *MONITOR_CHECKS, *NODE_CHECKS, *POOL_CHECKS, *STORAGE_CHECKS, ceph_is_healthy)
