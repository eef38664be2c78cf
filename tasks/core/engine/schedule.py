"""Which sets of a stage are applied at the same time, and which one after the other. One bounded pool applies them all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import groupby

from tasks.core.engine.apply import apply_set
from tasks.core.engine.maintenance import Scope
from tasks.core.engine.run import INTERRUPTED_TEXT, Run
from tasks.core.model.change import ChangeSet
from tasks.core.model.errors import UNEXPECTED, BurrowError, Refused
from tasks.core.model.outcome import Outcome
from tasks.core.model.plan import SetPlan

# A set waits for its hosts nearly all of the time.
MOST_AT_ONCE = 64


def apply_in_order(run: Run, sets: Sequence[ChangeSet], scope: Scope | None = None) -> tuple[Outcome, ...]:
    """Apply all sets of a stage, each after those that it names, and not where one of these failed on a host of it.

    One outcome for each set, whatever happens. After Ctrl-C open transactions are rolled back first.
    """
    outcomes: list[Outcome] = []
    try:
        before = _before(sets)
        for rank in _ranks(sets, before):
            begun = []
            for one in rank:
                first = next((other for other in outcomes if other.failed and _keeps_from_starting(other, one, before)), None)
                if first:
                    outcomes.append(_not_started(run, one, f"{first.plan.change_set.name!r} comes first and is not as wanted"))
                else:
                    begun.append(one)
            pool = _Pool(run, scope)
            try:
                pool.apply(begun)
            finally:
                outcomes += pool.ended
    except BaseException as error:  # noqa: BLE001 - the outcomes so far are returned all the same
        why = str(run.ours(error))
        run.say("failed", text=f"not started: {why}")
        known = {one.plan.change_set.name for one in outcomes}
        outcomes += [_not_started(run, one, why) for one in sets if one.name not in known]
    names = [one.name for one in sets]
    return tuple(sorted(outcomes, key=lambda one: names.index(one.plan.change_set.name)))


def _before(sets: Sequence[ChangeSet]) -> Mapping[str, frozenset[str]]:
    """{set: the sets that end before it}."""
    patterns = {pattern for one in sets for pattern in one.concurrency.after}
    matched = {pattern: {one.name for one in sets if fnmatchcase(one.name, pattern)} for pattern in patterns}
    return {one.name: frozenset().union(*(matched[pattern] for pattern in one.concurrency.after)) - {one.name} for one in sets}


def _ranks(sets: Sequence[ChangeSet], before: Mapping[str, frozenset[str]]) -> Iterator[list[ChangeSet]]:
    """The sets in lists that are applied one after the other. Raises Refused where sets wait for each other."""
    left = {one.name: one for one in sets}
    while left:
        rank = [one for name, one in left.items() if not before[name] & left.keys()]
        if not rank:
            raise Refused(f"{', '.join(left)}: each comes after another one of these")
        yield rank
        for one in rank:
            del left[one.name]


def _keeps_from_starting(failed: Outcome, one: ChangeSet, before: Mapping[str, frozenset[str]]) -> bool:
    other = failed.plan.change_set
    return other.name in before[one.name] and bool(set(other.hosts) & set(one.hosts))


def _not_started(run: Run, one: ChangeSet, why: str) -> Outcome:
    reason = f"not started: {why}"
    return Outcome(SetPlan(one, refused=reason), "interrupted" if run.stop.is_set() else "refused", [reason])


@dataclass
class _Row:
    """Sets of one lock, which are applied group after group; a set without a lock is a row by itself."""

    sets: list[ChangeSet]
    groups: Iterator[list[ChangeSet]]
    at_work: set["Future[Outcome]"] = field(default_factory=set)
    ended: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> str:
        """The first set that failed; no other one starts after it."""
        return next((one.plan.change_set.name for one in self.ended if one.failed), "")


@dataclass
class _Pool:
    """Applies the sets of one rank: this thread starts them and waits, the threads of one bounded pool apply them."""

    run: Run
    scope: Scope | None
    ended: list[Outcome] = field(default_factory=list)

    def apply(self, sets: Sequence[ChangeSet]) -> None:
        """Apply all. Another thread starts and collects them: Ctrl-C, which reaches this one, interrupts it nowhere."""
        begun: list[Future[None]] = []
        with ThreadPoolExecutor(max_workers=1) as driver:
            try:
                begun.append(driver.submit(self.drive, sets))
            finally:
                self.wait(begun)
        for one in begun:
            one.result()

    def drive(self, sets: Sequence[ChangeSet]) -> None:
        """Start each row, then the next group of a row as soon as all of its last group have ended.

        What ended is in `ended`, whatever is raised.
        """
        rows = self.rows(sets)
        try:
            self.drive_rows(rows)
        finally:
            self.ended += [one for row in rows for one in (*row.ended, *(future.result() for future in row.at_work))]

    def drive_rows(self, rows: Sequence[_Row]) -> None:
        with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
            for row in rows:
                self.start(row, pool)
            while at_work := {future: row for row in rows for future in row.at_work}:
                for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                    row = at_work[future]
                    row.at_work.discard(future)
                    row.ended.append(future.result())
                    self.run.failures += [one.plan.change_set.name for one in row.ended[-1:] if one.failed]
                    if not row.at_work:
                        self.forget(row)
                        self.start(row, pool)

    def rows(self, sets: Sequence[ChangeSet]) -> list[_Row]:
        """One list a lock, in the order of the stage."""
        found: dict[str, list[ChangeSet]] = {}
        for one in sets:
            lock = self.scope.lock(one) if self.scope else one.concurrency.lock
            found.setdefault(lock or f"set {one.name}", []).append(one)
        return [_Row(row, self.groups(row)) for row in found.values()]

    def groups(self, row: Sequence[ChangeSet]) -> Iterator[list[ChangeSet]]:
        """The sets of a row that are applied at the same time: neighbours of one width, that many."""
        for width, group in groupby(row, key=lambda one: one.concurrency.width):
            sets = list(group)
            many = 1 if width > 1 and self.serial(sets) else width
            yield from (sets[number : number + many] for number in range(0, len(sets), many))

    def serial(self, sets: Iterable[ChangeSet]) -> bool:
        """Whether sets with a width are applied one at a time after all; also where that is unknown, so that each is refused by itself."""
        try:
            return any(one.concurrency.serial_if(self.run.site, self.run.first_facts) for one in sets)
        except (BurrowError, *UNEXPECTED):
            return True

    def start(self, row: _Row, pool: ThreadPoolExecutor) -> None:
        """Start the row's next group, or say why none of its sets starts any more."""
        try:
            why = f"{row.failed!r} comes first and is not as wanted" if row.failed else self.run.enough_failed()
            if not why:
                row.at_work = {pool.submit(apply_set, self.run, one, self.scope) for one in next(row.groups, ())}
                return
        except BaseException as error:  # noqa: BLE001 - the other rows go on
            why = str(self.run.ours(error))
        known = {one.plan.change_set.name for one in row.ended}
        row.ended += [_not_started(self.run, one, why) for one in row.sets if one.name not in known]

    def forget(self, row: _Row) -> None:
        """After a change, what the row's sets need is read again: a cluster's file is on each of its hosts."""
        if any(one.state == "done" for one in row.ended):
            for target in {target for other in row.sets for target in other.needs(self.run.site)}:
                self.run.facts.pop(target, None)

    def wait(self, begun: Sequence["Future[None]"]) -> None:
        """Wait for the end. Ctrl-C asks all sets to stop, however often it is pressed."""
        while True:
            try:
                wait(begun)
            except KeyboardInterrupt:
                if not self.run.stop.is_set():
                    self.run.stop.set()
                    self.run.say("stage", text=f"interrupted: {INTERRUPTED_TEXT}")
            else:
                return
