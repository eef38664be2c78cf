"""Maintenance where the cluster, or a host, does not answer: nodes change one at a time, or not at all, and hosts are waited for."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from engine import HEALTH, World, events_of, when
from fake_host import FakeHost
from test_maintenance import AGREED, BOTH, CALM, INSIDE, OTHER, settings

from inventory.site import Site
from tasks.core.engine.maintenance import Scope, wait_until_well
from tasks.core.engine.runbook import OK, REFUSED
from tasks.core.model.change import Concurrency
from tasks.core.model.errors import BurrowError, CheckFailed, LinkError
from tasks.core.model.fact import Facts
from tasks.core.model.maintenance import Preparation


def not_answering(_: Site, facts: Facts, hosts: Iterable[str]) -> Mapping[str, str]:
    """The hosts whose cluster does not answer."""
    return {host: "the cluster answers nobody" for host in hosts if host in OTHER and facts[host][CALM] == "silent"}


def answering(_: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(host for host in hosts if host in OTHER and facts[host][CALM] != "silent")


SILENT = replace(INSIDE, concerns=answering, unknown=not_answering)


def test_nodes_of_a_silent_cluster_are_changed_one_at_a_time_and_the_plan_lists_it(world: World) -> None:
    for host in OTHER:
        world[host].answers[CALM.command] = lambda _: "silent"
    assert "the cluster answers nobody" in world.execute(*BOTH, maintenance=SILENT, dry_run=True).stages[0].plans[0].changes[0].impact
    assert world.execute(*BOTH, maintenance=SILENT).exit_code == OK
    assert world.asked("begin", "confirm") == [("alvin", "begin"), ("alvin", "confirm"), ("simon", "begin"), ("simon", "confirm")]


def test_cluster_that_answers_again_is_asked_to_wait_for_the_next_node(world: World) -> None:
    mended: list[str] = []
    for host in OTHER:
        world[host].answers[CALM.command] = lambda _: "calm" if mended else "silent"
    run = world.run(*BOTH, watchers=(when("confirmed", "alvin", lambda: mended.append("alvin")),))
    assert world.execute(*BOTH, maintenance=SILENT, run=run).exit_code == OK
    assert world.asked("begin") == [("alvin", "begin"), ("alvin", "begin"), ("simon", "begin")]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BurrowError("alvin: `calm` answered what cannot be read as calm"), "alvin: `calm` answered what cannot be read as calm"),
        (KeyError("up"), "alvin, simon: cannot be judged by their facts: wanted the key 'up', found none"),
    ],
    ids=["unreadable", "of-another-shape"],
)
def test_node_with_an_invalid_cluster_answer_is_not_touched(world: World, error: Exception, reason: str) -> None:
    def concerns(*_: object) -> tuple[str, ...]:
        raise error

    inside = replace(INSIDE, may_concern=lambda _: OTHER, concerns=concerns)
    for dry_run in (True, False):
        result = world.execute(*BOTH, settings("sw-rack"), maintenance=inside, dry_run=dry_run)
        assert [plan.refused for plan in result.stages[0].plans] == [reason, reason, ""]
    assert world.asked("begin") == [("sw-rack", "begin")]


def test_node_whose_preparation_is_unknown_is_not_touched(world: World) -> None:
    def odd(*_: object) -> tuple[Preparation, ...]:
        raise KeyError("up")

    result = world.execute(*BOTH, maintenance=replace(INSIDE, ready=odd))
    assert result.exit_code == REFUSED
    assert "alvin: how to take it out of service is unknown" in result.stages[0].plans[0].refused
    assert world.untouched("alvin", "simon")


def test_host_is_waited_for_five_minutes_a_second_at_a_time(world: World) -> None:
    run = world.run()
    for host in OTHER:
        world[host].answers[HEALTH.command] = lambda _: "sick"
    began = world.clock()
    with pytest.raises(CheckFailed) as raised:
        wait_until_well(run, INSIDE, INSIDE.checks, "alvin")
    assert str(raised.value) == (
        "alvin: not as before after 300 s: alvin: The host is well. Found: sick; simon: The host is well. Found: sick"
    )
    assert 300 < world.clock() - began <= 301


@pytest.mark.parametrize("silent_s", [0, 5])
def test_host_that_is_silent_for_a_while_is_waited_for(world: World, silent_s: int) -> None:
    began = world.clock()

    def answers(_: FakeHost) -> str:
        if world.clock() < began + silent_s:
            raise LinkError("alvin: the connection broke")
        return "well"

    world["alvin"].answers[HEALTH.command] = answers
    wait_until_well(world.run(), INSIDE, INSIDE.checks, "alvin")
    assert world.clock() == began + silent_s


@pytest.mark.parametrize("stuck", [False, True], ids=["silent", "reverting"])
def test_host_that_holds_its_place_is_asked_until_it_has_put_it_back(world: World, stuck: bool) -> None:
    asked: list[float] = []

    def refuses(host: FakeHost) -> None:
        asked.append(world.clock())
        if len(asked) < 4:
            host.happens["before revert"] = refuses
            if not stuck:
                raise LinkError("simon: the connection broke")
        host.stuck = "it is busy" if len(asked) < 4 else ""

    world["simon"].happens["before revert"] = refuses
    run = world.run(settings("alvin"))
    assert world.execute(settings("alvin"), maintenance=INSIDE, run=run).exit_code == OK
    assert events_of(run, "put back") == [("put back", "simon")]
    assert world["simon"].pending is None


def test_host_that_holds_its_place_and_never_answers_is_given_up(world: World) -> None:
    def silent(host: FakeHost) -> None:
        host.happens["before revert"] = silent
        raise LinkError("simon: the connection broke")

    world["simon"].happens["before revert"] = silent
    began = world.clock()
    result = world.execute(settings("alvin"), maintenance=INSIDE)
    assert [one.state for one in result.stages[0].outcomes] == ["failed"]
    assert "simon: the connection broke" in result.stages[0].outcomes[0].reasons[0]
    assert 300 < world.clock() - began < 310


def test_host_outside_maintenance_has_no_lock(world: World) -> None:
    """A set that is not in maintenance, on a host whose cluster answers, is applied in parallel with all others."""
    inside = Scope.of(world.run(), SILENT, (*BOTH, settings("sw-rack")))
    assert [inside.lock(one) for one in (*BOTH, settings("sw-rack"))] == ["a node at a time"] * 2 + [""]
    assert inside.lock(replace(settings("sw-rack"), concurrency=Concurrency("its own"))) == "its own"
    agreed = Scope.of(world.run(), SILENT, AGREED, frozenset(one.name for one in AGREED))
    assert [(agreed.lock(one), agreed.concerned(one)) for one in AGREED] == [("", ())] * 2
    assert inside.concerned(settings("alvin")) == ("alvin",)


def test_plan_lists_how_each_host_is_changed(world: World) -> None:
    result = world.execute(*BOTH, maintenance=INSIDE, dry_run=True)
    assert result.stages[0].plans[0].changes[0].impact[-2:] == (
        "the cluster waits for alvin",
        "one host at a time, and only while all checks pass",
    )
    together = world.execute(*AGREED, maintenance=INSIDE, dry_run=True).stages[0].plans[0].changes[0].impact
    assert together[-1] == "together with the other routers, and only while all checks pass"
    for host in OTHER:
        world[host].answers[CALM.command] = lambda _: "silent"
    alone = world.execute(*BOTH, maintenance=SILENT, dry_run=True).stages[0].plans[0].changes[0].impact
    assert alone[-2:] == ("the cluster answers nobody", "one host at a time, without maintenance")
