"""Reads hosts once more, and refuses the plans that a host cannot apply now."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.plan import SetPlan
from tasks.platforms.precheck import asked, reasons

if TYPE_CHECKING:
    from tasks.core.engine.run import Run


def prechecked(run: "Run", plans: Iterable[SetPlan]) -> tuple[SetPlan, ...]:
    """The plans; those that a host cannot apply now are refused."""
    plans = tuple(plans)
    needs: dict[str, dict[str, Fact[Any]]] = {}
    for plan in (one for each in plans for one in each.changes):
        needs.setdefault(plan.host, {}).update({fact.name: fact for fact in asked(plan)})
    answers = run.observe((host for host, facts in needs.items() if facts), {host: tuple(facts.values()) for host, facts in needs.items()})
    return tuple(_judged(each, answers) for each in plans)


def _judged(plan: SetPlan, answers: "dict[str, HostFacts | BurrowError]") -> SetPlan:
    found: list[str] = []
    for one in plan.changes:
        answer = answers.get(one.host) if asked(one) else None
        try:
            found += [str(answer)] if isinstance(answer, BurrowError) else reasons(one, answer) if answer else ()
        except BurrowError as error:
            found.append(str(error))
    return replace(plan, targets=(), refused="; ".join(found)) if found else plan
