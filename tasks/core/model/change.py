"""The shape of every feature: intend, observe, diff, steps. Everything here is pure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

from inventory.site import Site
from inventory.targets import HOST, Target
from tasks.core.model.check import Check, Needs, Verdict, needs_of
from tasks.core.model.fact import Fact, Facts
from tasks.core.model.operation import Action, Operation, Unit

State = TypeVar("State")


@dataclass(frozen=True)
class FilePart:
    """The part of a file that a change owns: `merge` returns the text with that part as wanted, and everything else unchanged.

    `mount` is the shared mount that holds the file, where its path is a link to there.
    """

    path: str
    fact: Fact[str]
    merge: Callable[[str], str]
    mode: int = 0o644
    impact: tuple[str, ...] = ()
    mount: str = ""


@dataclass(frozen=True)
class Candidate:
    """The part of a host's network configuration that a change owns, as a merge candidate in its platform's language."""

    text: str
    impact: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    """A package that is installed before the transaction, and stays."""

    name: str


@dataclass(frozen=True)
class Sysctl:
    """A live kernel value; its old value is saved and restored."""

    name: str
    value: str


Step = FilePart | Candidate | Package | Sysctl | Unit | Action | Operation


@dataclass(frozen=True)
class Difference:
    """One owned field that is not as wanted."""

    field: str
    have: Any
    want: Any


class Change(ABC, Generic[State]):
    """One feature of one target. The docstring of each change is the sentence that is true once it is applied.

    It changes a target `of` a kind, which `host` names. It `needs` facts of that target, and `also` facts of all targets of another kind.
    """

    of: ClassVar[str] = HOST
    needs: ClassVar[tuple[Fact[Any], ...]] = ()
    also: ClassVar[Needs] = ()
    host: str

    @abstractmethod
    def intend(self, site: Site, facts: Facts) -> State:
        """The wanted state of what the change owns. Raises Refused where these facts do not permit what the inventory wants."""

    @abstractmethod
    def observe(self, site: Site, facts: Facts) -> State:
        """The present state, of the same shape and order."""

    @abstractmethod
    def steps(self, site: Site, facts: Facts, want: State) -> tuple[Step, ...]:
        """What turns the present state into the wanted one."""

    def diff(self, have: State, want: State) -> tuple[Difference, ...]:
        """The owned fields that differ."""
        pairs = ((f.name, getattr(have, f.name), getattr(want, f.name)) for f in fields(have))  # type: ignore[arg-type]
        return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


@dataclass(frozen=True)
class Member:
    """One target of a change set. Safe alone: with only this end changed, the host stays reachable."""

    host: str
    changes: tuple[Change[Any], ...]
    safe_alone: bool = False


def never(site: Site, facts: Facts) -> bool:
    """False, whatever the facts."""
    del site, facts
    return False


@dataclass(frozen=True)
class Concurrency:
    """When a set is applied beside the others of its stage; without any of this, at the same time as all that share no host with it.

    Attributes:
    lock: sets with the same lock are applied in order; after one that failed, the others are not started.
    width: how many neighbouring sets of the lock with this width are applied at the same time.
    serial_if: from the facts at the start of the run, whether these are applied one at a time after all.
    after: patterns of the names of sets that end first; the set is not started if one of them failed that shares a host with it.
    """

    lock: str = ""
    width: int = 1
    serial_if: Callable[[Site, Facts], bool] = never
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChangeSet:
    """Transactions of several hosts that are confirmed or undone together.

    Attributes:
    subjects: {host: subjects of the findings that the set waits for}; its checks judge whole hosts, but it waits only for what it changed.
    by_hand: what the owner of an unmanaged host has to do.
    concurrency: when it is applied beside the others of its stage.
    verify_s: how long its checks may take to pass, in seconds, where that differs from the site's.
    clusters: the clusters that a change of its hosts also changes: their leases are taken too.
    """

    name: str
    members: tuple[Member, ...]
    checks: tuple[Check, ...] = ()
    subjects: Mapping[str, frozenset[str]] | None = None
    by_hand: tuple[str, ...] = ()
    concurrency: Concurrency = Concurrency()
    verify_s: int | None = None
    clusters: tuple[Target, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The targets of the set, safe ends first: the order in which they are applied and confirmed."""
        return tuple(member.host for member in self.ordered())

    def ordered(self) -> tuple[Member, ...]:
        """The members, safe ends first."""
        return tuple(sorted(self.members, key=lambda member: not member.safe_alone))

    def changes(self, verdict: Verdict) -> bool:
        """Whether a verdict is on one of the set's subjects."""
        return self.subjects is not None and verdict.finding.subject in self.subjects.get(verdict.host, frozenset())

    def concerns(self, verdict: Verdict) -> bool:
        """Whether the set waits for a verdict of its own checks: on its subjects, or on a whole host."""
        return self.subjects is None or not verdict.finding.subject or self.changes(verdict)

    def needs(self, site: Site) -> dict[str, list[tuple[Fact[Any], ...]]]:
        """{target: the facts that its changes and checks need of it}."""
        needs = needs_of(site, self.checks, (*self.hosts, *self.clusters))
        for member in self.members:
            for change in member.changes:
                needs[member.host].append(change.needs)
                for kind, facts in change.also:
                    for target in site.targets(kind):
                        needs.setdefault(target, []).append(facts)
        return needs
