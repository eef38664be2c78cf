"""The requests of a controller, and the operations that only read. Reading writes nothing on a host except the reader's own lease."""

import contextlib
import json
import os
from typing import Any

from tasks.core.agent import commands, deferred, disk, lease, pending, process, record
from tasks.core.agent.refusal import REMEDIES, Refused, refuse_newer, sentence
from tasks.core.agent.state import PATHS

# How often a slow reading renews the reader's lease.
RENEW_S = 5
# What an operation did not do if the system refused something. Any other operation changed nothing.
UNDONE = {
    "confirm": "the transaction was not confirmed",
    "renew": "its timer was not renewed",
    "revert": "the revert is not complete",
    "finish": "the end of the procedure was not recorded",
    "release": "the lease was not released; it will expire",
}


def refuse_newer_state() -> None:
    """Refuse state of a newer format, before anything is written."""
    for path in (PATHS.meta, PATHS.lease, *PATHS.deferred.glob("*.json"), *PATHS.runtime.glob("*.json"), *PATHS.commands.glob("*/*.json")):
        with contextlib.suppress(OSError):
            disk.load(path, lossy=True)
    with contextlib.suppress(OSError):
        record.entries()


@pending.reread
def status() -> dict[str, Any]:
    """The pending transaction, deferred undo, commands that no run has finished, the lease and the last entries of the record."""
    meta = pending.opened()
    shown = meta and {
        **{key: meta.get(key) for key in ("token", "run", "holder", "why", "armed_at")},
        "state": pending.state_of(meta),
        "revert_in_s": round(meta["until"] - process.now(), 1),
        "overdue": pending.overdue(meta),
        "troubles": pending.progress(meta["token"]).get("troubles", []),
    }
    entries, unreadable = record.entries()
    remarks = [f"{PATHS.record}: {unreadable} unreadable lines are skipped"] if unreadable else []
    if PATHS.lease.exists() and disk.load(PATHS.lease, "run", lossy=True) is None:
        remarks.append(f"{PATHS.lease} cannot be read, so no run has the lease")
    undo = [{"why": one["why"], "holder": one["holder"], "trouble": one["trouble"]} for one in deferred.left()]
    common = {"lease": lease.current(), "records": entries[-5:], "boot": process.boot_id(), "remarks": remarks}
    return {"pending": shown, "deferred": undo, "commands": commands.kept(), **common}


def keep_lease(run_id: str | None) -> float:
    """Renew the lease if this run has it; returns the time."""
    if run_id and lease.current(run_id):
        with disk.locked():
            lease.renew(run_id)
    return process.now()


def read(request: dict[str, Any]) -> dict[str, Any]:
    """Run read-only commands; returns their output and the status. All of them share one deadline and one limit of bytes."""
    facts, renewed = {}, keep_lease(request.get("run"))
    deadline, left_bytes = renewed + request["deadline_s"], process.LIMIT_BYTES
    for name, command in request["facts"].items():
        if process.now() - renewed > RENEW_S:
            renewed = keep_lease(request.get("run"))
        if command == "burrow status --json":
            code, out, err = 0, json.dumps(status()), ""
        else:
            code, out, err = process.run(["/bin/sh", "-c", command], max(0.0, deadline - process.now()), left_bytes)
            left_bytes = max(0, left_bytes - len(out) - len(err))
        facts[name] = {"rc": code, "out": out, "err": err}
    return {"facts": facts, **status()}


def emit(**event: object) -> None:
    """Send one line to the controller. If the controller is gone, the agent continues."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def operate(request: dict[str, Any]) -> dict[str, Any]:
    """Perform a request; returns the answer. An operation that reads does not need the modules that change the host."""
    refuse_newer("the request", request)
    refuse_newer_state()
    if request["op"] == "read":
        return read(request)
    if request["op"] == "outcome":
        return pending.outcome(request["token"])
    from tasks.core.agent.operations import OPERATIONS  # noqa: PLC0415

    return OPERATIONS[request["op"]](request)


def answer(request: dict[str, Any]) -> None:
    """Perform a request and send its answer, or the reason of a refusal."""
    os.umask(0o077)
    try:
        emit(answer=operate(request))
    except Refused as refusal:
        emit(refused=str(refusal))
    except UnicodeEncodeError as error:
        emit(refused=f"a text in the request cannot be written as UTF-8 ({error.reason}): nothing was changed")
    except OSError as error:
        undone = UNDONE.get(request["op"], "nothing was changed")
        emit(refused=str(Refused(f"{sentence(error)}: {undone}; {REMEDIES.get(error.errno or 0, 'fix that')} and run again")))
