"""Rules of MTUs: a bridge, a bond and a NIC drop what is too large for them without a word to its sender."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import Port
from inventory.rules.bond import bonds
from inventory.rules.cable import port_of
from inventory.site import Cable, End


def mtus_are_equal(draft: Draft) -> Iterator[Problem]:
    """Both ends of a cable have one MTU: a larger frame than the far end takes is dropped without a word."""
    for index, cable in enumerate(draft.cables):
        near, far = (port_of(draft, end) for end in cable.ends)
        if near is not None and far is not None and near.mtu_bytes != far.mtu_bytes:
            found = f"{near.mtu_bytes} on {cable.ends[0]} and {far.mtu_bytes} on {cable.ends[1]}"
            yield Problem(draft.at_cable(index), f"cable {cable}", "one mtu_bytes on both ends", found, "correct the ports' mtu_bytes")


def bond_members_share_an_mtu(draft: Draft) -> Iterator[Problem]:
    """All members of a bond have one MTU: the kernel gives them the bond's."""
    for bond, members in bonds(draft).items():
        first = port_of(draft, members[0][2])
        for index, cable, end, far in members[1:]:
            port = port_of(draft, end)
            if first is not None and port is not None and port.mtu_bytes != first.mtu_bytes and end == cable.ends[0]:
                wanted = f"mtu_bytes {first.mtu_bytes} on {end}, as on {members[0][2]} of bond {bond.port} to {far}"
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, str(port.mtu_bytes), "correct the ports' mtu_bytes")


@dataclass(frozen=True)
class Bridged:
    """A cable of a bridged network: where its row stands, its MTU, and the bridges or ports that it joins."""

    index: int
    cable: Cable
    mtu_bytes: int
    joins: tuple[str, str]


def _bridged(draft: Draft) -> Iterator[Bridged]:
    """The cables that no router is an end of, but for those whose ends do not agree: they are reported."""
    for index, cable in enumerate(draft.cables):
        near, far = (port_of(draft, end) for end in cable.ends)
        if near is not None and far is not None and cable.network is None and near.mtu_bytes == far.mtu_bytes:
            one, other = (_bridge_of(draft, end, port) for end, port in zip(cable.ends, (near, far), strict=True))
            yield Bridged(index, cable, near.mtu_bytes, (one, other))


def _bridge_of(draft: Draft, end: End, port: Port) -> str:
    """A port with an address of its own is in no bridge."""
    return str(end) if port.address is not None or draft.hosts[end.host].management == end.port else end.host


def large_packets_pass_every_cable_between(draft: Draft) -> Iterator[Problem]:
    """Where two parts of a bridged network take large packets, every cable between them takes them too.

    Hosts of both parts agree on large packets, because TCP asks the two ends alone (RFC 9293, section 3.7.1), and lose them on the way.
    """
    part: dict[str, str] = {}
    largest: dict[str, Bridged] = {}
    # The largest first: what then joins two parts is the best way between them.
    for one in sorted(_bridged(draft), key=lambda each: -each.mtu_bytes):
        near, far = (_part(part, bridge) for bridge in one.joins)
        if near == far:
            continue
        sides = [largest[side] for side in (near, far) if side in largest]
        wanted = min((side.mtu_bytes for side in sides), default=0)
        if len(sides) == 2 and wanted > one.mtu_bytes:
            words = f"mtu_bytes {wanted}, as on {sides[0].cable} and {sides[1].cable}, which it lies between"
            remedy = "say one mtu_bytes on the ports of all three"
            yield Problem(draft.at_cable(one.index), f"cable {one.cable}", words, str(one.mtu_bytes), remedy)
        part[far] = near
        largest[near] = max((*sides, one), key=lambda each: each.mtu_bytes)


def _part(part: dict[str, str], bridge: str) -> str:
    """The name of the part that a bridge is in."""
    while bridge in part:
        bridge = part[bridge]
    return bridge
