"""Rolls one host back: asks until it answers, or until its own timer has undone the change."""

import time

from tasks.core.engine.run import Run
from tasks.core.model.errors import BurrowError, LinkError, Reverting
from tasks.core.model.plan import HostPlan

POLL_S = 0.5


def roll_back(run: Run, host: HostPlan, reason: str, until: float) -> list[str]:
    """Ask until the host has restored everything, or until the time `until`. Returns remarks for the operator.

    Raises LinkError where the host did not answer by then, Reverting where it still restores by itself.
    """
    while True:
        try:
            run.do(host.host, "revert", plan=host, reason=reason[:400])
        except (LinkError, Reverting):
            if time.monotonic() > until:
                raise
            time.sleep(POLL_S)
        else:
            return _left_behind(run, host)


def is_confirmed(run: Run, host: HostPlan) -> bool:
    """Whether a host that could not be rolled back has confirmed: only its answer was lost."""
    try:
        return bool(run.do(host.host, "outcome", plan=host)["state"] == "confirmed")
    except BurrowError:
        return False


def _left_behind(run: Run, host: HostPlan) -> list[str]:
    """Of steps without a timer: what could not be undone, and what the commands reported."""
    if host.transaction is None or host.transaction.timed:
        return []
    remark = run.do(host.host, "outcome", plan=host)["remark"]
    return [f"{host.host}: {remark}"] if remark else []
