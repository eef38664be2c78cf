"""The topology as a survey: the facts that it reads, and the page that it makes of them."""

from tasks.core.cli.survey import Found, View
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Facts
from tasks.network.links.facts import BONDS, LINKS, NEIGHBOURS
from tasks.network.ospf.facts import FRR
from tasks.topology.picture import Picture, picture
from tasks.topology.sightings import Adjacencies

NEEDS = (LINKS, NEIGHBOURS, BONDS, FRR)
FORMATS = (".html", ".svg")


def adjacencies(facts: Facts) -> Adjacencies:
    """Every OSPF neighbour. A host whose FRR facts cannot be parsed has none."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for host, one in facts.items():
        try:
            found |= {(host, near.port): (near.router_id, near.state) for near in one[FRR].neighbours}
        except BurrowError:
            continue
    return found


def view(found: Found, suffix: str) -> View:
    """The page, and lines for the screen about each cable that is not as intended."""
    from tasks.topology.page import page  # noqa: PLC0415 (start-up)

    drawn = picture(found.site, found.facts, found.unreachable, adjacencies(found.facts), found.limit)
    return View(page(drawn, suffix, found.at), tuple(_lines(drawn)), drawn.as_intended)


def _lines(drawn: Picture) -> list[str]:
    lines = [f"{node.name}: {node.answer}: {node.reason}" for node in drawn.silent]
    for edge in drawn.faults:
        lines += [f"{edge}: {edge.state}", *(f"  {one}" for one in edge.wrong)]
    return [*lines, drawn.summary]
