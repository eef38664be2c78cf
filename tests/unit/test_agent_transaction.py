"""Transactions of the host agent, with a folder as its root: what it writes, keeps, restores and refuses."""

import os
import time

import pytest
from agent_machine import SAM, Machine, hosts, refusal

from tasks.core.agent import restore
from tasks.core.model.operation import Action, TimedTransaction, Unit


def test_transaction_is_armed_before_it_is_applied(machine: Machine, applied: TimedTransaction) -> None:
    runs = [line.split() for line in machine.log if line.startswith("systemd-run")]
    assert ["--on-active=60s" in words for words in runs] == [True, False]
    assert runs[0][-3:] == ["revert", applied.token, "timer"]
    assert runs[1][-2:] == ["apply", applied.token]
    assert machine.read("etc/hosts") == "new\n"


def test_status_shows_what_is_pending(machine: Machine, applied: TimedTransaction) -> None:
    pending = machine.ask("read")["pending"]
    assert (pending["token"], pending["holder"], pending["why"], pending["state"]) == (
        applied.token,
        "kim@desk",
        "name the hosts",
        "applied",
    )
    assert 0 < pending["revert_in_s"] <= 60


def test_confirmed_transaction_stays(machine: Machine, applied: TimedTransaction) -> None:
    assert machine.ask("confirm", token=applied.token)["state"] == "confirmed"
    assert machine.read("etc/hosts") == "new\n"
    assert machine.ask("read")["pending"] is None
    assert machine.log[-1] == f"systemctl -q stop burrow-revert-{applied.token}.timer"


def test_confirming_again_answers_the_same(machine: Machine, applied: TimedTransaction) -> None:
    once = machine.ask("confirm", token=applied.token)
    assert machine.ask("confirm", token=applied.token) == once


def test_reverted_transaction_leaves_the_host_as_it_was(machine: Machine, applied: TimedTransaction) -> None:
    kept = machine.ask("revert", token=applied.token, reason="a check failed")
    assert (kept["state"], kept["reason"]) == ("reverted", "a check failed")
    assert machine.read("etc/hosts") == "old\n"
    assert machine.ask("revert", token=applied.token) == kept


def test_revert_after_confirm_changes_nothing(machine: Machine, applied: TimedTransaction) -> None:
    machine.ask("confirm", token=applied.token)
    assert machine.ask("revert", token=applied.token)["state"] == "confirmed"
    assert machine.read("etc/hosts") == "new\n"


def test_confirm_after_revert_says_what_happened(machine: Machine, applied: TimedTransaction) -> None:
    machine.main(["revert", applied.token, "timer"])
    kept = machine.ask("confirm", token=applied.token)
    assert (kept["state"], kept["reason"]) == ("reverted", "by its timer, because it was not confirmed")
    assert machine.read("etc/hosts") == "old\n"


@pytest.mark.parametrize("op", ["confirm", "revert", "outcome"])
def test_another_token_decides_nothing(machine: Machine, applied: TimedTransaction, op: str) -> None:
    assert machine.ask(op, token="another")["state"] == "unknown"
    assert machine.ask("outcome", token=applied.token)["state"] == "applied"


def test_timer_of_a_transaction_is_renewed(machine: Machine, applied: TimedTransaction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "clock_gettime", lambda _: 1000.0)
    assert machine.ask("renew", token=applied.token)["revert_in_s"] == 60
    assert machine.log[-1] == f"systemctl -q restart burrow-revert-{applied.token}.timer"


def test_timer_that_has_fired_is_not_renewed(machine: Machine, applied: TimedTransaction) -> None:
    restore.revert(applied.token, "timer")
    assert machine.ask("renew", token=applied.token)["state"] == "reverted"
    assert not any("restart" in line and ".timer" in line for line in machine.log)


