"""A plan: what a change set would do on each of its hosts. Pure."""

import difflib
from dataclasses import dataclass

from tasks.core.agent.secrets import redact
from tasks.core.model.change import ChangeSet, Difference
from tasks.core.model.operation import Transaction


@dataclass(frozen=True)
class HostPlan:
    """One host's plan: differences, the transaction that removes them, packages to install before it, and the impact on traffic."""

    host: str
    differences: tuple[Difference, ...] = ()
    transaction: Transaction | None = None
    candidate: str = ""
    packages: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.differences)

    def diff(self) -> str:
        """A unified diff of the files, then one line for each other step."""
        if not self:
            return ""
        assert self.transaction is not None
        lines: list[str] = []
        for file in self.transaction.files:
            old, new = (file.before or "").splitlines(keepends=True), (file.text or "").splitlines(keepends=True)
            lines += difflib.unified_diff(old, new, file.path if file.before else "/dev/null", file.path)
        lines += [f"+ package {name}\n" for name in self.packages]
        lines += [
            f"+ {unit.name} {'enabled' if unit.enabled else 'disabled'}, {'running' if unit.active else 'stopped'}\n"
            for unit in self.transaction.units
        ]
        lines += [f"+ {name} = {value}\n" for name, value in self.transaction.sysctls.items()]
        lines += [f"+ {action.shown}\n" for action in self.transaction.actions if action.shown]
        lines += [f"+ {call.shown}\n" for call in self.transaction.calls if call.shown]
        lines += [f"+ {command.shown}\n" for command in self.transaction.commands]
        return redact("".join(line if line.endswith("\n") else line + "\n" for line in lines))


@dataclass(frozen=True)
class SetPlan:
    """A change set with the plans of its hosts, safe ends first, or the reason why it is refused."""

    change_set: ChangeSet
    hosts: tuple[HostPlan, ...] = ()
    refused: str = ""

    @property
    def changes(self) -> tuple[HostPlan, ...]:
        """The hosts where something differs."""
        return tuple(plan for plan in self.hosts if plan)

    @property
    def coordinated(self) -> bool:
        """Whether it succeeds only if other sets do the same at the same time."""
        return any(action.coordinated for plan in self.changes if plan.transaction for action in plan.transaction.actions)
