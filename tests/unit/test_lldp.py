"""The neighbours that lldpd shows, and which end of a cable each one is."""

import pytest
from cases import ROOT
from random_neighbours import Seen, neighbours

from inventory.load import load
from inventory.site import End
from tasks.network.links.facts import NEIGHBOURS, LldpNeighbour

SITE = load(ROOT / "inventory")


@pytest.mark.parametrize("seed", range(200))
def test_random_answer_is_read_as_lldpd_means_it(seed: int) -> None:
    text, made = neighbours(seed)
    found = NEIGHBOURS.parse(text)
    seen = [Seen(own, one.name, one.port, one.description) for own, heard in found.items() for one in heard]
    assert seen == [one for own in dict.fromkeys(one.own for one in made) for one in made if one.own == own]


def test_host_that_hears_nobody_has_no_neighbours() -> None:
    assert NEIGHBOURS.parse("") == NEIGHBOURS.parse('{\n  "lldp": {\n    \n  }\n}\n') == {}


@pytest.mark.parametrize(
    ("neighbour", "end"),
    [
        (LldpNeighbour("ALVIN", "eno1", "uplink"), End(host="alvin", port="eno1")),
        (LldpNeighbour("Alvin", "52:54:00:00:00:01", "eno2"), End(host="alvin", port="eno2")),
        (LldpNeighbour("alvin", "7", "to the rack"), End(host="alvin", port="7")),
        (LldpNeighbour("alvin", "eno1", "eno2"), End(host="alvin", port="eno1")),
        (LldpNeighbour("Nobody", "eno1", "eno2"), End(host="Nobody", port="eno1")),
    ],
)
def test_neighbour_is_the_end_of_a_cable_that_it_names(neighbour: LldpNeighbour, end: End) -> None:
    assert neighbour.end(SITE) == end