def test_revert_that_overtakes_its_begin_keeps_it_from_beginning(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    late = hosts(machine)
    assert machine.ask("revert", token=late.token, why="x")["state"] == "reverted"
    machine.ask("prepare")
    assert "already ended on this host (reverted): it was reverted before it began" in refusal(machine, "begin", **late.request(60))
    assert machine.read("etc/hosts") == "old\n"


def test_text_that_was_edited_meanwhile_is_kept(machine: Machine, applied: TimedTransaction) -> None:
    machine.write("etc/hosts", "new\n10.9.9.9 mine\n")
    kept = machine.ask("revert", token=applied.token)
    assert machine.read("etc/hosts") == "old\n"
    assert "was edited during the transaction" in kept["reason"]
    (found,) = machine.root.glob("var/lib/burrow/backups/*/0.found")
    assert found.read_text() == "new\n10.9.9.9 mine\n"


def test_timer_that_comes_late_leaves_the_next_transaction_alone(machine: Machine, applied: TimedTransaction) -> None:
    machine.ask("confirm", token=applied.token)
    following = hosts(machine, before="new\n", text="newer\n")
    machine.begin(following)
    machine.main(["revert", applied.token, "timer"])
    assert machine.ask("outcome", token=following.token)["state"] == "applied"


def test_timer_frees_the_lease_of_its_dead_run(machine: Machine, applied: TimedTransaction) -> None:
    machine.main(["revert", applied.token, "timer"])
    assert machine.ask("prepare", SAM)["lease"]["holder"] == "sam@desk"


def test_second_transaction_waits_for_the_first(machine: Machine, applied: TimedTransaction) -> None:
    second = hosts(machine, before="new\n", text="newer\n")
    assert "a transaction is already open: name the hosts" in refusal(machine, "begin", **second.request(60))
    assert machine.ask("outcome", token=applied.token)["state"] == "applied"


@pytest.mark.parametrize("found", ["edited\n", "old", "old\r\n", ""])
def test_file_that_changed_since_it_was_read_is_refused(machine: Machine, found: str) -> None:
    machine.write("etc/hosts", "").write_bytes(found.encode())
    assert "was changed since it was read" in refusal(machine, "begin", **hosts(machine).request(60))
    assert (machine.root / "etc/hosts").read_bytes() == found.encode()
    assert machine.ask("read")["pending"] is None


def test_file_that_appeared_since_it_was_read_is_refused(machine: Machine) -> None:
    machine.write("etc/hosts", "edited\n")
    assert "was changed since it was read" in refusal(machine, "begin", **hosts(machine, before=None).request(60))


def test_empty_file_counts_as_absent(machine: Machine) -> None:
    """The fact of a file is the same for both."""
    machine.write("etc/hosts", "")
    transaction = hosts(machine, before=None)
    assert machine.begin(transaction)["state"] == "applied"
    machine.ask("revert", token=transaction.token)
    assert machine.read("etc/hosts") == ""


def test_bytes_that_are_not_utf8_are_restored(machine: Machine) -> None:
    machine.write("etc/hosts", "").write_bytes(b"# caf\xe9\r\n")
    transaction = hosts(machine, before="# caf\udce9\r\n", text="# caf\udce9\r\nnew\n")
    assert machine.begin(transaction)["state"] == "applied"
    assert (machine.root / "etc/hosts").read_bytes() == b"# caf\xe9\r\nnew\n"
    machine.ask("revert", token=transaction.token)
    assert (machine.root / "etc/hosts").read_bytes() == b"# caf\xe9\r\n"


def test_change_staged_by_another_program_is_refused(machine: Machine) -> None:
    staged = machine.write("etc/network/interfaces.new", "theirs\n")
    transaction = TimedTransaction("x", absent=(str(staged),))
    assert f"{staged} exists" in refusal(machine, "begin", **transaction.request(60))


@pytest.mark.parametrize(
    ("before", "text", "refused"),
    [
        ("old\n", "bad\n", True),
        ("bad\n", "bad\nnew\n", False),
        ("old\n", "new\n", False),
        ("old\n", 'bad: bridge-ports: invalid value "none"\n', False),
        ("old\n", "bad: vmbr0: bridge inherits mtu from its ports. There is no need to assign mtu on a bridge\n", False),
    ],
)
def test_candidate_is_judged_by_what_it_adds_to_a_tools_complaints(machine: Machine, before: str, text: str, refused: bool) -> None:
    machine.write("etc/hosts", before)
    tool = ("/bin/sh", "-c", "! grep -h bad {candidate} >&2")
    transaction = hosts(machine, before=before, text=text, validate=tool)
    if refused:
        assert "would not be accepted: bad" in refusal(machine, "begin", **transaction.request(60))
        assert machine.read("etc/hosts") == before
    else:
        assert machine.begin(transaction)["state"] == "applied"


def test_key_in_the_output_of_a_tool_is_removed(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    says = ("/bin/sh", "-c", "echo '% Unknown: ip ospf message-digest-key 1 md5 hush' >&2; exit 1", "the tool")
    judges = ("/bin/sh", "-c", "grep old {candidate} || { echo '% Unknown: ip ospf message-digest-key 1 md5 hush' >&2; exit 1; }")
    assert "md5 <removed>" in refusal(machine, "begin", **hosts(machine, validate=judges).request(60))
    kept = machine.begin(TimedTransaction("x", hosts(machine).files, (Action(says, ("true",)),)))
    assert "md5 <removed>" in kept["reason"]
    assert "hush" not in machine.read("var/lib/burrow/record.jsonl")


def test_mode_of_a_file_is_kept_both_ways(machine: Machine, applied: TimedTransaction) -> None:
    def mode() -> int:
        return (machine.root / "etc/hosts").stat().st_mode & 0o777

    assert mode() == 0o640
    machine.ask("revert", token=applied.token)
    assert mode() == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_owner_of_a_file_is_kept_both_ways(machine: Machine) -> None:
    path = machine.write("etc/hosts", "old\n")
    os.chown(path, 7, 8)
    transaction = hosts(machine)
    machine.begin(transaction)
    assert (path.stat().st_uid, path.stat().st_gid) == (7, 8)
    machine.ask("revert", token=transaction.token)
    assert (path.stat().st_uid, path.stat().st_gid) == (7, 8)


def test_new_file_gets_its_mode_and_is_taken_away_again(machine: Machine) -> None:
    transaction = hosts(machine, before=None, mode=0o600)
    machine.begin(transaction)
    assert (machine.root / "etc/hosts").stat().st_mode & 0o777 == 0o600
    machine.ask("revert", token=transaction.token)
    assert machine.read("etc/hosts") is None


def test_file_that_is_taken_away_comes_back(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n", 0o640)
    transaction = hosts(machine, text=None)
    machine.begin(transaction)
    assert machine.read("etc/hosts") is None
    machine.ask("revert", token=transaction.token)
    assert machine.read("etc/hosts") == "old\n"


def test_live_values_are_saved_and_restored(machine: Machine) -> None:
    machine.write("proc/sys/kernel/hostname", "pve\n")
    transaction = TimedTransaction("x", sysctls={"kernel.hostname": "alvin"})
    machine.begin(transaction)
    assert machine.read("proc/sys/kernel/hostname") == "alvin"
    machine.ask("revert", token=transaction.token)
    assert machine.read("proc/sys/kernel/hostname") == "pve\n"


def test_actions_are_undone_in_reverse_order(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    log = machine.root / "actions"
    actions = tuple(Action(("/bin/sh", "-c", f"echo {name} >> {log}"), ("/bin/sh", "-c", f"echo not {name} >> {log}")) for name in "ab")
    transaction = TimedTransaction("x", hosts(machine).files, actions)
    machine.begin(transaction)
    machine.ask("revert", token=transaction.token)
    assert log.read_text().splitlines() == ["a", "b", "not b", "not a"]


@pytest.mark.parametrize("was", [(), ("enabled",), ("active",), ("enabled", "active")])
def test_unit_is_as_wanted_and_then_as_it_was(machine: Machine, was: tuple[str, ...]) -> None:
    for state in was:
        machine.write(f"units/chrony.service.{state}", "")
    transaction = TimedTransaction("x", units=(Unit("chrony.service"),))
    assert machine.begin(transaction)["state"] == "applied"
    assert sorted(path.suffix for path in (machine.root / "units").iterdir()) == [".active", ".enabled"]
    machine.ask("revert", token=transaction.token)
    assert {path.suffix[1:] for path in (machine.root / "units").iterdir()} == set(was)


@pytest.mark.parametrize(("was_active", "verbs"), [(True, ["restart"]), (False, ["start"])])
def test_unit_is_restarted_only_where_it_runs(machine: Machine, was_active: bool, verbs: list[str]) -> None:
    for state in ("enabled", "active")[: 1 + was_active]:
        machine.write(f"units/lldpd.service.{state}", "")
    machine.begin(TimedTransaction("x", units=(Unit("lldpd.service", restart=True),)))
    assert [line.split()[-2] for line in machine.log if line.endswith("lldpd.service") and "is-" not in line] == verbs
