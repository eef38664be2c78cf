"""The record of how transactions ended, and the backups of the last ones."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.core.agent import disk, process
from tasks.core.agent.refusal import refuse_newer
from tasks.core.agent.secrets import redact
from tasks.core.agent.state import PATHS, Entry, Transaction, identity

KEPT_BACKUPS, KEPT_RECORDS = 5, 50
# How many characters of a reason the record keeps.
REASON_LETTERS = 3000
# Controllers compare the reason `boot` with records on hosts, so its text stays as it is.
REASONS = {
    "timer": "by its timer, because it was not confirmed",
    "boot": "at boot, because the power went before it was confirmed",
    "hand": "by hand on the host",
    "overdue": "by the next run, because its timer did not fire",
    "retry": "by a retry on the host, because the first attempt was interrupted",
}


def entries() -> tuple[list[Entry], int]:
    """The entries of the record, and the number of its unreadable lines."""
    lines = PATHS.record.read_bytes().decode(errors="replace").splitlines() if PATHS.record.exists() else []
    found: list[Entry] = []
    for line in lines:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            refuse_newer(PATHS.record, entry)
            if isinstance(entry, dict) and {"token", "holder", "why", "outcome", "reason", "at"} <= entry.keys():
                found.append(entry)  # type: ignore[arg-type]
    return found, len([line for line in lines if line.strip(" \0")]) - len(found)


def add(of: Mapping[str, Any], outcome: str, reason: str, troubles: Sequence[str] = ()) -> None:
    """Add an entry to the record, which is bounded. If space was reserved in the pending folder, the record is written there."""
    known, _ = entries()
    if known and (known[-1]["token"], known[-1]["outcome"]) == (of["token"], outcome):
        return  # an earlier process was killed right after it wrote this entry
    entry = {**identity(of), "why": of["why"][:REASON_LETTERS], "outcome": outcome, "reason": redact(reason)[:REASON_LETTERS]}
    entry |= {"troubles": [redact(one)[: REASON_LETTERS // 10] for one in troubles][:10], "at": time.strftime("%F %T")}
    data = b"\n".join([*(json.dumps(one).encode() for one in known[1 - KEPT_RECORDS :]), disk.encoded(entry), b""])
    reserved = PATHS.pending / "record"
    if not reserved.exists():
        disk.write(PATHS.record, data)
        return
    with reserved.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    disk.rename(reserved, PATHS.record)


def close(meta: Transaction, outcome: str, reason: str, troubles: Sequence[str] = ()) -> None:
    """Close a transaction: record it on disk first, then move its folder to the backups and stop its timer."""
    add(meta, outcome, reason, troubles)
    folder = backup_folder(meta)
    disk.make_folders(PATHS.backups)
    disk.rename(PATHS.pending, folder)
    disk.sync_folder(PATHS.home)
    inodes = [folder / inode for saved in meta["saved"] for inode in (saved.get("old"), saved.get("new")) if inode]
    for path in (*inodes, PATHS.runtime / f"{meta['token']}.json"):
        with contextlib.suppress(OSError):  # a file that stays uses space but does no harm
            path.unlink(missing_ok=True)
    for old in sorted(PATHS.backups.iterdir(), key=number_of)[:-KEPT_BACKUPS]:
        shutil.rmtree(old, ignore_errors=True)
    process.systemctl("stop", f"burrow-revert-{meta['token']}.timer")


def number_of(backup: Path) -> int:
    """The number by which backups are sorted. It does not depend on the clock."""
    number = backup.name.partition("-")[0]
    return int(number) if number.isdigit() else 0


def backup_folder(meta: Transaction) -> Path:
    """The folder to which the pending folder moves when it is closed. Its number follows that of the newest backup."""
    newest = max((number_of(one) for one in PATHS.backups.iterdir()), default=0) if PATHS.backups.exists() else 0
    return PATHS.backups / f"{newest + 1:019}-{meta['token']}"
