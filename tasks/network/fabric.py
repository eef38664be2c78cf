"""A node's place in the routed fabric: forwarding, Thunderbolt ports, addresses and OSPF as one change set."""

from collections.abc import Iterator
from typing import Any

from inventory.models import LinkKind
from inventory.site import Host, Site
from tasks.core.model.change import Change, ChangeSet, Concurrency, Member
from tasks.network.forwarding.change import Forwarding
from tasks.network.ospf.change import Ospf
from tasks.network.ospf.checks import FABRIC_CHECKS
from tasks.network.point_to_point.change import PointToPointLinks
from tasks.network.thunderbolt.change import ThunderboltPorts
from tasks.network.thunderbolt.facts import paths


def fabric(site: Site) -> Iterator[ChangeSet]:
    """One set for each router over SSH. Sets do not depend on each other: each neighbour that a router sees has to become Full."""
    for host in site.hosts.values():
        if any(site.routed(host.name)) and host.loopback and host.link is LinkKind.SSH:
            member = Member(host.name, tuple(_changes(site, host)), safe_alone=True)
            yield ChangeSet(f"fabric {host.name}", (member,), FABRIC_CHECKS, concurrency=Concurrency(after=("larger packets",)))


def _changes(site: Site, host: Host) -> Iterator[Change[Any]]:
    yield Forwarding(host.name)
    if ports := tuple(paths(site, host.name)):
        yield ThunderboltPorts(host.name, ports)
    yield PointToPointLinks(host.name)
    yield Ospf(host.name)
