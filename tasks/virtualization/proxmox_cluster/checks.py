"""The checks of the Proxmox cluster: members, votes and links."""

from collections.abc import Iterator
from itertools import pairwise

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.host_facts import AT_BOOT
from tasks.virtualization.proxmox_cluster.facts import COROSYNC, COROSYNC_LINKS, QUORUM, links, members

TAGS = ("storage", "proxmox")


@check(
    needs=(COROSYNC,),
    severity=Severity.CRITICAL,
    remediation="Run the storage stage; see `pvecm status`.",
    tags=TAGS,
)
def node_is_in_the_proxmox_cluster(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node is a member of the site's Proxmox cluster, with its own addresses."""
    if host in members(site) and site.ceph is not None:
        found = facts[host][COROSYNC]
        want = f"{site.ceph.cluster} at {' and '.join(links(site, host))}"
        got = f"{found.name} at {' and '.join(found.nodes[host])}" if host in found.nodes else "in no cluster"
        yield Finding(f"{host}:corosync", want, got, host)


@check(
    needs=(QUORUM,),
    severity=Severity.CRITICAL,
    remediation="`pvecm status`; bring the missing nodes back. Without a quorum /etc/pve is read-only.",
    tags=TAGS,
)
def proxmox_cluster_is_quorate(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node is in the part of the cluster that has the quorum."""
    if host in members(site):
        yield Finding(f"{host}:quorum", "quorate", "quorate" if facts[host][QUORUM].quorate else "not quorate", host)


@check(
    needs=(QUORUM, COROSYNC),
    severity=Severity.MAJOR,
    remediation="`pvecm status` and `journalctl -u corosync` on the missing node.",
    tags=TAGS,
)
def proxmox_cluster_has_its_members(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node sees every node of the inventory, and no other has a vote."""
    if host in members(site):
        quorum, names = facts[host][QUORUM], facts[host][COROSYNC].ids
        seen = ", ".join(sorted(names.get(one, f"node {one}") for one in quorum.ids)) or "no node"
        want = f"{len(members(site))} votes, sees {', '.join(sorted(members(site)))}"
        yield Finding(f"{host}:quorum", want, f"{quorum.expected} votes, sees {seen}", host)


@check(
    needs=(COROSYNC_LINKS, COROSYNC),
    severity=Severity.MAJOR,
    remediation="`corosync-cfgtool -n`; then the cable or the route of that link.",
    tags=TAGS,
)
def corosync_links_are_connected(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each of corosync's links reaches every other node: on a single link, one failed cable would cut the node off."""
    if host in members(site):
        names, peers = facts[host][COROSYNC].ids, sorted(name for name in members(site) if name != host)
        for number, address in enumerate(links(site, host)):
            found = facts[host][COROSYNC_LINKS][number : number + 1]
            reached = sorted(names.get(one, f"node {one}") for link in found for one in link.connected)
            yield Finding(f"{host}:link {number} ({address})", ", ".join(peers), ", ".join(reached) or "no node", host)


@check(
    needs=(COROSYNC_LINKS, COROSYNC),
    severity=Severity.MAJOR,
    remediation="Edit a copy of /etc/pve/corosync.conf as in pvecm(1): addresses, knet_link_priority, config_version.",
    tags=TAGS,
)
def corosync_uses_the_mesh_last(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Corosync uses the node's own addresses. The storage mesh is its last and least preferred link, because storage traffic delays it."""
    if host in members(site):
        want = links(site, host)
        yield Finding(f"{host}:links", ", ".join(want), ", ".join(link.address for link in facts[host][COROSYNC_LINKS]) or "none", host)
        priorities = [facts[host][COROSYNC].priorities.get(number, 1) for number in range(len(want))]
        descending = all(before > after for before, after in pairwise(priorities))
        yield Finding(f"{host}:priorities", "the first link's is the highest", ", ".join(map(str, priorities)), host, passed=descending)


@check(needs=(AT_BOOT,), severity=Severity.MAJOR, remediation="`systemctl enable corosync pve-cluster` on the host.", tags=TAGS)
def proxmox_cluster_starts_at_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node joins the cluster again after a reboot."""
    if host in members(site):
        missing = [unit for unit in ("corosync.service", "pve-cluster.service") if unit not in facts[host][AT_BOOT]]
        yield Finding(f"{host}:corosync", "enabled", f"not enabled: {', '.join(missing)}" if missing else "enabled", host)


CLUSTER_CHECKS = (node_is_in_the_proxmox_cluster,)
PROXMOX_CHECKS = (
    *(*CLUSTER_CHECKS, proxmox_cluster_is_quorate, proxmox_cluster_has_its_members, corosync_links_are_connected),
    *(corosync_uses_the_mesh_last, proxmox_cluster_starts_at_boot),
)
