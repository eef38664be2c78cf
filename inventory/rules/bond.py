"""Rules of bonds: a LACP group connects two hosts with two or more cables (IEEE 802.1AX)."""

from collections import Counter
from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import Fallback
from inventory.rules.cable import port_of
from inventory.rules.host import HYPERVISORS
from inventory.site import Cable, End


def bonds(draft: Draft) -> dict[End, list[tuple[int, Cable, End, End]]]:
    """The members of every bond that has both ends, by HOST:BOND, as (row index, cable, member, HOST:BOND at the far end)."""
    found: dict[End, list[tuple[int, Cable, End, End]]] = {}
    for index, cable, end in draft.ends():
        side = cable.ends.index(end)
        name, far_name = cable.bonds[side], cable.bonds[1 - side]
        if name is not None and far_name is not None and cable.network is None:
            far = End(host=cable.ends[1 - side].host, port=far_name)
            found.setdefault(End(host=end.host, port=name), []).append((index, cable, end, far))
    return found


def bonds_have_both_ends(draft: Draft) -> Iterator[Problem]:
    """Both ends of a cable run LACP, or neither does."""
    for index, cable in enumerate(draft.cables):
        if cable.bonds.count(None) == 1:
            side = 0 if cable.bonds[0] is not None else 1
            found = f"bond {cable.bonds[side]} only on {cable.ends[side]}"
            remedy = f"add the bond of {cable.ends[1 - side]}, or remove 'bond'"
            yield Problem(draft.at_cable(index), f"cable {cable}", "LACP on both ends", found, remedy)


def bonds_have_two_members(draft: Draft) -> Iterator[Problem]:
    """A bond has two or more cables."""
    named = Counter((end.host, cable.bonds[cable.ends.index(end)]) for _, cable, end in draft.ends())
    for bond, members in bonds(draft).items():
        index, cable, end, far = members[0]
        if named[bond.host, bond.port] == named[far.host, far.port] == 1 and end == cable.ends[0]:
            wanted, remedy = f"two or more cables in bond {bond}", "add a cable to it, or remove the bond"
            yield Problem(draft.at_cable(index), f"cable {cable}", wanted, "one", remedy)


def bonds_join_two_ends(draft: Draft) -> Iterator[Problem]:
    """All cables of a bond end in one bond of one host, because a LACP group has one partner."""
    for bond, members in bonds(draft).items():
        first = members[0][3]
        for index, cable, _, far in members[1:]:
            if far != first:
                wanted = f"bond {bond} to end in {first}, as on line {draft.at_cable(members[0][0]).line}"
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, str(far), "correct the bond or the end")


def bond_members_have_no_address(draft: Draft) -> Iterator[Problem]:
    """A bond's member has no address. The bond, or the bridge above it, has one."""
    for bond, members in bonds(draft).items():
        for index, cable, end, _ in members:
            port, row = port_of(draft, end), draft.hosts.get(end.host)
            if port is not None and row is not None and (port.address is not None or row.management == end.port):
                wanted, found = f"no address on {end}, a member of bond {bond.port}", str(port.address or row.address)
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "remove the address or the bond")


def bond_options_have_a_bond(draft: Draft) -> Iterator[Problem]:
    """A host sets options only of bonds that its cables define."""
    if draft.files["cables"].data is None or not draft.cables:
        return
    defined = {(end.host, cable.bonds[cable.ends.index(end)]) for _, cable, end in draft.ends()}
    for host, row in draft.hosts.items():
        for name in row.bonds:
            if draft.files["hosts"].sets(host, "bonds", name) and (host, name) not in defined:
                place, wanted = draft.at(host, "bonds", name), "a bond that a row of cables.yaml names"
                yield Problem(place, f"{host} bonds", wanted, f"'{name}'", "correct the name, or add it to the cables")


def only_switches_have_a_fallback(draft: Draft) -> Iterator[Problem]:
    """Only a switch's LAG has a fallback. A Linux bond without a LACP partner uses one of its ports, and has no such option."""
    for host, row in draft.hosts.items():
        for name, options in row.bonds.items():
            if options.fallback is Fallback.INDIVIDUAL and HYPERVISORS in row.groups:
                place, wanted = draft.at(host, "bonds", name, "fallback"), f"{Fallback.SUSPEND} on a node's bond"
                yield Problem(place, f"{host} bonds.{name}.fallback", wanted, options.fallback, "set it on the switch at the other end")
