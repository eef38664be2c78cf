"""The journal of a run: private, synced before each step, readable after a kill, and closed by the run that goes on."""

import fcntl
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost
from test_main import NAMED

from tasks.core.cli.command_line import main
from tasks.core.engine import journal as module
from tasks.core.engine.events import Event
from tasks.core.engine.journal import KEPT_RUNS, Journal, continued, entries, forget_old, unfinished
from tasks.core.engine.record import folder
from tasks.core.engine.runbook import FAILED, OK, REFUSED

HEAD = {"run": "r1", "holder": "kim@desk", "purpose": "Build the site."}
STORAGE = {"host": "alvin", "change_set": "ceph osds alvin"}


def killed(path: Path, *events: dict[str, Any], schema: int | None = None) -> Path:
    """The journal of a run that was killed after these events."""
    one = Journal(path, HEAD if schema is None else {**HEAD, "schema": schema})
    for event in events:
        one.event(Event(**event))
    os.close(one._file)
    return path


def event(kind: str, operation: str = "", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **STORAGE, "operation": operation, "handle": f"t-{operation[-1:]}" if operation else "", **fields}


BEGUN = (event("performing", "osd/a"), event("performed", "osd/a"), event("performing", "osd/b"))


def test_a_step_is_on_disk_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    one = Journal(tmp_path / "a.jsonl", HEAD)
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(json.loads(one.path.read_text().splitlines()[-1])["kind"]))
    for kind in (
        "read",
        "preparing",
        "prepared",
        "applying",
        "applied",
        "performing",
        "running",
        "performed",
        "confirming",
        "undoing",
        "done",
    ):
        one.event(Event(kind, "alvin"))
    assert synced == ["preparing", "applying", "performing", "running", "confirming", "undoing"]


def test_journal_is_private_and_locked_while_its_run_is_alive(tmp_path: Path) -> None:
    one = Journal(tmp_path / "a.jsonl", HEAD)
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600
    with one.path.open() as other, pytest.raises(OSError, match="temporarily"):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    one.event(Event(**BEGUN[0]))
    assert unfinished(tmp_path) == ()


def test_killed_run_tells_what_was_done_and_what_was_under_way(tmp_path: Path) -> None:
    killed(tmp_path / "a.jsonl", *BEGUN)
    (one,) = unfinished(tmp_path)
    assert (one.done, one.under_way, one.handle, one.run) == (["osd/a"], "osd/b", "t-b", "r1")
    assert str(one) == (
        f"alvin: the run of kim@desk that began at {one.began} was killed in 'ceph osds alvin': done: osd/a; under way: osd/b"
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "done: osd/a; under way: osd/b"),
        ((event("performed", "osd/b"),), "done: osd/a, osd/b"),
        ((event("performed", "osd/b", text="it is full"),), "done: osd/a"),
        (
            (event("performed", "osd/b", text="it is full"), event("undoing", "osd/a")),
            "done: osd/a; under way: the undo of osd/a",
        ),
        ((event("undoing", "osd/a"), event("undone", "osd/a")), "done: osd/a, the undo of osd/a"),
    ],
)
def test_each_moment_of_a_kill_is_told(tmp_path: Path, more: tuple[Any, ...], words: str) -> None:
    killed(tmp_path / "a.jsonl", *BEGUN, *more)
    (one,) = unfinished(tmp_path)
    assert str(one).endswith(words)


@pytest.mark.parametrize("kind", ["confirmed", "reverted"])
def test_procedure_that_ended_is_not_unfinished(tmp_path: Path, kind: str) -> None:
    killed(tmp_path / "a.jsonl", *BEGUN, event(kind))
    assert unfinished(tmp_path) == ()


def test_run_that_ended_is_not_unfinished(tmp_path: Path) -> None:
    one = Journal(tmp_path / "a.jsonl", HEAD)
    one.event(Event(**BEGUN[0]))
    one.end(1)
    assert unfinished(tmp_path) == ()
    assert [entry["kind"] for entry in entries(one.path)] == ["run", "performing", "ended"]


