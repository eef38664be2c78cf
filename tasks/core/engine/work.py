"""The two kinds of work behind one set of verbs: a transaction on its host's timer, and a procedure that this run performs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tasks.core.engine.procedure import Performance
from tasks.core.model.plan import TargetPlan

if TYPE_CHECKING:
    from tasks.core.engine.run import Run


class Work(Protocol):
    """What is applied on one host, then confirmed or reverted."""

    def begin(self, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Apply it."""

    def outcome(self) -> dict[str, Any]:
        """Its state and the reason. Raises LinkError where the host does not answer."""

    def confirm(self) -> None:
        """Confirm it."""

    def revert(self, reason: str) -> None:
        """Revert it."""

    @property
    def remarks(self) -> list[str]:
        """What the operator has to know besides that it was reverted."""


@dataclass(frozen=True)
class Timed:
    """A transaction, which the host reverts by itself."""

    run: "Run"
    plan: TargetPlan

    @property
    def remarks(self) -> list[str]:
        """None: the host reports its troubles itself."""
        return []

    def begin(self, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Arm the timer and apply."""
        self.run.do(self.plan.host, "begin", plan=self.plan, revert_s=revert_s, deadline_s=deadline_s, on_event=on_event)

    def outcome(self) -> dict[str, Any]:
        """The state of the transaction on the host."""
        kept: dict[str, Any] = self.run.do(self.plan.host, "outcome", plan=self.plan)
        return kept

    def confirm(self) -> None:
        """Confirm it."""
        self.run.do(self.plan.host, "confirm", plan=self.plan)

    def revert(self, reason: str) -> None:
        """Revert it now."""
        self.run.do(self.plan.host, "revert", plan=self.plan, reason=reason)


class Performed(Performance):
    """A procedure, which has no timer."""

    def begin(self, *_: Any) -> None:
        """Perform its operations."""
        self.perform_all()


def work_of(run: "Run", change_set: str, plan: TargetPlan) -> Work:
    """The work of a plan."""
    if plan.procedure:
        return Performed(run, change_set, plan.host, plan.procedure)
    return Timed(run, plan)
