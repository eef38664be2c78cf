"""What a run does without a timer: each thing with its opposite, which this run remembers as long as it lives."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tasks.core.model.errors import BurrowError, TransactionError

# Does one thing; its answer is what the opposite may need.
Do = Callable[[Any], Any]


@dataclass
class CompensationLog:
    """What was done of one transaction: its state, why, what takes it back, the last thing last, and what was said by the way."""

    state: str = "applying"
    reason: str = ""
    undo: list[Any] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def perform_all(self, steps: Iterable[Any], do: Do, opposite: Callable[[Any, Any], Any]) -> None:
        """Step after step; where one fails, those before it are taken back.

        Raises LinkError where it is not known whether the last was done, TransactionError where one was refused. Any other error on the
        way leaves that as unknown as a lost answer does.
        """
        try:
            for step in steps:
                taken_back_by = opposite(step, do(step))
                if taken_back_by:
                    self.undo.append(taken_back_by)
                elif step.shown:
                    self.stays.append(step.shown)
        except TransactionError as error:
            self.take_back(do, str(error))
            raise TransactionError(f"{error}; {self.reason}") from error
        except BaseException as error:
            known = str(error) if isinstance(error, BurrowError) else repr(error)
            self.state, self.reason = "interrupted", f"whether the last step was done is not known: {known}"
            raise
        self.state = "applied"

    def take_back(self, do: Do, reason: str) -> None:
        """The last step first; what has no opposite stays, and is said."""
        troubles: list[str] = []
        while self.undo:
            try:
                do(self.undo[-1])
            except TransactionError as error:
                troubles.append(str(error))
            self.undo.pop()
        self.state = "reverted"
        self.reason = f"what could not be taken back: {'; '.join(troubles)}" if troubles else f"taken back: {reason}"
        self.reason += f"; what stays: {'; '.join(self.stays)}" if self.stays else ""
        self.reason += f"; what was said: {'; '.join(self.said)}" if self.said else ""

    @property
    def remark(self) -> str:
        """What somebody has to know besides that it was taken back: what stays, and what was said; empty where there is nothing."""
        return self.reason if self.stays or self.said else ""

    def keep(self, host: str) -> None:
        """It is as wanted. Raises TransactionError where it was not done."""
        if self.state not in ("applied", "confirmed"):
            raise TransactionError(f"{host}: wanted it applied, it is {self.state}: {self.reason}")
        self.state, self.undo = "confirmed", []

    def give_up(self, host: str, do: Do, reason: str) -> None:
        """Take it back. Raises TransactionError with what stays."""
        if self.state == "confirmed":
            raise TransactionError(f"{host}: it is confirmed and stays")
        if self.state != "reverted":
            self.take_back(do, reason)
        if self.reason.startswith("what could not"):
            raise TransactionError(f"{host}: {self.reason}")
