"""Runbooks: stages in order, their options and their results."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inventory.site import Site
    from tasks.core.engine.run import Run
    from tasks.core.model.change import ChangeSet
    from tasks.core.model.check import Check, Verdict
    from tasks.core.model.maintenance import Maintenance
    from tasks.core.model.outcome import Outcome
    from tasks.core.model.plan import SetPlan

OK, FAILED, PENDING, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class Stage:
    """A group of change sets, the checks that must hold after them, and the maintenance in which they are applied."""

    name: str
    sets: "tuple[Callable[[Site], Iterable[ChangeSet]], ...]" = ()
    checks: "tuple[Check, ...]" = ()
    maintenance: "Maintenance | None" = None


@dataclass(frozen=True)
class Runbook:
    """What a script in runbooks/ declares."""

    purpose: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Options:
    """The flags that every runbook has."""

    site: str = "lab"
    dry_run: bool = False
    limit: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    yes: bool = False
    watch_s: float | None = None
    acknowledge: tuple[str, ...] = ()
    max_failures: int | None = None
    json: str | None = None


@dataclass
class StageResult:
    """The result of a stage."""

    stage: Stage
    plans: "tuple[SetPlan, ...]" = ()
    outcomes: "tuple[Outcome, ...]" = ()
    verdicts: "tuple[Verdict, ...]" = ()


@dataclass
class RunResult:
    """The result of a run; `exit_code` as documented for runbooks."""

    options: Options
    run: "Run"
    stages: list[StageResult] = field(default_factory=list)
    exit_code: int = OK
    trouble: str = ""  # what ended the run early
    ended_at: str = ""
