"""Which sets of a stage are applied in parallel, and which in sequence."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import groupby

from tasks.core.engine.apply import apply_set
from tasks.core.engine.maintenance import Scope
from tasks.core.engine.run import INTERRUPTED_TEXT, Run
from tasks.core.model.change import ChangeSet
from tasks.core.model.errors import UNEXPECTED, BurrowError
from tasks.core.model.outcome import Outcome
from tasks.core.model.plan import SetPlan


def apply_all(run: Run, sets: Sequence[ChangeSet], scope: Scope | None = None) -> tuple[Outcome, ...]:
    """Apply all sets of a stage, in parallel where they share neither host nor lock; one outcome for each set, whatever happens.

    After Ctrl-C open transactions are rolled back first.
    """
    outcomes: list[Outcome] = []
    why = "it was not started"
    try:
        rows = _rows(sets, scope)
        with ThreadPoolExecutor(max_workers=max(1, len(rows))) as pool:
            begun = []
            try:
                begun += [pool.submit(_apply_row, run, row, outcomes, scope) for row in rows]
            finally:
                _wait(run, begun)
        for error in (one.exception() for one in begun):
            why = f"not started: {run.ours(error)}" if error else why
    except BaseException as error:  # noqa: BLE001 - the outcomes so far are returned all the same
        why = f"not started: {run.ours(error)}"
        run.say("failed", text=why)
    known = {one.plan.change_set.name for one in outcomes}
    state = "interrupted" if run.stop.is_set() else "refused"
    outcomes += [Outcome(SetPlan(one, refused=why), state, [why]) for one in sets if one.name not in known]
    names = [one.name for one in sets]
    return tuple(sorted(outcomes, key=lambda one: names.index(one.plan.change_set.name)))


def _wait(run: Run, begun: "Sequence[Future[None]]") -> None:
    """Wait until all have ended. Ctrl-C asks them to stop, however often it is pressed."""
    while True:
        try:
            wait(begun)
        except KeyboardInterrupt:
            if not run.stop.is_set():
                run.stop.set()
                run.say("stage", text=f"interrupted: {INTERRUPTED_TEXT}")
        else:
            return


def _rows(sets: Sequence[ChangeSet], scope: Scope | None) -> list[list[ChangeSet]]:
    """Lists of sets that are applied in sequence: one list a lock, and one for each set without a lock."""
    rows: dict[str, list[ChangeSet]] = {}
    for one in sets:
        lock = scope.lock(one) if scope else one.lock
        rows.setdefault(lock or f"set {one.name}", []).append(one)
    return list(rows.values())


def _groups(run: Run, row: Sequence[ChangeSet]) -> Iterator[list[ChangeSet]]:
    """The sets of one list that are applied at the same time, batch after batch."""
    for _, group in groupby(row, key=lambda one: one.batch or one.name):
        sets = list(group)
        yield from [[one] for one in sets] if _serial(run, sets) else [sets]


def _serial(run: Run, sets: Sequence[ChangeSet]) -> bool:
    """Whether the sets of a batch are applied one at a time; also where that is unknown, so that each set is refused by itself."""
    try:
        return any(one.serial_if(run.site, run.first_facts) for one in sets)
    except (BurrowError, *UNEXPECTED):
        return True


def _apply_row(run: Run, row: Sequence[ChangeSet], outcomes: list[Outcome], scope: Scope | None) -> None:
    """Apply group after group; each reads what the one before it changed. After one that failed the others are not started."""
    failed = ""
    for at_once in _groups(run, row):
        if failed:
            reason = f"not started: {failed!r} comes first and is not as wanted"
            outcomes += [Outcome(SetPlan(one, refused=reason), "refused", [reason]) for one in at_once]
            continue
        with ThreadPoolExecutor(max_workers=len(at_once)) as pool:
            ended = list(pool.map(lambda one: apply_set(run, one, scope), at_once))
        outcomes += ended
        if any(one.state == "done" for one in ended):
            for target in {target for other in row for target in other.needs(run.site)}:
                run.facts.pop(target, None)
        failed = next((one.plan.change_set.name for one in ended if one.failed), "")


def apply_by_turns(run: Run, sets: Sequence[ChangeSet], scope: Scope | None = None) -> tuple[Outcome, ...]:
    """Apply all sets of a stage, turn after turn, except those that share a host with a failed set of an earlier turn."""
    outcomes: list[Outcome] = []
    for turn in sorted({one.turn for one in sets}):
        failed = {host: one.plan.change_set.name for one in outcomes if one.failed for host in one.plan.change_set.hosts}
        begun = [one for one in sets if one.turn == turn and not failed.keys() & set(one.hosts)]
        for one in sets:
            if one.turn == turn and one not in begun:
                first = next(failed[host] for host in one.hosts if host in failed)
                reason = f"not started: {first!r} comes first and is not as wanted"
                outcomes.append(Outcome(SetPlan(one, refused=reason), "refused", [reason]))
        outcomes += apply_all(run, begun, scope) if begun else ()
    names = [one.name for one in sets]
    return tuple(sorted(outcomes, key=lambda one: names.index(one.plan.change_set.name)))
