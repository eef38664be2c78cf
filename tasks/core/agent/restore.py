"""Revert a transaction: put its files back, then make them live. It ends when every file is back."""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from tasks.core.agent import deferred, disk, lease, pending
from tasks.core.agent.process import failure, systemctl
from tasks.core.agent.record import REASONS, backup_folder, close
from tasks.core.agent.refusal import FULL, Refused, mount_of, sentence
from tasks.core.agent.secrets import redact
from tasks.core.agent.state import DEFERRED_UNIT, PATHS, RETRY_UNIT, Saved, Transaction, is_cluster_scoped

# A revert that is not complete is tried again after the first of these, then after twice as long, up to the second.
RETRY_FIRST_S, RETRY_LONGEST_S = 2, 60


def revert(token: str | None, reason: str, *, stop_apply: bool = True, live: bool = True) -> dict[str, Any]:
    """Restore what the pending transaction saved, and undo what it did elsewhere; without a token, whatever is pending or deferred."""
    open_now = pending.opened(token)
    if stop_apply and live and open_now:
        systemctl("stop", f"burrow-apply-{open_now['token']}.service")
    with disk.locked():
        meta = pending.opened()
        if meta and token in (None, meta["token"]):
            take_back(meta, reason, live=live)
        elif live and deferred.left(token):
            deferred.retry(token)
    if live and deferred.left(token):
        systemctl("--no-block", "start", DEFERRED_UNIT)
    kept = pending.outcome(token or (meta and meta["token"]))
    if live and kept["state"] == "reverting":
        kept["retried"] = not systemctl("--no-block", "start", RETRY_UNIT)
    return kept


def take_back(meta: Transaction, reason: str, *, live: bool) -> None:
    """One attempt: the transaction is closed where every file is back, and else stays `reverting`, with what keeps it so."""
    known = pending.told(meta["token"])
    reason = known.get("reason", reason)  # of the first attempt
    held: list[str] = []
    remarks = known.get("remarks", [])
    undone = False
    try:
        begun = pending.state_text(meta) not in ("armed", "reverting armed")
        pending.set_state(meta, "reverting" if begun else "reverting armed")
        pending.tell(meta, {"reason": reason})
        elsewhere: list[str] = []
        if begun:
            held, remarks = restore(meta, remarks, live=live)
            undone = live and not held
            elsewhere = deferred.undo_elsewhere(meta, live=live)
        if not held:
            close(meta, "reverted", "; ".join([REASONS.get(reason, reason), *remarks, *elsewhere]), remarks)
    except OSError as error:
        held.append(sentence(error))
    if held:
        pending.tell(meta, {"reason": reason, "remarks": remarks, "troubles": [redact(one) for one in held], "undone": undone})
    elif reason in REASONS:
        lease.give_back(meta["run"])  # it is dead, cut off, or unwanted: the next need not wait for it


def restore(meta: Transaction, known: list[str], *, live: bool) -> tuple[list[str], list[str]]:
    """Files, then what makes them live. Answers what keeps the revert from its end; and what is to be said besides, `known` first."""
    held: list[str] = []
    remarks: list[str] = []
    moved = False
    for index, saved in enumerate(meta["saved"]):
        try:
            moved |= put_back(index, saved, meta["files"][index]["text"], remarks)
        except (Refused, OSError) as error:
            held.append(sentence(error))
    # A file that is back is made live also while another is held; but not anew with each attempt that brings nothing back.
    if moved or not (held or pending.told(meta["token"]).get("undone")):
        for trouble in make_live(meta, live=live):
            (held if any(os.strerror(code) in trouble for code in FULL) else remarks).append(trouble)
    return held, [*known, *(one for one in remarks if one not in known)]


