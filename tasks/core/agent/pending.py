"""The transaction under way: its state, what is known of a revert that is not complete, and what this host holds of any transaction."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from tasks.core.agent import deferred, disk, process, record
from tasks.core.agent.refusal import sentence
from tasks.core.agent.state import PATHS, News, Transaction

# A timer that is so late does not come any more.
OVERDUE_S = 30


def opened(token: str | None = None) -> Transaction | None:
    """The transaction that is open; with a token, only where it is this one."""
    meta: Transaction | None = disk.load(PATHS.meta)
    return meta if meta and token in (None, meta["token"]) else None


def overdue(meta: Transaction) -> bool:
    """Whether its timer cannot come any more: its time is long over, or it was armed in another boot."""
    return meta["boot"] != process.boot_id() or process.now() > meta["until"] + OVERDUE_S


def state_of(meta: Transaction) -> str:
    """armed, applying, applied or reverting."""
    return "reverting" if state_text(meta).startswith("reverting") else state_text(meta)


def state_text(meta: Transaction) -> str:
    """The state as it is written: on disk, or in memory where the disk took it not. One that cannot be read is never confirmed."""
    text = told(meta["token"]).get("state") or (PATHS.pending / "state").read_bytes().decode(errors="replace")
    return text if text in ("armed", "applying", "applied", "reverting armed") else "reverting"


def set_state(meta: Transaction, text: str) -> None:
    """Written down by a rename of what lies ready; a revert goes on also where the disk takes nothing: memory then says so."""
    ready, state = PATHS.pending / f"state.{text.replace(' ', '-')}", PATHS.pending / "state"
    try:
        if ready.exists():
            disk.rename(ready, state)
        elif state.read_text() != text:
            disk.write(state, text.encode())
    except OSError:
        if not text.startswith("reverting"):
            raise
        tell(meta, {"state": text})


def told(token: str) -> News:
    """What is known of a revert that is not complete: its reason and its troubles."""
    news: News | None = disk.lenient(PATHS.runtime / f"{token}.json")
    return news or {}


def tell(meta: Transaction, news: News) -> None:
    """Add to what is known of a revert, in memory, which a full disk leaves free. What cannot be told keeps no file from its place."""
    try:
        disk.save(PATHS.runtime / f"{meta['token']}.json", {**told(meta["token"]), **news})
    except OSError as error:
        if "state" in news:  # it would be applied or confirmed
            raise
        print(f"burrow: {sentence(error)}; {'; '.join(news.get('troubles', []))}", file=sys.stderr)


def unfinished(meta: Transaction) -> str:
    """Why a revert is not complete, with what to do; nothing where none has begun."""
    if state_of(meta) != "reverting":
        return ""
    why = "; ".join(told(meta["token"]).get("troubles", [])) or "it was interrupted"
    return f"{why}; it is tried again until every file is back, at once by `burrow revert` on the host"


def steady(look: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Look without the lock; where a transaction was closed in the middle of it, look again."""

    def looked(*words: str | None) -> dict[str, Any]:
        for _ in range(3):
            with contextlib.suppress(FileNotFoundError):
                return look(*words)
        return look(*words)

    return looked


@steady
def outcome(token: str | None) -> dict[str, Any]:
    """What this host holds of a transaction: armed, applying, applied, reverting, confirmed, reverted, given up, or unknown."""
    if token and (meta := opened(token)):
        state, news = state_of(meta), told(token)
        if state != "reverting":
            return {"state": state, "revert_in_s": meta["until"] - process.now(), "reason": ""}
        reason, troubles = news.get("reason", ""), news.get("troubles", [])
        said = [record.REASONS.get(reason, reason)] if reason else []
        return {"state": state, "revert_in_s": 0, "reason": "; ".join([*said, *troubles]), "troubles": troubles}
    for entry in reversed(record.recorded()[0]):
        if entry["token"] == token:
            kept = {"state": entry["outcome"], "reason": entry["reason"], "troubles": entry.get("troubles", []), "at": entry["at"]}
            return {**kept, "deferred": [one["trouble"] for one in deferred.left(token)]}
    return {"state": "unknown", "reason": "this host has no transaction of that token"}
