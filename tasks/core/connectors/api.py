"""The link to a device with an API, as a nornir task: facts and steps are calls, and the undo of a call is another call.

Such a device has no host agent and so no timer: what was done when the controller dies stays, and the next run continues from there.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nornir.core.task import Task

from tasks.core.connectors.compensation import CompensationLog
from tasks.core.model.errors import BadAnswer, Refused, TransactionError
from tasks.core.model.fact import CALL, Fact, HostFacts, Reading
from tasks.core.model.operation import Call, Transaction

if TYPE_CHECKING:
    from tasks.core.connectors.agent_session import Owner
    from tasks.core.connectors.json_rpc import JsonRpc
    from tasks.core.model.plan import HostPlan

MEMORY = "burrow_api"


class ApiLink:
    """A TrueNAS. The run itself remembers what it has done; the device knows neither transactions nor leases."""

    def __init__(self, task: Task, owner: "Owner") -> None:
        self.task, self.owner = task, owner

    @property
    def rpc(self) -> "JsonRpc":
        """The open connection; opened at first use."""
        rpc: JsonRpc = self.task.host.get_connection("burrow_api", self.task.nornir.config)
        return rpc

    @property
    def _done(self) -> dict[str, CompensationLog]:
        done: dict[str, CompensationLog] = self.task.host.data.setdefault(MEMORY, {})
        return done

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

    def prepare(self, plan: "HostPlan") -> None:
        """Refuse anything but calls, and see that the device answers: this verb can be repeated, `begin` cannot."""
        done = plan.transaction or Transaction("nothing")
        if done.files or done.actions or done.units or done.sysctls or plan.packages:
            raise Refused(f"{plan.host}: its API accepts only calls")
        self.rpc.call("core.ping", [])

    def begin(self, plan: "HostPlan", revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:  # noqa: ARG002 (no timer)
        """Call after call; if one is refused, those before it are undone."""
        assert plan.transaction is not None
        done = self._done[plan.transaction.token] = CompensationLog()
        done.perform_all(plan.transaction.calls, self._call, lambda call, result: call.undo and _of(call.undo, result))

    def _call(self, call: Call) -> Any:
        ask = self.rpc.job if call.job else self.rpc.call
        return ask(call.method, json.loads(call.parameters))

    def outcome(self, plan: "HostPlan") -> dict[str, Any]:
        """What this run has done; raises LinkError where the device does not answer."""
        assert plan.transaction is not None
        self.rpc.call("core.ping", [])
        done = self._done.get(plan.transaction.token, CompensationLog("unknown", "this run has not started it"))
        return {"state": done.state, "reason": done.reason, "remark": done.remark}

    def confirm(self, plan: "HostPlan") -> None:
        """Keep what was done."""
        assert plan.transaction is not None
        self._done.get(plan.transaction.token, CompensationLog("unknown")).keep(plan.host)

    def revert(self, plan: "HostPlan", reason: str) -> None:
        """Undo it, the last call first."""
        assert plan.transaction is not None
        self._done.setdefault(plan.transaction.token, CompensationLog()).give_up(plan.host, self._call, reason)

    def release(self) -> None:
        """It has no lease."""


def _of(undo: Call, result: Any) -> Call:
    """The undo of a call, with the id of what it made. Raises BadAnswer where the device did not return the id."""
    made = str(result["id"]) if isinstance(result, dict) and "id" in result else ""
    if "{id}" in undo.parameters and not made:
        raise BadAnswer(f"the answer does not name what was made: wanted an object with an id, found {result!r:.100}")
    return Call(undo.method, undo.parameters.replace("{id}", made), job=undo.job)
