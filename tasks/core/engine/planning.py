"""From a change set and facts to a plan, before anything is touched. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.connectors.answer import reverting
from tasks.core.model.change import Candidate, Change, ChangeSet, Difference, FilePart, Member, Package, Step, Sysctl
from tasks.core.model.errors import UNEXPECTED, BurrowError, Refused
from tasks.core.model.fact import STATUS, Facts, HostFacts
from tasks.core.model.operation import Action, Call, Command, FileWrite, Transaction, Unit, shared_mount
from tasks.core.model.plan import HostPlan, SetPlan
from tasks.platforms.candidate import join, split
from tasks.platforms.candidate import merge as merge_candidate
from tasks.platforms.configuration import CONFIGURATION, network_impact, network_transaction
from tasks.platforms.ifupdown2.files import INTERFACES_STAGED, STAGED_FACT


def plan_set(change_set: ChangeSet, site: Site, facts: Facts, run_id: str = "") -> SetPlan:
    """Diff every member. It is refused where a host was not read, has another run's transaction open, or cannot have it."""
    missing = [host for host in change_set.hosts if host not in facts]
    if missing:
        return SetPlan(change_set, refused=f"{', '.join(missing)} did not answer")
    if len(change_set.members) > 1 and not any(member.safe_alone for member in change_set.members):
        return SetPlan(change_set, refused="none of its ends is safe alone: there is no order in which every half-state can be reached")
    try:
        if others := [text for host in change_set.hosts for text in _open_elsewhere(facts[host], run_id)]:
            return SetPlan(change_set, refused="; ".join(others))
        return SetPlan(change_set, tuple(plan_member(member, change_set.name, site, facts) for member in change_set.ordered()))
    except BurrowError as error:  # also a fact that could not be read: that is this set's trouble alone
        return SetPlan(change_set, refused=str(error))
    except UNEXPECTED as error:
        return SetPlan(change_set, refused=f"{', '.join(change_set.hosts)}: cannot be planned: an unexpected answer: {error!r}")


def _open_elsewhere(facts: HostFacts, run_id: str) -> Iterator[str]:
    """What a host holds may be gone in a moment while another run's transaction is open on it."""
    pending = facts[STATUS]["pending"] if STATUS.name in facts.readings else None
    if pending and pending.get("state") == "reverting":
        yield (
            f"{facts.host}: {pending['why']!r} of {pending['holder']} {reverting(pending)}."
            " Mend what keeps it from that, and run again when it has ended"
        )
    elif pending and pending["run"] != run_id and not pending.get("overdue"):
        holder, left_s = pending["holder"], max(0, round(pending["revert_in_s"]))
        yield f"{facts.host}: {pending['why']!r} of {holder} is open and restores itself in {left_s} s unless confirmed; run again then"


def plan_member(member: Member, why: str, site: Site, facts: Facts) -> HostPlan:
    """What a set does on the host. Raises Refused."""
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

    facts: HostFacts
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    parts: dict[str, FilePart] = field(default_factory=dict)

    def own(self, part: FilePart) -> None:
        self.parts[part.path] = part
        self.before.setdefault(part.path, self.facts[part.fact])
        self.after[part.path] = part.merge(self.after.get(part.path, self.before[part.path]))

    def writes(self) -> tuple[FileWrite, ...]:
        changed = (self.parts[path] for path, text in self.after.items() if text != self.before[path])
        return tuple(
            FileWrite(one.path, self.before[one.path] or None, self.after[one.path], one.mode, mount=one.mount or shared_mount(one.path))
            for one in changed
        )


def _configuration(facts: HostFacts, candidates: Sequence[Candidate]) -> tuple[dict[str, str], dict[str, str]]:
    """The files of the network configuration that the candidates name: as they are, and as they will be."""
    named = dict.fromkeys(path for candidate in candidates for path, part in split(candidate.text).items() if part.strip())
    before = {path: facts[CONFIGURATION[path]] for path in named}
    after = before
    for candidate in candidates:
        after = merge_candidate(after, candidate.text)
    return before, after


def _join(candidates: Iterable[Candidate]) -> str:
    """All candidates as one."""
    texts: dict[str, str] = {}
    for candidate in candidates:
        for path, part in split(candidate.text).items():
            if part.strip():
                texts[path] = texts.get(path, "") + (part if part.endswith("\n") else f"{part}\n")
    return join(texts)


def _fold(host: str, why: str, site: Site, facts: Facts, differences: list[Difference], steps: list[Step]) -> HostPlan:
    parts, candidates, actions = _pick(steps, FilePart), _pick(steps, Candidate), _pick(steps, Action)
    files = _Files(facts[host])
    for part in parts:
        files.own(part)
    calls, commands = _pick(steps, Call), _pick(steps, Command)
    impact = [sentence for part in (*parts, *candidates, *calls, *commands) for sentence in part.impact]
    impact += [f"not taken back where a later step fails: {command.shown}" for command in commands if not command.undo]
    if commands and len(commands) != len(steps):
        raise Refused(f"{host}: commands take their own time, so they are no part of what a timer takes back; give them a set of their own")
    if calls and site.hosts[host].link is not LinkKind.API:
        raise Refused(f"{host}: it has no API to call; its link is {site.hosts[host].link}")
    before, after = _configuration(facts[host], candidates)
    network = network_transaction(why, before, after, "")
    if candidates:
        if site.hosts[host].link is LinkKind.SSH and facts[host][STAGED_FACT]:
            raise Refused(
                f"{host}: {INTERFACES_STAGED} exists: somebody else's change is open there; apply or discard it first, then run again"
            )
        # Which ports speak OSPF counts also where only the other file changes.
        known = {path: facts[host][fact] for path, fact in CONFIGURATION.items() if fact.name in facts[host].readings}
        impact += network_impact({**known, **before}, after)
    transaction = Transaction(
        why=why,
        files=(*files.writes(), *network.files),
        actions=(*(a for a in actions if a.early), *network.actions, *(a for a in actions if not a.early)),
        units=tuple(dict.fromkeys((*network.units, *_pick(steps, Unit)))),
        sysctls={step.name: step.value for step in _pick(steps, Sysctl)},
        saved=network.saved,
        absent=network.absent if candidates else (),
        calls=tuple(calls),
        commands=tuple(commands),
    )
    packages = tuple(step.name for step in _pick(steps, Package))
    return HostPlan(host, tuple(differences), transaction, _join(candidates), packages, tuple(dict.fromkeys(impact)))
