"""What is remembered: how transactions ended, and the backups of the last ones."""

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
from tasks.core.agent.state import PATHS, Entry, Transaction, whose

KEPT_BACKUPS, KEPT_RECORDS = 5, 50
# A reason in the record.
REASON_LETTERS = 3000
REASONS = {
    "timer": "by its timer, because it was not confirmed",
    "boot": "at boot, because the power went before it was confirmed",
    "hand": "by hand on the host",
    "overdue": "by the next run, because its timer had not come",
    "retry": "by a later attempt of the host, because the first was interrupted",
}


def recorded() -> tuple[list[Entry], int]:
    """The entries of the record, and how many of its lines cannot be read as one."""
    lines = PATHS.record.read_bytes().decode(errors="replace").splitlines() if PATHS.record.exists() else []
    entries: list[Entry] = []
    for line in lines:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            refuse_newer(PATHS.record, entry)
            if isinstance(entry, dict) and {"token", "holder", "why", "outcome", "reason", "at"} <= entry.keys():
                entries.append(entry)  # type: ignore[arg-type]
    return entries, len([line for line in lines if line.strip(" \0")]) - len(entries)


def remember(of: Mapping[str, Any], outcome: str, reason: str, troubles: Sequence[str] = ()) -> None:
    """A line of the record, which is bounded; written into the space that lies ready, where that is."""
    entries, _ = recorded()
    if entries and (entries[-1]["token"], entries[-1]["outcome"]) == (of["token"], outcome):
        return  # it was killed right after this
    entry = {**whose(of), "why": of["why"][:REASON_LETTERS], "outcome": outcome, "reason": redact(reason)[:REASON_LETTERS]}
    entry |= {"troubles": [redact(one)[: REASON_LETTERS // 10] for one in troubles][:10], "at": time.strftime("%F %T")}
    lines = [*(json.dumps(one).encode() for one in entries[1 - KEPT_RECORDS :]), disk.encoded(entry), b""]
    ready = PATHS.pending / "record"
    if not ready.exists():
        disk.write(PATHS.record, b"\n".join(lines))
        return
    with ready.open("r+b") as file:
        file.write(b"\n".join(lines))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    disk.rename(ready, PATHS.record)


def close(meta: Transaction, outcome: str, reason: str, troubles: Sequence[str] = ()) -> None:
    """On disk first; only then the folder moves away and the timer ends."""
    remember(meta, outcome, reason, troubles)
    folder = backup_folder(meta)
    disk.make_folders(PATHS.backups)
    disk.rename(PATHS.pending, folder)
    disk.sync_folder(PATHS.home)
    inodes = [folder / inode for saved in meta["saved"] for inode in (saved.get("old"), saved.get("new")) if inode]
    for path in (*inodes, PATHS.runtime / f"{meta['token']}.json"):
        with contextlib.suppress(OSError):  # what is left takes space and harms nobody
            path.unlink(missing_ok=True)
    for old in sorted(PATHS.backups.iterdir(), key=number_of)[:-KEPT_BACKUPS]:
        shutil.rmtree(old, ignore_errors=True)
    process.systemctl("stop", f"burrow-revert-{meta['token']}.timer")


def number_of(backup: Path) -> int:
    """What backups are sorted by: each has the number after the newest there is, whatever the clock says."""
    number = backup.name.partition("-")[0]
    return int(number) if number.isdigit() else 0


def backup_folder(meta: Transaction) -> Path:
    """Where the pending folder goes when it is closed."""
    newest = max((number_of(one) for one in PATHS.backups.iterdir()), default=0) if PATHS.backups.exists() else 0
    return PATHS.backups / f"{newest + 1:019}-{meta['token']}"
