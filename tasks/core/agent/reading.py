"""What reads: facts and the status. It writes nothing on a host, but the lease of a run that waits for it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from tasks.core.agent import deferred, disk, lease, pending, process, record
from tasks.core.agent.state import PATHS

# A reading that waits for others keeps its lease meanwhile.
RENEW_S = 5


def refuse_newer_state() -> None:
    """Looked at before anything else: nothing is written where any of the state is of a newer format."""
    with contextlib.suppress(OSError):
        for path in (PATHS.meta, PATHS.lease, *PATHS.deferred.glob("*.json"), *PATHS.runtime.glob("*.json")):
            disk.lenient(path)
        record.recorded()


@pending.steady
def status() -> dict[str, Any]:
    """The pending transaction, the lease and the last records."""
    meta = pending.opened()
    shown = meta and {
        **{key: meta.get(key) for key in ("token", "run", "holder", "why", "armed_at")},
        "state": pending.state_of(meta),
        "revert_in_s": round(meta["until"] - process.now(), 1),
        "overdue": pending.overdue(meta),
        "troubles": pending.told(meta["token"]).get("troubles", []),
    }
    records, unreadable = record.recorded()
    remarks = [f"{PATHS.record}: {unreadable} lines cannot be read and are left out"] if unreadable else []
    if PATHS.lease.exists() and disk.lenient(PATHS.lease, "run") is None:
        remarks.append(f"{PATHS.lease} cannot be read and is taken for nobody's")
    undo = [{"why": one["why"], "holder": one["holder"], "trouble": one["trouble"]} for one in deferred.left()]
    common = {"lease": lease.current(), "records": records[-5:], "boot": process.boot_id(), "remarks": remarks}
    return {"pending": shown, "deferred": undo, **common}


def keep_lease(run_id: str | None) -> float:
    """Renew the reader's lease, where it has one; answers when."""
    if run_id and lease.current(run_id):
        with disk.locked():
            lease.renew(run_id)
    return process.now()


def read(ask: dict[str, Any]) -> dict[str, Any]:
    """The answers of read-only commands, and the status."""
    answers, renewed = {}, keep_lease(ask.get("run"))
    for name, command in ask["facts"].items():
        if process.now() - renewed > RENEW_S:
            renewed = keep_lease(ask.get("run"))
        if command == "burrow status --json":
            code, out, err = 0, json.dumps(status()), ""
        else:
            code, out, err = process.run(["/bin/sh", "-c", command], ask["deadline_s"])
        answers[name] = {"rc": code, "out": out, "err": err}
    return {"facts": answers, **status()}
