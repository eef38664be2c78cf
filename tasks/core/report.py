"""What the operator sees: progress while it runs, the plan, the results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from tasks.core.events import Event

if TYPE_CHECKING:
    from tasks.core.plan import SetPlan
    from tasks.core.run import Run
    from tasks.core.runbook import Options, RunResult


class Screen:
    """One run's output; plain lines where the output is no terminal."""

    def __init__(self, options: "Options") -> None:
        self.options = options
        self.console = Console(stderr=options.json == "-", highlight=False, soft_wrap=True)

    def watch(self, event: Event) -> None:
        """A line for each event."""
        self.console.print(f"{event.kind:10} {event.change_set:20} {event.host:10} {event.text}", markup=False)

    @contextmanager
    def live(self, run: "Run") -> Iterator[None]:
        """While the run works."""
        del run
        yield

    def ask(self, plans: "tuple[SetPlan, ...]") -> bool:
        """Whether to apply."""
        for plan in plans:
            for host in plan.changes:
                self.console.print(host.diff(), markup=False)
                for line in host.impact:
                    self.console.print(f"  impact: {line}", markup=False)
        return True

    def error(self, text: str) -> None:
        """One clear message."""
        print(text, file=sys.stderr)  # noqa: T201

    def results(self, result: "RunResult") -> None:
        """At the end."""
        for stage in result.stages:
            for plan in stage.plans if not stage.outcomes else ():
                self.console.print(f"{stage.stage.name} {plan.change_set.name}: {plan.refused or [str(d) for h in plan.changes for d in h.differences]}", markup=False)
            for outcome in stage.outcomes:
                self.console.print(f"{stage.stage.name} {outcome.plan.change_set.name}: {outcome.state} {outcome.reasons}", markup=False)
            for verdict in stage.verdicts:
                if not verdict.finding.ok:
                    self.console.print(f"FAIL {verdict.check.name} {verdict.finding}", markup=False)
        self.console.print(f"exit {result.exit_code}")
