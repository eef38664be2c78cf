"""What is applied is what was shown: before a set is applied, it is planned again and compared with the plan that the operator saw."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tasks.core.model.errors import Refused
from tasks.core.model.operation import Operation
from tasks.core.model.plan import SetPlan
from tasks.core.model.plan_json import comparable

if TYPE_CHECKING:
    from tasks.core.engine.run import Run


class ImpactGrew(Refused):
    """The impact is larger than shown. `plan` has it, and may be applied once the operator has seen it."""

    def __init__(self, plan: SetPlan, lines: Iterable[str]) -> None:
        super().__init__(f"not applied, because its impact is larger than shown: {'; '.join(lines)}; run again to see the new plan")
        self.plan = plan


def need_as_shown(run: "Run", shown: SetPlan, now: SetPlan) -> None:
    """Raises Refused where the plan does something else than shown, ImpactGrew where only its impact is larger.

    What this run itself has written is no drift: a later set is planned on top of it, also one that was not possible before.
    """
    read = {host for target in now.change_set.needs(run.site) for host in run.site.endpoints(target)}
    written = run.written & read
    if written and shown.refused:
        return
    if not written and (other := "; ".join(_differences(shown, now, run.key))):
        raise Refused(f"not applied, because it is not what was shown: {other}; run again to see the new plan")
    if grown := _grown(shown, now):
        raise ImpactGrew(now, grown)


def unacknowledged(run: "Run", plan: SetPlan) -> tuple[Operation, ...]:
    """The operations that nothing undoes, that put data or a quorum at risk, and that the operator has not accepted. None in the lab."""
    operations = (one for target in plan.changes for one in target.operations if one.at_risk and not one.undo)
    return () if run.rehearsal else tuple(one for one in operations if one.id not in run.acknowledged)


def need_acknowledged(run: "Run", plan: SetPlan) -> None:
    """Raises Refused with each operation that the operator has not accepted."""
    if left := unacknowledged(run, plan):
        risks = "; ".join(f"{one.id}: {one.at_risk}" for one in left)
        flags = " ".join(f"--acknowledge {one.id}" for one in left)
        raise Refused(f"nothing undoes {risks}; if you accept that, run again with {flags}")


def _differences(shown: SetPlan, now: SetPlan, key: bytes) -> Iterator[str]:
    """What is different in fields and steps, by target. A target where nothing is left to do is no difference."""
    before = {plan.target: plan for plan in shown.changes}
    for plan in now.changes:
        seen = before.get(plan.target)
        if seen is None:
            yield f"{plan.target}: {', '.join(one.field for one in plan.differences)} changed meanwhile"
        elif seen.digest != plan.digest or not plan.digest:
            yield from _explained(comparable(seen, key), comparable(plan, key))


def _explained(seen: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    before, after = seen["differences"], now["differences"]
    if others := [one["field"] for one in (*before, *after) if (one in before) != (one in after)]:
        yield f"{now['target']}: {', '.join(dict.fromkeys(others))} changed meanwhile"
    elif {**seen, "impact": ()} != {**now, "impact": ()}:
        yield f"{now['target']}: other steps lead there now"


def _grown(shown: SetPlan, now: SetPlan) -> tuple[str, ...]:
    """The lines of the impact that were not shown."""
    known = {line for plan in shown.changes for line in plan.impact}
    return tuple(dict.fromkeys(line for plan in now.changes for line in plan.impact if line not in known))
