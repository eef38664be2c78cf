"""The host agent restores the host after a failure, a kill or a power cut; and what the console shows."""

import json
import os
import subprocess
import sys
import zlib

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal

from tasks.core.agent import record
from tasks.core.agent.state import PATHS
from tasks.core.connectors.agent_session import LOADER
from tasks.core.model.operation import Action, FileWrite, TimedTransaction, Unit

FAILING = {
    "action": lambda _: {"actions": (Action(("/bin/sh", "-c", "echo no such device >&2; exit 1"), ("true",)),)},
    "unit": lambda _: {"units": (Unit("broken.service"),)},
    "file": lambda root: {"files": (FileWrite(f"{root}/etc/machine-id/below-a-file", None, "x\n"),)},
}


@pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
def test_transaction_that_fails_is_reverted_at_once(machine: Machine, failing) -> None:
    machine.write("etc/machine-id", "1\n")
    machine.write("etc/hosts", "old\n")
    parts = failing(machine.root)
    kept = machine.begin(TimedTransaction("x", **{**parts, "files": (*hosts(machine).files, *parts.get("files", ()))}))
    assert kept["state"] == "reverted"
    assert kept["reason"]
    assert machine.read("etc/hosts") == "old\n"


def test_transaction_whose_timer_cannot_be_armed_is_not_applied(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    machine.write("no-timers", "")
    kept = machine.begin(hosts(machine))
    assert (kept["state"], machine.read("etc/hosts")) == ("reverted", "old\n")
    assert "the revert timer could not be armed" in kept["reason"]
    assert not any("--unit=burrow-apply" in line for line in machine.log)


KILLED = {
    "in-an-action": {"actions": (Action(("/bin/sh", "-c", "kill -9 $PPID"), ("true",)),)},
    "in-a-unit": {"units": (Unit("chrony.service"), Unit("killer.service"))},
}


@pytest.mark.parametrize("killed", KILLED.values(), ids=KILLED)
def test_agent_that_is_killed_while_it_applies_is_restored_at_boot(machine: Machine, killed: dict) -> None:
    machine.write("detached", "")
    machine.write("etc/hosts", "old\n")
    transaction = TimedTransaction("x", hosts(machine).files, **killed)
    assert machine.begin(transaction)["state"] == "applying"
    assert machine.read("etc/hosts") == "new\n"
    machine.boot("second")
    machine.main(["boot"])
    kept = machine.ask("outcome", token=transaction.token)
    assert (kept["state"], kept["reason"]) == ("reverted", "at boot, because the power went before it was confirmed")
    assert machine.read("etc/hosts") == "old\n"
    assert not (machine.root / "units/chrony.service.enabled").exists()


def test_transaction_that_is_not_applied_cannot_be_confirmed(machine: Machine) -> None:
    transaction = TimedTransaction("x")
    machine.ask("begin", **transaction.request(60))
    assert machine.ask("outcome", token=transaction.token)["state"] == "armed"
    assert "not applied" in refusal(machine, "confirm", token=transaction.token)


def test_boot_leaves_a_confirmed_transaction_alone(machine: Machine, applied: TimedTransaction) -> None:
    machine.ask("confirm", token=applied.token)
    machine.main(["boot"])
    assert machine.read("etc/hosts") == "new\n"


def test_boot_touches_no_live_state(machine: Machine) -> None:
    """The network is not up yet, so boot restores only files and the enabled state of units."""
    machine.write("etc/hosts", "old\n")
    log = machine.root / "undone"
    undo = ("/bin/sh", "-c", f"echo undone >> {log}")
    transaction = TimedTransaction("x", hosts(machine).files, (Action(("true",), undo),), (Unit("chrony.service"),))
    machine.begin(transaction)
    logged = len(machine.log)
    machine.main(["boot"])
    assert not log.exists()
    assert machine.log[logged:] == [
        "systemctl -q --root=/ disable chrony.service",
        f"systemctl -q stop burrow-revert-{transaction.token}.timer",
    ]


def test_draft_that_a_crash_left_is_deleted(machine: Machine) -> None:
    machine.write("var/lib/burrow/draft/0", "half a backup")
    machine.write("etc/hosts", "old\n")
    transaction = hosts(machine)
    machine.begin(transaction)
    machine.ask("revert", token=transaction.token)
    assert machine.read("etc/hosts") == "old\n"


def test_undo_that_fails_is_in_the_reason(machine: Machine) -> None:
    transaction = TimedTransaction("x", actions=(Action(("true",), ("/bin/sh", "-c", "echo still busy >&2; exit 3")),))
    machine.begin(transaction)
    kept = machine.ask("revert", token=transaction.token, reason="rolled back")
    assert kept["reason"].startswith("rolled back; `/bin/sh -c")
    assert kept["reason"].endswith("ended with 3: still busy")


def test_backups_and_records_are_bounded(machine: Machine) -> None:
    for number in range(record.KEPT_BACKUPS + 2):
        transaction = TimedTransaction(f"number {number}")
        machine.begin(transaction)
        machine.ask("confirm", token=transaction.token)
    assert len(list(PATHS.backups.iterdir())) == record.KEPT_BACKUPS
    PATHS.record.write_text(PATHS.record.read_text() * record.KEPT_RECORDS)
    last = TimedTransaction("the last")
    machine.begin(last)
    machine.ask("confirm", token=last.token)
    records = [json.loads(line)["why"] for line in PATHS.record.read_text().splitlines()]
    assert (len(records), records[-1]) == (record.KEPT_RECORDS, "the last")
    assert len(machine.ask("read")["records"]) == 5


@pytest.mark.usefixtures("applied")
def test_console_shows_and_reverts(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.main(["status"])
    assert "pending: name the hosts by kim@desk since" in capsys.readouterr().out
    machine.main(["revert"])
    machine.main(["status"])
    output = capsys.readouterr().out
    assert "pending: nothing" in output
    assert "reverted   name the hosts  by hand on the host" in output
    assert machine.read("etc/hosts") == "old\n"


def test_agent_is_removed_only_if_no_transaction_is_open(machine: Machine, applied: TimedTransaction) -> None:
    with pytest.raises(SystemExit, match="`burrow revert` first"):
        machine.main(["remove"])
    machine.ask("confirm", token=applied.token)
    machine.main(["remove"])
    left = [path for path in machine.root.rglob("*burrow*") if machine.root in path.parents]
    assert left == []
    assert machine.read("etc/hosts") == "new\n"


def test_agent_runs_from_standard_input_and_answers_on_its_last_line(machine: Machine) -> None:
    def ask(op: str) -> dict:
        source, request = (
            zlib.compress(machine.program.encode()),
            json.dumps({"op": op, "facts": {"x": "echo 1"}, "deadline_s": 9, **vars(KIM), "packages": []}),
        )
        command = LOADER.replace("python3", f"{sys.executable} -I -S", 1)
        done = subprocess.run(
            ["/bin/sh", "-c", command], input=b"%d\n%b%b" % (len(source), source, request.encode()), capture_output=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    machine.ask("prepare", SAM)
    assert ask("read")["answer"]["facts"]["x"]["out"] == "1\n"
    assert ask("prepare")["refused"].startswith("sam@desk has been changing this host since ")


def test_file_whose_file_system_is_not_mounted_at_boot_is_left(
    machine: Machine, applied: TimedTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.boot("second")
    monkeypatch.setattr(os.path, "ismount", lambda _: False)
    machine.main(["boot"])
    kept = machine.ask("outcome", token=applied.token)
    assert f"{machine.root}/etc/hosts was not restored:" in kept["reason"]
    assert machine.read("etc/hosts") == "new\n"
