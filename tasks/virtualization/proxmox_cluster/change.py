"""The membership of the Proxmox cluster: the nodes join one after the other."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command, Operation
from tasks.storage.ceph.identity import OF_EVERY_NODE, need_every_node, need_one_ceph
from tasks.virtualization.proxmox_cluster.facts import COROSYNC, links, members

# Of its working links, corosync uses the one with the highest priority (corosync.conf(5), link_mode passive). Only `pvecm create` sets it,
# for the whole cluster.
PRIORITIES = ("priority=20", "priority=10")
# pvecm(1), `Adding Nodes to the Cluster`: the node's own users, storages and firewall rules are lost.
AT_RISK = "the node's own users, storages and rules are replaced, and until it has joined the cluster may be without a majority"


@dataclass(frozen=True)
class Membership:
    """A node's cluster, and its addresses in it, the preferred link first."""

    cluster: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class ProxmoxCluster(Change[Membership]):
    """The node is in the site's Proxmox cluster; corosync uses the management network, and the storage mesh only as a last resort."""

    needs: ClassVar = (COROSYNC,)
    also: ClassVar = OF_EVERY_NODE
    host: str

    def intend(self, site: Site, facts: Facts) -> Membership:
        """The site's cluster. Raises Refused where the node is in another cluster of Proxmox or Ceph: no runbook removes it from there."""
        assert site.ceph is not None
        need_one_ceph(site, facts)
        found = facts[self.host][COROSYNC]
        if found.name and found.name != site.ceph.cluster:
            raise Refused(f"{self.host}: it is in the cluster {found.name}, wanted {site.ceph.cluster}: remove it there by hand first")
        if found.nodes and self.host not in found.nodes:
            raise Refused(
                f"{self.host}: /etc/pve/corosync.conf lists the nodes {', '.join(sorted(found.nodes))}, but not {self.host}: the node was"
                f" removed from {found.name}, or has another name there; see pvecm(1), `Remove a Cluster Node`"
            )
        return Membership(site.ceph.cluster, links(site, self.host))

    def observe(self, site: Site, facts: Facts) -> Membership:
        """The membership in corosync.conf."""
        del site
        found = facts[self.host][COROSYNC]
        return Membership(found.name if self.host in found.nodes else "", found.nodes.get(self.host, ()))

    def steps(self, site: Site, facts: Facts, want: Membership) -> tuple[Step, ...]:
        """Create the cluster, or join it.

        Raises Refused where a member has other links, which an operator changes by hand; and where one is created while a node is silent.
        """
        if facts[self.host][COROSYNC].nodes.get(self.host):
            has = " and ".join(facts[self.host][COROSYNC].nodes[self.host])
            wanted = " and ".join(want.links)
            raise Refused(f"{self.host}: corosync's links are {has}, wanted {wanted}: edit /etc/pve/corosync.conf as in pvecm(1)")
        first = members(site)[0]
        if self.host == first:
            need_every_node(site, facts)
            words = ("pvecm", "create", want.cluster, *_links(want, PRIORITIES))
            return (Operation(f"cluster/{want.cluster}", Command(words, PVE), f"cluster {want.cluster} is created on {self.host}"),)
        words = ("pvecm", "add", str(site.hosts[first].address.ip), *_links(want), "--use_ssh", "1")
        impact = ("corosync starts: the cluster's /etc/pve replaces the node's",)
        shown = f"{self.host} joins cluster {want.cluster}"
        return (Operation(f"member/{self.host}", Command(words, PVE), shown, impact=impact, at_risk=AT_RISK),)


def _links(want: Membership, priorities: tuple[str, ...] = ()) -> tuple[str, ...]:
    words = [f"{address}{','.join(['', *priorities[number : number + 1]])}" for number, address in enumerate(want.links)]
    return tuple(word for number, text in enumerate(words) for word in (f"--link{number}", text))
