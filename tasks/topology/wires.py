"""Cables as lines between boxes: cables of the same two hosts are parallel, those of one bond are adjacent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.topology.geometry import Box, Point, band
from tasks.topology.picture import Edge, Kind, State

SPACE_PX, BUNDLE_PX = 19.0, 60.0
SURPLUS_LAST = {State.SURPLUS: 1}
ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Wire:
    """A cable's line, from the border of its first host's box to that of its second's."""

    edge: Edge
    start: Point
    end: Point

    @property
    def length(self) -> float:
        """Its length from border to border."""
        return math.dist(self.start, self.end)

    @property
    def turn(self) -> float:
        """The angle at which text along it is not upside down."""
        angle = math.atan2(self.end[1] - self.start[1], self.end[0] - self.start[0])
        return angle if -math.pi / 2 + 1e-9 < angle <= math.pi / 2 + 1e-9 else math.remainder(angle + math.pi, 2 * math.pi)

    @property
    def forward(self) -> bool:
        """Whether text along it reads from its first end to its second."""
        return abs(math.remainder(self.turn - math.atan2(self.end[1] - self.start[1], self.end[0] - self.start[0]), 2 * math.pi)) < 1

    def at(self, from_start_px: float) -> Point:
        """The point at this distance from its start."""
        share = from_start_px / self.length if self.length else 0.0
        return self.start[0] + share * (self.end[0] - self.start[0]), self.start[1] + share * (self.end[1] - self.start[1])

    def along(self, from_start_px: float, width: float, height: float) -> Box:
        """A box for text on it, centred at this distance from its start."""
        return Box(*self.at(from_start_px), width, height, self.turn)

    @property
    def body(self) -> Box:
        """The area of the line itself, which labels avoid."""
        return band(self.start, self.end, 4)


def pairs(edges: tuple[Edge, ...]) -> dict[tuple[str, str], tuple[Edge, ...]]:
    """The cables of each pair of hosts, in the order in which they are drawn."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        one, other = edge.pair
        found.setdefault((one, other) if one <= other else (other, one), []).append(edge)
    return {pair: tuple(sorted(group, key=_order)) for pair, group in found.items()}


def _order(edge: Edge) -> tuple[int, int, str, str]:
    return SURPLUS_LAST.get(edge.state, 0), ORDER[edge.kind], edge.group, str(edge)


def spacing(count: int) -> float:
    """The distance between parallel lines, small enough that all of them fit the box."""
    return min(SPACE_PX, BUNDLE_PX / max(1, count - 1))


def wires(boxes: Mapping[str, Box], edges: tuple[Edge, ...]) -> tuple[Wire, ...]:
    """The lines of all cables."""
    return tuple(wire for pair, group in pairs(edges).items() for wire in _bundle(boxes, pair, group))


def _bundle(boxes: Mapping[str, Box], pair: tuple[str, str], group: tuple[Edge, ...]) -> list[Wire]:
    one, other = (boxes[name] for name in pair)
    angle = math.atan2(other.y - one.y, other.x - one.x)
    made = []
    for place, edge in enumerate(group):
        offset = (place - (len(group) - 1) / 2) * spacing(len(group))
        shift = (-math.sin(angle) * offset, math.cos(angle) * offset)
        start = _border(one, (one.x + shift[0], one.y + shift[1]), angle)
        end = _border(other, (other.x + shift[0], other.y + shift[1]), angle + math.pi)
        made.append(Wire(edge, start, end) if edge.pair[0] == pair[0] else Wire(edge, end, start))
    return made


def _border(box: Box, inside: Point, angle: float) -> Point:
    """The point where a line from a point inside the box, in this direction, crosses its border."""
    cos, sin = math.cos(angle), math.sin(angle)
    ways = [math.inf]
    for at, middle, size, way in ((inside[0], box.x, box.width, cos), (inside[1], box.y, box.height, sin)):
        if abs(way) > 1e-9:
            ways.append(max(0.0, (middle + math.copysign(size / 2, way) - at) / way))
    reach = min(ways)
    return (inside[0] + cos * reach, inside[1] + sin * reach) if math.isfinite(reach) else inside
