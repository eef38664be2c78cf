"""The requests of a controller: how each is answered, and those that only read. They write nothing on a host but the reader's own lease."""

import contextlib
import json
import os
from typing import Any

from tasks.core.agent import deferred, disk, lease, pending, process, record
from tasks.core.agent.refusal import REMEDIES, Refused, refuse_newer, sentence
from tasks.core.agent.state import PATHS

# A reading that waits for others keeps its lease meanwhile.
RENEW_S = 5
UNDONE = {
    "confirm": "the transaction is not confirmed",
    "renew": "its timer is not renewed",
    "revert": "the revert is not complete",
    "release": "the lease is not given back, and lapses by itself",
}


def refuse_newer_state() -> None:
    """Looked at before anything else: nothing is written where any of the state is of a newer format."""
    for path in (PATHS.meta, PATHS.lease, *PATHS.deferred.glob("*.json"), *PATHS.runtime.glob("*.json")):
        with contextlib.suppress(OSError):
            disk.lenient(path)
    with contextlib.suppress(OSError):
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


def emit(**event: object) -> None:
    """One line to the controller; a controller that is gone changes nothing here."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def operate(ask: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for. What only reads comes without the modules that change something."""
    refuse_newer("the request", ask)
    refuse_newer_state()
    if ask["op"] == "read":
        return read(ask)
    if ask["op"] == "outcome":
        return pending.outcome(ask["token"])
    from tasks.core.agent.operations import OPERATIONS  # noqa: PLC0415

    return OPERATIONS[ask["op"]](ask)


def answer(ask: dict[str, Any]) -> None:
    """Answer a request."""
    os.umask(0o077)
    try:
        emit(answer=operate(ask))
    except Refused as refusal:
        emit(refused=str(refusal))
    except UnicodeEncodeError as error:
        emit(refused=f"a text in the request cannot be written as UTF-8 ({error.reason}): nothing was changed")
    except OSError as error:
        undone = UNDONE.get(ask["op"], "nothing was changed")
        emit(refused=str(Refused(f"{sentence(error)}: {undone}; {REMEDIES.get(error.errno or 0, 'mend that')} and run again")))
