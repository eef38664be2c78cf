"""Coordinated sets succeed only if other hosts change in the same way at the same time, so they are applied as one set."""

from collections.abc import Sequence

from tasks.core.model.change import ChangeSet, Concurrency
from tasks.core.model.plan import SetPlan


def joined(sets: Sequence[ChangeSet], plans: Sequence[SetPlan]) -> tuple[tuple[ChangeSet, ...], tuple[SetPlan, ...]]:
    """The sets and plans with the coordinated ones joined into one, in the place of the first: all its hosts are confirmed, or none."""
    coordinated = [plan for plan in plans if plan.coordinated]
    if len(coordinated) < 2:
        return tuple(sets), tuple(plans)
    names = [plan.change_set.name for plan in coordinated]
    one = _one_set([one for one in sets if one.name in names])
    plan = SetPlan(one, tuple(host for plan in coordinated for host in plan.targets))
    kept = {other.change_set.name: other for other in plans if other.change_set.name not in names} | {names[0]: plan}
    order = [other.name for other in sets if other.name in kept]
    return tuple(one if other.name == names[0] else other for other in sets if other.name in kept), tuple(kept[name] for name in order)


def _one_set(sets: Sequence[ChangeSet]) -> ChangeSet:
    """One set of all members; the sets share no host."""
    whole = any(one.subjects is None for one in sets)
    return ChangeSet(
        name=", ".join(one.name for one in sets),
        members=tuple(member for one in sets for member in one.members),
        checks=tuple(dict.fromkeys(check for one in sets for check in one.checks)),
        subjects=None if whole else {host: names for one in sets for host, names in (one.subjects or {}).items()},
        by_hand=tuple(dict.fromkeys(line for one in sets for line in one.by_hand)),
        verify_s=max((one.verify_s for one in sets if one.verify_s), default=None),
        clusters=tuple(dict.fromkeys(cluster for one in sets for cluster in one.clusters)),
        concurrency=Concurrency(after=tuple(dict.fromkeys(name for one in sets for name in one.concurrency.after))),
    )
