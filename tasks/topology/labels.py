"""Labels along cables: the ports at both ends, the purpose and the state in the middle. Labels do not overlap."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from tasks.topology.geometry import Box, overlap
from tasks.topology.picture import BETWEEN, Edge, Kind, State
from tasks.topology.wires import Wire, pairs, spacing

PORT_PX, WORD_PX, HIGH_PX = 6.4, 7.0, 13.0  # a letter's width in either font, and a line's height
NEAR_PX, STEP_PX, PILL_PX = 9.0, 6.0, 7.0
BONDS = (Kind.BOND, Kind.INTER_SWITCH)
SIGNS = {State.MISSING: "✕ missing", State.WRONG: "≠ wrong", State.SURPLUS: "+ surplus", State.UNJUDGED: "? not judged"}


@dataclass(frozen=True)
class Label:
    """Text in a box; `look` is its CSS class: port, kind, bond, or a state."""

    text: str
    box: Box
    look: str
    fault: bool = False

    @property
    def turn_deg(self) -> float:
        """Its angle in degrees, for SVG."""
        return math.degrees(self.box.turn)


def port_px(port: str) -> float:
    """The width of a port's name."""
    return len(port) * PORT_PX + 4


def word_px(text: str) -> float:
    """The width of a label in the middle."""
    return len(text) * WORD_PX + 2 * PILL_PX


def group_words(edge: Edge, forward: bool = True) -> str:
    """The purpose of a cable, with bond names in the order in which the ends are read."""
    if edge.state is State.SURPLUS or edge.kind is Kind.PLAIN:
        return ""
    if edge.kind in BONDS:
        return edge.group if forward else BETWEEN.join(reversed(edge.group.split(BETWEEN)))
    return edge.group if edge.kind is Kind.ROUTED else str(edge.kind)


def room_px(edges: Iterable[Edge]) -> float:
    """The length that cables between two hosts need for every possible label, so that a site keeps its layout when a cable is cut."""
    edges = tuple(edges)
    ports = max(port_px(edge.ends[0].port) + port_px(edge.ends[1].port) for edge in edges)
    longest = max(word_px(sign) for sign in SIGNS.values())
    rings = max((word_px(group_words(edge)) for edge in edges if edge.kind in BONDS), default=0.0)
    plain = max((word_px(group_words(edge)) for edge in edges if edge.kind not in BONDS), default=0.0)
    oblique = (len(edges) - 1) * spacing(len(edges))
    return ports + max(rings + longest, plain, longest) + oblique + 4 * NEAR_PX


class Field:
    """The areas of the page that are in use."""

    def __init__(self, boxes: Mapping[str, Box], wires: tuple[Wire, ...]) -> None:
        self.used = [box.grown(3) for box in boxes.values()]
        self.lines = {id(wire): wire.body for wire in wires}

    def put(self, places: Iterable[Box], ours: Iterable[Wire]) -> Box:
        """The first free place; else the first that covers only other lines; else the first."""
        every = list(places)
        box = self.free(every, ours) or every[0]
        self.used.append(box.grown(1.5))
        return box

    def free(self, places: Iterable[Box], ours: Iterable[Wire]) -> Box | None:
        """The first free place, or at least the first without a label or a box."""
        own = {id(wire) for wire in ours}
        other_lines = [line for name, line in self.lines.items() if name not in own]
        free = [box for box in places if not any(overlap(box, other) for other in self.used)]
        clear = (box for box in free if not any(overlap(box, line) for line in other_lines))
        return next(clear, free[0] if free else None)


def labels(boxes: Mapping[str, Box], wires: tuple[Wire, ...]) -> tuple[Label, ...]:
    """All labels: ports first, because they have to stay at their ends; kinds last, because colours show them too."""
    field = Field(boxes, wires)
    made = [_port(field, wire, end) for wire in wires for end in (0, 1)]
    groups = [(group, len(bundle)) for bundle in _bundles(wires) for group in _groups(bundle)]
    made += [_state(field, wire) for wire in wires if wire.edge.state in SIGNS]
    made += [_ring(field, group, count) for group, count in groups if _is_bond(group[0].edge)]
    made += [label for group, _ in groups if not _is_bond(group[0].edge) for label in _kind(field, group[0])]
    return tuple(made)


