"""The Proxmox cluster: its nodes are members one after the other."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.schema import Site
from tasks.core.change import Change, Step
from tasks.core.errors import Refused
from tasks.core.facts import Facts
from tasks.core.transaction import PVE, Command
from tasks.storage.ceph_traces import CEPH_TRACES, need_one_ceph
from tasks.storage.proxmox_facts import COROSYNC

# Of corosync's links that work it uses the one of the highest priority (corosync.conf(5), link_mode passive); said once, for the cluster.
PRIORITIES = ("priority=20", "priority=10")


def members(site: Site) -> tuple[str, ...]:
    """The hosts of the Proxmox cluster, the first monitor first: it makes the cluster."""
    if site.ceph is None:
        return ()
    nodes = [host.name for host in site.members_of("proxmox") if host.managed]
    return tuple(dict.fromkeys((*(name for name in site.ceph.monitors if name in nodes), *nodes)))


@dataclass(frozen=True)
class Membership:
    """The cluster that a node is in, and its addresses there, the preferred link first."""

    cluster: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class ProxmoxCluster(Change[Membership]):
    """The node is in the site's Proxmox cluster; corosync uses the management network, and the storage mesh only as a last resort."""

    needs: ClassVar = (COROSYNC, CEPH_TRACES)
    host: str

    def intend(self, site: Site, facts: Facts) -> Membership:
        """The site's cluster. Raises Refused on a node of another one, of Proxmox or of Ceph: no command takes it out of that."""
        assert site.ceph is not None
        need_one_ceph(members(site), facts)
        found = facts[self.host][COROSYNC]
        if found.name and found.name != site.ceph.cluster:
            raise Refused(f"{self.host}: it is in the cluster {found.name}, wanted {site.ceph.cluster}: remove it there by hand first")
        if found.nodes and self.host not in found.nodes:
            raise Refused(
                f"{self.host}: /etc/pve/corosync.conf is of the nodes {', '.join(sorted(found.nodes))}, and {self.host} is none of them: it"
                f" was taken out of {found.name}, or has another name there; see pvecm(1), `Remove a Cluster Node`"
            )
        return Membership(site.ceph.cluster, links(site, self.host))

    def observe(self, site: Site, facts: Facts) -> Membership:
        """What corosync's file says."""
        del site
        found = facts[self.host][COROSYNC]
        return Membership(found.name if self.host in found.nodes else "", found.nodes.get(self.host, ()))

    def steps(self, site: Site, facts: Facts, want: Membership) -> tuple[Step, ...]:
        """Make the cluster, or join it. Raises Refused where a member's links are others: changing them is work by hand."""
        if facts[self.host][COROSYNC].nodes.get(self.host):
            has = " and ".join(facts[self.host][COROSYNC].nodes[self.host])
            wanted = " and ".join(want.links)
            raise Refused(f"{self.host}: corosync's links are {has}, wanted {wanted}: edit /etc/pve/corosync.conf as pvecm(1) says")
        first = members(site)[0]
        if self.host == first:
            words = ("pvecm", "create", want.cluster, *_links(want, PRIORITIES))
            return (Command(words, f"cluster {want.cluster} is made of {self.host}", mount=PVE),)
        words = ("pvecm", "add", str(site.hosts[first].address.ip), *_links(want), "--use_ssh", "1")
        impact = ("corosync starts: /etc/pve becomes the cluster's",)
        return (Command(words, f"{self.host} joins cluster {want.cluster}", impact=impact, mount=PVE),)


def _links(want: Membership, priorities: tuple[str, ...] = ()) -> tuple[str, ...]:
    words = [f"{address}{','.join(['', *priorities[number : number + 1]])}" for number, address in enumerate(want.links)]
    return tuple(word for number, text in enumerate(words) for word in (f"--link{number}", text))


def links(site: Site, host: str) -> tuple[str, ...]:
    """A node's addresses for corosync, by link: its own first, its loopback last."""
    row = site.hosts[host]
    return (str(row.address.ip), *([str(row.loopback.ip)] if row.loopback else []))
