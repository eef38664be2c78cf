"""Rectangles and lines on a plane, in pixels; y grows downwards."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle, given by its centre and turned by `turn` radians."""

    x: float
    y: float
    width: float
    height: float
    turn: float = 0.0

    @cached_property
    def corners(self) -> tuple[Point, ...]:
        """Its four corners."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        halves = ((x * self.width / 2, y * self.height / 2) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
        return tuple((self.x + x * cos - y * sin, self.y + x * sin + y * cos) for x, y in halves)

    @property
    def axes(self) -> tuple[Point, Point]:
        """The directions of its sides."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return (cos, sin), (-sin, cos)

    @property
    def radius(self) -> float:
        """The distance from its centre to a corner."""
        return math.hypot(self.width, self.height) / 2

    def grown(self, by: float) -> "Box":
        """The same box with a margin all around."""
        return replace(self, width=self.width + 2 * by, height=self.height + 2 * by)

    def reach(self, angle: float) -> float:
        """The distance from its centre to its border in a direction, for a rectangle that is not turned."""
        cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
        return min(self.width / 2 / cos if cos > 1e-9 else math.inf, self.height / 2 / sin if sin > 1e-9 else math.inf)


def band(start: Point, end: Point, width: float) -> Box:
    """A line of this width, as a rectangle."""
    (x, y), (u, v) = start, end
    return Box((x + u) / 2, (y + v) / 2, math.hypot(u - x, v - y), width, math.atan2(v - y, u - x))


def overlap(one: Box, other: Box) -> bool:
    """Whether two rectangles share a point: they do unless a line along a side of one of them separates them."""
    if math.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius:
        return False
    for x, y in (*one.axes, *other.axes):
        ours = [x * u + y * v for u, v in one.corners]
        theirs = [x * u + y * v for u, v in other.corners]
        if max(ours) <= min(theirs) or max(theirs) <= min(ours):
            return False
    return True


def crossing(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the lines a-b and c-d cross."""
    return _left(a, b, c) != _left(a, b, d) and _left(c, d, a) != _left(c, d, b)


def _left(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])


def hits(middle: Point, width: float, height: float, start: Point, end: Point) -> bool:
    """Whether a line meets a rectangle that is not turned. Most lines are far away, which two comparisons show."""
    x, y, half, tall = *middle, width / 2, height / 2
    if (start[0] < x - half and end[0] < x - half) or (start[0] > x + half and end[0] > x + half):
        return False
    if (start[1] < y - tall and end[1] < y - tall) or (start[1] > y + tall and end[1] > y + tall):
        return False
    enters, leaves = 0.0, 1.0
    for at, to, centre, size in ((start[0], end[0], middle[0], width), (start[1], end[1], middle[1], height)):
        low, high, way = centre - size / 2 - at, centre + size / 2 - at, to - at
        if abs(way) < 1e-9:
            if low > 0 or high < 0:
                return False
            continue
        if way < 0:
            low, high = high, low
        enters, leaves = max(enters, low / way), min(leaves, high / way)
    return enters <= leaves
