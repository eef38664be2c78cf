"""The link to a device with an API, as a nornir task: facts and steps are calls, and the undo of a call is another call.

Such a device has no host agent and so no timer: what was done when the controller dies stays, and the next run continues from there.
"""

import json
from typing import TYPE_CHECKING, Any

from nornir.core.task import Task

from tasks.core.connectors.json_rpc import ENDED
from tasks.core.model.errors import Refused, TransactionError
from tasks.core.model.fact import CALL, Fact, HostFacts, Reading
from tasks.core.model.operation import Call, Operation, Procedure, Progress
from tasks.core.model.plan import TargetPlan

if TYPE_CHECKING:
    from tasks.core.connectors.agent_session import Owner
    from tasks.core.connectors.json_rpc import JsonRpc


class ApiLink:
    """A TrueNAS, which knows neither transactions nor leases."""

    performs: tuple[type, ...] = (Call,)

    def __init__(self, task: Task, owner: "Owner") -> None:
        self.task, self.owner = task, owner

    @staticmethod
    def effective_revert_s(platform: str, wanted_s: int) -> int:  # noqa: ARG004
        """As wanted: nothing here has a timer."""
        return wanted_s

    @property
    def rpc(self) -> "JsonRpc":
        """The open connection; opened at first use."""
        rpc: JsonRpc = self.task.host.get_connection("burrow_api", self.task.nornir.config)
        return rpc

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """Read the facts that are calls: a JSON list with `result` or `error` for each call. Other facts are left out."""
        answered = {fact.name: self._answers(fact.command) for fact in facts if fact.command.startswith(CALL)}
        return HostFacts(self.task.host.name, {name: Reading(0, json.dumps(answers)) for name, answers in answered.items()})

    def _answers(self, command: str) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for line in command.splitlines():
            method, _, parameters = line.removeprefix(CALL).partition(" ")
            try:
                answers.append({"result": self.rpc.call(method, json.loads(parameters))})
            except TransactionError as error:
                answers.append({"error": str(error)})
        return answers

    def prepare(self, plan: TargetPlan) -> None:
        """Refuse anything but calls, and see that the device answers: this verb can be repeated, `start` cannot."""
        if plan.transaction or plan.packages:
            raise Refused(f"{plan.host}: its API accepts only calls")
        self.rpc.call("core.ping", [])

    def start(self, operation: Operation, do: Call, handle: str, procedure: Procedure) -> Progress:  # noqa: ARG002 (it keeps nothing)
        """Make a call. It ends at once, unless it is a job, whose number is its handle."""
        try:
            result = self.rpc.call(do.method, json.loads(do.parameters))
        except TransactionError as error:
            return Progress("ended", error=str(error))
        return self.poll(do, str(result), 0) if do.job else Progress("ended", result=result)

    def poll(self, do: Call, handle: str, wait_s: float) -> Progress:
        """The progress of a job, once it has ended or `wait_s` have passed. What became of another call is not known."""
        if not do.job or not handle.isdecimal():
            self.rpc.call("core.ping", [])
            return Progress("unknown", handle)
        if not (job := self.rpc.job(int(handle), wait_s)):
            return Progress("unknown", handle)
        if job["state"] not in ENDED:
            return Progress("running", handle, line=str((job.get("progress") or {}).get("description") or ""))
        why = f"{self.task.host.name}: `{do.method}` ended {job['state']}: {job.get('error') or 'no reason given'}"
        return Progress("ended", handle, error="" if job["state"] == "SUCCESS" else why, result=job.get("result"))

    def finish(self, procedure: Procedure, outcome: str, reason: str) -> None:
        """The device keeps no record of it."""

    def release(self) -> None:
        """It has no lease."""
