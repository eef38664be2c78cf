"""The drawing: a picture with a position for everything on it, ready for a template."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tasks.topology.geometry import Box
from tasks.topology.labels import SIGNS, Label, kind_look, labels, look, room_px
from tasks.topology.layout import Plan, Tie, arrange
from tasks.topology.picture import Answer, Edge, Kind, Node, Picture, State
from tasks.topology.wires import Wire, pairs, spacing, wires

MARGIN_PX, HEAD_PX, LINE_PX, BOX_PX = 26.0, 8.6, 6.7, 66.0
LEAST_PX, SAMPLE_PX, ROW_PX = 132.0, 34.0, 24.0
LEGEND_PX = 640.0
STYLES = {
    State.INTENDED: "as intended (solid)",
    State.MISSING: "in the inventory, not seen",
    State.WRONG: "seen otherwise, or only in part",
    State.SURPLUS: "seen, not in the inventory",
    State.UNJUDGED: "an end was not read",
}


@dataclass(frozen=True)
class Item:
    """An entry of the legend with its sample: a line of a kind or a state, or a box."""

    x: float
    y: float
    text: str
    look: str
    shape: str


@dataclass(frozen=True)
class Drawing:
    """Everything on the page, in pixels."""

    width: float
    height: float
    boxes: tuple[tuple[Node, Box], ...]
    wires: tuple[Wire, ...]
    labels: tuple[Label, ...]
    legend: tuple[Item, ...]

    def words_of(self, wire: Wire) -> str:
        """The text that appears when the pointer is over a wire."""
        return "\n".join(wire.edge.words)

    def look_of(self, wire: Wire) -> str:
        """The CSS classes of a wire."""
        return f"{kind_look(wire.edge.kind)} {look(wire.edge.state)}"


@lru_cache(maxsize=16)
def drawing(picture: Picture) -> Drawing:
    """The position of every host, cable and label of a picture."""
    sizes = {node.name: _size(node) for node in picture.nodes}
    places = arrange(Plan(sizes, tuple(_ties(picture.edges)), frozenset(_above(picture))))
    boxes = {name: Box(x + MARGIN_PX, y + MARGIN_PX, *sizes[name]) for name, (x, y) in places.items()}
    lines = wires(boxes, picture.edges)
    words = labels(boxes, lines)
    corners = [corner for box in (*boxes.values(), *(label.box for label in words)) for corner in box.corners]
    width = max(LEGEND_PX, max((x for x, _ in corners), default=0.0) + MARGIN_PX)
    bottom = max((y for _, y in corners), default=0.0) + MARGIN_PX
    legend = tuple(_legend(picture, width, bottom + ROW_PX))
    return Drawing(width, max(item.y for item in legend) + ROW_PX, tuple((n, boxes[n.name]) for n in picture.nodes), lines, words, legend)


def _size(node: Node) -> tuple[float, float]:
    """The width of its longest line, rounded to an even number so that its middle is on a pixel, and the height."""
    wide = max(len(node.name) * HEAD_PX, *(len(line) * LINE_PX for line in small_words(node))) + 28
    return max(LEAST_PX, 2 * round(wide / 2)), BOX_PX


def small_words(node: Node) -> tuple[str, str]:
    """The two lines below a host's name."""
    if node.answer is Answer.GIVEN:
        return ", ".join(node.groups), node.address
    return str(node.answer), node.address


def _ties(edges: tuple[Edge, ...]) -> Iterator[Tie]:
    for pair, group in pairs(edges).items():
        if pair[0] != pair[1]:
            yield Tie(pair, (len(group) - 1) * spacing(len(group)), room_px(group))


def _above(picture: Picture) -> Iterator[str]:
    """The hosts to place above the others: switches."""
    return (node.name for node in picture.nodes if "switch" in node.groups)


def _legend(picture: Picture, width: float, top: float) -> Iterator[Item]:
    """The kinds that are drawn, the states of cables, and the special boxes, each group from a new row on."""
    drawn = {edge.kind for edge in picture.edges if edge.state is not State.SURPLUS}
    kinds = [(str(kind), kind_look(kind), "line") for kind in Kind if kind in drawn]
    states = [(f"{SIGNS.get(state, '')}: {words}" if state in SIGNS else words, look(state), "line") for state, words in STYLES.items()]
    answers = [(str(answer), answer.name.lower(), "box") for answer in Answer if answer is not Answer.GIVEN]
    y = top
    for row in (kinds, states, answers):
        x = MARGIN_PX
        for text, name, shape in row:
            wide = SAMPLE_PX + 8 + len(text) * 6.2 + 22
            if x + wide > width and x > MARGIN_PX:
                x, y = MARGIN_PX, y + ROW_PX
            yield Item(x, y, text, name, shape)
            x += wide
        y += ROW_PX if row else 0
