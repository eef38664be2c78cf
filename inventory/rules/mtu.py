"""Rules of MTUs: a bridge, a bond or a NIC silently drops a frame that exceeds its MTU."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import Port
from inventory.rules.bond import bonds
from inventory.rules.cable import port_of
from inventory.rules.host import and_more
from inventory.site import Cable, End


def mtus_are_equal(draft: Draft) -> Iterator[Problem]:
    """Both ends of a cable have the same MTU: the far end silently drops larger frames. Cables of the same ports are reported once."""
    alike: dict[frozenset[tuple[str, int]], list[tuple[int, str]]] = {}
    for index, cable in enumerate(draft.cables):
        near, far = (port_of(draft, end) for end in cable.ends)
        if near is not None and far is not None and near.mtu_bytes != far.mtu_bytes:
            mtus = frozenset({(cable.ends[0].port, near.mtu_bytes), (cable.ends[1].port, far.mtu_bytes)})
            found = f"{near.mtu_bytes} on {cable.ends[0]} and {far.mtu_bytes} on {cable.ends[1]}"
            alike.setdefault(mtus, []).append((index, found))
    for (index, found), *more in alike.values():
        what, wanted = f"cable {draft.cables[index]}", "one mtu_bytes on both ends"
        yield Problem(draft.at_cable(index), what, wanted, found + and_more(len(more), "row"), "correct the ports' mtu_bytes")


def bond_members_share_an_mtu(draft: Draft) -> Iterator[Problem]:
    """All members of a bond have the same MTU: the kernel sets them to the bond's."""
    for bond, members in bonds(draft).items():
        first = port_of(draft, members[0][2])
        for index, cable, end, far in members[1:]:
            port = port_of(draft, end)
            if first is not None and port is not None and port.mtu_bytes != first.mtu_bytes and end == cable.ends[0]:
                wanted = f"mtu_bytes {first.mtu_bytes} on {end}, as on {members[0][2]} of bond {bond.port} to {far}"
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, str(port.mtu_bytes), "correct the ports' mtu_bytes")


@dataclass(frozen=True)
class Bridged:
    """A cable of a bridged network: the index of its row, its MTU, and the bridges or ports that it connects."""

    index: int
    cable: Cable
    mtu_bytes: int
    joins: tuple[str, str]


def _bridged(draft: Draft) -> Iterator[Bridged]:
    """The cables of no point-to-point network. Cables with two MTUs are left out, because they are already reported."""
    for index, cable in enumerate(draft.cables):
        near, far = (port_of(draft, end) for end in cable.ends)
        if near is not None and far is not None and cable.network is None and near.mtu_bytes == far.mtu_bytes:
            yield Bridged(index, cable, near.mtu_bytes, (_bridge_of(draft, cable.ends[0], near), _bridge_of(draft, cable.ends[1], far)))


def _bridge_of(draft: Draft, end: End, port: Port) -> str:
    """The bridge of a port, or the port itself if it has its own address and so is in no bridge."""
    return str(end) if port.address is not None or draft.hosts[end.host].management == end.port else end.host


def large_packets_pass_every_cable_between(draft: Draft) -> Iterator[Problem]:
    """If two parts of a bridged network accept large packets, so does every cable between them.

    Otherwise hosts of the two parts agree on large packets, because TCP negotiates between its ends only (RFC 9293, section 3.7.1), and the
    cable between them drops these packets.
    """
    part: dict[str, str] = {}
    largest: dict[str, Bridged] = {}
    # Sorted by descending MTU, so the first cable that connects two parts is on the path with the largest MTU.
    for one in sorted(_bridged(draft), key=lambda each: -each.mtu_bytes):
        near, far = (_part(part, bridge) for bridge in one.joins)
        if near == far:
            continue
        sides = [largest[side] for side in (near, far) if side in largest]
        wanted = min((side.mtu_bytes for side in sides), default=0)
        if len(sides) == 2 and wanted > one.mtu_bytes:
            text = f"mtu_bytes {wanted}, as on {sides[0].cable} and {sides[1].cable}, which it connects"
            remedy = "set the same mtu_bytes on the ports of all three"
            yield Problem(draft.at_cable(one.index), f"cable {one.cable}", text, str(one.mtu_bytes), remedy)
        part[far] = near
        largest[near] = max((*sides, one), key=lambda each: each.mtu_bytes)


def _part(part: dict[str, str], bridge: str) -> str:
    """The name of the part that contains the bridge."""
    while bridge in part:
        bridge = part[bridge]
    return bridge
