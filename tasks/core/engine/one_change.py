"""Applies one change of the suite from your own script, with the same plan, timer, checks and undo as in a runbook."""

from typing import Any

from nornir.core import Nornir

from tasks.core.engine.apply import apply_set
from tasks.core.engine.events import Watcher
from tasks.core.engine.execute import run_of
from tasks.core.model.change import Change, ChangeSet, Member
from tasks.core.model.check import Check
from tasks.core.model.fact import STATUS, union
from tasks.core.model.outcome import Outcome


def apply_change(nornir: Nornir, change: Change[Any], checks: tuple[Check, ...] = (), watchers: tuple[Watcher, ...] = ()) -> Outcome:
    """The outcome: `state` is unchanged, done, refused, reverted, reverting or interrupted; `reasons` say why.

    It does not ask before it applies. Nornir's processors see each step; a watcher gets each event.
    """
    run = run_of(nornir, watchers)
    change_set = ChangeSet(f"{type(change).__name__} {change.host}", (Member(change.host, (change,), safe_alone=True),), checks)
    run.needs = {target: union([*lists, (STATUS,)]) for target, lists in change_set.needs(run.site).items()}
    try:
        return apply_set(run, change_set)
    finally:
        run.release()
