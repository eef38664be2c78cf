"""Commands of procedures: the host agent starts them outside the session, keeps how they ended, and never starts one twice."""

from typing import Any

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal

HOME = "var/lib/burrow/commands"
POOL = {"token": "t", "why": "pool vm", "id": "pool/vm", "command": "pveceph pool create vm"}


@pytest.fixture
def machine(machine: Machine) -> Machine:
    machine.write("runs", "")
    machine.ask("prepare")
    return machine


def start(machine: Machine, *argv: str, handle: str = "t-0", **words: Any) -> Any:
    return machine.ask("start", **POOL, handle=handle, argv=list(argv), **words)


def test_command_runs_as_a_unit_and_how_it_ended_is_kept(machine: Machine) -> None:
    assert start(machine, "sh", "-c", "echo made; echo mind the gap >&2; exit 3") == {
        "state": "ended",
        "rc": 3,
        "out": "made\n",
        "err": "mind the gap\n",
    }
    line = next(line for line in machine.log if "burrow-command-" in line)
    assert "--unit=burrow-command-t-0.service --property=RuntimeMaxSec=20 --setenv=LC_ALL=C" in line
    assert machine.ask("poll", handle="t-0", wait_s=0)["rc"] == 3


def test_command_under_a_known_handle_is_not_started_again(machine: Machine) -> None:
    for _ in range(2):
        assert start(machine, "sh", "-c", f"echo once >> {machine.root}/marks")["state"] == "ended"
    assert machine.read("marks") == "once\n"
    assert start(machine, "sh", "-c", f"echo twice >> {machine.root}/marks", handle="t-1")["state"] == "ended"
    assert machine.read("marks") == "once\ntwice\n"


def test_unknown_handle_is_absent(machine: Machine) -> None:
    assert machine.ask("poll", handle="t-7", wait_s=0) == {"state": "absent"}


def test_command_is_running_while_its_unit_is_active_and_lost_after_it(machine: Machine) -> None:
    """It leaves no exit code where it was killed, or its host restarted."""
    (machine.root / "runs").unlink()
    unit = machine.write("units/burrow-command-t-0.service.active", "")
    assert start(machine, "true")["state"] == "running"
    unit.unlink()
    assert machine.ask("poll", handle="t-0", wait_s=5)["state"] == "lost"


def test_running_command_keeps_other_runs_away_also_once_its_lease_has_expired(machine: Machine) -> None:
    (machine.root / "runs").unlink()
    unit = machine.write("units/burrow-command-t-0.service.active", "")
    start(machine, "true")
    machine.ask("release")
    for op, words in {"prepare": {}, "start": {**POOL, "handle": "s-0", "argv": ["true"]}}.items():
        assert refusal(machine, op, SAM, **words).startswith("`pveceph pool create vm` of kim@desk has been running since ")
    unit.unlink()
    machine.ask("prepare", SAM)


def test_status_shows_commands_that_no_run_has_finished(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    start(machine, "true")
    (shown,) = machine.ask("read")["commands"]
    assert {key: shown[key] for key in ("id", "holder", "command", "handle", "state", "rc")} == {
        "id": "pool/vm",
        "holder": "kim@desk",
        "command": "pveceph pool create vm",
        "handle": "t-0",
        "state": "ended",
        "rc": 0,
    }
    machine.main(["status"])
    assert f"command: `pveceph pool create vm` of kim@desk since {shown['at']}, ended" in capsys.readouterr().out


@pytest.mark.parametrize("outcome", ["confirmed", "reverted"])
def test_finished_procedure_is_recorded_and_forgotten(machine: Machine, outcome: str) -> None:
    start(machine, "true")
    for _ in range(2):
        machine.ask("finish", token="t", why="pool vm", outcome=outcome, reason="because")
    answer = machine.ask("read")
    assert answer["commands"] == []
    assert [(one["why"], one["outcome"], one["reason"]) for one in answer["records"]] == [("pool vm", outcome, "because")]


def test_next_runs_command_replaces_those_that_nobody_finished(machine: Machine) -> None:
    start(machine, "true")
    machine.ask("release")
    machine.ask("prepare", SAM)
    machine.ask("start", SAM, **POOL | {"token": "s"}, handle="s-0", argv=["true"])
    assert [one["handle"] for one in machine.ask("read", SAM)["commands"]] == ["s-0"]


def test_command_that_systemd_does_not_start_never_began(machine: Machine) -> None:
    machine.write("no-units", "")
    assert "systemd did not start `pveceph pool create vm`: " in refusal(machine, "start", **POOL, handle="t-0", argv=["true"])
    assert machine.ask("poll", handle="t-0", wait_s=0) == {"state": "absent"}


def test_command_of_another_run_is_refused(machine: Machine) -> None:
    machine.ask("release")
    machine.ask("prepare", SAM)
    found = refusal(machine, "start", KIM, **POOL, handle="t-0", argv=["true"])
    assert found.startswith("sam@desk has been changing this host since ")


def test_no_command_runs_while_a_transaction_is_open(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    machine.begin(hosts(machine))
    assert "a transaction is open: name the hosts" in refusal(machine, "start", **POOL, handle="t-0", argv=["true"])
