"""A node's place in the routed fabric: forwarding, Thunderbolt ports, addresses and OSPF as one change set."""

from collections.abc import Iterator
from typing import Any

from inventory.rows import LinkKind
from inventory.schema import Host, Site
from tasks.checks.ospf import FABRIC_CHECKS
from tasks.core.change import Change, ChangeSet, Member
from tasks.network.forwarding import Forwarding
from tasks.network.ospf import Ospf
from tasks.network.point_to_point import PointToPointLinks
from tasks.network.thunderbolt import ThunderboltPorts, paths


def fabric(site: Site) -> Iterator[ChangeSet]:
    """One set for each router over SSH, whatever its neighbours do meanwhile: whoever is heard has to become a full neighbour."""
    for host in site.hosts.values():
        if any(site.routed(host.name)) and host.loopback and host.link is LinkKind.SSH:
            member = Member(host.name, tuple(_changes(site, host)), safe_alone=True)
            yield ChangeSet(f"fabric {host.name}", (member,), FABRIC_CHECKS)


def _changes(site: Site, host: Host) -> Iterator[Change[Any]]:
    yield Forwarding(host.name)
    if ports := tuple(paths(site, host.name)):
        yield ThunderboltPorts(host.name, ports)
    yield PointToPointLinks(host.name)
    yield Ospf(host.name)
