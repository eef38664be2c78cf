"""One host taken back: asked until it answers, or until its own timer has undone it."""

import time

from tasks.core.engine.run import Run
from tasks.core.model.errors import BurrowError, LinkError, Reverting
from tasks.core.model.plan import HostPlan

POLL_S = 0.5


def roll_back(run: Run, host: HostPlan, reason: str, until: float) -> list[str]:
    """Ask until the host has restored everything, or until `until`: only then may another set have it. What somebody has to know besides.

    Raises LinkError where it did not answer by then, Reverting where it has not restored everything by then, and goes on by itself.
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
    """Whether a host that could not be rolled back says that it has confirmed: its answer to that was lost."""
    try:
        return bool(run.do(host.host, "outcome", plan=host)["state"] == "confirmed")
    except BurrowError:
        return False


def _left_behind(run: Run, host: HostPlan) -> list[str]:
    """What has no opposite, of a host whose steps have no timer, and what they said."""
    if host.transaction is None or host.transaction.timed:
        return []
    remark = run.do(host.host, "outcome", plan=host)["remark"]
    return [f"{host.host}: {remark}"] if remark else []
