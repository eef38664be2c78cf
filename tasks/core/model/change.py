"""The one shape of a feature: observe, diff, apply, check. Everything here is pure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, TypeVar

from inventory.site import Site
from tasks.core.model.check import Check, Verdict
from tasks.core.model.fact import Fact, Facts
from tasks.core.model.operation import Action, Call, Command, Unit

State = TypeVar("State")


@dataclass(frozen=True)
class FilePart:
    """What a change owns of a file: `merge` turns the text as it stands into the text as it should be, and leaves the rest.

    `mount` is the shared mount that the file is on where its path does not say so: a link leads there.
    """

    path: str
    fact: Fact[str]
    merge: Callable[[str], str]
    mode: int = 0o644
    impact: tuple[str, ...] = ()
    mount: str = ""


@dataclass(frozen=True)
class Candidate:
    """What a change owns of a host's network configuration, as a merge candidate in its platform's own language."""

    text: str
    impact: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    """A package to install before any transaction; not taken back."""

    name: str


@dataclass(frozen=True)
class Sysctl:
    """A live kernel value; its old value is saved and restored."""

    name: str
    value: str


Step = FilePart | Candidate | Package | Sysctl | Unit | Action | Call | Command


@dataclass(frozen=True)
class Difference:
    """One owned field that is not as wanted."""

    field: str
    have: Any
    want: Any


class Change(ABC, Generic[State]):
    """One feature of one host made equal to its intent; the docstring of each is the sentence that is then true."""

    needs: ClassVar[tuple[Fact[Any], ...]] = ()
    host: str

    @abstractmethod
    def intend(self, site: Site, facts: Facts) -> State:
        """The wanted state of what the change owns. Raises Refused where the inventory's wish cannot be carried out on these facts."""

    @abstractmethod
    def observe(self, site: Site, facts: Facts) -> State:
        """The present state, of the same shape and order."""

    @abstractmethod
    def steps(self, site: Site, facts: Facts, want: State) -> tuple[Step, ...]:
        """What makes a state that differs the wanted one."""

    def diff(self, have: State, want: State) -> tuple[Difference, ...]:
        """The owned fields that differ."""
        pairs = ((f.name, getattr(have, f.name), getattr(want, f.name)) for f in fields(have))  # type: ignore[arg-type]
        return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


@dataclass(frozen=True)
class Member:
    """One host of a change set. Safe alone: with only this end changed, the host is still reachable.

    Where it is about something that many hosts lead to, a cluster or a pool, any of those `endpoints` does as well.
    """

    host: str
    changes: tuple[Change[Any], ...]
    safe_alone: bool = False
    endpoints: tuple[str, ...] = ()

    def on(self, host: str) -> "Member":
        """The same, done through another host."""
        return replace(self, host=host, changes=tuple(replace(change, host=host) for change in self.changes))  # type: ignore[type-var]


def at_once(site: Site, facts: Facts) -> bool:
    """Never one at a time, whatever was read."""
    del site, facts
    return False


@dataclass(frozen=True)
class ChangeSet:
    """Transactions of several hosts that only make sense together.

    Attributes:
    subjects: {host: the subjects of the findings that the set waits for}; checks judge whole hosts, a set only what it changed.
    by_hand: what the owner of an unmanaged host has to do.
    lock: sets with the same lock are applied one at a time, in order; none is begun after one that failed.
    batch: sets of one lock and one batch, next to each other, are applied at the same time.
    serial_if: says from the facts of the run's beginning whether those of a batch are applied one at a time all the same.
    verify_s: how long its checks are waited for, in seconds, where that is not the site's.
    peers: hosts that it reads but does not change; of them it reads `peer_facts`.
    turn: sets of a lower turn are applied first; one of a higher turn is not begun where one that shares a host with it has failed.
    """

    name: str
    members: tuple[Member, ...]
    checks: tuple[Check, ...] = ()
    subjects: Mapping[str, frozenset[str]] | None = None
    by_hand: tuple[str, ...] = ()
    lock: str = ""
    batch: str = ""
    serial_if: Callable[[Site, Facts], bool] = at_once
    verify_s: int | None = None
    peers: tuple[str, ...] = ()
    peer_facts: tuple[Fact[Any], ...] = ()
    turn: int = 1

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the set, the safe end first: the order in which it is applied and confirmed."""
        return tuple(member.host for member in self.ordered())

    def ordered(self) -> tuple[Member, ...]:
        """The members, safe ends first."""
        return tuple(sorted(self.members, key=lambda member: not member.safe_alone))

    def via(self, answering: Collection[str]) -> "ChangeSet":
        """The set with each member on a host that answers, where it may choose."""
        members = [
            next((one.on(host) for host in one.endpoints if host in answering), one) if one.host not in answering else one
            for one in self.members
        ]
        return replace(self, members=tuple(members))

    def changes(self, verdict: Verdict) -> bool:
        """Whether a verdict is about one of the set's subjects."""
        return self.subjects is not None and verdict.finding.subject in self.subjects.get(verdict.host, frozenset())

    def concerns(self, verdict: Verdict) -> bool:
        """Whether the set waits for a verdict of its own checks: on its subjects, or on a whole host."""
        return self.subjects is None or not verdict.finding.subject or self.changes(verdict)

    def needs(self) -> Iterable[tuple[Fact[Any], ...]]:
        """What its changes and checks read."""
        yield from (change.needs for member in self.members for change in member.changes)
        yield from (check.needs for check in self.checks)
