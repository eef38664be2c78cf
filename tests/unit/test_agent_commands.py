"""Commands that the host agent runs outside the session that requested them."""

from agent_machine import KIM, SAM, Machine, hosts, refusal


def test_command_runs_as_a_unit_and_its_exit_code_is_returned(machine: Machine) -> None:
    machine.write("detached", "")
    machine.ask("prepare")
    good, bad = machine.write("good.py", ""), machine.write("bad.py", "raise SystemExit(3)\n")
    assert machine.ask("perform", argv=[str(good)])["rc"] == 0
    assert machine.ask("perform", argv=[str(bad)])["rc"] == 3
    line = next(line for line in machine.log if "burrow-command-" in line)
    assert "--wait" in line
    assert "--property=RuntimeMaxSec=20" in line
    assert not list((machine.root / "var/lib/burrow").glob("burrow-command-*"))


def test_command_of_another_run_is_refused(machine: Machine) -> None:
    machine.ask("prepare", SAM)
    assert refusal(machine, "perform", KIM, argv=["true"]).startswith("sam@desk has been changing this host since ")


def test_no_command_runs_while_a_transaction_is_open(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    machine.begin(hosts(machine))
    assert "a transaction is open: name the hosts" in refusal(machine, "perform", argv=["true"])
