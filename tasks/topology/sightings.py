"""What hosts see of their cables: a sighting is the state of one cable at one end, from one source: the link, LLDP, LACP or OSPF."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.site import Cable, End, Site
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Facts, HostFacts
from tasks.core.model.shown import shown
from tasks.network.links.facts import BONDS, LINKS, NEIGHBOURS, NO_PARTNER, BondLive, LldpNeighbour

# {(host, port): (router id of the neighbour, state of the adjacency)}; None if the OSPF facts were not read.
Adjacencies = Mapping[tuple[str, str], tuple[str, str]] | None
FULL = "Full"


class Sight(StrEnum):
    """Whether a sighting confirms its cable, shows nothing, or shows another one."""

    RIGHT = "right"
    NOTHING = "nothing"
    OTHER = "other"


@dataclass(frozen=True)
class Sighting:
    """What one source shows at one end of a cable."""

    end: End
    source: str
    want: str
    found: str
    sight: Sight

    def __str__(self) -> str:
        return f"{self.end} {self.source}: wanted {self.want}, found {self.found}"


@dataclass(frozen=True)
class Report:
    """One host's ports, LLDP neighbours and bonds. A port without carrier has no neighbour, even if LLDP still remembers one."""

    carrier: frozenset[str]
    neighbours: Mapping[str, tuple[End, ...]]
    bonds: Mapping[str, BondLive]


def report(site: Site, facts: HostFacts) -> Report:
    """The host's report. Raises BurrowError if its facts cannot be parsed."""
    carrier = frozenset(name for name, link in facts[LINKS].items() if link.up and link.carrier)
    neighbours = {port: tuple(_end(site, one) for one in heard) for port, heard in facts[NEIGHBOURS].items() if port in carrier}
    return Report(carrier, neighbours, facts[BONDS])


def _end(site: Site, neighbour: LldpNeighbour) -> End:
    end = neighbour.end(site)
    return End(host=shown(end.host, keep=""), port=shown(end.port, keep=""))


def reports(site: Site, facts: Facts) -> tuple[dict[str, Report], dict[str, str]]:
    """{host: report}, and {host: reason} of the hosts whose facts cannot be parsed."""
    found: dict[str, Report] = {}
    unclear: dict[str, str] = {}
    for host, one in facts.items():
        try:
            found[host] = report(site, one)
        except BurrowError as error:
            unclear[host] = str(error)
    return found, unclear


@dataclass(frozen=True)
class Evidence:
    """All reports and adjacencies, and the inventory to compare them with."""

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
        """Ignores the remembered state of a neighbour whose port has lost its carrier."""
        there = self.reports.get(far.host)
        if one.sight is not Sight.RIGHT or there is None or far.port in there.carrier:
            return one
        return Sighting(one.end, one.source, one.want, f"no neighbour: no carrier at {far}", Sight.NOTHING)

    def _lldp(self, near: End, far: End) -> Sighting:
        found = self.reports[near.host].neighbours.get(near.port, ())
        sight = Sight.NOTHING if not found else Sight.RIGHT if far in found else Sight.OTHER
        return Sighting(near, "LLDP", str(far), ", ".join(map(str, found)) or "no neighbour", sight)

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
        """The bonds with this LACP system address."""
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
        """The host with this router id, or the id if no host has it."""
        return next((host.name for host in self.site.hosts.values() if host.loopback and str(host.loopback.ip) == router), router)
