"""The link to nodes and servers, as a nornir task: the host agent over an exec channel."""

from collections.abc import Callable
from typing import Any

from nornir.core.task import Task

from tasks.core.connectors import answer
from tasks.core.connectors.agent_session import HostSession, Owner
from tasks.core.connectors.compensation import CompensationLog
from tasks.core.model.errors import Reverting, TransactionError
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.operation import Command
from tasks.core.model.plan import HostPlan

# More than what all bounded facts of one reading may take, and the rest; a host that is gone is noticed earlier, by its connection.
READ_S = 60.0
# What this run has done on a host without a timer, by token.
MEMORY = "burrow_done"


class SshLink:
    """Nodes and servers: the host agent over an exec channel."""

    def __init__(self, task: Task, owner: Owner) -> None:
        self.task, self.owner = task, owner

    @property
    def session(self) -> HostSession:
        """The open session; opened at first use."""
        session: HostSession = self.task.host.get_connection("burrow_ssh", self.task.nornir.config)
        return session

    @property
    def _done(self) -> dict[str, CompensationLog]:
        done: dict[str, CompensationLog] = self.task.host.data.setdefault(MEMORY, {})
        return done

    def _perform(self, command: Command) -> str:
        """What it said on standard error. Raises TransactionError where it failed.

        `pvecm create`, `pvecm add` and `pveceph pool` end with 0 also where their task failed: what is left of that is the reason on
        standard error (pve-common, PVE::RESTEnvironment::fork_worker), so it is kept for when the checks fail.
        """
        host = self.task.host.name
        code, out, err = answer.performed(host, self.session.perform(self.owner, command.guarded, command.deadline_s))
        if code:
            words = (err or out).strip()[-600:] or "it said nothing"
            raise TransactionError(f"{host}: `{' '.join(command.argv)}` ended with {code}: {words}")
        return err.strip()[-600:]

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """All facts in one exec."""
        host, commands = self.task.host.name, {fact.name: fact.command for fact in facts}
        return HostFacts(host, answer.readings(host, commands, self.session.read(commands, self.owner, READ_S)))

    def prepare(self, plan: HostPlan) -> None:
        """Lease, host agent, packages."""
        self.session.prepare(self.owner, plan.packages)

    def begin(self, plan: HostPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Arm and apply; commands, which have no timer, one after the other."""
        assert plan.transaction is not None
        if plan.transaction.commands:
            done = self._done[plan.transaction.token] = CompensationLog()

            def opposite(command: Command, words: str) -> Command | None:
                done.said += [f"`{' '.join(command.argv)}`: {words}"] if words else []
                return command.opposite()

            done.perform_all(plan.transaction.commands, self._perform, opposite)
            return
        expect("applied", self.task.host.name, self.session.begin(self.owner, plan.transaction.request(revert_s), deadline_s, on_event))

    def outcome(self, plan: HostPlan) -> dict[str, Any]:
        """What the host holds of it; of commands what this run knows."""
        assert plan.transaction is not None
        kept = answer.outcome(plan.host, self.session.outcome(plan.transaction.token))
        if plan.transaction.commands:
            done = self._done.get(plan.transaction.token, CompensationLog("unknown", "this run has not begun it"))
            return {"state": done.state, "reason": done.reason, "remark": done.remark}
        return kept

    def confirm(self, plan: HostPlan) -> None:
        """Keep it."""
        assert plan.transaction is not None
        if plan.transaction.commands:
            self._done.get(plan.transaction.token, CompensationLog("unknown")).keep(plan.host)
            return
        expect("confirmed", self.task.host.name, self.session.confirm(plan.transaction.token))

    def revert(self, plan: HostPlan, reason: str) -> None:
        """Undo it."""
        assert plan.transaction is not None
        if plan.transaction.commands:
            self._done.setdefault(plan.transaction.token, CompensationLog()).give_up(plan.host, self._perform, reason)
            return
        expect("reverted", self.task.host.name, self.session.revert(plan.transaction.token, reason, owner=self.owner))

    def renew(self, plan: HostPlan) -> None:
        """Its timer begins anew. Raises TransactionError where it has ended."""
        assert plan.transaction is not None
        expect("applied", self.task.host.name, self.session.renew(self.owner, plan.transaction.token))

    def reboot(self) -> None:
        """Boot it, a second from now."""
        self.session.reboot(self.owner)

    def release(self) -> None:
        """Give the lease back."""
        self.session.release(self.owner)


def expect(state: str, host: str, found: object) -> None:
    """Raises BadAnswer, Reverting or TransactionError where what a host holds is not in the wanted state."""
    kept = answer.outcome(host, found)
    if kept["state"] == "reverting":
        raise Reverting(f"{host}: {answer.reverting(kept)}")
    if kept["state"] != state:
        raise TransactionError(f"{host}: wanted the transaction {state}, it is {kept['state']}: {kept['reason'] or 'no reason given'}")
