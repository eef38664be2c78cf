"""The open transaction, the progress of an incomplete revert, and the state of any transaction."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from tasks.core.agent import deferred, disk, process, record
from tasks.core.agent.refusal import sentence
from tasks.core.agent.state import PATHS, Progress, Transaction

# A timer that is this late will not fire any more.
OVERDUE_S = 30


def opened(token: str | None = None) -> Transaction | None:
    """The open transaction; None if there is none, or if `token` is given and the open transaction is another one."""
    meta: Transaction | None = disk.load(PATHS.meta)
    return meta if meta and token in (None, meta["token"]) else None


def overdue(meta: Transaction) -> bool:
    """Whether the transaction's timer can no longer fire: it is long overdue, or it was armed before a reboot."""
    return meta["boot"] != process.boot_id() or process.now() > meta["until"] + OVERDUE_S


def state_of(meta: Transaction) -> str:
    """armed, applying, applied or reverting."""
    return "reverting" if state_text(meta).startswith("reverting") else state_text(meta)


def state_text(meta: Transaction) -> str:
    """The written state: on disk, or in memory if the disk could not be written. An unreadable state is `reverting`: never confirmed."""
    text = progress(meta["token"]).get("state") or (PATHS.pending / "state").read_bytes().decode(errors="replace")
    return text if text in ("armed", "applying", "applied", "reverting armed") else "reverting"


def set_state(meta: Transaction, text: str) -> None:
    """Write the state by renaming the file prepared for it. If the disk cannot be written, a revert writes its state to memory."""
    prepared, state = PATHS.pending / f"state.{text.replace(' ', '-')}", PATHS.pending / "state"
    try:
        if prepared.exists():
            disk.rename(prepared, state)
        elif state.read_text() != text:
            disk.write(state, text.encode())
    except OSError:
        if not text.startswith("reverting"):
            raise
        note(meta, {"state": text})


def progress(token: str) -> Progress:
    """The progress of a revert that is not complete: its reason and its troubles."""
    known: Progress | None = disk.load(PATHS.runtime / f"{token}.json", lossy=True)
    return known or {}


def note(meta: Transaction, news: Progress) -> None:
    """Add to a revert's progress, which is in memory because the disk may be full. If that fails, the files are restored all the same."""
    try:
        disk.save(PATHS.runtime / f"{meta['token']}.json", {**progress(meta["token"]), **news})
    except OSError as error:
        if "state" in news:  # without the state, the transaction could be applied or confirmed
            raise
        print(f"burrow: {sentence(error)}; {'; '.join(news.get('troubles', []))}", file=sys.stderr)


def unfinished(meta: Transaction) -> str:
    """Why a revert is not complete, and what the operator can do; empty if no revert has begun."""
    retried = "the host retries until every file is restored; to retry now, run `burrow revert` on the host"
    return f"{blocked_by(meta)}; {retried}" if state_of(meta) == "reverting" else ""


def blocked_by(meta: Transaction) -> str:
    """Why a revert is not complete."""
    return "; ".join(progress(meta["token"]).get("troubles", [])) or "the revert was interrupted"


def reread(look: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Read without the lock, and read again if a transaction was closed meanwhile."""

    def looked(*words: str | None) -> dict[str, Any]:
        for _ in range(3):
            with contextlib.suppress(FileNotFoundError):
                return look(*words)
        return look(*words)

    return looked


@reread
def outcome(token: str | None) -> dict[str, Any]:
    """The state of a transaction on this host: armed, applying, applied, reverting, confirmed, reverted, given up, or unknown."""
    if token and (meta := opened(token)):
        state, now = state_of(meta), progress(token)
        if state != "reverting":
            return {"state": state, "revert_in_s": meta["until"] - process.now(), "reason": ""}
        reason, troubles = now.get("reason", ""), now.get("troubles", [])
        reasons = [record.REASONS.get(reason, reason), *troubles] if reason else troubles
        return {"state": state, "revert_in_s": 0, "reason": "; ".join(reasons), "troubles": troubles}
    for entry in reversed(record.entries()[0]):
        if entry["token"] == token:
            ended = {"state": entry["outcome"], "reason": entry["reason"], "troubles": entry.get("troubles", []), "at": entry["at"]}
            return {**ended, "deferred": [one["trouble"] for one in deferred.left(token)]}
    return {"state": "unknown", "reason": "this host has no transaction with that token"}