def test_truncated_last_line_is_harmless(tmp_path: Path) -> None:
    path = killed(tmp_path / "a.jsonl", *BEGUN)
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        path.write_bytes(whole[:-cut])
        (one,) = unfinished(tmp_path)
        assert one.done == ["osd/a"]
        continued(one, "r2")
        assert unfinished(tmp_path) == ()


def test_journal_of_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    killed(tmp_path / "a.jsonl", *BEGUN, schema=2)
    assert unfinished(tmp_path) == ()


def test_only_the_set_that_was_continued_is_closed(tmp_path: Path) -> None:
    other = {**BEGUN[2], "change_set": "ceph osds simon", "host": "simon"}
    killed(tmp_path / "a.jsonl", *BEGUN, other)
    first, second = unfinished(tmp_path)
    continued(first, "r2")
    assert unfinished(tmp_path) == (second,)


def test_only_the_last_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT_RUNS == 200
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    for name in ("20260101T000000-a.json", "20260102T000000-b.jsonl", "20260102T000000-b.json", "20260103T000000-c.jsonl"):
        (tmp_path / name).touch()
    forget_old(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "20260102T000000-b.json",
        "20260102T000000-b.jsonl",
        "20260103T000000-c.jsonl",
    ]


def journals(site: Path) -> list[Path]:
    return sorted(folder(str(site)).glob("*.jsonl"))


@pytest.mark.usefixtures("home")
def test_run_leaves_its_plan_its_steps_and_its_end(site: Path) -> None:
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    (path,) = journals(site)
    told = list(entries(path))
    kinds = [one["kind"] for one in told]
    assert kinds[0] == "run"
    assert kinds[-1] == "ended"
    assert told[-1]["exit_code"] == OK
    wanted = ["plan", "preparing", "prepared", "applying", "armed", "applied", "reachable", "checked", "confirming", "confirmed", "done"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    (plan,) = (one for one in told if one["kind"] == "plan")
    assert plan["hosts"][0]["target"] == "alvin"
    assert "alias" in plan["hosts"][0]["diff"]


@pytest.mark.usefixtures("home")
def test_unwritable_journal_lets_nothing_start(site: Path, alvin: FakeHost, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def full(self: Journal, event: Event) -> None:
        del self, event
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "event", full)
    assert main(NAMED, ("--site", str(site), "--yes")) == REFUSED
    assert "the journal of this run cannot be written: No space left on device, so nothing more is started" in capsys.readouterr().out
    assert "begin" not in [verb for _, verb in alvin.journal]


@pytest.mark.usefixtures("home")
def test_journal_that_is_lost_in_the_middle_undoes_what_is_open(site: Path, alvin: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is confirmed or undone goes on without it."""
    real, full = Journal.event, []

    def lost(self: Journal, event: Event) -> None:
        full.extend([event] if event.kind == "applied" else [])
        if full:
            raise OSError(28, "No space left on device")
        real(self, event)

    monkeypatch.setattr(Journal, "event", lost)
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    assert [verb for _, verb in alvin.journal if verb in ("confirm", "revert")] == ["confirm"]


@pytest.mark.usefixtures("home")
def test_next_run_tells_it_first_and_closes_it_once_all_is_as_wanted(site: Path, capsys) -> None:
    kept = folder(str(site))
    kept.mkdir(parents=True)
    killed(kept / "20260101T000000-r1.jsonl", event("performing", "osd/a", change_set="name alvin"))
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    printed = capsys.readouterr().out
    assert printed.count("was killed in 'name alvin': nothing was done; under way: osd/a") == 2
    assert printed.index("was killed") < printed.index("name alvin: alvin")
    assert main(NAMED, ("--site", str(site), "--yes")) == OK
    assert "was killed" not in capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_it_stays_open_while_the_set_is_not_as_wanted(site: Path, alvin: FakeHost) -> None:
    kept = folder(str(site))
    kept.mkdir(parents=True)
    killed(kept / "20260101T000000-r1.jsonl", event("performing", "osd/a", change_set="name alvin"))
    alvin.reload_fails = True
    assert main(NAMED, ("--site", str(site), "--yes")) == FAILED
    assert len(unfinished(kept)) == 1