def put_back(index: int, saved: Saved, written: str | None, remarks: list[str]) -> bool:
    """One file is as it was; whether it had to be touched. Raises Refused where its file system is not there, OSError."""
    path, ours, old = Path(saved["path"]), PATHS.pending / str(index), PATHS.pending / saved.get("old", f"{index}.old")
    mount = saved.get("mount", "/")
    if not os.path.ismount(mount):  # /etc/pve at boot: what is written below it then keeps it from being mounted
        raise Refused(f"{path} stays: {mount} is not mounted; its text is kept in {ours}")
    if mount_of(path) != mount and "mount" in saved:
        raise Refused(f"{path} stays: it was on {mount}, and is on {mount_of(path)} now; its text is kept in {ours}")
    disk.sweep(path)
    if is_back(index, saved):
        with contextlib.suppress(OSError):  # a file that is back has no second name; tried again when the folder is closed
            old.unlink(missing_ok=True)
        return False
    if (PATHS.pending / (saved.get("new") or f"{index}.untouched")).exists():  # the transaction has not reached it: that is somebody else's
        remarks.append(f"{path} was edited meanwhile, before it was written, and is left as it is")
        return False
    remarks += keep_what_was_found(index, saved, written)
    if saved["mode"] is None:
        path.unlink(missing_ok=True)
        disk.sync_folder(path.parent)
        for folder in saved.get("made", []):
            with contextlib.suppress(OSError):  # somebody else has put something there
                Path(folder).rmdir()
    elif disk.content(old) == disk.content(ours):  # nobody wrote into the old inode: to rename it back needs no space
        disk.make_folders(path.parent)
        disk.rename(old, path)
    else:
        disk.write(path, ours.read_bytes(), saved)
    return True


def is_back(index: int, saved: Saved) -> bool:
    """Whether a file is as it was, or still is."""
    path = Path(saved["path"])
    if saved["mode"] is None:
        return not os.path.lexists(path)
    if not path.is_file() or path.read_bytes() != (PATHS.pending / str(index)).read_bytes():
        return False
    stat = path.stat()
    return (stat.st_mode & 0o7777, [stat.st_uid, stat.st_gid]) == (saved["mode"], saved["owner"])


def keep_what_was_found(index: int, saved: Saved, written: str | None) -> list[str]:
    """The text of somebody who edited a file while the transaction was open, kept, and the sentence that says where it is."""
    path = Path(saved["path"])
    found = disk.content(path)
    ours = [None if written is None else written.encode(errors="surrogateescape"), disk.content(PATHS.pending / str(index))]
    if found is None or found in ours:
        return []
    number = 0
    kept = PATHS.pending / f"{index}.found"
    while disk.content(kept) not in (None, found):
        number += 1
        kept = kept.with_name(f"{index}.found.{number}")
    if not kept.exists():
        try:
            os.link(path, kept)
        except OSError:  # another file system, or one without hard links
            disk.write(kept, found)
    return [f"{path} was edited meanwhile; that text is kept in {PATHS.backups}, in the newest folder, as {kept.name}"]


def make_live(meta: Transaction, *, live: bool) -> list[str]:
    """Units, the opposites of actions and live values, as they were; answers what failed."""
    units = meta["units"]
    verbs = [("enable" if unit["was_enabled"] else "disable", unit["name"]) for unit in units if unit["was_enabled"] != unit["enabled"]]
    commands = [["systemctl", "-q", "--root=/", *words] for words in verbs]
    if live:
        commands += [action["undo"] for action in reversed(meta["actions"]) if not is_cluster_scoped(action)]
        commands += [
            ["systemctl", "-q", "restart" if unit["was_active"] else "stop", unit["name"]]
            for unit in units
            if unit["restart"] or unit["was_active"] != unit["active"]
        ]
    troubles = [trouble for argv in commands if (trouble := failure(argv))]
    for name, value in meta["live"].items() if live else ():  # last, because a reload may set them
        try:
            PATHS.sysctl(name).write_text(value)
        except OSError as error:
            troubles.append(str(error))
    return troubles


def retry() -> None:
    """Try a revert that is not complete again and again, each time after a longer wait."""
    wait_s = RETRY_FIRST_S
    while (meta := pending.opened()) and pending.state_of(meta) == "reverting":
        kept = revert(meta["token"], "retry")
        if kept["state"] == "reverting":
            print(f"burrow: {kept['reason']}; tried again in {wait_s} s", file=sys.stderr, flush=True)
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LONGEST_S)


def give_up() -> None:
    """Close a revert that cannot be completed, as somebody at the console decides; the copies stay in the backups."""
    with disk.locked():
        meta = pending.opened()
        if not meta or pending.state_of(meta) != "reverting":
            sys.exit("burrow: no revert is incomplete; `burrow status` says what is pending")
        close(meta, "given up", f"by hand on the host: {pending.unfinished(meta)}; the old texts are kept in {backup_folder(meta)}")
        lease.give_back(meta["run"])
