"""A plan: what a change set would do on each of its targets. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.core.agent.secrets import redact
from tasks.core.model.change import ChangeSet, Difference
from tasks.core.model.operation import Operation, Procedure, TimedTransaction
from tasks.core.model.text_diff import unified


@dataclass(frozen=True)
class TargetPlan:
    """One target's plan: differences, the work that removes them, packages to install before it, and the impact on traffic.

    The work is done on `host`: the target itself, or the endpoint of a cluster that answered for it. It is None where nothing differs.
    The digest (`plan_json.digest`) is the same where the same would be done.
    """

    target: str
    host: str
    # What holds texts of files is not in the representation, which nornir logs.
    differences: tuple[Difference, ...] = field(default=(), repr=False)
    work: TimedTransaction | Procedure | None = field(default=None, repr=False)
    candidate: str = field(default="", repr=False)
    packages: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()
    digest: str = ""

    def __bool__(self) -> bool:
        return bool(self.differences)

    @property
    def transaction(self) -> TimedTransaction | None:
        """The work where the host's timer takes it back."""
        return self.work if isinstance(self.work, TimedTransaction) else None

    @property
    def procedure(self) -> Procedure | None:
        """The work where no timer takes it back."""
        return self.work if isinstance(self.work, Procedure) else None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of a procedure."""
        return self.work.operations if isinstance(self.work, Procedure) else ()

    @property
    def token(self) -> str:
        """What identifies the work on its host."""
        return self.work.token if self.work else ""

    def diff(self) -> str:
        """A unified diff of the files, then one line for each other step."""
        return redact("".join(line if line.endswith("\n") else line + "\n" for line in self._lines())) if self else ""

    def _lines(self) -> Iterator[str]:
        done = self.transaction or TimedTransaction("nothing")
        for file in done.files:
            yield from unified(file.before or "", file.text or "", file.path if file.before else "/dev/null", file.path)
        yield from (f"+ package {name}" for name in self.packages)
        for unit in done.units:
            yield f"+ {unit.name} {'enabled' if unit.enabled else 'disabled'}, {'running' if unit.active else 'stopped'}"
        yield from (f"+ {name} = {value}" for name, value in done.sysctls.items())
        yield from (f"+ {action.shown}" for action in done.actions if action.shown)
        yield from (f"+ {operation.shown}" for operation in self.operations if operation.shown)


def of_host(host: str, work: TimedTransaction | None = None) -> TargetPlan:
    """The plan of work on a host that no difference leads to, such as its maintenance; without work, of its lease alone."""
    return TargetPlan(host, host, work=work)


@dataclass(frozen=True)
class SetPlan:
    """A change set with the plans of its targets, safe ends first, or the reason why it is refused."""

    change_set: ChangeSet
    targets: tuple[TargetPlan, ...] = ()
    refused: str = ""

    @property
    def changes(self) -> tuple[TargetPlan, ...]:
        """The targets where something differs."""
        return tuple(plan for plan in self.targets if plan)

    @property
    def coordinated(self) -> bool:
        """Whether it succeeds only if other sets do the same at the same time."""
        return any(action.coordinated for plan in self.changes if plan.transaction for action in plan.transaction.actions)
