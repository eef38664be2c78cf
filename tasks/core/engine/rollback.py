"""Rolls one host back: asks until it answers, or until its own timer has undone the change."""

import time

from tasks.core.engine.work import Work
from tasks.core.model.errors import BurrowError, LinkError, Reverting

POLL_S = 0.5


def roll_back(work: Work, reason: str, until: float) -> list[str]:
    """Ask until the host has restored everything, or until the time `until`. Returns remarks for the operator.

    Raises LinkError where the host did not answer by then, Reverting where it still restores by itself.
    """
    while True:
        try:
            work.revert(reason[:400])
        except (LinkError, Reverting):
            if time.monotonic() > until:
                raise
            time.sleep(POLL_S)
        else:
            return work.remarks


def is_confirmed(work: Work) -> bool:
    """Whether a host that could not be rolled back has confirmed: only its answer was lost."""
    try:
        return bool(work.outcome()["state"] == "confirmed")
    except BurrowError:
        return False
