"""The record of a run, and the files that a run writes."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from engine import World, uplink
from fake_host import FakeHost
from test_main import NAMED, records

from tasks.core.cli.command_line import main
from tasks.core.engine.events import Event
from tasks.core.engine.output_file import refuse_unless_writable, write_whole
from tasks.core.engine.record import earlier, folder
from tasks.core.engine.runbook import OK, REFUSED
from tasks.core.model.errors import Refused

pytestmark = pytest.mark.usefixtures("home")
ALVIN = uplink("alvin")

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
    "maintenance-that-is-still-deferred": (
        [{**ENDED, "reason": "maintenance has ended; `forget` ended with 1; the host retries until it succeeds"}],
        [{"why": "maintenance simon", "holder": "sam@desk", "trouble": "`forget` ended with 1"}],
        ["the host retries"],
    ),
    "maintenance-that-was-deferred": (
        [{**ENDED, "reason": "maintenance has ended; `forget` ended with 1; the host retries until it succeeds"}],
        [],
        [],
    ),
    "maintenance-whose-timer-ended": ([{**ENDED, "reason": "by its timer, because it was not confirmed"}], [], ["by its timer"]),
    "given-up-by-hand": ([{**LAST, "outcome": "given up", "reason": "by hand on the host"}], [], ["was given up at 21:14: by hand"]),
    "rolled-back": ([{**LAST, "reason": "rolled back"}], [], ["rolled back"]),
}


@pytest.mark.parametrize(("kept", "deferred", "words"), EARLIER.values(), ids=EARLIER)
def test_only_earlier_failures_are_reported(world: World, kept: list[Any], deferred: list[Any], words: list[str]) -> None:
    world["alvin"].records = kept
    world["alvin"].deferred = deferred
    printed = earlier(world.execute(ALVIN, dry_run=True))
    assert len(printed) == len(words)
    assert all(word in line for word, line in zip(words, printed, strict=True))


def test_record_is_private_even_where_older_ones_were_not(site: Path, home: Path) -> None:
    kept = home / "state" / "burrow" / "attic"
    kept.mkdir(parents=True, mode=0o755)
    older = kept / "20260101T000000-older.json"
    older.write_text("{}")
    older.chmod(0o644)
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)}
    assert modes == {"attic": 0o700, "burrow": 0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    assert [path.suffix for path in sorted(kept.iterdir())] == [".json", ".json", ".jsonl"]


def test_journal_that_cannot_be_kept_refuses_before_any_host_is_asked(site: Path, home: Path, alvin: FakeHost, capsys) -> None:
    (home / "state").write_text("a file")
    assert main(NAMED, ("--site", str(site), "--yes")) == REFUSED
    assert "the journal of this run cannot be kept" in capsys.readouterr().err
    assert alvin.journal == []


def test_json_file_that_cannot_be_written_refuses_before_any_host_is_asked(site: Path, home: Path, alvin: FakeHost, capsys) -> None:
    for path in (home / "none" / "x.json", home):
        assert main(NAMED, ("--site", str(site), "--yes", "--json", str(path))) == REFUSED
        assert f"--json: {path} cannot be written" in capsys.readouterr().err
    assert alvin.journal == []
    assert not list((home / "state").rglob("*.json"))


def test_unwritable_record_at_the_end_is_reported_with_the_results(site: Path, home: Path, capsys) -> None:
    kept = folder(str(site))

    def lost(event: Event) -> None:
        if event.kind == "confirmed":
            for path in kept.iterdir():
                path.unlink()
            kept.rmdir()
            kept.write_text("a file")

    path = home / "result.json"
    assert main(NAMED, ("--site", str(site), "--yes", "--json", str(path)), watchers=(lost,)) == OK
    printed = capsys.readouterr()
    assert "the record could not be written to" in printed.err
    assert "done" in printed.out
    assert json.loads(path.read_text())["stages"][0]["sets"][0]["state"] == "done"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_refusal_leaves_no_record(site: Path, home: Path) -> None:
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


def test_unwritable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder"):
        refuse_unless_writable("--json", tmp_path / "none" / "x")
