"""Output decides nothing: whatever becomes of it, a set ends wholly done or wholly old, with its record and its exit code."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine import HEALTH, World, runbook, told, uplink, when
from fake_host import FRESH, FakeHost
from test_main import NAMED, alvin, home, records, site  # noqa: F401 (fixtures)
from test_service import INSIDE, settings

from tasks.core import rollback
from tasks.core.command_line import main
from tasks.core.errors import Refused
from tasks.core.events import Event
from tasks.core.output_file import refuse_unless_writable, write_whole
from tasks.core.plan import plan_set
from tasks.core.record import as_data, earlier, folder
from tasks.core.report import Screen
from tasks.core.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, RunResult, execute
from tasks.core.signals import ENDING

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


def test_watcher_may_itself_say_something(world: World) -> None:
    run = world.run(ALVIN)
    run.watchers = (when("applied", "alvin", lambda: run.say("noted", "alvin")),)
    assert world.execute(ALVIN, run=run).exit_code == OK
    assert told(run, "noted") == [("noted", "alvin")]


class OddError(BaseException):
    """No Exception, as SystemExit is none."""


@pytest.mark.parametrize("error", [OddError(), SystemExit(1), MemoryError(), GeneratorExit()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("moment", ["before prepare", "before begin", "after begin", "before outcome", "before confirm"])
@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_any_error_inside_of_the_engine_rolls_back_what_is_open(world: World, host: str, moment: str, error: BaseException) -> None:
    def fail(_: FakeHost) -> None:
        raise error

    world[host].happens[moment] = fail
    result = world.execute(ALVIN)
    (first,) = result.stages[0].outcomes
    assert (first.state in ("done", "reverted"), result.trouble) == (True, "")
    assert [(one.pending, one.lease) for one in world.hosts.values()] == [(None, None)] * 4
    assert first.confirmed == ([] if first.state == "reverted" else ["alvin", "sw-rack"])


def test_ctrl_c_during_the_rollback_does_not_end_it(world: World) -> None:
    """Where no handler of ours is there: in somebody's own script."""
    pressed: list[str] = []

    def press(host: FakeHost) -> None:
        pressed.append(host.name)
        raise KeyboardInterrupt

    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world["sw-rack"].happens["before revert"] = press
    outcome = world.carry(ALVIN)
    assert (pressed, outcome.state) == (["sw-rack"], "reverted")
    assert world.asked("revert") == [("sw-rack", "revert")] * 2 + [("alvin", "revert")]
    assert world.untouched("alvin", "sw-rack")


