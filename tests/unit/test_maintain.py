"""A host is taken out of service, rebooted, and put back: by a run, and by the command line of a maintenance script."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from engine import FOLDER, HEALTH, World, events_of
from fake_host import FakeHost
from fake_sshd import ssh_config
from test_maintenance import INSIDE

from tasks.core.cli import maintain as maintenance
from tasks.core.cli.maintain import main, maintain, reboot
from tasks.core.cli.report import Screen
from tasks.core.engine.run import Run
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options
from tasks.core.model.errors import TransactionError


def test_host_is_rebooted_while_a_peer_holds_its_place(world: World) -> None:
    run = world.run()
    maintain(run, INSIDE, "alvin", "reboot")
    assert world.asked("begin", "reboot", "revert") == [("simon", "begin"), ("alvin", "reboot"), ("simon", "revert")]
    assert [(event.kind, event.host, event.change_set) for event in run.events] == [
        *((kind, "simon", "maintenance alvin") for kind in ("armed", "ready")),
        *((kind, "alvin", "maintenance alvin") for kind in ("rebooting", "reachable")),
        ("put back", "simon", "maintenance alvin"),
    ]


def test_host_is_waited_for_until_it_answers_from_a_new_boot(world: World) -> None:
    """The old boot may still answer for a while."""
    run, looks = world.run(), list[int]()

    def look(host: FakeHost) -> None:
        looks.append(host.opened)
        host.boots = 2 if len(looks) == 4 else 1
        host.happens["before read"] = look

    world["alvin"].happens["before read"] = look
    began = world.clock()
    reboot(run, "alvin", "try")
    assert (len(looks), world.clock() - began) == (4, 2)
    assert looks == [1, 2, 3, 4], "each look is over a new connection"
    assert events_of(run, "rebooting", "reachable") == [("rebooting", "alvin"), ("reachable", "alvin")]


def test_host_that_does_not_boot_is_given_up(world: World) -> None:
    run, began = world.run(), world.clock()
    world["alvin"].happens["after reboot"] = lambda host: setattr(host, "boots", 1)
    with pytest.raises(TransactionError, match="alvin: unreachable 300 s after its reboot; look at its console"):
        reboot(run, "alvin", "try")
    assert 300 < world.clock() - began <= 302
    assert events_of(run, "reachable") == []


def test_host_that_is_silent_after_its_boot_is_given_up(world: World) -> None:
    run = world.run()
    world["alvin"].happens["after reboot"] = lambda host: setattr(host, "reachable", False)
    with pytest.raises(TransactionError, match="unreachable"):
        reboot(run, "alvin", "try")


def test_nothing_waits_before_the_reboot(world: World) -> None:
    run, began = world.run(), world.clock()
    assert maintenance._maintained(INSIDE, run, Options(limit=("alvin",), yes=True), "reboot", Screen())[0] == OK
    assert world.clock() == began


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeHost]:
    """The nodes, and a home folder without keys, SSH agent, records or lab."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    journal: list[tuple[str, str]] = []
    return {name: FakeHost(name, lambda: 1000.0, journal) for name in ("alvin", "simon")}  # type: ignore[arg-type]


@pytest.fixture
def script(tmp_path: Path, hosts: dict[str, FakeHost], monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A function that runs the script's command line and returns its exit code and its record."""
    site = shutil.copytree(FOLDER, tmp_path / "attic")
    with ssh_config(tmp_path, hosts) as path:
        (site / "site.yaml").write_text(f"ssh_config: {path}\n")

        def run(*words: str, inside: maintenance.Maintenance = INSIDE) -> tuple[int, dict[str, object]]:
            monkeypatch.setattr("sys.argv", ["maintain", *words, "--site", str(site)])
            code = main(inside)
            kept = [json.loads(path.read_text()) for path in sorted((tmp_path / "state").rglob("*.json"))]
            return code, kept[-1] if kept else {}

        yield run


def asked(hosts: dict[str, FakeHost]) -> list[tuple[str, str]]:
    return [one for one in hosts["alvin"].journal if one[1] in ("begin", "reboot", "revert")]


def test_script_applies_with_yes(script, hosts, capsys) -> None:
    code, record = script("alvin", "--yes")
    assert (code, record["exit_code"], record["trouble"]) == (OK, OK, "")
    assert asked(hosts) == [("simon", "begin"), ("alvin", "reboot"), ("simon", "revert")]
    assert "alvin: reboot done; all checks pass" in capsys.readouterr().out
    assert [host.lease for host in hosts.values()] == [None, None]


@pytest.mark.parametrize("words", [("--dry-run",), ("--dry-run", "--yes"), ()], ids=["dry", "dry-and-yes", "nobody-to-ask"])
def test_script_only_prints_its_plan(script, hosts, words: tuple[str, ...], capsys) -> None:
    code, record = script("alvin", *words)
    assert (code, record["exit_code"], record["trouble"]) == (PENDING, PENDING, "")
    assert asked(hosts) == []
    assert "alvin: reboot inside maintenance: the cluster waits for alvin" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--dry-run",), ("--yes",)], ids=["dry", "yes"])
def test_script_is_refused_while_a_check_fails(script, hosts, words: tuple[str, ...], capsys) -> None:
    hosts["simon"].answers[HEALTH.command] = lambda _: "sick"
    code, record = script("alvin", *words)
    assert (code, record["exit_code"]) == (REFUSED, REFUSED)
    assert "alvin: refused, because checks fail" in str(record["trouble"])
    assert asked(hosts) == []
    assert "simon: wanted well, found sick" in capsys.readouterr().err


def test_script_reports_the_failure(script, hosts, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TransactionError("alvin: it fell over")

    monkeypatch.setitem(maintenance.ACTIONS, "reboot", broken)
    code, record = script("alvin", "--yes")
    assert (code, record["exit_code"], record["trouble"]) == (FAILED, FAILED, "alvin: it fell over")
    assert asked(hosts) == [("simon", "begin"), ("simon", "revert")]
    assert "alvin: it fell over" in capsys.readouterr().err


def test_interrupted_script_puts_the_host_back(script, hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(run: Run, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        run.stop.wait(10)
        run.pause(0)

    monkeypatch.setitem(maintenance.ACTIONS, "reboot", pressed)
    code, record = script("alvin", "--yes")
    assert (code, record["exit_code"]) == (INTERRUPTED, INTERRUPTED)
    (printed,) = (event["text"] for event in record["events"] if event["kind"] == "stage")
    assert printed.endswith(": putting back what is out of service")
    assert record["trouble"] == "interrupted: alvin is put back into service, by its own timer at the latest"
    assert asked(hosts) == [("simon", "begin"), ("simon", "revert")]


@pytest.mark.parametrize(
    ("words", "message"),
    [(("wally",), "--limit: no host wally"), ((), "Missing argument"), (("alvin", "--action", "dance"), "is not")],
    ids=["host", "no-host", "action"],
)
def test_script_refuses_wrong_arguments(script, hosts, words: tuple[str, ...], message: str, capsys) -> None:
    assert script(*words)[0] == REFUSED
    assert message in capsys.readouterr().err
    assert hosts["alvin"].journal == []


def test_script_prints_its_purpose(script, capsys) -> None:
    assert script("-h")[0] == OK
    assert INSIDE.purpose in capsys.readouterr().out


@pytest.mark.parametrize(("error", "code"), [(click.Abort(), INTERRUPTED), (click.UsageError("no"), REFUSED)])
def test_script_has_the_exit_codes_of_every_runbook(script, error: Exception, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(click.Command, "main", ended)
    assert script("alvin")[0] == code
