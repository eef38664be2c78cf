"""Performs a procedure: each operation is announced in the journal, started, polled to its end, and undone if a later one fails."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tasks.core.engine.run import Interrupted
from tasks.core.model.errors import BadAnswer, BurrowError, LinkError, Refused, TransactionError
from tasks.core.model.operation import Call, Command, Operation, Procedure, Progress

if TYPE_CHECKING:
    from tasks.core.engine.run import Run

# How long one poll waits on the host. The run's other leases are renewed between polls.
POLL_WAIT_S = 4.0
RETRY_S = 0.5
# How much longer than its deadline an operation is polled: the host ends it by then.
MARGIN_S = 10.0


@dataclass
class Performance:
    """One procedure on one host: its state, the reason, what undoes it, what stays, and what its commands reported.

    `state` is applying, applied, interrupted (whether the last operation was done is not known), reverted or confirmed.
    """

    run: "Run"
    change_set: str
    host: str
    procedure: Procedure
    state: str = "applying"
    reason: str = ""
    undo: list[tuple[Operation, Command | Call]] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    _last: tuple[Command | Call, str] | None = None

    def perform_all(self) -> None:
        """Perform operation after operation. If one fails or the run is asked to stop, those before it are undone.

        Raises TransactionError where one failed, LinkError or any other error where it is unknown whether the last one was done.
        """
        try:
            for operation in self.procedure.operations:
                self.run.pause(0)
                done = self._perform("performing", operation, operation.do)
                if operation.undo:
                    self.undo.append((operation, _with_id(operation.undo, done.result)))
                elif operation.shown:
                    self.stays.append(operation.shown)
        except (TransactionError, Refused, Interrupted) as error:
            self._take_back(str(error))
            if isinstance(error, Interrupted) or (isinstance(error, Refused) and operation is self.procedure.operations[0]):
                raise
            raise TransactionError(f"{error}; {self.reason}") from error
        except BaseException as error:
            known = str(error) if isinstance(error, BurrowError) else repr(error)
            self.state, self.reason = "interrupted", f"whether the last operation was done is unknown: {known}"
            raise
        self.state = "applied"

    def outcome(self) -> dict[str, Any]:
        """Its state, from this run's memory. Raises LinkError where the host does not answer."""
        if self._last:
            do, handle = self._last
            self.run.do(self.host, "poll", do=do, handle=handle, wait_s=0)
        return {"state": self.state, "reason": self.reason}

    def confirm(self) -> None:
        """Keep it. Raises TransactionError where it was not applied."""
        if self.state not in ("applied", "confirmed"):
            raise TransactionError(f"{self.host}: wanted it applied, it is {self.state}: {self.reason}")
        self.state, self.undo = "confirmed", []
        self._record()

    def revert(self, reason: str) -> None:
        """Undo it, the last operation first. Raises TransactionError with what could not be undone."""
        if self.state == "confirmed":
            raise TransactionError(f"{self.host}: it is confirmed and cannot be reverted")
        if self.state != "reverted":
            self._take_back(reason)
        self._record()
        if self.reason.startswith("what could not"):
            raise TransactionError(f"{self.host}: {self.reason}")

    def _record(self) -> None:
        """Tell the host how it ended. The end is the same if the host does not hear of it."""
        try:
            self.run.do(self.host, "finish", procedure=self.procedure, outcome=self.state, reason=self.reason)
        except BurrowError as error:
            self.run.say("failed", self.host, self.change_set, f"the host does not know that it is {self.state}: {error}")

    @property
    def remarks(self) -> list[str]:
        """What the operator has to know besides that it was undone: what stays, and what the commands reported."""
        return [f"{self.host}: {self.reason}"] if self.stays or self.reported else []

    def _take_back(self, reason: str) -> None:
        """Undo the last operation first. What has no undo stays, and the reason names it."""
        troubles: list[str] = []
        while self.undo:
            operation, undo = self.undo[-1]
            try:
                self._perform("undoing", operation, undo)
            except (TransactionError, Refused) as error:
                troubles.append(str(error))
            self.undo.pop()
        self.state = "reverted"
        self.reason = f"what could not be undone: {'; '.join(troubles)}" if troubles else f"undone: {reason}"
        self.reason += f"; what stays: {'; '.join(self.stays)}" if self.stays else ""
        self.reason += f"; the commands reported: {'; '.join(self.reported)}" if self.reported else ""

    def _perform(self, kind: str, operation: Operation, do: Command | Call) -> Progress:
        """Perform what the operation does, or what undoes it. Raises TransactionError where it failed."""
        number = self.procedure.operations.index(operation)
        handle = f"{self.procedure.token}-{number}{'-undo' if kind == 'undoing' else ''}"

        def say(of: str, text: str = "", handle: str = handle) -> None:
            self.run.say(of, self.host, self.change_set, text, operation=operation.id, handle=handle)

        say(kind, called(do))
        self._last = (do, handle)
        done = self._ended(operation, do, handle, say)
        say("performed" if kind == "performing" else "undone", done.error)
        if done.error:
            raise TransactionError(done.error)
        self.reported += [f"`{called(do)}`: {done.reported}"] if done.reported else []
        return done

    def _ended(self, operation: Operation, do: Command | Call, handle: str, say: Callable[..., None]) -> Progress:
        """Start it, and poll it to its end, over new connections where one breaks. Raises LinkError where its end is not known."""
        deadline = time.monotonic() + operation.deadline_s + MARGIN_S
        now, broke = Progress("absent", handle), LinkError(f"{self.host}: what became of `{called(do)}` is not known")
        while now.state != "ended":
            try:
                if now.state == "absent":
                    now = self.run.do(self.host, "start", operation=operation, do=do, handle=handle, procedure=self.procedure)
                else:
                    now = self.run.do(self.host, "poll", do=do, handle=now.handle, wait_s=POLL_WAIT_S)
            except BadAnswer:
                raise
            except LinkError as error:
                if time.monotonic() > deadline:
                    raise
                # The request may have arrived, so the host is asked before it is started once more.
                now, broke = Progress("unsure", now.handle), error
                time.sleep(RETRY_S)
                self.run.reconnect(self.host)
            if now.state == "unknown" or (now.state != "ended" and time.monotonic() > deadline):
                raise broke
            if now.state == "running":
                say("running", now.line, now.handle)
                self.run.keep_leases()
        return now


def called(do: Command | Call) -> str:
    """An operation's command line, or the method of its call."""
    return do.called if isinstance(do, Command) else do.method


def _with_id(undo: Command | Call, result: Any) -> Command | Call:
    """The undo of a call, with the id of what it made. Raises BadAnswer where the device did not return the id."""
    if isinstance(undo, Command) or "{id}" not in undo.parameters:
        return undo
    if not isinstance(result, dict) or "id" not in result:
        raise BadAnswer(f"the answer does not name what was made: wanted an object with an id, found {result!r:.100}")
    return Call(undo.method, undo.parameters.replace("{id}", json.dumps(result["id"])), job=undo.job)
