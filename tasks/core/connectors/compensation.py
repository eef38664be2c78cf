"""The compensation log: steps without a timer, each with its undo, remembered as long as the run lives."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tasks.core.model.errors import BurrowError, TransactionError

# Performs one step; returns what its undo may need.
Do = Callable[[Any], Any]


@dataclass
class CompensationLog:
    """What was done of one transaction: its state, the reason, the undo steps in order, what stays, and what commands reported."""

    state: str = "applying"
    reason: str = ""
    undo: list[Any] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def perform_all(self, steps: Iterable[Any], do: Do, opposite: Callable[[Any, Any], Any]) -> None:
        """Perform step after step; if one fails, those before it are undone.

        Raises LinkError where it is unknown whether the last step was done, TransactionError where one was refused. Any other error leaves
        that unknown too.
        """
        try:
            for step in steps:
                undo = opposite(step, do(step))
                if undo:
                    self.undo.append(undo)
                elif step.shown:
                    self.stays.append(step.shown)
        except TransactionError as error:
            self.take_back(do, str(error))
            raise TransactionError(f"{error}; {self.reason}") from error
        except BaseException as error:
            known = str(error) if isinstance(error, BurrowError) else repr(error)
            self.state, self.reason = "interrupted", f"whether the last step was done is unknown: {known}"
            raise
        self.state = "applied"

    def take_back(self, do: Do, reason: str) -> None:
        """Undo the last step first. What has no undo stays, and the reason names it."""
        troubles: list[str] = []
        while self.undo:
            try:
                do(self.undo[-1])
            except TransactionError as error:
                troubles.append(str(error))
            self.undo.pop()
        self.state = "reverted"
        self.reason = f"what could not be undone: {'; '.join(troubles)}" if troubles else f"undone: {reason}"
        self.reason += f"; what stays: {'; '.join(self.stays)}" if self.stays else ""
        self.reason += f"; the commands reported: {'; '.join(self.reported)}" if self.reported else ""

    @property
    def remark(self) -> str:
        """What the operator has to know besides that it was undone: what stays, and what the commands reported; or empty."""
        return self.reason if self.stays or self.reported else ""

    def keep(self, host: str) -> None:
        """Confirm it. Raises TransactionError where it was not applied."""
        if self.state not in ("applied", "confirmed"):
            raise TransactionError(f"{host}: wanted it applied, it is {self.state}: {self.reason}")
        self.state, self.undo = "confirmed", []

    def give_up(self, host: str, do: Do, reason: str) -> None:
        """Undo it. Raises TransactionError with what could not be undone."""
        if self.state == "confirmed":
            raise TransactionError(f"{host}: it is confirmed and cannot be reverted")
        if self.state != "reverted":
            self.take_back(do, reason)
        if self.reason.startswith("what could not"):
            raise TransactionError(f"{host}: {self.reason}")
