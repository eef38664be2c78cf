"""A plan: what one change set would do on each of its hosts, before anything is touched. Pure."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from inventory.schema import LinkKind, Site
from tasks.core.change import Candidate, Change, ChangeSet, Difference, FilePart, Member, Package, Step, Sysctl
from tasks.core.errors import BurrowError, Refused
from tasks.core.facts import STATUS, Fact, Facts, HostFacts, text
from tasks.core.impact import network_impact
from tasks.core.interfaces_file import merge
from tasks.core.transaction import CHECK_INTERFACES, IFRELOAD, INTERFACES, INTERFACES_STAGED, Action, FileWrite, Transaction, Unit

INTERFACES_FACT = text("interfaces", INTERFACES)
STAGED_FACT: Fact[str] = text("interfaces_staged", INTERFACES_STAGED)


@dataclass(frozen=True)
class HostPlan:
    """One host's part: the differences, the transaction that ends them, the packages before it, and what that does to traffic."""

    host: str
    differences: tuple[Difference, ...] = ()
    transaction: Transaction | None = None
    candidate: str = ""
    packages: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.differences)

    def diff(self) -> str:
        """A unified diff of the files, then a line for each thing that is no file."""
        if not self:
            return ""
        assert self.transaction is not None
        lines: list[str] = []
        for file in self.transaction.files:
            old, new = (file.before or "").splitlines(keepends=True), (file.text or "").splitlines(keepends=True)
            lines += difflib.unified_diff(old, new, file.path if file.before else "/dev/null", file.path)
        lines += [f"+ package {name}\n" for name in self.packages]
        lines += [
            f"+ {unit.name} {'enabled' if unit.enabled else 'disabled'}, {'running' if unit.active else 'stopped'}\n"
            for unit in self.transaction.units
        ]
        lines += [f"+ {name} = {value}\n" for name, value in self.transaction.sysctls.items()]
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


@dataclass(frozen=True)
class SetPlan:
    """A change set with its hosts' plans in order (safe end first), or the reason why it is refused."""

    change_set: ChangeSet
    hosts: tuple[HostPlan, ...] = ()
    refused: str = ""

    @property
    def changes(self) -> tuple[HostPlan, ...]:
        """The hosts where something differs."""
        return tuple(plan for plan in self.hosts if plan)


def plan_set(change_set: ChangeSet, site: Site, facts: Facts, run_id: str = "") -> SetPlan:
    """Diff every member. A host that was not read, an open transaction of another run, or a wish that cannot be carried out refuses it."""
    missing = [host for host in change_set.hosts if host not in facts]
    if missing:
        return SetPlan(change_set, refused=f"{', '.join(missing)} did not answer")
    if len(change_set.members) > 1 and not any(member.safe_alone for member in change_set.members):
        return SetPlan(change_set, refused="none of its ends is safe alone: there is no order in which every half-state can be reached")
    if others := [text for host in change_set.hosts for text in _open_elsewhere(facts[host], run_id)]:
        return SetPlan(change_set, refused="; ".join(others))
    try:
        return SetPlan(change_set, tuple(plan_member(member, change_set.name, site, facts) for member in change_set.ordered()))
    except BurrowError as error:  # also a fact that could not be read: that is this set's trouble alone
        return SetPlan(change_set, refused=str(error))


def _open_elsewhere(facts: HostFacts, run_id: str) -> Iterator[str]:
    """What a host holds may be gone in a moment while another run's transaction is open on it."""
    pending = facts[STATUS]["pending"] if STATUS.name in facts.readings else None
    if pending and pending["run"] != run_id and not pending.get("overdue"):
        holder, left_s = pending["holder"], max(0, round(pending["revert_in_s"]))
        yield f"{facts.host}: {pending['why']!r} of {holder} is open and restores itself in {left_s} s unless confirmed; run again then"


def plan_member(member: Member, why: str, site: Site, facts: Facts) -> HostPlan:
    """The host's part of a set. Raises Refused."""
    differences: list[Difference] = []
    steps: list[Step] = []
    for change in member.changes:
        found, needed = _steps_of(change, site, facts)
        differences += found
        steps += needed
    if not differences:
        return HostPlan(member.host)
    return _fold(member.host, why, site, facts, differences, steps)


def _steps_of(change: Change[Any], site: Site, facts: Facts) -> tuple[tuple[Difference, ...], tuple[Step, ...]]:
    want = change.intend(site, facts)
    differences = change.diff(change.observe(site, facts), want)
    return differences, change.steps(site, facts, want) if differences else ()


def _pick(steps: Iterable[Step], kind: type) -> list[Any]:
    return list(dict.fromkeys(step for step in steps if isinstance(step, kind)))


@dataclass
class _Files:
    """The files of one transaction: each as read now, plus the owned parts of this transaction."""

    facts: Facts
    host: str
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def own(self, path: str, fact: Fact[str], merged: str) -> None:
        self.before.setdefault(path, self.facts[self.host][fact])
        self.after[path] = merged

    def changed(self, path: str) -> bool:
        return self.after.get(path) != self.before.get(path)

    def now(self, path: str, fact: Fact[str]) -> str:
        return self.after.get(path, self.facts[self.host][fact])


def _fold(host: str, why: str, site: Site, facts: Facts, differences: list[Difference], steps: list[Step]) -> HostPlan:
    files, modes, impact = _Files(facts, host), {}, []
    for part in _pick(steps, FilePart):
        files.own(part.path, part.fact, part.merge(files.now(part.path, part.fact)))
        modes[part.path] = part.mode
        impact += part.impact
    candidates = _pick(steps, Candidate)
    for candidate in candidates:
        files.own(INTERFACES, INTERFACES_FACT, merge(files.now(INTERFACES, INTERFACES_FACT), candidate.text))
    if candidates:
        if site.hosts[host].link is LinkKind.SSH and facts[host][STAGED_FACT]:
            raise Refused(
                f"{host}: {INTERFACES_STAGED} exists: somebody else's change is open there; apply or discard it first, then run again"
            )
        impact += network_impact(files.before[INTERFACES], files.after[INTERFACES])
    writes = tuple(
        FileWrite(path, files.before[path] or None, after, modes.get(path, 0o644), CHECK_INTERFACES if path == INTERFACES else ())
        for path, after in files.after.items()
        if after != files.before[path]
    )
    transaction = Transaction(
        why=why,
        files=writes,
        actions=(*([IFRELOAD] if files.changed(INTERFACES) else []), *_pick(steps, Action)),
        units=tuple(_pick(steps, Unit)),
        sysctls={step.name: step.value for step in _pick(steps, Sysctl)},
        absent=(INTERFACES_STAGED,) if candidates else (),
    )
    packages = tuple(step.name for step in _pick(steps, Package))
    return HostPlan(host, tuple(differences), transaction, "".join(c.text for c in candidates), packages, tuple(dict.fromkeys(impact)))
