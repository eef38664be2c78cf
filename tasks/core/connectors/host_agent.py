"""The link to nodes and servers, as a nornir task: the host agent over an exec channel."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nornir.core.task import Task

from tasks.core.connectors import answer
from tasks.core.connectors.agent_session import HostSession, Owner
from tasks.core.model.errors import Reverting, TransactionError
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.operation import Command, Operation, Procedure, Progress
from tasks.core.model.plan import TargetPlan

# More than all bounded facts of one reading may take together; a host that is gone is noticed earlier, by its connection.
READ_S = 60.0


class SshLink:
    """Nodes and servers: the host agent over an exec channel."""

    performs: tuple[type, ...] = (Command,)

    def __init__(self, task: Task, owner: Owner) -> None:
        self.task, self.owner = task, owner

    @staticmethod
    def effective_revert_s(platform: str, wanted_s: int) -> int:  # noqa: ARG004
        """As wanted: systemd takes any number of seconds."""
        return wanted_s

    @property
    def session(self) -> HostSession:
        """The open session; opened at first use."""
        session: HostSession = self.task.host.get_connection("burrow_ssh", self.task.nornir.config)
        return session

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """Read all facts in one exec."""
        host, commands = self.task.host.name, {fact.name: fact.command for fact in facts}
        return HostFacts(host, answer.readings(host, commands, self.session.read(commands, self.owner, READ_S)))

    def prepare(self, plan: TargetPlan) -> None:
        """Take the lease, install the host agent and the packages."""
        self.session.prepare(self.owner, plan.packages)

    def begin(self, plan: TargetPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Arm and apply."""
        assert plan.transaction is not None
        expect("applied", self.task.host.name, self.session.begin(self.owner, plan.transaction.request(revert_s), deadline_s, on_event))

    def outcome(self, plan: TargetPlan) -> dict[str, Any]:
        """The state of the transaction on the host."""
        return answer.outcome(plan.host, self.session.outcome(plan.token))

    def confirm(self, plan: TargetPlan) -> None:
        """Confirm the transaction."""
        expect("confirmed", self.task.host.name, self.session.confirm(plan.token))

    def revert(self, plan: TargetPlan, reason: str) -> None:
        """Revert the transaction."""
        expect("reverted", self.task.host.name, self.session.revert(plan.token, reason, owner=self.owner))

    def start(self, operation: Operation, do: Command, handle: str, procedure: Procedure) -> Progress:
        """Start a command as a unit of its own, which goes on if this connection breaks. It can be repeated."""
        host, shown = self.task.host.name, do.called
        named = {"token": procedure.token, "why": procedure.why, "id": operation.id, "handle": handle, "command": shown}
        command = {**named, "argv": list(do.guarded), "deadline_s": operation.deadline_s}
        return replace(answer.progress(host, shown, self.session.start(self.owner, command)), handle=handle)

    def poll(self, do: Command, handle: str, wait_s: float) -> Progress:
        """The progress of a command, once it has ended or `wait_s` have passed."""
        shown = do.called
        return replace(answer.progress(self.task.host.name, shown, self.session.poll(self.owner, handle, wait_s)), handle=handle)

    def finish(self, procedure: Procedure, outcome: str, reason: str) -> None:
        """Record on the host how the procedure ended."""
        self.session.finish(self.owner, procedure.token, procedure.why, outcome, reason)

    def renew(self, plan: TargetPlan) -> None:
        """Restart its timer. Raises TransactionError where it has run out."""
        expect("applied", self.task.host.name, self.session.renew(self.owner, plan.token))

    def reboot(self) -> None:
        """Reboot the host, a second from now."""
        self.session.reboot(self.owner)

    def release(self) -> None:
        """Release the lease."""
        self.session.release(self.owner)


def expect(state: str, host: str, found: object) -> None:
    """Raises BadAnswer, Reverting or TransactionError where the transaction on the host is not in the wanted state."""
    kept = answer.outcome(host, found)
    if kept["state"] == "reverting":
        raise Reverting(f"{host}: {answer.reverting(kept)}")
    if kept["state"] != state:
        raise TransactionError(f"{host}: wanted the transaction {state}, it is {kept['state']}: {kept['reason'] or 'no reason given'}")
