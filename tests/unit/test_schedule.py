"""Which sets of a stage are applied in parallel and which one after the other, and what the later ones read."""

import os
import signal
import threading
from dataclasses import replace
from typing import Any

import pytest
from engine import HEALTH, Alias, World, events_of, host_is_well

from tasks.core.engine import schedule
from tasks.core.engine.schedule import apply_in_order
from tasks.core.model.change import ChangeSet, Concurrency, Member


def one(host: str, lock: str = "", *after: str, **fields: Any) -> ChangeSet:
    member = Member(host, (Alias(host, "eth0"),), safe_alone=True)
    return ChangeSet(f"name {host}", (member,), (host_is_well,), concurrency=Concurrency(lock, after=after, **fields))


ALVIN, SIMON = one("alvin", "a node at a time"), one("simon", "a node at a time")


def test_sets_of_one_lock_are_applied_in_their_order(world: World) -> None:
    run = world.run(ALVIN, SIMON)
    assert [(each.plan.change_set.name, each.state) for each in apply_in_order(run, (ALVIN, SIMON))] == [
        ("name alvin", "done"),
        ("name simon", "done"),
    ]
    assert world.asked("begin", "confirm") == [("alvin", "begin"), ("alvin", "confirm"), ("simon", "begin"), ("simon", "confirm")]


def test_sets_without_a_lock_are_applied_in_parallel(world: World) -> None:
    both = threading.Barrier(2, timeout=10)
    for host in ("alvin", "simon"):
        world[host].happens["before begin"] = lambda _: both.wait()
    sets = (one("alvin"), one("simon"))
    assert [each.state for each in apply_in_order(world.run(*sets), sets)] == ["done", "done"]


def test_sets_of_one_lock_read_again_after_a_change(world: World) -> None:
    """Wherever the change was: a cluster's file is on each of its hosts."""
    run = world.run(ALVIN, SIMON)
    run.read(["alvin", "simon"])
    apply_in_order(run, (ALVIN, SIMON))
    after = world.journal[world.journal.index(("alvin", "confirm")) : world.journal.index(("simon", "begin"))]
    assert ("simon", "read") in after


def test_without_a_change_nothing_is_read_again(world: World) -> None:
    run = world.run(ALVIN, SIMON)
    apply_in_order(run, (ALVIN, SIMON))
    run.read(["alvin", "simon"])
    del world.journal[:]
    assert [each.state for each in apply_in_order(run, (ALVIN, SIMON))] == ["unchanged", "unchanged"]
    assert world.journal == []


def test_set_that_an_exception_stopped_was_not_begun(world: World) -> None:
    """Whatever the exception, each set has an outcome."""

    def odd(*_: object) -> bool:
        raise SystemExit("odd")

    sets = (ALVIN, one("simon", "a node at a time", width=2, serial_if=odd))
    first, last = apply_in_order(world.run(*sets), sets)
    assert (first.state, last.state) == ("done", "refused")
    assert last.reasons == ["not started: a fault of this program: SystemExit('odd')"]
    assert last.plan.refused == last.reasons[0]


def test_set_that_ctrl_c_stopped_is_interrupted(world: World) -> None:
    def pressed(*_: object) -> bool:
        raise KeyboardInterrupt

    run = world.run(ALVIN, SIMON)
    first, last = apply_in_order(run, (ALVIN, one("simon", "a node at a time", width=2, serial_if=pressed)))
    assert (first.state, last.state) == ("done", "interrupted")
    assert run.stop.is_set()


def test_set_is_applied_after_those_that_it_names_however_they_are_listed(world: World) -> None:
    sets = (one("alvin", "", "name s*"), one("simon"))
    run = world.run(*sets)
    outcomes = apply_in_order(run, sets)
    assert [each.plan.change_set.name for each in outcomes] == ["name alvin", "name simon"]
    assert world.asked("begin") == [("simon", "begin"), ("alvin", "begin")]


def test_set_is_not_started_where_one_that_comes_first_failed_on_its_host(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    again, other = replace(one("alvin", "", "name *"), name="again"), one("simon", "", "name alvin")
    sets = (one("alvin"), again, other)
    run = world.run(*sets)
    outcomes = apply_in_order(run, sets)
    assert [each.state for each in outcomes] == ["reverted", "refused", "done"]
    assert outcomes[1].reasons == ["not started: 'name alvin' comes first and is not as wanted"]
    assert outcomes[1].plan.refused == outcomes[1].reasons[0]


def test_set_without_a_difference_stops_no_later_set(world: World) -> None:
    apply_in_order(world.run(one("alvin")), (one("alvin"),))
    sets = (one("alvin"), replace(one("alvin", "", "name alvin"), name="again"))
    assert [each.state for each in apply_in_order(world.run(*sets), sets)] == ["unchanged", "unchanged"]


def test_ctrl_c_while_sets_are_applied_is_reported_once(world: World) -> None:
    def press(host: object) -> None:
        del host
        os.kill(os.getpid(), signal.SIGINT)
        run.stop.wait()
        os.kill(os.getpid(), signal.SIGINT)

    run = world.run(ALVIN)
    world["alvin"].happens["before begin"] = press
    (outcome,) = apply_in_order(run, (ALVIN,))
    assert outcome.state == "interrupted"
    assert events_of(run, "stage") == [("stage", "")]
    assert world.untouched("alvin")


class Undecided:
    """Fails to tell whether a host is in service."""

    def lock(self, _: ChangeSet) -> str:
        raise KeyError("up")


def test_stage_without_a_known_order_is_not_begun_and_reported(world: World) -> None:
    run = world.run(ALVIN, SIMON)
    outcomes = apply_in_order(run, (ALVIN, SIMON), Undecided())  # type: ignore[arg-type]
    assert [(each.state, each.reasons) for each in outcomes] == [("refused", ["not started: a fault of this program: KeyError('up')"])] * 2
    assert [event.text for event in run.events] == outcomes[0].reasons
    assert events_of(run, "failed") == [("failed", "")]


def test_sets_that_wait_for_each_other_are_not_started(world: World) -> None:
    sets = (one("alvin", "", "name simon"), one("simon", "", "name alvin"))
    reasons = [each.reasons for each in apply_in_order(world.run(*sets), sets)]
    assert reasons == [["not started: name alvin, name simon: each comes after another one of these"]] * 2
    assert world.asked("prepare") == []


def test_no_set_starts_after_as_many_failures_as_allowed(world: World) -> None:
    """Those of the same row, of the next rank and of the next stage; what is under way ends."""
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    later = one("sw-rack", "", "name *")
    run = world.run(ALVIN, SIMON, later)
    run.max_failures = 1
    outcomes = apply_in_order(run, (one("alvin"), later))
    assert [each.state for each in outcomes] == ["reverted", "refused"]
    assert outcomes[1].reasons == ["not started: 'name alvin' failed, and --max-failures is 1"]
    assert apply_in_order(run, (SIMON,))[0].reasons == outcomes[1].reasons


def test_more_sets_than_threads_are_all_applied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "MOST_AT_ONCE", 1)
    sets = (one("alvin"), one("simon"))
    assert [each.state for each in apply_in_order(world.run(*sets), sets)] == ["done", "done"]


def test_set_that_ended_keeps_its_outcome_where_the_schedule_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(schedule._Pool, "forget", odd)
    outcomes = apply_in_order(world.run(ALVIN, SIMON), (ALVIN, SIMON))
    assert [each.state for each in outcomes] == ["done", "refused"]
    assert outcomes[1].reasons == ["not started: a fault of this program: RuntimeError('odd')"]
