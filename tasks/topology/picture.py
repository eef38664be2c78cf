"""The picture of a site: its hosts, its cables and their states. Pure, and without a layout yet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.site import Cable, End, Host, Site
from tasks.core.model.fact import Facts
from tasks.topology.sightings import Adjacencies, Evidence, Sight, Sighting, reports
from tasks.topology.surplus import surplus


class State(StrEnum):
    """The state of a cable."""

    INTENDED = "as intended"
    MISSING = "missing"
    WRONG = "wrong"
    SURPLUS = "surplus"
    UNJUDGED = "not judged"


class Kind(StrEnum):
    """The purpose of a cable."""

    BOND = "LACP bond"
    INTER_SWITCH = "inter-switch"
    SFP = "SFP+"
    THUNDERBOLT = "Thunderbolt"
    ROUTED = "routed"
    PLAIN = "plain"


class Answer(StrEnum):
    """Whether a host answered, and why not."""

    GIVEN = "answered"
    NONE = "did not answer"
    UNMANAGED = "not managed"
    UNKNOWN = "not in the inventory"


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
        """Everything known about it, one item a line."""
        head = f"{self.name} ({', '.join(self.groups)})" if self.groups else self.name
        return tuple(filter(None, (head, self.address, self.loopback and f"router {self.loopback}", str(self.answer), self.reason)))


@dataclass(frozen=True)
class Edge:
    """A cable of the inventory, or one that hosts see without it. `group` names its bond or network."""

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
        """Its purpose, in words."""
        if self.state is State.SURPLUS:
            return "not in the inventory"
        return f"{self.kind} {self.group}" if self.group.lower() not in ("", self.kind.lower(), "sfp") else str(self.kind)

    @property
    def words(self) -> tuple[str, ...]:
        """Everything known about it, one item a line."""
        seen = tuple(f"{one.end} {one.source}: {one.found}, as wanted" if one.sight is Sight.RIGHT else str(one) for one in self.sightings)
        return (f"{self}: {self.state}", self.purpose, *(seen or ("no host was read",)))


@dataclass(frozen=True)
class Picture:
    """The hosts and cables to draw."""

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
        """Whether every host answered, and every cable is as intended."""
        return not self.faults and not self.silent

    @property
    def summary(self) -> str:
        """The numbers of hosts and of cables in each state, in words."""
        counts = Counter(edge.state for edge in self.edges)
        states = ", ".join(f"{counts[state]} {state}" for state in State if counts[state]) or "none"
        silent = f", {len(self.silent)} did not answer" if self.silent else ""
        return f"{len(self.nodes)} hosts{silent}; cables: {states}"


def picture(
    site: Site,
    facts: Facts,
    unreachable: Mapping[str, str] | None = None,
    adjacencies: Adjacencies = None,
    limit: tuple[str, ...] = (),
) -> Picture:
    """The site's cables against what hosts see of them; with `limit`, only those with an end on one of these hosts."""
    found, unclear = reports(site, facts)
    evidence = Evidence(site, found, adjacencies)
    drawn = {host.name: host for host in site.hosts.values() if host.vm is None}
    edges = [_judged(site, evidence, cable) for cable in site.cables if {end.host for end in cable.ends} <= drawn.keys()]
    edges += [Edge(one.ends, Kind.PLAIN, State.SURPLUS, sightings=one.sightings) for one in surplus(evidence)]
    edges = [edge for edge in edges if not limit or set(edge.pair) & set(limit)]
    reasons = {**unclear, **(unreachable or {})}
    names = dict.fromkeys([*(name for name in drawn if not limit or name in limit), *(end.host for edge in edges for end in edge.ends)])
    order = [*(name for name in drawn if name in names), *(name for name in names if name not in drawn)]
    return Picture(site.domain, tuple(_node(site, name, reasons) for name in order), tuple(edges))


def _node(site: Site, name: str, reasons: Mapping[str, str]) -> Node:
    host = site.hosts.get(name)
    if host is None:
        return Node(name, answer=Answer.UNKNOWN)
    answer = Answer.NONE if name in reasons else Answer.GIVEN if host.managed else Answer.UNMANAGED
    loopback = str(host.loopback.ip) if host.loopback else ""
    return Node(name, host.groups, str(host.address), loopback, answer, reasons.get(name, ""))


def _judged(site: Site, evidence: Evidence, cable: Cable) -> Edge:
    seen = tuple(evidence.of(cable))
    kind, group = _kind(site, cable)
    return Edge(cable.ends, kind, _state(seen, list(_unread(site, evidence, cable))), group, seen)


def _unread(site: Site, evidence: Evidence, cable: Cable) -> Iterator[Host]:
    """The managed hosts of a cable that were not read."""
    for end in cable.ends:
        if end.host not in evidence.reports and site.hosts[end.host].managed:
            yield site.hosts[end.host]


def _state(seen: tuple[Sighting, ...], unread: list[Host]) -> State:
    """Wrong if a source shows another cable, or if only some show this one. Without both hosts, only another cable counts."""
    sights = {one.sight for one in seen}
    if Sight.OTHER in sights:
        return State.WRONG
    if unread or not sights:
        return State.UNJUDGED
    if len(sights) > 1:
        return State.WRONG
    return State.INTENDED if Sight.RIGHT in sights else State.MISSING


def _kind(site: Site, cable: Cable) -> tuple[Kind, str]:
    """The cable's purpose, and the name of its bond or network."""
    ours, theirs = cable.bonds
    if ours and theirs:
        switches = all("switch" in site.hosts[end.host].groups for end in cable.ends)
        return Kind.INTER_SWITCH if switches else Kind.BOND, BETWEEN.join(dict.fromkeys((ours, theirs)))
    if cable.network:
        return KINDS.get(cable.network, Kind.ROUTED), cable.network
    return Kind.PLAIN, ""
