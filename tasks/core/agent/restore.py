"""Revert a transaction: restore its files, then make them live. A revert ends when every file is restored."""

import contextlib
import itertools
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

# The first wait before an incomplete revert is retried, and the longest: each wait is twice as long as the one before.
RETRY_FIRST_S, RETRY_LONGEST_S = 2, 60


def revert(token: str | None, reason: str, *, stop_apply: bool = True, live: bool = True) -> dict[str, Any]:
    """Revert a transaction or, without a token, whatever is pending or deferred; returns the outcome. `live`: the network is up."""
    if stop_apply and live and (meta := pending.opened(token)):
        systemctl("stop", f"burrow-apply-{meta['token']}.service")
    with disk.locked():
        if meta := pending.opened(token):
            attempt(meta, reason, live=live)
        elif live and deferred.left(token):
            deferred.retry(token)
    if live and deferred.left(token):
        systemctl("--no-block", "start", DEFERRED_UNIT)
    outcome = pending.outcome(token or (meta and meta["token"]))
    if live and outcome["state"] == "reverting":
        outcome["retried"] = not systemctl("--no-block", "start", RETRY_UNIT)
    return outcome


def attempt(meta: Transaction, reason: str, *, live: bool) -> None:
    """Attempt a revert once. If every file is restored, close the transaction; else it stays `reverting`, with the reasons."""
    known = pending.progress(meta["token"])
    reason = known.get("reason", reason)  # that of the first attempt
    blocking: list[str] = []
    in_cluster: list[str] = []
    remarks, undone = known.get("remarks", []), False
    try:
        begun = pending.state_text(meta) not in ("armed", "reverting armed")
        pending.set_state(meta, "reverting" if begun else "reverting armed")
        pending.note(meta, {"reason": reason})
        if begun:
            blocking, remarks = restore(meta, remarks, live=live)
            undone = live and not blocking
            in_cluster = deferred.undo_in_cluster(meta, live=live)
        if not blocking:
            close(meta, "reverted", "; ".join([REASONS.get(reason, reason), *remarks, *in_cluster]), remarks)
    except OSError as error:
        blocking.append(sentence(error))
    if blocking:
        pending.note(meta, {"reason": reason, "remarks": remarks, "troubles": [redact(one) for one in blocking], "undone": undone})
    elif reason in REASONS:
        lease.release(meta["run"])  # its run is dead, cut off or not wanted: the next run does not wait for it


def restore(meta: Transaction, known: list[str], *, live: bool) -> tuple[list[str], list[str]]:
    """Restore the files, then make them live. Returns what blocks the end of the revert, and the remarks, with the `known` ones first."""
    blocking: list[str] = []
    remarks: list[str] = []
    moved = False
    for index, saved in enumerate(meta["saved"]):
        try:
            moved |= put_back(index, saved, meta["files"][index]["text"], remarks)
        except (Refused, OSError) as error:
            blocking.append(sentence(error))
    # A restored file is made live even if another file is blocked, but not again by each attempt that restores no file.
    if moved or not (blocking or pending.progress(meta["token"]).get("undone")):
        for trouble in make_live(meta, live=live):
            (blocking if any(os.strerror(code) in trouble for code in FULL) else remarks).append(trouble)
    return blocking, [*known, *(one for one in remarks if one not in known)]


def put_back(index: int, saved: Saved, written: str | None, remarks: list[str]) -> bool:
    """Restore one file; returns whether it had to be changed. Raises Refused if its file system is not mounted, or OSError."""
    path, ours, old = Path(saved["path"]), PATHS.pending / str(index), PATHS.pending / saved.get("old", f"{index}.old")
    mount = saved.get("mount", "/")
    if not os.path.ismount(mount):  # /etc/pve at boot: a file below its mount point would keep it from being mounted
        raise Refused(f"{path} was not restored: {mount} is not mounted; the old text is in {ours}")
    if mount_of(path) != mount and "mount" in saved:
        raise Refused(f"{path} was not restored: it was on {mount} and is now on {mount_of(path)}; the old text is in {ours}")
    disk.delete(disk.temporary(path))
    if is_back(index, saved):
        with contextlib.suppress(OSError):  # a restored file needs no second name; closing the transaction tries again
            old.unlink(missing_ok=True)
        return False
    if (PATHS.pending / (saved.get("new") or f"{index}.untouched")).exists():  # the transaction has not written it: another program has
        remarks.append(f"{path} was edited before the transaction wrote it, and is left unchanged")
        return False
    remarks += keep_edited(index, saved, written)
    if saved["mode"] is None:
        path.unlink(missing_ok=True)
        disk.sync_folder(path.parent)
        for folder in saved.get("made", []):
            with contextlib.suppress(OSError):  # another program has created a file there
                Path(folder).rmdir()
    elif disk.content(old) == disk.content(ours):  # no program wrote to the old inode, and renaming it back needs no space
        disk.make_folders(path.parent)
        disk.rename(old, path)
    else:
        disk.write(path, ours.read_bytes(), saved)
    return True


def is_back(index: int, saved: Saved) -> bool:
    """Whether a file is as it was before the transaction."""
    path = Path(saved["path"])
    if saved["mode"] is None:
        return not os.path.lexists(path)
    if not path.is_file() or path.read_bytes() != (PATHS.pending / str(index)).read_bytes():
        return False
    stat = path.stat()
    return (stat.st_mode & 0o7777, [stat.st_uid, stat.st_gid]) == (saved["mode"], saved["owner"])


def keep_edited(index: int, saved: Saved, written: str | None) -> list[str]:
    """If a file was edited while the transaction was open, keep the edited text; returns a sentence that says where it is."""
    path = Path(saved["path"])
    found = disk.content(path)
    ours = [None if written is None else written.encode(errors="surrogateescape"), disk.content(PATHS.pending / str(index))]
    if found is None or found in ours:
        return []
    names = itertools.chain([f"{index}.found"], (f"{index}.found.{number}" for number in itertools.count(1)))
    kept = next(one for name in names if disk.content(one := PATHS.pending / name) in (None, found))
    if not kept.exists():
        try:
            os.link(path, kept)
        except OSError:  # another file system, or one without hard links
            disk.write(kept, found)
    return [f"{path} was edited during the transaction; the edited text is in the newest folder of {PATHS.backups}, as {kept.name}"]


def make_live(meta: Transaction, *, live: bool) -> list[str]:
    """Restore units and live values, and run the undo of each action; returns what failed."""
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
    for name, value in meta["live"].items() if live else ():  # last, because a reload may change them
        try:
            PATHS.sysctl(name).write_text(value)
        except OSError as error:
            troubles.append(str(error))
    return troubles


def retry() -> None:
    """Retry an incomplete revert until it is complete, with a longer wait each time."""
    wait_s = RETRY_FIRST_S
    while (meta := pending.opened()) and pending.state_of(meta) == "reverting":
        if (outcome := revert(meta["token"], "retry"))["state"] == "reverting":
            print(f"burrow: {outcome['reason']}; retrying in {wait_s} s", file=sys.stderr, flush=True)
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LONGEST_S)


def give_up() -> None:
    """Close a revert that cannot be completed, as the operator at the console decides. The copies stay in the backups."""
    with disk.locked():
        meta = pending.opened()
        if not meta or pending.state_of(meta) != "reverting":
            sys.exit("burrow: no revert is incomplete; `burrow status` shows what is pending")
        close(meta, "given up", f"by hand on the host: {pending.blocked_by(meta)}; the old texts are in {backup_folder(meta)}")
        lease.release(meta["run"])
