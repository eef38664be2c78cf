"""Sets that are applied inside maintenance: one host at a time, prepared on another host, and only while all checks around it pass."""

import threading
from collections.abc import Iterable
from dataclasses import replace

import pytest
from engine import HEALTH, Alias, Named, World, events_of, host_is_well, when
from fake_host import FakeHost

from inventory.site import Site
from tasks.core.engine import maintenance as service
from tasks.core.engine.runbook import FAILED, OK, PENDING, REFUSED
from tasks.core.model.change import ChangeSet, Member, Step
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.errors import Refused, TransactionError
from tasks.core.model.fact import Fact, Facts
from tasks.core.model.maintenance import Maintenance, Preparation
from tasks.core.model.operation import Action

OTHER = {"alvin": "simon", "simon": "alvin"}
CALM = Fact("calm", "calm", str.strip)


@check(needs=(CALM,), severity=Severity.CRITICAL, remediation="Wait.", tags=())
def cluster_is_calm(_: Site, facts: Facts, host: str) -> Iterable[Finding]:
    """No data moves."""
    yield Finding(f"{host}:cluster", "calm", facts[host][CALM] or "calm")


def ready(_: Site, __: Facts, host: str) -> tuple[Preparation, ...]:
    return (Preparation(OTHER[host], (Action(("wait-for", host), ("forget", host), shown=f"the cluster waits for {host}"),)),)


INSIDE = Maintenance(
    purpose="Try it.",
    ready=ready,
    checks=(host_is_well,),
    entry_checks=(cluster_is_calm,),
    peers=lambda _, host: (OTHER[host],) if host in OTHER else (),
    concerns=lambda _, __, hosts: tuple(host for host in hosts if host in OTHER),
    lock="a node at a time",
)


def settings(host: str) -> ChangeSet:
    return ChangeSet(f"settings {host}", (Member(host, (Alias(host, "eth0"),), safe_alone=True),), (host_is_well,))


BOTH = (settings("alvin"), settings("simon"))


class Agreed(Alias):
    """It is wanted only where the other hosts have it too."""

    def steps(self, site: Site, facts: Facts, want: Named) -> tuple[Step, ...]:
        return (*super().steps(site, facts, want), Action(("agree",), ("true",), coordinated=True))


AGREED = tuple(ChangeSet(f"agreed {host}", (Member(host, (Agreed(host, "eth0"),), safe_alone=True),)) for host in OTHER)


def sick_once_changed(host: FakeHost) -> str:
    return "sick" if host.pending else "well"


def test_each_node_is_changed_while_the_other_holds_its_place(world: World) -> None:
    assert world.execute(*BOTH, maintenance=INSIDE).exit_code == OK
    assert world.asked("begin", "confirm", "revert") == [
        *(("simon", "begin"), ("alvin", "begin"), ("alvin", "confirm"), ("simon", "revert")),
        *(("alvin", "begin"), ("simon", "begin"), ("simon", "confirm"), ("alvin", "revert")),
    ]


def test_coordinated_sets_are_one_set_and_changed_at_once(world: World) -> None:
    """The first one's timer ends only after the last one has begun."""
    begun = threading.Barrier(2, timeout=10)
    for host in OTHER:
        world[host].happens["before begin"] = lambda _: begun.wait()
    result = world.execute(*AGREED, settings("sw-rack"), maintenance=INSIDE)
    assert result.exit_code == OK
    assert [one.plan.change_set.name for one in result.stages[0].outcomes] == ["agreed alvin, agreed simon", "settings sw-rack"]
    assert sorted(world.asked("begin", "revert")) == [("alvin", "begin"), ("simon", "begin"), ("sw-rack", "begin")]
    assert {host: world[host].timers for host in OTHER} == dict.fromkeys(OTHER, world["alvin"].timers)


@pytest.mark.parametrize("host", OTHER)
def test_coordinated_sets_are_reverted_together(world: World, host: str) -> None:
    """Whichever host fails its check afterwards."""
    sets = [replace(one, checks=(host_is_well,)) for one in AGREED]
    world[host].answers[HEALTH.command] = sick_once_changed
    result = world.execute(*sets)
    assert [one.state for one in result.stages[0].outcomes] == ["reverted"]
    assert world.untouched("alvin", "simon")


def test_coordinated_sets_are_reverted_where_one_host_is_unreachable(world: World) -> None:
    world["simon"].happens["before begin"] = lambda _: (_ for _ in ()).throw(TransactionError("simon: no neighbour follows"))
    result = world.execute(*AGREED)
    assert [one.state for one in result.stages[0].outcomes] == ["reverted"]
    assert ("alvin", "revert") in world.asked("revert")
    assert world.untouched("alvin", "simon")


def test_coordinated_sets_do_not_start_while_a_check_fails(world: World) -> None:
    world["simon"].answers[CALM.command] = lambda _: "recovering"
    assert world.execute(*AGREED, maintenance=INSIDE).exit_code == REFUSED
    assert world.untouched("alvin", "simon")


def test_plan_lists_the_maintenance(world: World) -> None:
    result = world.execute(*BOTH, maintenance=INSIDE, dry_run=True)
    assert result.exit_code == PENDING
    assert "the cluster waits for alvin" in result.stages[0].plans[0].changes[0].impact
    assert world.asked("begin") == []


