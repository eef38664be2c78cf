"""What is applied is what was shown: before a set is applied, it is planned again and compared with the plan that the operator saw."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tasks.core.model.errors import Refused
from tasks.core.model.plan import HostPlan, SetPlan

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
    if not written and (other := "; ".join(_differences(shown, now))):
        raise Refused(f"not applied, because it is not what was shown: {other}; run again to see the new plan")
    if grown := _grown(shown, now):
        raise ImpactGrew(now, grown)


def _differences(shown: SetPlan, now: SetPlan) -> Iterator[str]:
    """What is different in fields and steps, by host. A host where nothing is left to do is no difference."""
    before = {plan.host: plan for plan in shown.changes}
    for plan in now.changes:
        if plan.host not in before:
            yield f"{plan.host}: {', '.join(one.field for one in plan.differences)} changed meanwhile"
        elif plan.differences != before[plan.host].differences:
            others = {*plan.differences} ^ {*before[plan.host].differences}
            yield f"{plan.host}: {', '.join(dict.fromkeys(one.field for one in others))} changed meanwhile"
        elif _steps(plan) != _steps(before[plan.host]):
            yield f"{plan.host}: other steps lead there now"


def _steps(plan: HostPlan) -> tuple[Any, ...]:
    """What the plan does, without the texts of files: their other lines may change, and stay as they are."""
    done = plan.transaction
    assert done is not None
    files = tuple((file.path, file.mode, file.mount) for file in done.files)
    return (files, done.actions, done.units, done.sysctls, done.calls, done.commands, plan.packages, plan.candidate)


def _grown(shown: SetPlan, now: SetPlan) -> tuple[str, ...]:
    """The lines of the impact that were not shown."""
    known = {line for plan in shown.changes for line in plan.impact}
    return tuple(dict.fromkeys(line for plan in now.changes for line in plan.impact if line not in known))
