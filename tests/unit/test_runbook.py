"""Promises of a whole run: its stages, its exit code, and the state of hosts that it only reads."""

import os
import re
import signal
import threading
from dataclasses import replace

import pytest
from engine import HEALTH, TIMERS, World, host_is_well, runbook, uplink, when
from fake_host import FakeHost

from tasks.core.engine.events import Event
from tasks.core.engine.execute import execute
from tasks.core.engine.record import as_data
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options
from tasks.core.model.errors import Refused

ALVIN, SIMON = uplink("alvin"), uplink("simon", port="swp2")


def held(host: FakeHost) -> None:
    host.lease = {"run": "another", "holder": "sam@desk", "since": "20:59", "until": host.clock() + 3600}


def sick_once_changed(host: FakeHost) -> str:
    return "sick" if host.pending else "well"


def test_dry_run_writes_nothing(world: World) -> None:
    result = world.execute(ALVIN, SIMON, dry_run=True)
    assert result.exit_code == PENDING
    assert {verb for _, verb in world.journal} == {"read"}


def test_plan_that_is_declined_writes_nothing(world: World) -> None:
    result = world.execute(ALVIN, yes=False)
    assert result.exit_code == PENDING
    assert {verb for _, verb in world.journal} == {"read"}


def test_run_as_intended_releases_every_lease(world: World) -> None:
    result = world.execute(ALVIN, SIMON, checks=(host_is_well,))
    assert result.exit_code == OK
    assert [world[name].lease for name in ("alvin", "simon", "sw-rack")] == [None, None, None]


def test_checks_of_the_stage_cover_a_selected_set_too(world: World) -> None:
    """A set's own checks leave out what the set cannot achieve. The stage's checks still report that it is missing."""
    sets = (replace(ALVIN, checks=(), subjects={"alvin": frozenset({"health"})}), SIMON)
    world["alvin"].answers[HEALTH.command] = lambda _: "sick"
    result = world.execute(*sets, checks=(host_is_well,), sets=("uplink alvin",))
    assert [(one.host, one.finding.got) for one in result.stages[0].verdicts] == [("alvin", "sick")]
    assert result.exit_code == FAILED


def test_subjects_of_other_sets_do_not_fail_a_selected_set(world: World) -> None:
    world["simon"].answers[HEALTH.command] = lambda _: "sick"
    sets = (replace(ALVIN, subjects={"alvin": frozenset({"health"})}), SIMON)
    assert world.execute(*sets, checks=(host_is_well,), sets=("uplink alvin",)).exit_code == OK


def test_second_run_changes_nothing(world: World) -> None:
    world.execute(ALVIN, SIMON)
    files = {name: dict(host.files) for name, host in world.hosts.items()}
    del world.journal[:]
    result = world.execute(ALVIN, SIMON)
    assert (result.exit_code, [plan.changes for plan in result.stages[0].plans]) == (OK, [(), ()])
    assert {verb for _, verb in world.journal} == {"read"}
    assert {name: host.files for name, host in world.hosts.items()} == files


def test_dry_run_where_nothing_differs_is_as_intended(world: World) -> None:
    world.execute(ALVIN)
    assert world.execute(ALVIN, dry_run=True).exit_code == OK


def test_each_host_is_read_once_before_the_plan(world: World) -> None:
    """And once more where its network configuration is to change."""
    world.execute(ALVIN, SIMON, dry_run=True)
    assert sorted(world.journal) == [
        *[("alvin", "read")] * 2,
        *[("simon", "read")] * 2,
        *[("sw-rack", "read")] * 3,
    ]  # a switch: configuration and commands
    quiet = len(world.journal)
    world.execute(ALVIN, SIMON)
    done = len(world.journal)
    world.execute(ALVIN, SIMON, dry_run=True)
    assert done > quiet
    assert len(world.journal) - done == 4


def test_unreachable_host_fails_its_set_only(world: World) -> None:
    world["simon"].reachable = False
    result = world.execute(ALVIN, SIMON)
    assert result.exit_code == FAILED
    assert [outcome.state for outcome in result.stages[0].outcomes] == ["done", "refused"]
    assert result.run.unreachable.keys() == {"simon"}