def _is_bond(edge: Edge) -> bool:
    return edge.kind in BONDS and edge.state is not State.SURPLUS


def _bundles(wires: tuple[Wire, ...]) -> list[list[Wire]]:
    by_edge = {id(wire.edge): wire for wire in wires}
    return [[by_edge[id(edge)] for edge in group] for group in pairs(tuple(wire.edge for wire in wires)).values()]


def _groups(bundle: list[Wire]) -> list[list[Wire]]:
    """The wires of one bundle by label: the members of a bond share one, any other wire has its own."""

    def key(wire: Wire) -> tuple[object, ...]:
        edge = wire.edge
        return (edge.kind, frozenset(edge.group.split(BETWEEN))) if _is_bond(edge) else (str(edge),)

    return [list(group) for _, group in groupby(bundle, key)]


def _port(field: Field, wire: Wire, end: int) -> Label:
    text = wire.edge.ends[end].port
    width = port_px(text)
    half = max(wire.length / 2, NEAR_PX + width / 2)
    at = NEAR_PX + width / 2
    places: list[Box] = []
    while at <= half or not places:
        places.append(wire.along(at if end == 0 else wire.length - at, width, HIGH_PX))
        at += STEP_PX
    return Label(text, field.put(places, (wire,)), "port")


def _ring(field: Field, group: list[Wire], bundle: int) -> Label:
    """The name of a bond, in a ring around its members' lines."""
    first, last = group[0], group[-1]
    text = group_words(first.edge, first.forward)
    height = (len(group) - 1) * spacing(bundle) + HIGH_PX + 4
    other = last.start if first.edge.pair == last.edge.pair else last.end
    x, y = _across(first, ((other[0] - first.start[0]) / 2, (other[1] - first.start[1]) / 2))
    middles = (first.at(at) for at in _from_the_middle(first.length))
    box = field.put([Box(u + x, v + y, word_px(text), height, first.turn) for u, v in middles], group)
    return Label(text, box, f"bond {kind_look(first.edge.kind)}")


def _kind(field: Field, wire: Wire) -> Iterator[Label]:
    """The purpose of a cable, if there is room for it."""
    text = group_words(wire.edge)
    places = [wire.along(at, word_px(text), HIGH_PX) for at in _from_the_middle(wire.length)] if text else []
    box = field.put(places, (wire,)) if field.free(places, (wire,)) else None
    if box:
        yield Label(text, box, f"kind {kind_look(wire.edge.kind)}")


def _across(wire: Wire, shift: tuple[float, float]) -> tuple[float, float]:
    """The part of a shift that is at right angles to a line."""
    cos, sin = (wire.end[0] - wire.start[0]) / wire.length, (wire.end[1] - wire.start[1]) / wire.length
    size = -shift[0] * sin + shift[1] * cos
    return -sin * size, cos * size


def _from_the_middle(length: float) -> Iterator[float]:
    """Places along a line, the middle first."""
    yield length / 2
    for step in range(1, int(length / 2 / STEP_PX) - 2):
        yield length / 2 + step * STEP_PX
        yield length / 2 - step * STEP_PX


def _state(field: Field, wire: Wire) -> Label:
    """The state of a cable: in the middle, or next to the place of its bond's ring."""
    text = SIGNS[wire.edge.state]
    middles = list(_from_the_middle(wire.length))
    places = sorted(middles, reverse=True) if _is_bond(wire.edge) else middles
    box = field.put([wire.along(at, word_px(text), HIGH_PX + 2) for at in places], (wire,))
    return Label(text, box, look(wire.edge.state), fault=True)


def kind_look(kind: Kind) -> str:
    """The CSS class of a kind."""
    return f"kind-{kind.name.lower()}"


def look(state: State) -> str:
    """The CSS class of a state."""
    return state.replace(" ", "-")
