"""Output never decides: whatever happens to it, a set ends completely applied or undone, with its record and its exit code."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from engine import HEALTH, World, events_of, runbook, uplink, when
from fake_host import FakeHost
from test_maintenance import INSIDE, settings

from tasks.core.cli.report import Screen
from tasks.core.engine.events import Event
from tasks.core.engine.execute import execute
from tasks.core.engine.record import as_data
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, Options, RunResult
from tasks.core.engine.signals import ENDING

pytestmark = pytest.mark.usefixtures("home")
ALVIN, SIMON = uplink("alvin"), uplink("simon", port="swp2")
KINDS = [("prepared", "alvin"), ("armed", "alvin"), ("applied", "alvin"), ("reachable", "alvin"), ("armed", "sw-rack")]
KINDS += [("applied", "sw-rack"), ("checked", ""), ("confirmed", "alvin"), ("confirmed", "sw-rack"), ("done", "")]
ERRORS: dict[str, BaseException] = {
    "closed-pipe": BrokenPipeError(32, "Broken pipe"),
    "rich-over-a-closed-pipe": SystemExit(1),
    "full-disk": OSError(28, "No space left on device"),
    "surrogate": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    "no-memory": MemoryError(),
    "any": ValueError("closing tag '[/x]' doesn't match any open tag"),
    "generator": GeneratorExit(),
}


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize(("kind", "host"), KINDS)
def test_watcher_that_raises_is_switched_off_and_noted_once(world: World, kind: str, host: str, error: BaseException, capsys) -> None:
    seen: list[Event] = []
    run = world.run(ALVIN, watchers=(when(kind, host, raising(error)), seen.append))
    result = world.execute(ALVIN, run=run)
    assert (result.exit_code, result.stages[0].outcomes[0].state) == (OK, "done")
    assert [(one.pending, one.lease) for one in world.hosts.values()] == [(None, None)] * 4
    assert seen == run.events
    (noted,) = as_data(result, "")["switched_off"]
    assert repr(error) in noted
    assert capsys.readouterr().err.count(repr(error)) == 1


def test_watcher_may_emit_events(world: World) -> None:
    run = world.run(ALVIN)
    run.watchers = (when("applied", "alvin", lambda: run.say("noted", "alvin")),)
    assert world.execute(ALVIN, run=run).exit_code == OK
    assert events_of(run, "noted") == [("noted", "alvin")]


class OddError(BaseException):
    """Not an Exception, like SystemExit."""


@pytest.mark.parametrize("error", [OddError(), SystemExit(1), MemoryError(), GeneratorExit()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("moment", ["before prepare", "before begin", "after begin", "before outcome", "before confirm"])
@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_any_error_inside_the_engine_rolls_back_open_transactions(world: World, host: str, moment: str, error: BaseException) -> None:
    def fail(_: FakeHost) -> None:
        raise error

    world[host].happens[moment] = fail
    result = world.execute(ALVIN)
    (first,) = result.stages[0].outcomes
    assert (first.state in ("done", "reverted"), result.trouble) == (True, "")
    assert [(one.pending, one.lease) for one in world.hosts.values()] == [(None, None)] * 4
    assert first.confirmed == ([] if first.state == "reverted" else ["alvin", "sw-rack"])


def test_ctrl_c_during_the_rollback_does_not_end_it(world: World) -> None:
    """Where the suite's handler is not installed: in an operator's own script."""
    pressed: list[str] = []

    def press(host: FakeHost) -> None:
        pressed.append(host.name)
        raise KeyboardInterrupt

    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world["sw-rack"].happens["before revert"] = press
    outcome = world.apply_set(ALVIN)
    assert (pressed, outcome.state) == (["sw-rack"], "reverted")
    assert world.asked("revert") == [("sw-rack", "revert")] * 2 + [("alvin", "revert")]
    assert world.untouched("alvin", "sw-rack")


def test_ctrl_c_while_a_host_is_put_back_does_not_end_it(world: World) -> None:
    def press(_: FakeHost) -> None:
        raise KeyboardInterrupt

    world["simon"].happens["before revert"] = press
    result = world.execute(settings("alvin"), maintenance=INSIDE)
    assert result.exit_code == INTERRUPTED
    assert (world["simon"].pending, world["simon"].lease) == (None, None)


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Sets the default signal handlers, because a shell may start background jobs with signals ignored."""
    known = {one: signal.signal(one, signal.SIG_DFL) for one in ENDING}
    yield
    for one, handler in known.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
@pytest.mark.parametrize(("host", "moment"), [("alvin", "after begin"), ("sw-rack", "after begin"), ("sw-rack", "before revert")])
def test_any_number_of_signals_rolls_back_releases_and_is_recorded(world: World, number: int, host: str, moment: str) -> None:
    run = world.run(ALVIN, SIMON)

    def send(_: FakeHost) -> None:
        for _ in range(3):
            os.kill(os.getpid(), number)
        assert threading.Event.wait(run.stop, 30)

    if moment == "before revert":
        world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world[host].happens[moment] = send
    known = signal.getsignal(number)
    result = world.execute(ALVIN, SIMON, run=run)
    assert result.exit_code == INTERRUPTED
    assert signal.getsignal(number) is known
    assert [(one.pending, one.lease) for one in world.hosts.values()] == [(None, None)] * 4
    record = as_data(result, "")
    states = {one["set"]: one["state"] for one in record["stages"][0]["sets"]}
    assert states["uplink alvin"] == ("reverted" if moment == "before revert" else "interrupted")
    assert "planned" not in states.values()


def test_signal_that_is_ignored_stays_so(world: World) -> None:
    """As under nohup."""
    known = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        world["alvin"].happens["after begin"] = lambda _: os.kill(os.getpid(), signal.SIGHUP)
        assert world.execute(ALVIN).exit_code == OK
    finally:
        signal.signal(signal.SIGHUP, known)


@pytest.mark.usefixtures("default_signals")
def test_signal_while_the_operator_is_asked_ends_the_question(world: World) -> None:
    def ask(*_: object) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)
        threading.Event().wait(10)
        return True

    result = execute(runbook(ALVIN), Options(), world.run(ALVIN), ask)
    assert result.exit_code == INTERRUPTED
    assert world.asked("prepare") == []


def test_exception_in_a_stage_is_recorded_and_releases_the_leases(world: World) -> None:
    def odd(_: Any) -> Any:
        if world.asked("confirm"):
            raise ZeroDivisionError
        return (ALVIN,)

    book = runbook(ALVIN)
    stages = (book.stages[0], type(book.stages[0])("again", (odd,)))
    result = execute(replace(book, stages=stages), Options(), world.run(ALVIN), lambda *_: True)
    assert result.exit_code == FAILED
    assert "ZeroDivisionError" in as_data(result, "")["trouble"]
    assert [one.state for one in result.stages[0].outcomes] == ["done"]
    assert [one.lease for one in world.hosts.values()] == [None] * 4


# A host that cannot restore everything yet.


# Transactions that other runs have left.


# Files.


@pytest.mark.parametrize("text", ["[/x]", "[bold", "\ud800", ":smile:", "[link=x]"])
def test_any_text_is_shown_as_it_is(world: World, capsys, text: str) -> None:
    screen = Screen()
    run = world.run(ALVIN, watchers=(screen.watch,))
    run.say("failed", text, text, text)
    run.unreachable[text] = f"{text}: no answer"
    screen.results(RunResult(Options(), run))
    assert screen.lost == ""
    shown = capsys.readouterr().out
    assert shown.count(text.encode(errors="backslashreplace").decode()) >= 3


# The program itself, with a reader that closes its end.
