"""A revert on a disk that refuses writes, or that is killed: it continues until every file is restored, and cannot be confirmed."""

import errno
import json
import os
import time
from pathlib import Path

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal

from tasks.core.agent import install, pending, record, restore
from tasks.core.agent.state import PATHS, RETRY_UNIT
from tasks.core.model.operation import Action, FileWrite, TimedTransaction


def block(machine: Machine) -> Path:
    """Put a folder with a file at etc/hosts, so that no file can be renamed to it."""
    path = machine.root / "etc/hosts"
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    return path


def unblock(path: Path) -> None:
    (path / "in the way").rmdir()
    path.rmdir()


def fill(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be made below the root, but in /run, which is memory."""
    real = os.open

    def no_space(path, flags, mode=0o777, **words):
        if flags & os.O_CREAT and str(path).startswith(f"{machine.root}/") and "/run/" not in str(path) and not Path(path).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, flags, mode, **words)

    monkeypatch.setattr(os, "open", no_space)


def three(machine: Machine) -> TimedTransaction:
    machine.write("etc/motd", "old\n")
    root = machine.root
    files = (*hosts(machine).files, FileWrite(f"{root}/etc/made", None, "new\n"), FileWrite(f"{root}/etc/motd", "old\n", None))
    return TimedTransaction("three files", files)


@pytest.mark.parametrize("reverted_by", ["controller", "timer", "boot"])
def test_revert_needs_no_space(machine: Machine, monkeypatch: pytest.MonkeyPatch, reverted_by: str) -> None:
    machine.write("etc/hosts", "old\n")
    transaction = three(machine)
    machine.begin(transaction)
    fill(machine, monkeypatch)
    if reverted_by == "controller":
        kept = machine.ask("revert", token=transaction.token)
        assert kept["state"] == "reverted", kept
    else:
        machine.main(["boot"] if reverted_by == "boot" else ["revert", transaction.token, "timer"])
    assert machine.ask("outcome", token=transaction.token)["state"] == "reverted"
    assert [machine.read(f"etc/{name}") for name in ("hosts", "made", "motd")] == ["old\n", None, "old\n"]
    assert machine.ask("read")["lease"] is None or reverted_by == "controller"


def test_revert_needs_no_memory_file(machine: Machine, applied: TimedTransaction) -> None:
    """The progress is kept in /run. If that cannot be written, every file is restored all the same."""
    machine.write("run/burrow", "not a folder")
    assert machine.ask("revert", token=applied.token)["state"] == "reverted"
    assert machine.read("etc/hosts") == "old\n"


def test_deferring_undo_needs_no_space(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    flag = TimedTransaction("flag", actions=(Action(("true",), ("/bin/sh", "-c", "echo silent >&2; exit 1"), cluster_scoped=True),))
    machine.begin(flag)
    fill(machine, monkeypatch)
    assert "silent" in machine.ask("revert", token=flag.token)["deferred"][0]


def test_confirming_needs_no_space(machine: Machine, applied: TimedTransaction, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(machine, monkeypatch)
    assert machine.ask("confirm", token=applied.token)["state"] == "confirmed"


def test_old_inode_comes_back_as_it_was(machine: Machine) -> None:
    inode = machine.write("etc/hosts", "old\n", 0o640).stat().st_ino
    transaction = hosts(machine)
    machine.begin(transaction)
    assert (machine.root / "etc/hosts").stat().st_ino != inode
    machine.ask("revert", token=transaction.token)
    stat = (machine.root / "etc/hosts").stat()
    assert (stat.st_ino, stat.st_nlink) == (inode, 1)


def test_copy_is_written_where_the_old_inode_was_written_into(machine: Machine, applied: TimedTransaction) -> None:
    """By a process that had it open since before it was replaced."""
    (machine.root / "var/lib/burrow/pending/0.old").write_text("overwritten\n")
    machine.ask("revert", token=applied.token)
    assert machine.read("etc/hosts") == "old\n"


def test_revert_that_cannot_be_completed_goes_on_until_it_can(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    transaction = three(machine)
    machine.begin(transaction)
    blocked = block(machine)
    kept = machine.ask("revert", token=transaction.token, reason="a check failed")
    assert kept["state"] == "reverting"
    assert kept["reason"].startswith("a check failed; ")
    assert str(blocked) in kept["troubles"][0]
    assert (machine.read("etc/made"), machine.read("etc/motd")) == (None, "old\n")
    assert machine.log[-1] == "systemctl -q --no-block start burrow-retry.service"
    unblock(blocked)
    machine.main(["retry"])
    kept = machine.ask("outcome", token=transaction.token)
    assert (kept["state"], kept["reason"]) == ("reverted", "a check failed")
    assert machine.read("etc/hosts") == "old\n"
    assert machine.ask("read")["pending"] is None


def test_timer_whose_revert_goes_on_elsewhere_ends_well(machine: Machine, applied: TimedTransaction) -> None:
    blocked = block(machine)
    machine.main(["revert", applied.token, "timer"])
    with pytest.raises(SystemExit, match="the host retries until every file is restored"):
        machine.main(["revert"])
    unblock(blocked)


def test_revert_that_fails_at_boot_is_tried_again_later_in_that_boot(
    machine: Machine, applied: TimedTransaction, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = block(machine)
    machine.boot("second")
    machine.main(["boot"])
    assert "the host retries later in this boot" in capsys.readouterr().err
    assert machine.ask("outcome", token=applied.token)["state"] == "reverting"
    wanted = machine.root / "etc/systemd/system/multi-user.target.wants/burrow-retry.service"
    assert wanted.resolve().read_text() == install.unit_text(RETRY_UNIT)
    unblock(blocked)
    machine.main(["retry"])
    kept = machine.ask("outcome", token=applied.token)
    assert (kept["state"], kept["reason"]) == ("reverted", "at boot, because the power went before it was confirmed")


def test_retry_leaves_an_applied_transaction_unchanged(machine: Machine, applied: TimedTransaction) -> None:
    machine.main(["retry"])
    assert machine.ask("outcome", token=applied.token)["state"] == "applied"


@pytest.mark.parametrize("op", ["confirm", "renew", "prepare", "begin"])
def test_what_is_being_reverted_is_refused(machine: Machine, applied: TimedTransaction, op: str) -> None:
    block(machine)
    machine.ask("revert", token=applied.token)
    words = hosts(machine).request(60) if op == "begin" else {"token": applied.token}
    owner = SAM if op in ("prepare", "begin") else KIM
    reason = refusal(machine, op, owner, **words)
    assert "is being reverted" in reason
    assert f"{machine.root}/etc/hosts" in reason
    assert machine.ask("outcome", token=applied.token)["state"] == "reverting"


def test_killed_revert_is_not_applied_again(machine: Machine, applied: TimedTransaction) -> None:
    pending.set_state(pending.opened(), "reverting")
    machine.main(["apply", applied.token])
    assert "cannot be confirmed: the revert was interrupted" in refusal(machine, "confirm", token=applied.token)


def test_revert_is_on_disk_before_the_first_byte_changes(
    machine: Machine, applied: TimedTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(restore, "restore", lambda *_, **__: seen.append(machine.read("var/lib/burrow/pending/state")) or ([], []))
    machine.ask("revert", token=applied.token)
    assert seen == ["reverting"]


def test_state_that_the_disk_does_not_take_is_in_memory(
    machine: Machine, applied: TimedTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace

    def in_memory_alone(self: Path, target: Path) -> Path:
        if "/run/" not in str(target):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self), None, str(target))
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", in_memory_alone)
        kept = machine.ask("revert", token=applied.token)
        assert kept["state"] == "reverting"
        assert f"read-only file system: {machine.root}/etc/hosts" in kept["troubles"][0]
        assert machine.read("var/lib/burrow/pending/state") == "applied"
        assert "cannot be confirmed" in refusal(machine, "confirm", token=applied.token)
    assert machine.ask("revert", token=applied.token)["state"] == "reverted"
    assert list((machine.root / "run/burrow").iterdir()) == []


def test_command_that_fails_for_a_full_disk_is_tried_again_and_another_is_not(machine: Machine) -> None:
    full = machine.write("full", "")
    undo = ("/bin/sh", "-c", f"[ ! -e {full} ] || {{ echo 'cannot write: No space left on device' >&2; exit 1; }}")
    transaction = TimedTransaction("x", actions=(Action(("true",), undo), Action(("true",), ("/bin/sh", "-c", "echo broken >&2; exit 1"))))
    machine.begin(transaction)
    assert machine.ask("revert", token=transaction.token)["state"] == "reverting"
    full.unlink()
    kept = machine.ask("revert", token=transaction.token)
    assert kept["state"] == "reverted"
    assert "broken" in kept["troubles"][0]


def test_live_state_is_not_made_anew_by_each_attempt(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    log = machine.root / "undone"
    transaction = TimedTransaction("x", hosts(machine).files, (Action(("true",), ("/bin/sh", "-c", f"echo undone >> {log}")),))
    machine.begin(transaction)
    blocked = block(machine)
    for _ in range(3):
        machine.ask("revert", token=transaction.token)
    assert machine.read("undone") is None
    unblock(blocked)
    machine.ask("revert", token=transaction.token)
    assert machine.read("undone") == "undone\n"


def test_operator_gives_up_a_revert_at_the_console(machine: Machine, applied: TimedTransaction) -> None:
    with pytest.raises(SystemExit, match="no revert is incomplete"):
        machine.main(["give-up"])
    block(machine)
    machine.ask("revert", token=applied.token)
    machine.main(["give-up"])
    assert machine.ask("outcome", token=applied.token)["state"] == "given up"
    (kept,) = machine.root.glob("var/lib/burrow/backups/*/0")
    assert kept.read_text() == "old\n"
    assert machine.ask("prepare", SAM)["pending"] is None


def test_console_shows_what_keeps_a_revert_from_its_end(
    machine: Machine, applied: TimedTransaction, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = block(machine)
    machine.ask("revert", token=applied.token)
    machine.main(["status"])
    output = capsys.readouterr().out
    assert "reverting until every file is restored" in output
    assert str(blocked) in output


def test_transaction_that_an_older_version_armed_is_reverted(machine: Machine, applied: TimedTransaction) -> None:
    """Its folder has neither old inodes nor prepared states."""
    pending = machine.root / "var/lib/burrow/pending"
    for path in pending.iterdir():
        if path.name not in ("meta.json", "state", "0"):
            path.unlink()
    meta = json.loads((pending / "meta.json").read_text())
    del meta["owed"]
    meta["saved"] = [{key: one[key] for key in ("path", "mount", "mode", "owner")} for one in meta["saved"]]
    (pending / "meta.json").write_text(json.dumps(meta))
    assert machine.ask("revert", token=applied.token)["state"] == "reverted"
    assert machine.read("etc/hosts") == "old\n"


def test_backups_are_counted_and_not_dated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps back would make the newest the first that is deleted."""
    (machine.root / "var/lib/burrow/backups/1800000000000000000-of-an-older-version").mkdir(parents=True)
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    last = ""
    for number in range(record.KEPT_BACKUPS + 1):
        transaction = TimedTransaction(f"number {number}")
        machine.begin(transaction)
        machine.ask("confirm", token=transaction.token)
        last = transaction.token
    names = sorted(path.name for path in PATHS.backups.iterdir())
    assert (len(names), names[-1]) == (record.KEPT_BACKUPS, f"1800000000000000006-{last}")