def test_ctrl_c_while_it_is_put_back_does_not_end_it(world: World) -> None:
    def press(_: FakeHost) -> None:
        raise KeyboardInterrupt

    world["simon"].happens["before revert"] = press
    result = world.execute(settings("alvin"), inside=INSIDE)
    assert result.exit_code == INTERRUPTED
    assert (world["simon"].pending, world["simon"].lease) == (None, None)


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals are not ignored, even where these tests run in the background."""
    known = {one: signal.signal(one, signal.SIG_DFL) for one in ENDING}
    yield
    for one, handler in known.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
@pytest.mark.parametrize(("host", "moment"), [("alvin", "after begin"), ("sw-rack", "after begin"), ("sw-rack", "before revert")])
def test_signals_however_many_roll_back_release_and_are_recorded(world: World, number: int, host: str, moment: str) -> None:
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
    """As by nohup."""
    known = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        world["alvin"].happens["after begin"] = lambda _: os.kill(os.getpid(), signal.SIGHUP)
        assert world.execute(ALVIN).exit_code == OK
    finally:
        signal.signal(signal.SIGHUP, known)


@pytest.mark.usefixtures("heard")
def test_signal_while_the_operator_is_asked_ends_the_question(world: World) -> None:
    def ask(*_: object) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)
        threading.Event().wait(10)
        return True

    result = execute(runbook(ALVIN), Options(), world.run(ALVIN), ask)
    assert result.exit_code == INTERRUPTED
    assert world.asked("prepare") == []


def test_fault_of_a_stage_has_its_record_and_gives_the_leases_back(world: World) -> None:
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


def full(host: FakeHost) -> None:
    host.stuck = "/etc/network/interfaces: no space left on /"


@pytest.mark.parametrize("name", ["alvin", "sw-rack"])
def test_host_that_goes_on_reverting_is_told_and_refused_until_it_has_ended(world: World, name: str) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world[name].happens["after begin"] = full
    result = world.execute(ALVIN)
    (outcome,) = result.stages[0].outcomes
    assert (result.exit_code, outcome.state) == (FAILED, "reverting")
    assert any(
        reason.startswith(f"{name}: is reverting: ")
        and reason.endswith("/etc/network/interfaces: no space left on /; it goes on by itself")
        for reason in outcome.reasons
    )
    del world["alvin"].answers[HEALTH.command]
    again = world.execute(ALVIN)
    assert again.exit_code == REFUSED
    assert f"{name}: 'uplink alvin' of kim@desk is reverting: " in again.stages[0].plans[0].refused
    world[name].stuck = ""
    assert world.execute(ALVIN).exit_code == OK


def test_host_that_has_room_again_in_time_is_reverted(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world["sw-rack"].happens["after begin"] = full
    world["sw-rack"].happens["after revert"] = lambda host: setattr(host, "stuck", "")
    outcome = world.carry(ALVIN)
    assert outcome.state == "reverted"
    assert world.untouched("alvin", "sw-rack")
    assert rollback.POLL_S < 1


def test_host_that_reverts_while_it_is_to_be_confirmed_says_so(world: World) -> None:
    def reverting(host: FakeHost) -> None:
        full(host)
        host._restore("by its timer, because it was not confirmed")

    world["sw-rack"].happens["before confirm"] = reverting
    outcome = world.carry(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("reverting", ["alvin"])


def test_open_transaction_of_this_very_run_that_is_reverting_refuses_too(world: World) -> None:
    run = world.run(ALVIN)
    world.carry(ALVIN, run)
    world["alvin"].pending = {"token": "1", "run": run.id, "holder": "kim", "why": "it", "state": "reverting", "until": 1e9}
    world["alvin"].files["/etc/network/interfaces"] = FRESH
    world["alvin"].pending["reason"] = "full"
    world["alvin"].happens = {}
    run.read(["alvin", "sw-rack"])
    assert "alvin: 'it' of kim is reverting: full; it goes on by itself" in plan_set(ALVIN, run.site, run.facts, run.id).refused


# What other runs have left.

LAST = {
    "token": "1",
    "why": "uplink alvin",
    "holder": "sam@desk",
    "outcome": "reverted",
    "reason": "by its timer",
    "at": "21:14",
    "troubles": [],
}
ENDED = {**LAST, "why": "maintenance simon", "reason": "maintenance has ended"}
BOOTED = {**LAST, "why": "maintenance alvin", "reason": "at boot, because the power went before it was confirmed"}
EARLIER = {
    "maintenance-ended": ([ENDED], [], []),
    "maintenance-of-this-host-ended-by-its-own-boot": ([BOOTED], [], []),
    "change-that-the-power-cut-took-back": ([{**BOOTED, "why": "uplink alvin"}], [], ["uplink alvin"]),
    "maintenance-of-another-host-that-this-ones-boot-ended": ([{**BOOTED, "why": "maintenance simon"}], [], ["maintenance simon"]),
    "failure-before-maintenance": ([LAST, ENDED], [], ["uplink alvin"]),
    "failure-that-was-mended-before-maintenance": ([LAST, {**LAST, "outcome": "confirmed"}, ENDED], [], []),
    "maintenance-with-trouble": (
        [{**ENDED, "reason": "maintenance has ended; no such file", "troubles": ["no such file"]}],
        [],
        ["no such file"],
    ),
    "maintenance-that-is-still-owed": (
        [{**ENDED, "reason": "maintenance has ended; `forget` ended with 1; it is tried until it succeeds"}],
        [{"why": "maintenance simon", "holder": "sam@desk", "trouble": "`forget` ended with 1"}],
        ["it is tried"],
    ),
    "maintenance-that-was-owed": (
        [{**ENDED, "reason": "maintenance has ended; `forget` ended with 1; it is tried until it succeeds"}],
        [],
        [],
    ),
    "maintenance-whose-timer-ended": ([{**ENDED, "reason": "by its timer, because it was not confirmed"}], [], ["by its timer"]),
    "given-up-by-hand": ([{**LAST, "outcome": "given up", "reason": "by hand on the host"}], [], ["was given up at 21:14: by hand"]),
    "rolled-back": ([{**LAST, "reason": "rolled back"}], [], ["rolled back"]),
}


@pytest.mark.parametrize(("kept", "owed", "words"), EARLIER.values(), ids=EARLIER)
def test_only_what_went_wrong_before_is_told(world: World, kept: list[Any], owed: list[Any], words: list[str]) -> None:
    world["alvin"].records = kept
    world["alvin"].owed = owed
    said = earlier(world.execute(ALVIN, dry_run=True))
    assert len(said) == len(words)
    assert all(word in line for word, line in zip(words, said, strict=True))


# Files.


def test_record_is_its_owners_alone_also_where_older_ones_were_not(site: Path, home: Path) -> None:  # noqa: F811
    kept = home / "state" / "burrow" / "attic"
    kept.mkdir(parents=True, mode=0o755)
    older = kept / "20260101T000000-older.json"
    older.write_text("{}")
    older.chmod(0o644)
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)}
    assert modes == {"attic": 0o700, "burrow": 0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    assert len(list(kept.iterdir())) == 2


def test_record_that_cannot_be_kept_refuses_before_any_host_is_asked(site: Path, home: Path, alvin: FakeHost, capsys) -> None:  # noqa: F811
    (home / "state").write_text("a file")
    assert main(NAMED, ("--site", str(site), "--yes")) == REFUSED
    assert "the record of this run cannot be kept" in capsys.readouterr().err
    assert alvin.journal == []


def test_json_file_that_cannot_be_written_refuses_before_any_host_is_asked(site: Path, home: Path, alvin: FakeHost, capsys) -> None:  # noqa: F811
    for path in (home / "none" / "x.json", home):
        assert main(NAMED, ("--site", str(site), "--yes", "--json", str(path))) == REFUSED
        assert f"--json: {path} cannot be written" in capsys.readouterr().err
    assert alvin.journal == []
    assert not list((home / "state").rglob("*.json"))


def test_record_that_cannot_be_written_at_the_end_is_said_with_the_results(site: Path, home: Path, capsys) -> None:  # noqa: F811
    kept = folder(str(site))

    def lost(event: Event) -> None:
        if event.kind == "confirmed":
            for path in kept.iterdir():
                path.unlink()
            kept.rmdir()
            kept.write_text("a file")

    path = home / "result.json"
    assert main(NAMED, ("--site", str(site), "--yes", "--json", str(path)), watchers=(lost,)) == OK
    said = capsys.readouterr()
    assert "the record could not be written to" in said.err
    assert "done" in said.out
    assert json.loads(path.read_text())["stages"][0]["sets"][0]["state"] == "done"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_record_of_a_run_that_is_killed_says_that_it_has_begun(site: Path, home: Path) -> None:  # noqa: F811
    begun: list[Any] = []

    def look(event: Event) -> None:
        if event.kind == "armed":
            begun.extend(records(home))

    assert main(NAMED, ("--site", str(site), "--yes"), watchers=(look,)) == OK
    assert [(one["exit_code"], one["ended_at"], one["purpose"]) for one in begun] == [(None, None, "Try the engine.")]
    assert [one["exit_code"] for one in records(home)] == [OK]


def test_refusal_leaves_no_record(site: Path, home: Path) -> None:  # noqa: F811
    assert main(NAMED, ("--site", str(site), "--limit", "wally")) == REFUSED
    assert records(home) == []


def test_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "page.html", tmp_path / "link.html"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, "new \ud800\n", 0o600)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode), link.is_symlink()) == ("new \\ud800\n", 0o640, True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.html", "page.html"]


def test_device_and_pipe_are_written_as_they_are() -> None:
    refuse_unless_writable("--json", Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        write_whole(Path("/dev/full"), "x")
    write_whole(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder"):
        refuse_unless_writable("--json", tmp_path / "none" / "x")


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


# The program itself, with a reader that leaves.


PROGRAM = """
import signal
import sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
sys.path[:0] = [{unit!r}, {root!r}]
from test_main import NAMED
from tasks.core.command_line import main
raise SystemExit(main(NAMED, sys.argv[1:]))
"""
ROOT = Path(__file__).parents[2]


def program(*words: str, stdout: Any = subprocess.PIPE, **more: Any) -> subprocess.Popen[str]:
    script = PROGRAM.format(unit=str(Path(__file__).parent), root=str(ROOT))
    return subprocess.Popen([sys.executable, "-c", script, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, **more)


@pytest.fixture
def full_disk() -> Iterator[Any]:
    with Path("/dev/full").open("w") as file:
        yield file


@pytest.mark.parametrize("flags", [(), ("--json", "-")], ids=["screen", "json"])
def test_reader_who_leaves_decides_nothing(site: Path, home: Path, alvin: FakeHost, flags: tuple[str, ...]) -> None:  # noqa: F811
    reader, writer = os.pipe()
    os.close(reader)
    process = program("--site", str(site), "--yes", *flags, stdout=writer)
    os.close(writer)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == OK
    assert "Exception ignored" not in err
    assert "Traceback" not in err
    assert err.count("Broken pipe") == 1
    assert alvin.files["/etc/network/interfaces"] != FRESH
    (record,) = records(home)
    assert (record["exit_code"], record["stages"][0]["sets"][0]["state"]) == (OK, "done")


def test_full_disk_decides_nothing(site: Path, home: Path, full_disk: Any) -> None:  # noqa: F811
    process = program("--site", str(site), "--yes", "--json", "/dev/full", stdout=full_disk)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == OK
    assert "No space left on device" in err
    assert "Exception ignored" not in err
    assert "Traceback" not in err
    (record,) = records(home)
    assert record["stages"][0]["sets"][0]["state"] == "done"
    assert "the screen is switched off" in record["switched_off"][0]


def test_closed_standard_output_and_error_decide_nothing(site: Path, home: Path) -> None:  # noqa: F811
    script = PROGRAM.format(unit=str(Path(__file__).parent), root=str(ROOT))
    words = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", script, "--site", str(site), "--yes"]
    assert subprocess.run(words, check=False).returncode == OK
    assert [record["exit_code"] for record in records(home)] == [OK]


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that takes nothing more until somebody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    yield reader, writer
    os.close(reader)


def test_progress_for_a_reader_who_does_not_read_keeps_nobody(world: World, full_pipe: tuple[int, int], monkeypatch) -> None:
    """As behind a pager: what is open has its timers meanwhile."""
    reader, writer = full_pipe
    with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a handle)
        monkeypatch.setattr(sys, "stdout", stream)
        screen = Screen()
        result = world.execute(ALVIN, run=world.run(ALVIN, watchers=(screen.watch,)))
        assert result.exit_code == OK
        heard = b""
        while b"done" not in heard:
            heard = os.read(reader, 65536)
        screen.close()
    assert screen.lost == ""


def test_reader_who_does_not_read_is_left_by_signals(site: Path, home: Path, alvin: FakeHost, full_pipe: tuple[int, int]) -> None:  # noqa: F811
    """The plan cannot be shown, so nothing is applied."""
    process = program("--site", str(site), "--yes", stdout=full_pipe[1])
    os.close(full_pipe[1])
    deadline, again_at = time.monotonic() + 60, 0.0
    while process.poll() is None and time.monotonic() < deadline:
        if alvin.journal and time.monotonic() > again_at:  # one leaves the plan, another the results
            process.send_signal(signal.SIGTERM)
            again_at = time.monotonic() + 3
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert process.returncode == INTERRUPTED
    assert {verb for _, verb in alvin.journal} == {"read"}
    assert [record["exit_code"] for record in records(home)] == [INTERRUPTED]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_signal_at_the_program_rolls_back_and_ends_with_130(site: Path, home: Path, alvin: FakeHost, number: int) -> None:  # noqa: F811
    def send(_: FakeHost) -> None:
        for _ in range(2):
            process.send_signal(number)
        time.sleep(0.5)

    alvin.happens["after begin"] = send
    process = program("--site", str(site), "--yes")
    err = process.communicate(timeout=60)[1]
    assert (process.returncode, "Traceback" in err) == (INTERRUPTED, False)
    assert (alvin.files["/etc/network/interfaces"], alvin.pending, alvin.lease) == (FRESH, None, None)
    (record,) = records(home)
    assert (record["exit_code"], record["stages"][0]["sets"][0]["state"]) == (INTERRUPTED, "interrupted")
