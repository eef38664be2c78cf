"""Rules of bonds: a LACP group joins one host to one other by two cables or more (IEEE 802.1AX)."""

from collections import Counter
from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import Fallback
from inventory.rules.cable import port_of
from inventory.rules.host import HYPERVISORS
from inventory.site import Cable, End


def bonds(draft: Draft) -> dict[End, list[tuple[int, Cable, End, End]]]:
    """The members of every bond that has both ends, by HOST:BOND: the row's index, the cable, the member, the HOST:BOND at its far end."""
    found: dict[End, list[tuple[int, Cable, End, End]]] = {}
    for index, cable, end in draft.ends():
        side = cable.ends.index(end)
        name, far_name = cable.bonds[side], cable.bonds[1 - side]
        if name is not None and far_name is not None and cable.network is None:
            far = End(host=cable.ends[1 - side].host, port=far_name)
            found.setdefault(End(host=end.host, port=name), []).append((index, cable, end, far))
    return found


def bonds_have_both_ends(draft: Draft) -> Iterator[Problem]:
    """LACP is spoken on both ends of a cable or on neither."""
    for index, cable in enumerate(draft.cables):
        if cable.bonds.count(None) == 1:
            side = 0 if cable.bonds[0] is not None else 1
            found = f"bond {cable.bonds[side]} on {cable.ends[side]} alone"
            remedy = f"add the bond of {cable.ends[1 - side]}, or remove both"
            yield Problem(draft.at_cable(index), f"cable {cable}", "LACP on both ends", found, remedy)


def bonds_have_two_members(draft: Draft) -> Iterator[Problem]:
    """A bond has two cables or more."""
    named = Counter((end.host, cable.bonds[cable.ends.index(end)]) for _, cable, end in draft.ends())
    for bond, members in bonds(draft).items():
        index, cable, end, far = members[0]
        if named[bond.host, bond.port] == named[far.host, far.port] == 1 and end == cable.ends[0]:
            wanted, remedy = f"two cables or more in bond {bond}", "add a cable to it, or remove the bond"
            yield Problem(draft.at_cable(index), f"cable {cable}", wanted, "one", remedy)


def bonds_join_two_ends(draft: Draft) -> Iterator[Problem]:
    """All cables of a bond end in one bond of one host: a LACP group has one partner."""
    for bond, members in bonds(draft).items():
        first = members[0][3]
        for index, cable, _, far in members[1:]:
            if far != first:
                wanted = f"bond {bond} to end in {first}, as on line {draft.at_cable(members[0][0]).line}"
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, str(far), "correct the bond or the end")


def bond_members_are_bare(draft: Draft) -> Iterator[Problem]:
    """A bond's member has no address: the bond, or the bridge above it, has."""
    for bond, members in bonds(draft).items():
        for index, cable, end, _ in members:
            port, row = port_of(draft, end), draft.hosts.get(end.host)
            if port is not None and row is not None and (port.address is not None or row.management == end.port):
                wanted, found = f"no address on {end}, a member of bond {bond.port}", str(port.address or row.address)
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "remove the address or the bond")


def bond_options_have_a_bond(draft: Draft) -> Iterator[Problem]:
    """What a host says of a bond is said of one that its cables make."""
    if draft.files["cables"].data is None or not draft.cables:
        return
    made = {(end.host, cable.bonds[cable.ends.index(end)]) for _, cable, end in draft.ends()}
    for host, row in draft.hosts.items():
        for name in row.bonds:
            if draft.files["hosts"].says(host, "bonds", name) and (host, name) not in made:
                place, wanted = draft.at(host, "bonds", name), "a bond that a row of cables.yaml names"
                yield Problem(place, f"{host} bonds", wanted, f"'{name}'", "correct the name, or add it to the cables")


def fallbacks_are_of_switches(draft: Draft) -> Iterator[Problem]:
    """A fallback is what a switch's channel does without a partner: a Linux bond works by one of its ports then, and has no word for it."""
    for host, row in draft.hosts.items():
        for name, options in row.bonds.items():
            if options.fallback is Fallback.INDIVIDUAL and HYPERVISORS in row.groups:
                place, wanted = draft.at(host, "bonds", name, "fallback"), f"{Fallback.SUSPEND} on a node's bond"
                yield Problem(place, f"{host} bonds.{name}.fallback", wanted, options.fallback, "say it of the switch at the other end")
