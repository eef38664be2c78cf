"""The cost of a layout, in total and for one host: crossings, contacts, obstacles, short ties, wrong order, slant."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from tasks.topology.geometry import Box, Point, crossing, hits

GAP_PX, CLEAR_PX = 40.0, 12.0
CROSSING, TOUCHING, IN_THE_WAY = 20.0, 40.0, 25.0
SHORT, LONG, AREA = 60.0, 4.0, 1.0
UPSIDE_DOWN, LEVEL, ASKEW, ALIGNED, SHARP = 6.0, 1.2, 2.0, 1.5, 20.0
SHARP_RAD = math.radians(28)
ASPECTS = (1.2, 1.9)  # of width to height, as screens are
ODD = 9.0


@dataclass(frozen=True)
class Tie:
    """The cables between two hosts, as one: their width side by side, and the length that their labels need."""

    hosts: tuple[str, str]
    width_px: float
    length_px: float

    def far(self, host: str) -> str:
        """The other host."""
        return self.hosts[1] if self.hosts[0] == host else self.hosts[0]


Places = Mapping[str, Point]


@dataclass(frozen=True)
class Plan:
    """The input of a layout: the sizes of boxes, their ties, and the hosts to place above."""

    sizes: Mapping[str, tuple[float, float]]
    ties: tuple[Tie, ...]
    above: frozenset[str] = frozenset()

    @cached_property
    def everything(self) -> "Parts":
        """All parts that add to a layout's cost."""
        names, pairs = tuple(self.sizes), tuple(combinations(self.ties, 2))
        return Parts(
            ties=self.ties,
            disjoint=tuple((*one.hosts, *other.hosts) for one, other in pairs if not set(one.hosts) & set(other.hosts)),
            corners=tuple(corner for one, other in pairs for corner in _corner(one, other)),
            boxes=tuple(combinations(names, 2)),
            ways=tuple((name, tie) for tie in self.ties for name in names if name not in tie.hosts),
        )

    @cached_property
    def parts_of(self) -> Mapping[str, "Parts"]:
        """The parts whose cost changes when a host moves."""
        every = self.everything
        return {
            name: Parts(
                ties=tuple(tie for tie in every.ties if name in tie.hosts),
                disjoint=tuple(four for four in every.disjoint if name in four),
                corners=tuple(three for three in every.corners if name in three),
                boxes=tuple(two for two in every.boxes if name in two),
                ways=tuple((other, tie) for other, tie in every.ways if name == other or name in tie.hosts),
            )
            for name in self.sizes
        }

    def total(self, places: Places) -> float:
        """The cost of a layout."""
        return self.shape(places) + self._sum(places, self.everything)

    def share(self, places: Places, name: str) -> float:
        """The share of the cost that changes when one host moves."""
        return self.shape(places) + self._sum(places, self.parts_of[name])

    def _sum(self, places: Places, parts: "Parts") -> float:
        cost = sum(self._tie(places, tie) for tie in parts.ties)
        cost += CROSSING * sum(crossing(places[a], places[b], places[c], places[d]) for a, b, c, d in parts.disjoint)
        cost += sum(_sharp(places[shared], places[one], places[other]) for shared, one, other in parts.corners)
        cost += sum(self._touching(places, one, other) for one, other in parts.boxes)
        return cost + IN_THE_WAY * sum(self._in_the_way(places, name, tie) for name, tie in parts.ways)

    def crossings(self, places: Places) -> int:
        """The number of crossings of ties."""
        return sum(crossing(places[a], places[b], places[c], places[d]) for a, b, c, d in self.everything.disjoint)

    def extent(self, places: Places) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all boxes."""
        edges = [
            (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in ((places[name], self.sizes[name]) for name in self.sizes)
        ]
        lefts, tops, rights, bottoms = zip(*edges, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def shape(self, places: Places) -> float:
        """The cost of its area and of an unusual aspect ratio."""
        left, top, right, bottom = self.extent(places)
        aspect = (right - left) / (bottom - top)
        odd = ODD * max(0.0, ASPECTS[0] / aspect - 1, aspect / ASPECTS[1] - 1)
        return AREA * (right - left) * (bottom - top) / 1e5 + (odd if len(self.sizes) > 3 else 0.0)

    def _tie(self, places: Places, tie: Tie) -> float:
        (x, y), (u, v) = places[tie.hosts[0]], places[tie.hosts[1]]
        angle, length = math.atan2(v - y, u - x), math.hypot(u - x, v - y)
        spare = (length - sum(Box(0, 0, *self.sizes[name]).reach(angle) for name in tie.hosts)) / tie.length_px - 1
        cost = SHORT * min(-spare, 2.0) if spare < 0 else LONG * spare
        cost += ASKEW * min(1.0, abs(math.sin(2 * angle)) * 4)
        if (tie.hosts[0] in self.above) != (tie.hosts[1] in self.above):
            rise = v - y if tie.hosts[0] in self.above else y - v
            cost += UPSIDE_DOWN if rise < -20 else LEVEL if rise < 60 else 0.0
        return cost

    def _touching(self, places: Places, one: str, other: str) -> float:
        (x, y), (u, v), (w, h), (b, d) = places[one], places[other], self.sizes[one], self.sizes[other]
        across, down = (w + b) / 2 + GAP_PX - abs(u - x), (h + d) / 2 + GAP_PX - abs(v - y)
        if across > 0 and down > 0:
            return TOUCHING + min(across, down) / 10
        return -ALIGNED * (x == u or y == v)

    def _in_the_way(self, places: Places, name: str, tie: Tie) -> bool:
        width, height = self.sizes[name]
        grown = tie.width_px + 2 * CLEAR_PX
        return hits(places[name], width + grown, height + grown, places[tie.hosts[0]], places[tie.hosts[1]])


@dataclass(frozen=True)
class Parts:
    """By host names: ties, pairs of ties without and with a common host, pairs of boxes, and boxes with ties that may run through them."""

    ties: tuple[Tie, ...]
    disjoint: tuple[tuple[str, str, str, str], ...]
    corners: tuple[tuple[str, str, str], ...]
    boxes: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, Tie], ...]


def _corner(one: Tie, other: Tie) -> Iterator[tuple[str, str, str]]:
    for name in one.hosts:
        if name in other.hosts:
            yield name, one.far(name), other.far(name)


def _sharp(shared: Point, one: Point, other: Point) -> float:
    """The cost of two ties that leave a host in almost the same direction: their labels lack room."""
    angles = (math.atan2(y - shared[1], x - shared[0]) for x, y in (one, other))
    return SHARP * max(0.0, 1 - abs(math.remainder(next(angles) - next(angles), 2 * math.pi)) / SHARP_RAD)
