"""The Proxmox cluster: its nodes are members one after the other."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command
from tasks.storage.ceph.identity import CEPH_IDENTITY, need_one_ceph
from tasks.virtualization.proxmox_cluster.facts import COROSYNC, links, members

# Of corosync's links that work it uses the one of the highest priority (corosync.conf(5), link_mode passive); said once, for the cluster.
PRIORITIES = ("priority=20", "priority=10")


@dataclass(frozen=True)
class Membership:
    """The cluster that a node is in, and its addresses there, the preferred link first."""

    cluster: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class ProxmoxCluster(Change[Membership]):
    """The node is in the site's Proxmox cluster; corosync uses the management network, and the storage mesh only as a last resort."""

    needs: ClassVar = (COROSYNC, CEPH_IDENTITY)
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
