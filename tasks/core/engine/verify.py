"""Verification of a set that was applied: its checks are polled until they hold, or until the time is up."""

import time
from collections.abc import Mapping

from tasks.core.engine.maintenance import Scope, failing
from tasks.core.engine.run import MARGIN_S, Run
from tasks.core.model.change import ChangeSet
from tasks.core.model.check import Verdict, judge, needs_of
from tasks.core.model.errors import BurrowError, CheckFailed, LinkError
from tasks.core.model.fact import union

POLL_S = 0.5
# The checks have to pass for this long: a bond that has just come up may go down once more.
HOLD_S = 1.0


def verify(run: Run, change_set: ChangeSet, scope: Scope | None, timers: Mapping[str, float]) -> None:
    """Poll the set's checks until all pass and hold, or until the deadline, which is shorter than the timers.

    Raises CheckFailed with the checks that fail.
    """
    limit_s = change_set.verify_s or run.timers.verify_s
    deadline = min([time.monotonic() + limit_s, *(ends - MARGIN_S for ends in timers.values())])
    passing_since: float | None = None
    while True:
        failed = _failing(run, change_set) or _failing_around(run, change_set, scope)
        now = time.monotonic()
        passing_since = None if failed else passing_since or now
        if passing_since is not None and now - passing_since >= HOLD_S:
            return
        if now > deadline:
            raise CheckFailed("; ".join(failed) or f"the checks passed too late to hold for {HOLD_S:g} s before the timer")
        run.pause(POLL_S)


def _failing(run: Run, change_set: ChangeSet) -> list[str]:
    targets = (*change_set.hosts, *change_set.clusters)
    needs = {target: union(lists) for target, lists in needs_of(run.site, change_set.checks, targets).items()}
    answers = run.observe(needs, needs)
    if silent := [str(answer) for target, answer in answers.items() if isinstance(answer, BurrowError) and target in change_set.hosts]:
        return silent
    facts = {target: answer for target, answer in answers.items() if not isinstance(answer, BurrowError)}
    verdicts = judge(change_set.checks, run.site, facts, targets)
    return [describe(verdict) for verdict in verdicts if not verdict.finding.ok and change_set.concerns(verdict)]


def _failing_around(run: Run, change_set: ChangeSet, scope: Scope | None) -> list[str]:
    """The checks of the maintenance that fail while the set's hosts are out of service."""
    if scope is None:
        return []
    maintenance = scope.maintenance
    try:
        return [describe(bad) for host in scope.concerned(change_set) for bad in failing(run, maintenance, maintenance.checks, host)]
    except LinkError as error:
        return [str(error)]


def describe(verdict: Verdict) -> str:
    """One line: check, host and target, wanted, found."""
    finding = verdict.finding
    return f"{verdict.host}: {verdict.check.name.replace('_', ' ')}: {finding.target}: wanted {finding.want}, found {finding.got}"
