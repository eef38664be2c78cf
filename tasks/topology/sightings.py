"""What hosts say of their cables: a sighting is what one witness, at one end, has seen of one cable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.printable import printable
from inventory.site import Cable, End, Site
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Facts, HostFacts
from tasks.network.links.facts import BONDS, LINKS, NEIGHBOURS, NO_PARTNER, BondLive

# {(host, port): (router id of the neighbour, state of the adjacency)}; None where nobody asked for OSPF.
Adjacencies = Mapping[tuple[str, str], tuple[str, str]] | None
FULL = "Full"


class Sight(StrEnum):
    """What a sighting means for its cable."""

    RIGHT = "right"
    NOTHING = "nothing"
    OTHER = "other"


@dataclass(frozen=True)
class Sighting:
    """What one witness has seen at one end."""

    end: End
    witness: str
    want: str
    found: str
    sight: Sight

    def __str__(self) -> str:
        return f"{self.end} {self.witness}: wanted {self.want}, found {self.found}"


@dataclass(frozen=True)
class Report:
    """What one host says of its ports; it hears nobody on a port that has no carrier, whatever LLDP remembers."""

    carrier: frozenset[str]
    heard: Mapping[str, End]
    bonds: Mapping[str, BondLive]


def report(facts: HostFacts) -> Report:
    """What the host said. Raises BurrowError where that cannot be understood."""
    carrier = frozenset(name for name, link in facts[LINKS].items() if link.up and link.carrier)
    neighbours = {port: tuple(map(printable, far)) for port, far in facts[NEIGHBOURS].items() if port in carrier}
    heard = {port: End(host=name, port=far) for port, (name, far) in neighbours.items()}
    return Report(carrier, heard, facts[BONDS])


def reports(facts: Facts) -> tuple[dict[str, Report], dict[str, str]]:
    """The reports by host, and of hosts whose answer cannot be understood the reason."""
    said: dict[str, Report] = {}
    unclear: dict[str, str] = {}
    for host, one in facts.items():
        try:
            said[host] = report(one)
        except BurrowError as error:
            unclear[host] = str(error)
    return said, unclear


@dataclass(frozen=True)
class Witnesses:
    """All that was said, and the inventory that it is held against."""

    site: Site
    reports: Mapping[str, Report]
    adjacencies: Adjacencies = None

    def of(self, cable: Cable) -> Iterator[Sighting]:
        """Every sighting of a cable, at both of its ends."""
        for near, far in (cable.ends, cable.ends[::-1]):
            if near.host in self.reports:
                for one in self._at(cable, near, far):
                    yield self._in_time(one, far)

    def _at(self, cable: Cable, near: End, far: End) -> Iterator[Sighting]:
        if near.port not in self.reports[near.host].carrier:
            yield Sighting(near, "link", str(far), "no carrier", Sight.NOTHING)
            return
        yield self._lldp(near, far)
        ours, theirs = cable.bonds if near == cable.ends[0] else cable.bonds[::-1]
        if ours and theirs:
            yield self._lacp(near, ours, End(host=far.host, port=theirs))
        if cable.network and self.adjacencies is not None:
            yield self._ospf(near, far.host)

    def _in_time(self, one: Sighting, far: End) -> Sighting:
        """What is remembered of a neighbour whose port has lost its carrier is nothing."""
        there = self.reports.get(far.host)
        if one.sight is not Sight.RIGHT or there is None or far.port in there.carrier:
            return one
        return Sighting(one.end, one.witness, one.want, f"nobody: no carrier at {far}", Sight.NOTHING)

    def _lldp(self, near: End, far: End) -> Sighting:
        heard = self.reports[near.host].heard.get(near.port)
        sight = Sight.NOTHING if heard is None else Sight.RIGHT if heard == far else Sight.OTHER
        return Sighting(near, "LLDP", str(far), str(heard or "nobody"), sight)

    def _lacp(self, near: End, ours: str, theirs: End) -> Sighting:
        bond = self.reports[near.host].bonds.get(ours)
        member = bond.members.get(near.port) if bond else None
        if member is None or member.partner == NO_PARTNER:
            found = "no partner" if member else f"no member of {ours}" if bond else f"no {ours}"
            return Sighting(near, "LACP", str(theirs), found, Sight.NOTHING)
        owners = self._owners(member.partner)
        if theirs in owners or (theirs.host not in self.reports and not owners):
            return Sighting(near, "LACP", str(theirs), str(theirs), Sight.RIGHT)
        return Sighting(near, "LACP", str(theirs), str(owners[0]) if owners else member.partner, Sight.OTHER)

    def _owners(self, system: str) -> tuple[End, ...]:
        """The bonds that speak LACP as this system."""
        return tuple(
            End(host=host, port=name)
            for host, one in self.reports.items()
            for name, bond in one.bonds.items()
            if any(member.system == system for member in bond.members.values())
        )

    def _ospf(self, near: End, far: str) -> Sighting:
        assert self.adjacencies is not None
        want = f"{far} {FULL}"
        router, state = self.adjacencies.get((near.host, near.port), ("", ""))
        if not router:
            return Sighting(near, "OSPF", want, "no neighbour", Sight.NOTHING)
        found = f"{self.router(router)} {state}"
        return Sighting(near, "OSPF", want, found, Sight.RIGHT if found == want else Sight.OTHER)

    def router(self, router: str) -> str:
        """The host with this router id, or the id where no host has it."""
        return next((host.name for host in self.site.hosts.values() if host.loopback and str(host.loopback.ip) == router), router)
