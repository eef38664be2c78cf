"""The drawing: well-formed, self-contained, reproducible, and without overlaps."""

import re
from functools import cache
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from cases import ROOT, case_of
from test_topology import drawn

from inventory.load import load
from inventory.site import End
from tasks.topology.drawing import Drawing, drawing
from tasks.topology.geometry import overlap
from tasks.topology.labels import SIGNS
from tasks.topology.page import page
from tasks.topology.picture import Answer, Edge, Kind, Node, Picture, State, picture

SVG = "{http://www.w3.org/2000/svg}"
WHEN = "2026-11-24 18:10"
NAMES = ("as-intended", "plugged-in-elsewhere", "host-does-not-answer", "neighbour-of-no-inventory", "limited-to-a-host")
ANSWERS = tuple(Node(f"h{place}", answer=answer) for place, answer in enumerate(Answer))


@cache
def shown(name: str) -> Picture:
    return drawn(case_of("topology", name))


def laid_out(name: str) -> Drawing:
    return drawing(shown(name))


@cache
def written(name: str, suffix: str = ".html") -> str:
    return page(shown(name), suffix, WHEN)


def svg_of(text: str) -> ET.Element:
    return ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])


def titles(svg: ET.Element, look: str) -> dict[str, ET.Element]:
    """{first line of its title: group} of all groups with that look."""
    groups = [group for group in svg.iter(f"{SVG}g") if look in group.get("class", "").split() and group.find(f"{SVG}title") is not None]
    return {group.find(f"{SVG}title").text.splitlines()[0]: group for group in groups}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", NAMES)
def test_every_host_and_cable_is_drawn_with_its_look_and_its_text(name: str) -> None:
    svg = svg_of(written(name))
    wires = titles(svg, "wire")
    for edge in shown(name).edges:
        group = wires[f"{edge}: {edge.state}"]
        assert {f"kind-{edge.kind.name.lower()}", edge.state.replace(" ", "-")} <= set(group.get("class", "").split())
        assert all(str(one) in (group[0].text or "") for one in edge.wrong)
    assert len(wires) == len(shown(name).edges)
    hosts = [group for group in svg.iter(f"{SVG}g") if "host" in group.get("class", "").split() and group.find(f"{SVG}title") is not None]
    assert [group.findtext(f"{SVG}text") for group in hosts] == [node.name for node in shown(name).nodes]


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_has_a_text_besides_its_colour_and_dashes(name: str) -> None:
    signs = [label.text for label in laid_out(name).labels if label.fault]
    assert sorted(signs) == sorted(SIGNS[edge.state] for edge in shown(name).edges if edge.state is not State.INTENDED)
    style = (ROOT / "tasks" / "topology" / "style.css.j2").read_text()
    for state in SIGNS:
        assert re.search(rf"\.{state.replace(' ', '-')} \.line {{[^}}]*stroke-dasharray", style)


@pytest.mark.parametrize("name", NAMES)
def test_every_port_is_named_at_its_end(name: str) -> None:
    ports = [label.text for label in laid_out(name).labels if label.look == "port"]
    assert sorted(ports) == sorted(end.port for edge in shown(name).edges for end in edge.ends)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_overlaps_another_or_a_host(name: str) -> None:
    boxes = [label.box for label in laid_out(name).labels] + [box for _, box in laid_out(name).boxes]
    assert [(one, other) for one, other in combinations(boxes, 2) if overlap(one, other)] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_cable_goes_through_a_host(name: str) -> None:
    through = [
        (str(wire.edge), node.name)
        for wire in laid_out(name).wires
        for node, box in laid_out(name).boxes
        if node.name not in wire.edge.pair and overlap(wire.body, box)
    ]
    assert through == []


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_inside_the_page(name: str) -> None:
    made = laid_out(name)
    corners = [corner for box in (*(box for _, box in made.boxes), *(label.box for label in made.labels)) for corner in box.corners]
    assert all(0 <= x <= made.width and 0 <= y <= made.height for x, y in corners)


@pytest.mark.parametrize("suffix", [".html", ".svg"])
def test_a_page_fetches_nothing(suffix: str) -> None:
    text = written("plugged-in-elsewhere", suffix).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?:|//|url\(|@import|<script|<link|<img|src=|href=", text) == []


def test_a_page_is_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in written("as-intended", ".svg")


def test_the_same_is_always_drawn_the_same() -> None:
    assert drawing.__wrapped__(shown("as-intended")) == laid_out("as-intended")


def test_a_site_keeps_its_shape_when_a_cable_is_cut() -> None:
    assert laid_out("cable-cut").boxes == laid_out("as-intended").boxes


def test_an_svg_stands_alone() -> None:
    assert ET.fromstring(written("as-intended", ".svg")).tag == f"{SVG}svg"


def test_a_table_lists_only_what_is_not_as_intended() -> None:
    assert "<table>" not in written("as-intended")
    text = written("plugged-in-elsewhere")
    rows = re.findall(r"<tr>.*?</tr>", text[text.index("<tbody>") :], re.DOTALL)
    assert len(rows) == sum(len(edge.wrong) for edge in shown("plugged-in-elsewhere").faults)
    assert "<td>no route to host</td>" in written("host-does-not-answer")


def test_text_from_hosts_is_not_markup() -> None:
    node = Node("alvin", answer=Answer.NONE, reason="<script>alert(1)</script>")
    for suffix in (".html", ".svg"):
        text = page(Picture("example.org", (node,), ()), suffix)
        assert "<script" not in text
        assert "&lt;script&gt;" in text


FEW = {
    "one host": Picture("example.org", ANSWERS[:1], ()),
    "hosts that nothing ties": Picture("example.org", ANSWERS, ()),
    "two hosts": Picture(
        "example.org",
        ANSWERS[:2],
        tuple(Edge((End(host="h0", port=f"eth{n}"), End(host="h1", port=f"swp{n}")), Kind.PLAIN, state) for n, state in enumerate(State)),
    ),
    "a cable from a host to itself": Picture(
        "example.org", ANSWERS[:1], (Edge((End(host="h0", port="a"), End(host="h0", port="b")), Kind.PLAIN, State.SURPLUS),)
    ),
}


@pytest.mark.parametrize("few", FEW.values(), ids=FEW)
def test_a_small_site_is_drawn_too(few: Picture) -> None:
    svg = svg_of(page(few, ".svg"))
    assert len(titles(svg, "wire")) == len(few.edges)
    boxes = [box for _, box in drawing(few).boxes]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


def test_a_picture_without_hosts_is_a_page() -> None:
    assert svg_of(page(Picture("example.org", (), ()), ".svg")) is not None


def test_an_inventory_can_be_drawn_without_any_answer() -> None:
    site = load(ROOT / "examples" / "home")
    assert len(titles(svg_of(page(picture(site, {}))), "wire")) == len(site.cables)