def test_host_that_cannot_be_prepared_is_refused(world: World) -> None:
    def nobody(_: Site, __: Facts, host: str) -> tuple[Preparation, ...]:
        raise Refused(f"{host}: nobody is there to hold its place")

    inside = replace(INSIDE, ready=nobody)
    for dry_run in (True, False):
        result = world.execute(*BOTH, maintenance=inside, dry_run=dry_run)
        assert result.exit_code == REFUSED
        assert result.stages[0].plans[0].refused == "alvin: nobody is there to hold its place"
    assert world.untouched("alvin", "simon")


def test_host_outside_the_maintenance_scope_is_changed_without_it(world: World) -> None:
    assert world.execute(settings("sw-rack"), maintenance=INSIDE).exit_code == OK
    assert world.asked("begin") == [("sw-rack", "begin")]


def test_no_set_starts_while_a_check_fails(world: World) -> None:
    world["simon"].answers[CALM.command] = lambda _: "recovering"
    result = world.execute(*BOTH, maintenance=INSIDE)
    assert result.exit_code == REFUSED
    first, second = result.stages[0].outcomes
    assert "simon:cluster: wanted calm, found recovering" in first.reasons[0]
    assert "'settings alvin' comes first" in second.reasons[0]
    assert world.untouched("alvin", "simon")


def test_host_that_its_cluster_reports_missing_is_reverted(world: World) -> None:
    one = replace(settings("alvin"), checks=())
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    result = world.execute(one, maintenance=INSIDE)
    assert result.stages[0].outcomes[0].state == "reverted"
    assert world.untouched("alvin")
    assert world["simon"].pending is None


def test_host_that_does_not_come_back_stops_the_others_and_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BACK_S", 3)
    changed: list[str] = []
    world["alvin"].answers[CALM.command] = lambda host: "recovering" if changed and not host.pending else "calm"
    run = world.run(*BOTH, watchers=(when("confirmed", "alvin", lambda: changed.append("alvin")),))
    result = world.execute(*BOTH, maintenance=INSIDE, run=run)
    assert result.exit_code == FAILED
    assert [one.state for one in result.stages[0].outcomes] == ["failed", "refused"]
    assert "alvin:cluster" in result.stages[0].outcomes[0].reasons[0]
    assert world.untouched("simon")


def test_interrupted_run_puts_the_host_back(world: World) -> None:
    run = world.run(*BOTH, watchers=(when("applied", "alvin", lambda: run.stop.set()),))  # noqa: PLW0108 (the run is made here)
    result = world.execute(*BOTH, maintenance=INSIDE, run=run)
    assert result.stages[0].outcomes[0].state == "interrupted"
    assert world.untouched("alvin", "simon")
    assert world["simon"].pending is None
    assert ("put back", "simon") in events_of(run, "put back")


def test_deferred_undo_is_awaited(world: World) -> None:
    world["simon"].kept["deferred"] = ["`forget alvin` ended with 1: nobody answers"]
    world["simon"].happens["after outcome"] = lambda host: host.kept.update(deferred=[])
    run = world.run(settings("alvin"))
    assert world.execute(settings("alvin"), maintenance=INSIDE, run=run).exit_code == OK
    assert events_of(run, "put back") == [("put back", "simon")]
    assert world.asked("revert") == [("simon", "revert")] * 2


@pytest.mark.parametrize("kind", ["deferred", "troubles"])
def test_host_that_is_not_put_back_is_reported(world: World, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(service, "BACK_S", 3)
    world["simon"].kept[kind] = ["`forget alvin` ended with 1: nobody answers"]
    run = world.run(*BOTH)
    result = world.execute(*BOTH, maintenance=INSIDE, run=run)
    assert result.exit_code == FAILED
    first, second = result.stages[0].outcomes
    assert "nobody answers" in first.reasons[0]
    assert (first.state, second.state) == ("failed", "refused")
    assert events_of(run, "put back") == []


def test_timer_is_renewed_as_long_as_it_is_needed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RENEW_AFTER", 0.00001)
    renewed = threading.Event()
    world["simon"].happens["after renew"] = lambda _: renewed.set()
    world["alvin"].happens["after begin"] = lambda _: renewed.wait(10)
    assert world.execute(settings("alvin"), maintenance=INSIDE).exit_code == OK
    assert renewed.is_set()


def test_failed_renewal_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag is gone before the change ends: the change stays, and the run has failed."""
    monkeypatch.setattr(service, "RENEW_AFTER", 0.00001)
    printed = threading.Event()
    world["simon"].happens["before renew"] = lambda host: host._restore("by its timer")
    world["alvin"].happens["after begin"] = lambda _: printed.wait(10)
    run = world.run(*BOTH, watchers=(when("failed", "simon", printed.set),))
    result = world.execute(settings("alvin"), maintenance=INSIDE, run=run)
    assert any("it is reverted: by its timer" in event.text for event in run.events if event.kind == "failed")
    assert result.exit_code == FAILED
    (outcome,) = result.stages[0].outcomes
    assert (outcome.state, outcome.confirmed) == ("failed", ["alvin"])
    assert "ended before the change did" in outcome.reasons[0]


def test_timer_is_renewed_four_times_in_its_life() -> None:
    """Two of three renewals may be lost."""
    assert service.RENEW_AFTER == 0.25


def test_plan_lists_no_maintenance_for_a_host_without_a_difference(world: World) -> None:
    world.execute(*BOTH, maintenance=INSIDE)
    result = world.execute(BOTH[0], settings("sw-rack"), maintenance=INSIDE, dry_run=True)
    assert result.stages[0].plans[0].targets[0].impact == ()


def test_preparation_has_a_minute(world: World) -> None:
    world.execute(settings("alvin"), maintenance=INSIDE)
    assert world["simon"].limits == [60]
