"""The host's part and what it did beyond the host: the undo is owed until it succeeds, and keeps nobody from the host meanwhile."""

import pytest
from part import SAM, Machine, hosts

from tasks.core.model.operation import Action, Transaction

START = "systemctl -q --no-block start burrow-owed.service"


@pytest.fixture
def flag(machine: Machine) -> Transaction:
    """What sets a flag in a cluster, which answers as long as there is `cluster`."""
    root = machine.root
    machine.write("cluster", "")
    words = [f"test -e {root}/cluster && {verb} {root}/flag || {{ echo nobody answers >&2; exit 1; }}" for verb in ("touch", "rm -f")]
    on, off = (("/bin/sh", "-c", word, name) for word, name in zip(words, ("flag on", "flag off"), strict=True))
    return Transaction("maintenance theodore", actions=(Action(on, off, lasting=True),))


def silent(machine: Machine) -> None:
    (machine.root / "cluster").unlink()


def is_set(machine: Machine) -> bool:
    return (machine.root / "flag").exists()


def test_flag_goes_with_its_transaction(machine: Machine, flag: Transaction) -> None:
    machine.begin(flag)
    assert is_set(machine)
    kept = machine.ask("revert", token=flag.token, reason="maintenance has ended")
    assert (kept["state"], kept["reason"], kept["troubles"], kept["owed"]) == ("reverted", "maintenance has ended", [], [])
    assert not is_set(machine)
    assert machine.ask("read")["owed"] == []
    assert START not in machine.log


def test_flag_that_nobody_takes_away_is_owed_until_somebody_does(machine: Machine, flag: Transaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.part.main(["revert", flag.token, "timer"])
    kept = machine.ask("outcome", token=flag.token)
    assert kept["owed"] == ["`flag off` ended with 1: nobody answers"]
    assert kept["reason"].endswith("nobody answers; it is tried until it succeeds")
    assert machine.log[-1] == START
    with pytest.raises(SystemExit, match="nobody answers"):
        machine.part.main(["owed"])
    machine.write("cluster", "")
    machine.part.main(["owed"])
    assert not is_set(machine)
    assert machine.ask("outcome", token=flag.token)["owed"] == []


def test_unit_that_tries_begins_again_after_each_failure_and_at_each_boot(machine: Machine) -> None:
    machine.ask("prepare")
    unit = dict(line.split("=", 1) for line in machine.part.OWED_SERVICE.splitlines() if "=" in line)
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == ("on-failure", "0")
    assert unit["ExecStart"] == f"{machine.root}/usr/local/sbin/burrow owed"
    assert unit["ConditionDirectoryNotEmpty"] == f"{machine.root}/var/lib/burrow/owed"
    wanted = machine.root / "etc/systemd/system/multi-user.target.wants/burrow-owed.service"
    assert wanted.resolve().read_text() == machine.part.OWED_SERVICE


def test_asking_again_tries_again(machine: Machine, flag: Transaction) -> None:
    machine.begin(flag)
    silent(machine)
    assert machine.ask("revert", token=flag.token)["owed"]
    machine.write("cluster", "")
    assert machine.ask("revert", token=flag.token)["owed"] == []
    assert not is_set(machine)


def test_boot_restores_files_and_leaves_the_flag_to_when_the_network_is_up(machine: Machine, flag: Transaction) -> None:
    machine.write("etc/hosts", "old\n")
    both = Transaction("x", hosts(machine).files, flag.actions)
    machine.begin(both)
    machine.boot("second")
    machine.part.main(["boot"])
    assert machine.read("etc/hosts") == "old\n"
    assert is_set(machine)
    assert machine.ask("outcome", token=both.token)["owed"] == ["`flag off` waits for the network"]
    machine.part.main(["owed"])
    assert not is_set(machine)


def test_what_is_owed_keeps_nobody_from_the_host(machine: Machine, flag: Transaction, capsys: pytest.CaptureFixture[str]) -> None:
    """Its network may be why the cluster does not answer."""
    machine.write("etc/hosts", "old\n")
    machine.begin(flag)
    silent(machine)
    machine.part.main(["revert", flag.token, "timer"])
    assert machine.begin(hosts(machine), SAM)["state"] == "applied"
    machine.part.main(["status"])
    assert "owed:    maintenance theodore by kim@desk: `flag off` ended with 1" in capsys.readouterr().out


def test_flag_of_a_new_transaction_is_not_taken_away_in_the_middle_of_it(machine: Machine, flag: Transaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.ask("revert", token=flag.token)
    machine.write("cluster", "")
    again = Transaction("maintenance theodore", actions=flag.actions)
    machine.begin(again)
    machine.part.main(["owed"])
    assert is_set(machine)
    machine.ask("revert", token=again.token)
    assert not is_set(machine)


def test_failed_begin_owes_too(machine: Machine, flag: Transaction) -> None:
    """What set the flag may have done so before it failed."""
    silent(machine)
    assert machine.begin(flag)["owed"]


def test_transaction_that_never_began_owes_nothing(machine: Machine, flag: Transaction) -> None:
    silent(machine)
    machine.ask("prepare")
    machine.ask("begin", **flag.request(60))
    assert machine.ask("revert", token=flag.token)["owed"] == []


def test_part_that_owes_stays_on_the_host(machine: Machine, flag: Transaction) -> None:
    machine.begin(flag)
    silent(machine)
    machine.ask("revert", token=flag.token)
    with pytest.raises(SystemExit, match="nobody answers: not undone yet"):
        machine.part.main(["remove"])
    machine.write("cluster", "")
    machine.part.main(["owed"])
    machine.part.main(["remove"])
    assert not (machine.root / "etc/systemd/system/burrow-owed.service").exists()
