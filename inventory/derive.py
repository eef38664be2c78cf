"""Builds the site from a draft that breaks no rule."""

from collections.abc import Iterator, Mapping

from inventory.draft import Draft
from inventory.models import BondOptions, DefaultsFile, SpanningTree
from inventory.rules.ospf import ospf_key
from inventory.site import Bond, End, Host, Site

Member = tuple[End, End, str]
"""A bond's member: its end of the cable, the far end, and the bond there."""


def site_of(draft: Draft) -> Site:
    """The site of a valid draft: every host complete, every bond listed on both of its hosts."""
    defaults = draft.defaults
    assert isinstance(defaults, DefaultsFile)
    members = _members(draft)
    return Site(
        domain=defaults.domain,
        name_servers=defaults.name_servers,
        time_servers=defaults.time_servers,
        packages=defaults.packages,
        lacp=defaults.lacp,
        ospf=defaults.ospf,
        ospf_key=ospf_key(draft),
        ceph=defaults.ceph,
        operator=defaults.operator,
        hosts={name: _host(draft, name, members.get(name, {})) for name in draft.hosts},
        cables=draft.cables,
        networks=draft.networks,
    )


def _host(draft: Draft, name: str, members: Mapping[str, list[Member]]) -> Host:
    row = draft.hosts[name]
    assert row.platform is not None
    assert row.link is not None
    assert row.management is not None
    return Host(
        name=name,
        groups=row.groups,
        platform=row.platform,
        link=row.link,
        managed=row.managed is not False,
        management=row.management,
        address=row.address,
        gateway=row.gateway,
        spanning_tree=row.spanning_tree or SpanningTree.OFF,
        loopback=row.loopback,
        ports=row.ports,
        disks=row.disks,
        bonds=tuple(_bonds(draft, name, members)),
        vm=row.vm,
        nfs=row.nfs,
    )


def _members(draft: Draft) -> dict[str, dict[str, list[Member]]]:
    """{host: {bond: its members}}."""
    found: dict[str, dict[str, list[Member]]] = {}
    for cable in draft.cables:
        for side, end in enumerate(cable.ends):
            name, peer_name = cable.bonds[side], cable.bonds[1 - side]
            if name is not None and peer_name is not None:
                found.setdefault(end.host, {}).setdefault(name, []).append((end, cable.ends[1 - side], peer_name))
    return found


def _bonds(draft: Draft, host: str, bonds: Mapping[str, list[Member]]) -> Iterator[Bond]:
    for name, members in bonds.items():
        _, peer, peer_name = members[0]
        ends = (end for near, far, _ in members for end in (near, far))
        configured = (draft.hosts[end.host].ports[end.port].configured_mtu_bytes for end in ends)
        yield Bond(
            host=host,
            name=name,
            members=tuple(near.port for near, _, _ in members),
            peer_host=peer.host,
            peer_name=peer_name,
            peer_members=tuple(far.port for _, far, _ in members),
            fallback=draft.hosts[host].bonds.get(name, BondOptions()).fallback,
            mtu_bytes=next((mtu_bytes for mtu_bytes in configured if mtu_bytes is not None), None),
        )
