"""The topology on every case: the state of each host and cable, as data in tests/cases/topology."""

import pytest
from cases import CASES, ROOT, Case, case_of, cases_of

from inventory.load import load
from tasks.core.cli.survey import Found
from tasks.topology.picture import Kind, Picture, State, picture
from tasks.topology.view import NEEDS, adjacencies, view

EVERY = cases_of(CASES / "topology")


def found(case: Case) -> Found:
    """What a run would find: hosts that a case lacks did not answer, if they were asked."""
    facts = {host: one for host, one in case.facts.items() if host in case.site.hosts}
    limit = tuple(case.get("limit", ()))
    near = {cable.far(host).host for host in limit for cable in case.site.cables_of(host)} | set(limit)
    asked = [host for host in case.site.hosts.values() if host.managed and host.vm is None and (not limit or host.name in near)]
    return Found(case.site, facts, {host.name: "no route to host" for host in asked if host.name not in facts}, limit, "2026-11-24 18:10")


def drawn(case: Case) -> Picture:
    one = found(case)
    return picture(one.site, one.facts, one.unreachable, adjacencies(one.facts), one.limit)


def words(drawn: Picture) -> str:
    """One line a host and a cable; below a cable its differences from the inventory."""
    lines = [" | ".join([node.name, str(node.answer), *filter(None, [node.reason])]) for node in drawn.nodes]
    for edge in drawn.edges:
        lines += [f"{edge} | {edge.purpose} | {edge.state}", *(f"    {one}" for one in edge.wrong)]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_picture_shows_the_states_of_its_case(case: Case, expect) -> None:
    expect(case, {"picture": words(drawn(case))})


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_only_a_picture_without_faults_and_silent_hosts_is_as_intended(case: Case) -> None:
    text = case.own["picture"]
    faults = any(f"| {state}\n" in text for state in (State.MISSING, State.WRONG, State.SURPLUS))
    assert drawn(case).as_intended is not (faults or "did not answer" in text)


def test_every_state_has_a_case() -> None:
    assert {edge.state for case in EVERY for edge in drawn(case).edges} == set(State)


def test_every_kind_has_a_cable() -> None:
    """A network whose name this suite does not know is drawn as routed."""
    kinds = {edge.kind for case in EVERY for edge in drawn(case).edges}
    assert kinds == set(Kind) - {Kind.ROUTED}
    site = load(ROOT / "inventory")
    renamed = site.model_copy(update={"cables": tuple(cable.model_copy(update={"network": "ring"}) for cable in site.cables[-1:])})
    (edge,) = picture(renamed, {}).edges
    assert (edge.kind, edge.purpose, edge.state) == (Kind.ROUTED, "routed ring", State.UNJUDGED)


def test_without_ospf_only_lldp_decides_on_a_routed_cable() -> None:
    one = found(case_of("topology", "adjacency-is-not-full"))
    assert picture(one.site, one.facts).as_intended


def test_the_screen_lists_what_is_not_as_intended() -> None:
    seen = view(found(case_of("topology", "cable-cut")), ".svg")
    lines = seen.lines
    assert seen.as_intended is False
    assert seen.text.startswith("<?xml")
    assert "  alvin:eno2 link: wanted sw-rack:swp2, found no carrier" in lines
    assert lines[-1] == "6 hosts; cables: 14 as intended, 1 missing"


def test_a_topology_reads_the_facts_of_its_sources() -> None:
    assert {fact.name for fact in NEEDS} == {"links", "lldp_neighbours", "bonds", "frr"}
