"""Commands of procedures: the host agent starts them outside the session, keeps how they ended, and never starts one twice."""

from typing import Any

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal

from tasks.core.agent import process

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
    assert (
        "--unit=burrow-command-t-0.service --description=Burrow: pveceph pool create vm --property=RuntimeMaxSec=20 --setenv=LC_ALL=C"
        in line
    )
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


def shell(script: str, **limits: Any) -> tuple[int, str, str]:
    return process.run(["/bin/sh", "-c", script], **limits)


def test_outputs_and_exit_code_are_returned_whatever_their_bytes() -> None:
    assert shell("printf 'a\\377'; echo b >&2; exit 3") == (3, "a\udcff", "b\n")
    assert shell("head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2") == (0, "x" * 300000, "y" * 300000)


def test_command_that_takes_too_long_is_killed_with_its_children() -> None:
    code, out, err = shell("echo begun; sleep 60 & sleep 60", deadline_s=0.3)
    assert (code, out, err) == (124, "begun\n", "killed after 0.3 s")


def test_command_that_prints_too_much_is_killed() -> None:
    code, out, err = shell("yes", limit_bytes=1000)
    assert (code, len(out), err) == (124, 1000, "killed: it printed more than 1000 bytes")


def test_command_whose_child_left_its_group_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "KILLED_S", 0.2)
    code, _, err = shell("setsid sleep 3 & echo begun", deadline_s=0.2)
    assert (code, err) == (124, "killed after 0.2 s")


def test_all_facts_of_a_reading_share_one_limit_of_bytes(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LIMIT_BYTES", 1000)
    facts = machine.ask("read", facts={"first": "head -c 900 /dev/zero", "second": "head -c 900 /dev/zero", "third": "true"})["facts"]
    assert [(one["rc"], one["err"]) for one in facts.values()] == [(0, ""), (124, "killed: it printed more than 100 bytes"), (0, "")]


def test_all_facts_of_a_reading_share_one_deadline(machine: Machine) -> None:
    facts = machine.ask("read", facts={"first": "echo begun", "second": "sleep 60", "third": "sleep 60"}, deadline_s=0.5)["facts"]
    assert [one["rc"] for one in facts.values()] == [0, 124, 124]
    assert facts["third"]["err"] == "killed after 0 s"
