"""The picture of a site: its hosts, its cables, and what became of each. Pure, and without any shape yet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.site import Cable, End, Host, Site
from tasks.core.model.fact import Facts
from tasks.topology.sightings import Adjacencies, Sight, Sighting, Witnesses, reports
from tasks.topology.surplus import surplus


class State(StrEnum):
    """What became of a cable."""

    INTENDED = "as intended"
    MISSING = "missing"
    WRONG = "wrong"
    SURPLUS = "surplus"
    UNJUDGED = "not judged"


class Kind(StrEnum):
    """What a cable is for."""

    BOND = "LACP bond"
    INTER_SWITCH = "inter-switch"
    SFP = "SFP+"
    THUNDERBOLT = "Thunderbolt"
    ROUTED = "routed"
    PLAIN = "plain"


class Answer(StrEnum):
    """What a host had to say."""

    GIVEN = "answered"
    NONE = "did not answer"
    UNASKED = "not managed"
    STRANGER = "not in the inventory"


KINDS = {"sfp": Kind.SFP, "thunderbolt": Kind.THUNDERBOLT}
BETWEEN = " \N{EN DASH} "
FAULTS = (State.MISSING, State.WRONG, State.SURPLUS)


@dataclass(frozen=True)
class Node:
    """A host, or a neighbour that is not in the inventory."""

    name: str
    groups: tuple[str, ...] = ()
    address: str = ""
    loopback: str = ""
    answer: Answer = Answer.GIVEN
    reason: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """All that is known of it, a line each."""
        head = f"{self.name} ({', '.join(self.groups)})" if self.groups else self.name
        return tuple(filter(None, (head, self.address, self.loopback and f"router {self.loopback}", str(self.answer), self.reason)))


@dataclass(frozen=True)
class Edge:
    """A cable: of the inventory, or one that is only seen. `group` names what its kind makes of it: a bond, a network."""

    ends: tuple[End, End]
    kind: Kind
    state: State
    group: str = ""
    sightings: tuple[Sighting, ...] = ()

    def __str__(self) -> str:
        return BETWEEN.join(map(str, self.ends))

    @property
    def pair(self) -> tuple[str, str]:
        """Its two hosts."""
        return self.ends[0].host, self.ends[1].host

    @property
    def wrong(self) -> tuple[Sighting, ...]:
        """The sightings that are not as wanted."""
        return tuple(one for one in self.sightings if one.sight is not Sight.RIGHT)

    @property
    def purpose(self) -> str:
        """What it is for."""
        if self.state is State.SURPLUS:
            return "nothing that the inventory knows"
        return f"{self.kind} {self.group}" if self.group.lower() not in ("", self.kind.lower(), "sfp") else str(self.kind)

    @property
    def words(self) -> tuple[str, ...]:
        """All that is known of it, a line each."""
        seen = tuple(f"{one.end} {one.witness}: {one.found}, as wanted" if one.sight is Sight.RIGHT else str(one) for one in self.sightings)
        return (f"{self}: {self.state}", self.purpose, *(seen or ("nobody was asked",)))


@dataclass(frozen=True)
class Picture:
    """What is drawn."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def faults(self) -> tuple[Edge, ...]:
        """The cables that are not as intended."""
        return tuple(edge for edge in self.edges if edge.state in FAULTS)

    @property
    def silent(self) -> tuple[Node, ...]:
        """The hosts that did not answer."""
        return tuple(node for node in self.nodes if node.answer is Answer.NONE)

    @property
    def as_intended(self) -> bool:
        """Whether every host answered, and every cable is as the inventory says."""
        return not self.faults and not self.silent

    @property
    def summary(self) -> str:
        """How many there are of each."""
        counts = Counter(edge.state for edge in self.edges)
        said = ", ".join(f"{counts[state]} {state}" for state in State if counts[state]) or "none"
        silent = f", {len(self.silent)} did not answer" if self.silent else ""
        return f"{len(self.nodes)} hosts{silent}; cables: {said}"


def picture(
    site: Site,
    facts: Facts,
    unreachable: Mapping[str, str] | None = None,
    adjacencies: Adjacencies = None,
    limit: tuple[str, ...] = (),
) -> Picture:
    """The cables of the site against what was seen of them; with `limit`, those with an end on one of these hosts."""
    said, unclear = reports(facts)
    witnesses = Witnesses(site, said, adjacencies)
    drawn = {host.name: host for host in site.hosts.values() if host.vm is None}
    edges = [_judged(site, witnesses, cable) for cable in site.cables if {end.host for end in cable.ends} <= drawn.keys()]
    edges += [Edge(one.ends, Kind.PLAIN, State.SURPLUS, sightings=one.sightings) for one in surplus(witnesses)]
    edges = [edge for edge in edges if not limit or set(edge.pair) & set(limit)]
    reasons = {**unclear, **(unreachable or {})}
    names = dict.fromkeys([*(name for name in drawn if not limit or name in limit), *(end.host for edge in edges for end in edge.ends)])
    order = [*(name for name in drawn if name in names), *(name for name in names if name not in drawn)]
    return Picture(site.domain, tuple(_node(site, name, reasons) for name in order), tuple(edges))


def _node(site: Site, name: str, reasons: Mapping[str, str]) -> Node:
    host = site.hosts.get(name)
    if host is None:
        return Node(name, answer=Answer.STRANGER)
    answer = Answer.NONE if name in reasons else Answer.GIVEN if host.managed else Answer.UNASKED
    loopback = str(host.loopback.ip) if host.loopback else ""
    return Node(name, host.groups, str(host.address), loopback, answer, reasons.get(name, ""))


def _judged(site: Site, witnesses: Witnesses, cable: Cable) -> Edge:
    seen = tuple(witnesses.of(cable))
    kind, group = _kind(site, cable)
    return Edge(cable.ends, kind, _state(seen, list(_awaited(site, witnesses, cable))), group, seen)


def _awaited(site: Site, witnesses: Witnesses, cable: Cable) -> Iterator[Host]:
    """The hosts of a cable that should have been read and were not."""
    for end in cable.ends:
        if end.host not in witnesses.reports and site.hosts[end.host].managed:
            yield site.hosts[end.host]


def _state(seen: tuple[Sighting, ...], awaited: list[Host]) -> State:
    """Wrong where anything else is seen, or less than all of it; a cable is not judged by half of its witnesses."""
    sights = {one.sight for one in seen}
    if Sight.OTHER in sights:
        return State.WRONG
    if awaited or not sights:
        return State.UNJUDGED
    if len(sights) > 1:
        return State.WRONG
    return State.INTENDED if Sight.RIGHT in sights else State.MISSING


def _kind(site: Site, cable: Cable) -> tuple[Kind, str]:
    """What the cable is for, and the name of its group."""
    ours, theirs = cable.bonds
    if ours and theirs:
        switches = all("switch" in site.hosts[end.host].groups for end in cable.ends)
        return Kind.INTER_SWITCH if switches else Kind.BOND, BETWEEN.join(dict.fromkeys((ours, theirs)))
    if cable.network:
        return KINDS.get(cable.network, Kind.ROUTED), cable.network
    return Kind.PLAIN, ""
