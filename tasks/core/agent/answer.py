"""One request of the controller, and its answer: a line of JSON, the last one."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from tasks.core.agent import pending, reading
from tasks.core.agent.refusal import REMEDIES, Refused, refuse_newer, sentence

UNDONE = {
    "confirm": "the transaction is not confirmed",
    "renew": "its timer is not renewed",
    "revert": "the revert is not complete",
    "release": "the lease is not given back, and lapses by itself",
}


def emit(**event: object) -> None:
    """One line to the controller; a controller that is gone changes nothing here."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def operate(ask: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for. What only reads comes without the modules that change something."""
    refuse_newer("the request", ask)
    reading.refuse_newer_state()
    if ask["op"] == "read":
        return reading.read(ask)
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
