"""Plans a change set from facts, before anything is touched. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.connectors.answer import reverting
from tasks.core.connectors.base import link_of
from tasks.core.model.change import Candidate, Change, ChangeSet, Difference, FilePart, Member, Package, Step, Sysctl
from tasks.core.model.errors import UNEXPECTED, BurrowError, Refused
from tasks.core.model.fact import STATUS, Facts, HostFacts
from tasks.core.model.operation import Action, FileWrite, Operation, Procedure, TimedTransaction, Unit, shared_mount
from tasks.core.model.plan import SetPlan, TargetPlan
from tasks.core.model.plan_json import digest
from tasks.core.model.shape import reason
from tasks.platforms.candidate import join, split
from tasks.platforms.candidate import merge as merge_candidate
from tasks.platforms.configuration import configuration, network_impact, network_transaction
from tasks.platforms.ifupdown2.files import INTERFACES_STAGED, STAGED_FACT


def plan_set(change_set: ChangeSet, site: Site, facts: Facts, run_id: str = "", key: bytes = b"") -> SetPlan:
    """The plan of a set, with its digests under a key.

    It is refused where a host was not read, has another run's transaction open, or does not permit the change.
    """
    missing = [host for host in change_set.hosts if host not in facts]
    if missing:
        return SetPlan(change_set, refused=f"{', '.join(missing)} did not answer")
    if len(change_set.members) > 1 and not any(member.safe_alone for member in change_set.members):
        return SetPlan(change_set, refused="none of its ends is safe alone: in every order, a failure half way would cut a host off")
    try:
        if others := [text for host in change_set.hosts for text in _open_elsewhere(facts[host], run_id)]:
            return SetPlan(change_set, refused="; ".join(others))
        plans = (plan_member(member, change_set.name, site, facts) for member in change_set.ordered())
        return SetPlan(change_set, tuple(replace(plan, digest=digest(plan, site, key)) if plan else plan for plan in plans))
    except BurrowError as error:  # a fact that could not be read fails this set alone
        return SetPlan(change_set, refused=str(error))
    except UNEXPECTED as error:
        return SetPlan(change_set, refused=f"{', '.join(change_set.hosts)}: cannot be planned by its facts: {reason(error)}")


def _open_elsewhere(facts: HostFacts, run_id: str) -> Iterator[str]:
    """Refusals because of another run's open transaction, whose revert would change what was read."""
    pending = facts[STATUS]["pending"] if STATUS.name in facts.readings else None
    if pending and pending.get("state") == "reverting":
        yield (
            f"{facts.host}: {pending['why']!r} of {pending['holder']} {reverting(pending)}."
            " Correct what keeps it from finishing, and run again once it has"
        )
    elif pending and pending["run"] != run_id and not pending.get("overdue"):
        holder, left_s = pending["holder"], max(0, round(pending["revert_in_s"]))
        yield f"{facts.host}: {pending['why']!r} of {holder} is open and reverts in {left_s} s unless it is confirmed; run again after that"


def plan_member(member: Member, why: str, site: Site, facts: Facts) -> TargetPlan:
    """The plan of one host. Raises Refused."""
    differences: list[Difference] = []
    steps: list[Step] = []
    for change in member.changes:
        found, needed = _steps_of(change, site, facts)
        differences += found
        steps += needed
    if not differences:
        return TargetPlan(member.host, facts[member.host].host)
    return _fold(member.host, facts[member.host], why, site, differences, steps)


def _steps_of(change: Change[Any], site: Site, facts: Facts) -> tuple[tuple[Difference, ...], tuple[Step, ...]]:
    want = change.intend(site, facts)
    differences = change.diff(change.observe(site, facts), want)
    return differences, change.steps(site, facts, want) if differences else ()


def _pick(steps: Iterable[Step], kind: type) -> list[Any]:
    return list(dict.fromkeys(step for step in steps if isinstance(step, kind)))


@dataclass
class _Files:
    """The files of one transaction: as they were read, and with the owned parts merged."""

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
    """The network configuration files that the candidates name, before and after."""
    named = dict.fromkeys(path for candidate in candidates for path, part in split(candidate.text).items() if part.strip())
    before = {path: facts[configuration()[path].fact] for path in named}
    after = before
    for candidate in candidates:
        after = merge_candidate(after, candidate.text)
    return before, after


def _join(candidates: Iterable[Candidate]) -> str:
    """All candidates as one text."""
    texts: dict[str, str] = {}
    for candidate in candidates:
        for path, part in split(candidate.text).items():
            if part.strip():
                texts[path] = texts.get(path, "") + (part if part.endswith("\n") else f"{part}\n")
    return join(texts)


def _fold(target: str, facts: HostFacts, why: str, site: Site, differences: list[Difference], steps: list[Step]) -> TargetPlan:
    """The plan of a target on the host that has these facts: the target itself, or the endpoint that answered for it."""
    host = facts.host
    if operations := tuple(_pick(steps, Operation)):
        return TargetPlan(target, host, tuple(differences), _procedure(site, host, why, operations, steps), impact=_impact(operations))
    parts, candidates, actions = _pick(steps, FilePart), _pick(steps, Candidate), _pick(steps, Action)
    files = _Files(facts)
    for part in parts:
        files.own(part)
    impact = [sentence for part in (*parts, *candidates) for sentence in part.impact]
    before, after = _configuration(facts, candidates)
    network = network_transaction(why, before, after, "")
    if candidates:
        if site.hosts[host].link is LinkKind.SSH and facts[STAGED_FACT]:
            raise Refused(
                f"{host}: {INTERFACES_STAGED} exists: a change is staged in Proxmox's web interface;"
                " apply or discard it there first, then run again"
            )
        # The impact depends on which ports run OSPF, also where only the other file changes.
        known = {path: facts[file.fact] for path, file in configuration().items() if file.fact.name in facts.readings}
        impact += network_impact({**known, **before}, after)
    transaction = TimedTransaction(
        why=why,
        files=(*files.writes(), *network.files),
        actions=(*(a for a in actions if a.early), *network.actions, *(a for a in actions if not a.early)),
        units=tuple(dict.fromkeys((*network.units, *_pick(steps, Unit)))),
        sysctls={step.name: step.value for step in _pick(steps, Sysctl)},
        saved=network.saved,
        absent=network.absent if candidates else (),
    )
    packages = tuple(step.name for step in _pick(steps, Package))
    return TargetPlan(target, host, tuple(differences), transaction, _join(candidates), packages, tuple(dict.fromkeys(impact)))


def _procedure(site: Site, host: str, why: str, operations: tuple[Operation, ...], steps: list[Step]) -> Procedure:
    """Raises Refused where the host's link cannot perform one of them, or other steps are among them."""
    if len(operations) != len(steps):
        raise Refused(f"{host}: no timer takes operations back, so they need a change set of their own")
    link = site.hosts[host].link
    if other := [one.id for one in operations if not isinstance(one.do, link_of(site.hosts[host]).performs)]:
        raise Refused(f"{host}: its link ({link}) cannot perform {', '.join(other)}")
    return Procedure(why, operations)


def _impact(operations: tuple[Operation, ...]) -> tuple[str, ...]:
    """The impact of operations, and which of them are not undone."""
    lines = [line for one in operations for line in one.impact]
    lines += [f"not undone if a later step fails: {one.shown}" for one in operations if one.shown and not one.undo]
    return tuple(dict.fromkeys((*lines, *(f"{one.id} needs your acknowledgement: {one.at_risk}" for one in operations if one.at_risk))))