def test_failed_check_of_a_set_fails_its_set_only(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    result = world.execute(ALVIN, SIMON)
    assert result.exit_code == FAILED
    assert [outcome.state for outcome in result.stages[0].outcomes] == ["reverted", "done"]


def test_sets_that_share_a_host_never_overlap(world: World) -> None:
    """The second is queued while the first is open, and plans again on the result of the first."""
    run, both_queued = world.run(ALVIN, SIMON), threading.Semaphore(0)
    run.watchers = (when("queued", "", both_queued.release),)

    def wait_for_the_other(_: FakeHost) -> None:
        both_queued.acquire()
        both_queued.acquire()
        both_queued.release(2)

    world["alvin"].happens["before prepare"] = world["simon"].happens["before prepare"] = wait_for_the_other
    result = world.execute(ALVIN, SIMON, run=run)
    assert [outcome.state for outcome in result.stages[0].outcomes] == ["done", "done"]
    on_switch = [verb for host, verb in world.asked("begin", "confirm") if host == "sw-rack"]
    assert on_switch == ["begin", "confirm", "begin", "confirm"]


def test_finding_that_fails_after_the_stage_fails_the_run(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "well" if host.pending else "sick"
    assert world.execute(ALVIN, checks=(host_is_well,)).exit_code == FAILED


def test_findings_fail_a_run_without_changes_too(world: World) -> None:
    world.execute(ALVIN)
    world["alvin"].answers[HEALTH.command] = lambda _: "sick"
    assert world.execute(ALVIN, checks=(host_is_well,)).exit_code == FAILED


def test_refusal_before_anything_is_touched(world: World) -> None:
    held(world["sw-rack"])
    result = world.execute(ALVIN)
    assert result.exit_code == REFUSED
    assert world.asked("begin") == []


def test_refusal_together_with_a_change_is_a_failure(world: World) -> None:
    held(world["simon"])
    assert world.execute(ALVIN, SIMON).exit_code == FAILED


def test_interrupted_run_rolls_back_and_reports_it(world: World) -> None:
    """A real Ctrl-C while one set is open and another waits for it: the first continues after the main thread has received it."""
    run, both_queued = world.run(ALVIN, SIMON), threading.Semaphore(0)

    def press_ctrl_c(_: FakeHost) -> None:
        both_queued.acquire()
        both_queued.acquire()
        os.kill(os.getpid(), signal.SIGINT)
        run.stop.wait()

    run.watchers = (when("queued", "", both_queued.release),)
    world["sw-rack"].happens["after begin"] = press_ctrl_c
    result = world.execute(ALVIN, SIMON, run=run)
    assert result.exit_code == INTERRUPTED
    assert world.untouched("alvin", "simon", "sw-rack")
    assert [world[name].lease for name in ("alvin", "simon", "sw-rack")] == [None, None, None]


def test_interrupt_during_the_checks_of_a_stage_releases_the_leases(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "well" if host.pending else "sick"
    run = world.run(ALVIN)

    def press_ctrl_c(event: Event) -> None:
        if event.kind == "read" and "done" in [one.kind for one in run.events] and "stage" in [one.kind for one in run.events]:
            raise KeyboardInterrupt

    run.watchers = (press_ctrl_c,)
    result = world.execute(ALVIN, checks=(host_is_well,), run=run)
    assert result.exit_code == INTERRUPTED
    assert [one.state for one in result.stages[0].outcomes] == ["done"]
    assert (world["alvin"].lease, world["sw-rack"].lease) == (None, None)


def test_limit_includes_the_other_ends(world: World) -> None:
    world.execute(ALVIN, SIMON, limit=("simon",))
    assert {host for host, _ in world.journal} == {"simon", "sw-rack"}


def test_unknown_stage_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="--stage: no stage storage; there are network"):
        world.execute(ALVIN, stages=("storage",))


def test_selecting_no_host_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="no host is selected"):
        world.execute(ALVIN, limit=("sw-vendor",))


def test_revert_by_a_timer_is_reported_to_the_next_run(world: World) -> None:
    world["alvin"].records = [
        {"token": "1", "why": "uplink alvin", "holder": "sam@desk", "outcome": "reverted", "reason": "by its timer", "at": "21:14"}
    ]
    result = world.execute(ALVIN, dry_run=True)
    assert as_data(result, "")["earlier"] == ["alvin: 'uplink alvin' of sam@desk was reverted at 21:14: by its timer"]


def test_record_has_the_outcome_of_each_set(world: World) -> None:
    world["simon"].reachable = False
    record = as_data(world.execute(ALVIN, SIMON), "Try the engine.")
    (stage,) = record["stages"]
    assert [(one["set"], one["state"], one["confirmed"]) for one in stage["sets"]] == [
        ("uplink alvin", "done", ["alvin", "sw-rack"]),
        ("uplink simon", "refused", []),
    ]
    assert record["exit_code"] == FAILED
    assert "+\talias uplink" in stage["sets"][0]["hosts"][0]["diff"]


def test_a_stage_plans_on_the_result_of_the_one_before(world: World) -> None:
    book = runbook(ALVIN)
    twice = type(book)(book.purpose, (*book.stages, type(book.stages[0])("again", book.stages[0].sets)))
    result = execute(twice, Options(), world.run(ALVIN), lambda *_: True)
    assert [[bool(plan.changes) for plan in stage.plans] for stage in result.stages] == [[True], [False]]


def test_exit_codes_are_those_of_the_documentation() -> None:
    assert (OK, FAILED, PENDING, REFUSED, INTERRUPTED) == (0, 1, 2, 3, 130)


def test_script_without_options_writes_no_file_and_does_not_watch() -> None:
    assert Options() == Options(site="lab", dry_run=False, limit=(), stages=(), sets=(), tags=(), yes=False, watch_s=None, json=None)


def ending(error: BaseException):
    def ask(*_: object) -> bool:
        raise error

    return ask


def test_early_end_of_a_run_is_in_its_record(world: World) -> None:
    result = execute(runbook(ALVIN), Options(), world.run(ALVIN), ending(Refused("nobody is asked")))
    assert (result.trouble, result.exit_code) == ("nobody is asked", FAILED)


def test_exception_is_reported_with_its_place(world: World) -> None:
    result = execute(runbook(ALVIN), Options(), world.run(ALVIN), ending(KeyError("up")))
    assert result.exit_code == FAILED
    assert re.fullmatch(r"a fault of this program: KeyError\('up'\) \((\w+\.py:\d+, ){3}test_runbook\.py:\d+\)", result.trouble)


def test_interrupt_is_not_an_error(world: World) -> None:
    result = execute(runbook(ALVIN), Options(), world.run(ALVIN), ending(KeyboardInterrupt()))
    assert (result.trouble, result.exit_code) == ("", INTERRUPTED)


def test_second_stage_starts_after_the_first_is_shown(world: World) -> None:
    run = world.run(ALVIN)
    world.execute(ALVIN, run=run)
    assert [(event.kind, event.text) for event in run.events if event.kind == "stage"] == [("stage", "network done")]


def judging(world: World, well_after_s: float) -> tuple[int, float]:
    """The exit code of a stage whose check passes only a number of seconds after its changes, and the time that the run waited."""
    done: list[float] = []
    run = world.run(ALVIN, watchers=(when("done", "", lambda: done.append(world.clock())),))
    world["alvin"].answers[HEALTH.command] = lambda _: "sick" if done and world.clock() < done[0] + well_after_s else "well"
    code = world.execute(ALVIN, checks=(host_is_well,), run=run).exit_code
    return code, world.clock() - done[0]


def test_stage_is_checked_each_second_until_all_checks_pass(world: World) -> None:
    assert judging(world, 3) == (OK, 3)


def test_stage_fails_when_the_sites_time_limit_ends(world: World) -> None:
    code, waited_s = judging(world, 1000)
    assert code == FAILED
    assert TIMERS.verify_s < waited_s <= TIMERS.verify_s + 1


def test_host_that_was_not_changed_is_not_waited_for(world: World) -> None:
    world.execute(SIMON)
    world["simon"].answers[HEALTH.command] = lambda _: "sick"
    began = world.clock()
    assert world.execute(SIMON, checks=(host_is_well,)).exit_code == FAILED
    assert world.clock() == began
