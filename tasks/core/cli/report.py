"""The screen: plan, progress and results. Redrawn on a terminal, plain lines elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.live import Live
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tasks.core.cli.findings import rows
from tasks.core.engine.as_shown import unacknowledged
from tasks.core.engine.earlier import earlier
from tasks.core.engine.events import Event
from tasks.core.engine.streams import OutputLostError, complain, silence, tolerate
from tasks.core.model.check import Severity
from tasks.core.model.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.core.engine.run import Run
    from tasks.core.engine.runbook import RunResult, StageResult
    from tasks.core.model.check import Verdict

STYLES = {
    "done": "green",
    "unchanged": "dim",
    "failed": "red",
    "reverted": "red",
    "reverting": "red",
    "refused": "yellow",
    "interrupted": "yellow",
    "confirmed": "green",
}


# So long the lines that are still on their way are waited for, before anything else is shown.
DRAIN_S = 5.0


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The library would end the program; whoever prints decides that here."""
        raise  # noqa: PLE0704 (called inside of `except BrokenPipeError`)


class Screen:
    """One run's output. With `quiet_stdout`, standard output is left to the JSON.

    Output decides nothing. Progress is shown by a thread of its own, so a reader that does not read keeps nobody. Where showing fails, the
    screen is switched off: `lost` says why.
    """

    def __init__(self, quiet_stdout: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            tolerate(stream)
        self.console = _Console(stderr=quiet_stdout, highlight=False, soft_wrap=True)
        self.started = time.monotonic()
        self.lost = ""
        self._told_earlier = False
        self._rows: dict[str, Event] = {}
        self._live: Live | None = None
        self._events: SimpleQueue[Event | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stalled = False

    def say(self, text: str) -> None:
        """Print one line as it is: rich would read markup and emoji names in a bare string."""
        self._shown(lambda: self.console.print(_plain(text)))

    def error(self, text: str) -> None:
        """Print a message on standard error."""
        complain(text)

    def data(self, text: str) -> None:
        """Print the JSON on standard output."""
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001
            silence(sys.stdout)
            complain(f"the JSON could not be written to standard output: {error}")

    def _shown(self, show: Callable[[], object]) -> None:
        """Call `show`, unless the screen is off; an error switches it off."""
        if self.lost:
            return
        try:
            show()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001
            self.lost = f"the screen is switched off: {error!r}"
            silence(self.console.file)
            complain(f"{self.lost}; the run goes on, and its record has the result")

    def watch(self, event: Event) -> None:
        """Show progress: one row a set on a terminal, else one line an event. Raises OutputLostError once the screen is off."""
        if self.lost:
            raise OutputLostError(self.lost)
        if self._thread is None:
            self._thread = threading.Thread(target=self._drain, name="screen", daemon=True)
            self._thread.start()
        self._events.put(event)

    def _drain(self) -> None:
        while True:
            event = self._events.get()
            if isinstance(event, threading.Event):
                event.set()
            else:
                self._shown(partial(self._progress, event))

    def _drained(self) -> None:
        """Wait until all events are shown, at most DRAIN_S for a reader that does not read."""
        if self._thread:
            reached = threading.Event()
            self._events.put(reached)
            self._stalled = not reached.wait(DRAIN_S)

    def _progress(self, event: Event) -> None:
        if not self.console.is_terminal:
            if event.change_set or event.kind in ("failed", "stage"):
                words = f"{event.change_set or '-':20} {event.host:10} {event.kind:10} {event.text}"
                self.console.print(_plain(f"{event.at_s - self.started:6.1f} s  {words}".rstrip()))
        elif event.kind == "stage":
            self._stop_live()
        elif event.change_set:
            self._rows[event.change_set] = event
            self._live = self._live or self._start_live()
            self._live.update(self._table())

    def _start_live(self) -> Live:
        live = Live(console=self.console, refresh_per_second=8)
        live.start()
        return live

    def close(self) -> None:
        """Stop redrawing; what was shown stays."""
        self._drained()
        self._shown(self._stop_live)

    def leave(self, exit_code: int) -> None:
        """Show nothing more, because the reader does not read. A thread that waits for it would keep Python from ending."""
        self.lost = self.lost or "the reader of the output does not read"
        silence(self.console.file)
        if self._stalled:
            os._exit(exit_code)

    def _stop_live(self) -> None:
        if self._live:
            self._live.stop()
        self._live, self._rows = None, {}

    def _table(self) -> Table:
        table = Table(box=None, show_header=False)
        for name, event in self._rows.items():
            style = STYLES.get(event.kind, "cyan")
            table.add_row(_plain(name), _plain(event.host), Text(event.kind, style), _plain(event.text[:100]))
        return table

    def ask(self, stage: "StageResult", result: "RunResult") -> bool:
        """Show the plan and return whether to apply it: always in the lab, elsewhere after a yes, never in a dry run."""
        for line in () if self._told_earlier else earlier(result):
            self.say(f"earlier: {line}")
        self._told_earlier = True
        self.plan(stage)
        options = result.options
        if options.dry_run:
            return False
        if result.run.rehearsal or options.yes:
            return True
        if self.lost:
            complain("nothing is applied: the plan could not be shown, and --yes was not given")
            return False
        return self.confirm(f"apply stage {stage.stage.name} on site {options.site}?") and self._acknowledged(stage, result.run)

    def _acknowledged(self, stage: "StageResult", run: "Run") -> bool:
        """Whether the operator typed the id of each operation that can lose data or a quorum."""
        for one in (one for plan in stage.plans for one in unacknowledged(run, plan)):
            self.say(f"{one.id}: nothing undoes it, and {one.at_risk}")
            ask = partial(click.prompt, f"type {one.id} to accept that", default="", show_default=False, err=True)
            if _answer(ask) != one.id:
                self.say(f"nothing is applied: {one.id} is not accepted")
                return False
            run.acknowledged |= {one.id}
        return True

    def confirm(self, question: str) -> bool:
        """The operator's answer; no without a terminal to ask on."""
        if not sys.stdin.isatty():
            self.say("nothing is applied: this is not the lab, there is no terminal to ask on, and --yes was not given")
            return False
        return _answer(partial(click.confirm, question, err=True)) is True

    def plan(self, stage: "StageResult") -> None:
        """Diff and impact of each host of each set."""
        self.close()
        for plan in stage.plans:
            for host in plan.changes:
                where = host.host if host.host == host.target else f"{host.target} on {host.host}"
                self.say(f"\n{stage.stage.name}: {plan.change_set.name}: {where}")
                self._shown(partial(self._diff, host.diff()))
                for line in host.impact or ("no traffic is interrupted",):
                    self.say(f"  impact: {line}")

    def _diff(self, diff: str) -> None:
        plain = _plain(diff)
        self.console.print(Syntax(plain.plain, "diff", theme="ansi_dark") if self.console.is_terminal else plain)

    def redraw(self, result: "RunResult") -> None:
        """Show the results: on a terminal in place of the last ones, elsewhere below them."""
        self._shown(self.console.clear)
        self.say(time.strftime("%H:%M:%S"))
        self.results(result)

    def results(self, result: "RunResult") -> None:
        """Show the result of every set, the failed findings and their remedies."""
        self.close()
        for line in earlier(result):
            self.say(f"earlier: {line}")
        for stage in result.stages:
            self._sets(stage)
            self.findings(verdict for verdict in stage.verdicts if not verdict.finding.ok)
            for note in rows(verdict for verdict in stage.verdicts if verdict.check.severity is Severity.NOTE):
                self.say(f"left alone: {note.target}: {note.finding.got}")
        for host, reason in result.run.unreachable.items():
            self.say(f"unreachable: {reason if host in reason else f'{host}: {reason}'}")
        if result.trouble:
            self.say(f"ended early: {result.trouble}")
        self.say(_summary(result))

    def _sets(self, stage: "StageResult") -> None:
        outcomes = {one.plan.change_set.name: one for one in stage.outcomes}
        for plan in stage.plans:
            name = plan.change_set.name
            outcome = outcomes.get(name)
            state = outcome.state if outcome else "refused" if plan.refused else "to change" if plan.changes else "unchanged"
            title = Text.assemble(_plain(f"{stage.stage.name:9} {name:22} "), (state, STYLES.get(state, "cyan")))
            self._shown(partial(self.console.print, title))
            for reason in outcome.reasons if outcome else [plan.refused] if plan.refused else []:
                self.say(f"          {reason}")
            for line in plan.change_set.by_hand:
                self.say(f"          by hand: {line}")

    def findings(self, verdicts: "Iterable[Verdict]") -> None:
        """Show a table of failed findings and their remedies; nothing where there are none."""
        if not (failed := rows(verdicts)):
            return
        table = Table(show_lines=False, box=None, header_style="bold")
        for column in ("severity", "check", "target", "wanted", "found"):
            table.add_column(column, overflow="fold")
        for one in failed:
            cells = (str(one.check.severity), one.check.name.replace("_", " "), one.target, one.finding.want, one.finding.got)
            table.add_row(*(_plain(cell) for cell in cells))
        remedies = dict.fromkeys((one.check.name, one.check.remediation) for one in failed)
        lines = (_plain(f"  {name.replace('_', ' ')}: {remedy}") for name, remedy in remedies)
        self._shown(partial(self.console.print, Group(table, *lines)))


def _answer(ask: Callable[[], object]) -> object:
    """The operator's answer; None where the question cannot be seen. Ctrl-C interrupts the run, which keeps its record and results."""
    try:
        answer = ask()
    except OSError:
        return None
    except click.Abort:
        raise KeyboardInterrupt from None
    return answer.strip() if isinstance(answer, str) else answer


def _plain(text: str) -> Text:
    """A text without markup, secrets and terminal control characters."""
    return Text(shown(text))


def _summary(result: "RunResult") -> str:
    states = [one.state for stage in result.stages for one in stage.outcomes]
    planned = [plan for stage in result.stages if not stage.outcomes for plan in stage.plans]
    states += ["refused" if plan.refused else "to change" if plan.changes else "unchanged" for plan in planned]
    verdicts = [verdict for stage in result.stages for verdict in stage.verdicts]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "no change sets"
    passed = sum(verdict.finding.ok for verdict in verdicts)
    return f"{counts}; {passed} of {len(verdicts)} findings as wanted; exit {result.exit_code}"
