"""The membership of the Proxmox cluster: the nodes join one after the other."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from inventory import targets
from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command, Operation
from tasks.storage.ceph.identity import OF_EVERY_NODE, need_every_node, need_one_ceph
from tasks.virtualization.proxmox_cluster.facts import COROSYNC, GUESTS, ROOT_LOGIN, links, members

# Of its working links, corosync uses the one with the highest priority (corosync.conf(5), link_mode passive). Only `pvecm create` sets it,
# for the whole cluster.
PRIORITIES = ("priority=20", "priority=10")
# pvecm(1), `Adding Nodes to the Cluster`: the node's own users, storages and firewall rules are lost.
AT_RISK = "the node's own users, storages and rules are replaced, and until it has joined the cluster may be without a majority"
# It waits for quorum without a limit, after it has removed the node's own database (pve-cluster, PVE::Cluster::Setup::finish_join).
JOIN_DEADLINE_S = 600.0
# finish_join stops pve-cluster. Root's authorized_keys is a link below its mount.
LOCKED_OUT = "while it joins, root's keys do not work on it: no new SSH connection until the cluster has quorum there"
ROOT_MAY_LOG_IN = "sshd of the node is set to `PermitRootLogin yes` and reloads"


@dataclass(frozen=True)
class Membership:
    """A node's cluster, and its addresses in it, the preferred link first."""

    cluster: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class ProxmoxCluster(Change[Membership]):
    """The node is in the site's Proxmox cluster; corosync uses the management network, and the storage mesh only as a last resort."""

    needs: ClassVar = (COROSYNC, GUESTS, ROOT_LOGIN)
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
        """Create the cluster where no node has it, or join it through the first node that has it.

        Raises Refused where a member has other links, which an operator changes by hand; where the cluster is created while a node is
        silent or in another one; and where a node with guests would join.
        """
        if facts[self.host][COROSYNC].nodes.get(self.host):
            has = " and ".join(facts[self.host][COROSYNC].nodes[self.host])
            wanted = " and ".join(want.links)
            raise Refused(f"{self.host}: corosync's links are {has}, wanted {wanted}: edit /etc/pve/corosync.conf as in pvecm(1)")
        login = () if facts[self.host][ROOT_LOGIN] else (ROOT_MAY_LOG_IN,)
        member, known = _member(site, facts, want.cluster)
        if self.host == members(site)[0] and not member:
            need_every_node(site, facts)
            words = ("pvecm", "create", want.cluster, *_links(want, PRIORITIES))
            shown = f"cluster {want.cluster} is created on {self.host}"
            return (Operation(f"cluster/{want.cluster}", Command(words, PVE), shown, impact=login),)
        _need_no_guests(self.host, facts[self.host][GUESTS])
        words = ("pvecm", "add", str(site.hosts[member or members(site)[0]].address.ip), *_links(want), "--use_ssh", "1")
        impact = (
            "corosync starts: the cluster's /etc/pve replaces the node's",
            LOCKED_OUT,
            *((f"the entry that {member} has of {self.host} is replaced: `pvecm add` forces it",) if self.host in known else ()),
            *login,
        )
        shown = f"{self.host} joins cluster {want.cluster}"
        join = Command(words, PVE)
        return (Operation(f"member/{self.host}", join, shown, deadline_s=JOIN_DEADLINE_S, impact=impact, at_risk=AT_RISK),)


def _member(site: Site, facts: Facts, cluster: str) -> tuple[str, Collection[str]]:
    """The first node that is in the cluster, and the nodes that it lists. Raises Refused where a node before it is in another cluster."""
    (target,) = site.targets(targets.PROXMOX)
    each = facts[target].each if target in facts else {}
    for name in members(site):
        found = each[name][COROSYNC] if name in each else None
        if found and found.name not in ("", cluster):
            raise Refused(f"{name}: it is in the cluster {found.name}, wanted {cluster}: remove it there by hand first")
        if found and name in found.nodes:
            return name, found.nodes.keys()
    return "", ()


def _need_no_guests(host: str, guests: tuple[str, ...]) -> None:
    """Raises Refused where the node has guests, with which `pvecm add` refuses it, because their numbers may be used in the cluster."""
    if guests:
        raise Refused(
            f"{host}: it has the guests {', '.join(guests)}, and a node joins only without any: back them up and remove them (vzdump(1)),"
            " or remove what is left of them below /etc/pve/nodes, then run again"
        )


def _links(want: Membership, priorities: tuple[str, ...] = ()) -> tuple[str, ...]:
    words = [f"{address}{','.join(['', *priorities[number : number + 1]])}" for number, address in enumerate(want.links)]
    return tuple(word for number, text in enumerate(words) for word in (f"--link{number}", text))
