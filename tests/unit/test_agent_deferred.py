"""Deferred undo: the host agent retries the undo in a cluster until it succeeds, and the host can be changed meanwhile."""

import pytest
from agent_machine import SAM, Machine, hosts

from tasks.core.agent import install
from tasks.core.agent.state import DEFERRED_UNIT
from tasks.core.model.operation import Action, TimedTransaction

START = "systemctl -q --no-block start burrow-owed.service"


@pytest.fixture
def flag(machine: Machine) -> TimedTransaction:
    """A transaction that sets a flag in a cluster, which answers as long as the file `cluster` exists."""
    root = machine.root
    machine.write("cluster", "")
    words = [f"test -e {root}/cluster && {verb} {root}/flag || {{ echo no answer >&2; exit 1; }}" for verb in ("touch", "rm -f")]
    on, off = (("/bin/sh", "-c", word, name) for word, name in zip(words, ("flag on", "flag off"), strict=True))
    return TimedTransaction("maintenance theodore", actions=(Action(on, off, cluster_scoped=True),))


def silent(machine: Machine) -> None:
    (machine.root / "cluster").unlink()


def is_set(machine: Machine) -> bool:
    return (machine.root / "flag").exists()


def test_flag_goes_with_its_transaction(machine: Machine, flag: TimedTransaction) -> None:
    machine.begin(flag)
    assert is_set(machine)
    kept = machine.ask("revert", token=flag.token, reason="maintenance has ended")
    assert (kept["state"], kept["reason"], kept["troubles"], kept["deferred"]) == ("reverted", "maintenance has ended", [], [])
    assert not is_set(machine)
    assert machine.ask("read")["deferred"] == []
    assert START not in machine.log


def test_undo_that_fails_is_deferred_until_it_succeeds(machine: Machine, flag: TimedTransaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.main(["revert", flag.token, "timer"])
    kept = machine.ask("outcome", token=flag.token)
    assert kept["deferred"] == ["`flag off` ended with 1: no answer"]
    assert kept["reason"].endswith("no answer; the host retries until it succeeds")
    assert machine.log[-1] == START
    with pytest.raises(SystemExit, match="no answer"):
        machine.main(["deferred"])
    machine.write("cluster", "")
    machine.main(["deferred"])
    assert not is_set(machine)
    assert machine.ask("outcome", token=flag.token)["deferred"] == []


def test_deferred_unit_restarts_after_each_failure_and_at_each_boot(machine: Machine) -> None:
    machine.ask("prepare")
    unit = dict(line.split("=", 1) for line in install.unit_text(DEFERRED_UNIT).splitlines() if "=" in line)
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == ("on-failure", "0")
    assert unit["ExecStart"] == f"{machine.root}/usr/local/sbin/burrow deferred"
    assert unit["ConditionDirectoryNotEmpty"] == f"{machine.root}/var/lib/burrow/owed"
    wanted = machine.root / "etc/systemd/system/multi-user.target.wants/burrow-owed.service"
    assert wanted.resolve().read_text() == install.unit_text(DEFERRED_UNIT)


def test_repeated_revert_retries_the_undo(machine: Machine, flag: TimedTransaction) -> None:
    machine.begin(flag)
    silent(machine)
    assert machine.ask("revert", token=flag.token)["deferred"]
    machine.write("cluster", "")
    assert machine.ask("revert", token=flag.token)["deferred"] == []
    assert not is_set(machine)


def test_boot_restores_files_and_defers_the_flag_until_the_network_is_up(machine: Machine, flag: TimedTransaction) -> None:
    machine.write("etc/hosts", "old\n")
    both = TimedTransaction("x", hosts(machine).files, flag.actions)
    machine.begin(both)
    machine.boot("second")
    machine.main(["boot"])
    assert machine.read("etc/hosts") == "old\n"
    assert is_set(machine)
    assert machine.ask("outcome", token=both.token)["deferred"] == ["`flag off` waits for the network"]
    machine.main(["deferred"])
    assert not is_set(machine)


def test_host_with_deferred_undo_can_be_changed(machine: Machine, flag: TimedTransaction, capsys: pytest.CaptureFixture[str]) -> None:
    """The host's network may be the reason why the cluster does not answer."""
    machine.write("etc/hosts", "old\n")
    machine.begin(flag)
    silent(machine)
    machine.main(["revert", flag.token, "timer"])
    assert machine.begin(hosts(machine), SAM)["state"] == "applied"
    machine.main(["status"])
    assert "deferred undo: maintenance theodore by kim@desk: `flag off` ended with 1" in capsys.readouterr().out


def test_flag_of_a_new_transaction_stays_while_it_is_open(machine: Machine, flag: TimedTransaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.ask("revert", token=flag.token)
    machine.write("cluster", "")
    again = TimedTransaction("maintenance theodore", actions=flag.actions)
    machine.begin(again)
    machine.main(["deferred"])
    assert is_set(machine)
    machine.ask("revert", token=again.token)
    assert not is_set(machine)


def test_undo_of_a_failed_begin_is_deferred_too(machine: Machine, flag: TimedTransaction) -> None:
    """The action may have set the flag before it failed."""
    silent(machine)
    assert machine.begin(flag)["deferred"]


def test_transaction_that_never_began_defers_nothing(machine: Machine, flag: TimedTransaction) -> None:
    silent(machine)
    machine.ask("prepare")
    machine.ask("begin", **flag.request(60))
    assert machine.ask("revert", token=flag.token)["deferred"] == []


def test_agent_with_deferred_undo_stays_on_the_host(machine: Machine, flag: TimedTransaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.ask("revert", token=flag.token)
    with pytest.raises(SystemExit, match="no answer: not undone yet"):
        machine.main(["remove"])
    machine.write("cluster", "")
    machine.main(["deferred"])
    machine.main(["remove"])
    assert not (machine.root / "etc/systemd/system/burrow-owed.service").exists()
