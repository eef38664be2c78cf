"""One change of the suite from a script of your own: planned, armed, applied, verified, and confirmed or undone, as in a runbook."""

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
    """How it ended: its `state` is unchanged, done, refused, reverted, reverting or interrupted; `reasons` say why.

    It applies at once, whatever the site. Nornir's processors see each step; a watcher is given each event.
    """
    run = run_of(nornir, watchers)
    change_set = ChangeSet(f"{type(change).__name__} {change.host}", (Member(change.host, (change,), safe_alone=True),), checks)
    run.needs = {change.host: union([*change_set.needs(), (STATUS,)])}
    try:
        return apply_set(run, change_set)
    finally:
        run.release()
