"""The host agent before any transaction: the lease, reading, and the installation."""

import json

import pytest
from agent_machine import KIM, SAM, Machine, refusal

from tasks.core.agent import install, process
from tasks.core.agent.state import BOOT_UNIT
from tasks.core.connectors.agent_session import Owner


def test_lease_is_taken_and_released(machine: Machine) -> None:
    assert machine.ask("prepare")["lease"]["holder"] == "kim@desk"
    machine.ask("release")
    assert machine.ask("read")["lease"] is None


def test_lease_of_another_run_is_refused_with_its_holder(machine: Machine) -> None:
    machine.ask("prepare")
    assert refusal(machine, "prepare", SAM).startswith("kim@desk has been changing this host since ")


def test_lease_is_renewed_by_its_own_run_alone(machine: Machine) -> None:
    until = machine.ask("prepare")["lease"]["until"]
    assert machine.ask("read", SAM)["lease"]["until"] == until
    assert machine.ask("read", KIM)["lease"]["until"] > until


def test_expired_lease_can_be_taken(machine: Machine) -> None:
    machine.ask("prepare", Owner("run-kim", "kim@desk", ttl_s=-1))
    assert machine.ask("prepare", SAM)["lease"]["holder"] == "sam@desk"


def test_lease_ends_with_the_boot(machine: Machine) -> None:
    machine.ask("prepare")
    machine.boot("second")
    assert machine.ask("prepare", SAM)["lease"]["holder"] == "sam@desk"


def test_lease_of_another_run_is_not_released(machine: Machine) -> None:
    machine.ask("prepare")
    machine.ask("release", SAM)
    assert machine.ask("read")["lease"]["holder"] == "kim@desk"


@pytest.mark.usefixtures("applied")
def test_open_transaction_of_a_run_without_lease_is_still_its_own(machine: Machine) -> None:
    machine.ask("release")
    assert "a transaction of kim@desk is open: it reverts in" in refusal(machine, "prepare", SAM)
    assert "sam" not in str(machine.ask("read")["lease"])


def test_facts_come_with_their_exit_codes(machine: Machine) -> None:
    facts = machine.ask("read", facts={"one": "echo 1", "two": "echo no >&2; exit 2", "status": "burrow status --json"})["facts"]
    assert (facts["one"], facts["two"]) == ({"rc": 0, "out": "1\n", "err": ""}, {"rc": 2, "out": "", "err": "no\n"})
    assert json.loads(facts["status"]["out"])["pending"] is None


def test_reading_writes_nothing(machine: Machine) -> None:
    before = set(machine.root.rglob("*"))
    machine.ask("read", run=None, facts={"one": "true"})
    assert set(machine.root.rglob("*")) == before


def test_command_that_hangs_is_ended_with_its_children() -> None:
    assert process.run(["/bin/sh", "-c", "cat /dev/zero > /dev/null"], 0.05)[0] == 124


def test_agent_is_installed_once_under_its_hash(machine: Machine) -> None:
    machine.ask("prepare")
    command = machine.root / "usr/local/sbin/burrow"
    assert command.read_text() == machine.program
    assert (machine.root / "etc/systemd/system/sysinit.target.wants/burrow-boot.service").resolve().read_text() == install.unit_text(
        BOOT_UNIT
    )
    inode = command.stat().st_ino
    machine.ask("prepare")
    assert command.stat().st_ino == inode


def test_new_agent_takes_the_old_ones_place(machine: Machine) -> None:
    machine.ask("prepare")
    newer = f"{machine.program}# newer\n"
    machine.start(newer)
    machine.ask("prepare")
    assert (machine.root / "usr/local/sbin/burrow").read_text() == newer
    assert len(list((machine.root / "usr/local/lib/burrow").iterdir())) == 1


def test_agent_restores_before_the_network_comes_up(machine: Machine) -> None:
    unit = dict(line.split("=", 1) for line in install.unit_text(BOOT_UNIT).splitlines() if "=" in line)
    assert "networking.service" in unit["Before"].split()
    assert unit["ExecStart"] == f"{machine.root}/usr/local/sbin/burrow boot"
    assert unit["ConditionPathExists"] == f"{machine.root}/var/lib/burrow/pending/meta.json"


def test_packages_are_installed_under_the_lease(machine: Machine) -> None:
    assert machine.ask("prepare", packages=["chrony", "lldpd"])["lease"]["run"] == "run-kim"
    assert machine.log[-1].endswith("install -y -q --no-install-recommends chrony lldpd")


def test_missing_package_is_refused_with_the_message_of_apt(machine: Machine) -> None:
    assert "Unable to locate package nowhere" in refusal(machine, "prepare", packages=["nowhere"])
