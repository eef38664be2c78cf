"""The command line of runbooks with stages: plan, show, ask, apply, verify."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tasks.core.cli.program import SEVERAL, SITE, Script, Show, command, flag, run_script
from tasks.core.engine.events import Watcher
from tasks.core.engine.execute import execute
from tasks.core.engine.runbook import INTERRUPTED, OK, Options, Runbook, RunResult

if TYPE_CHECKING:
    from tasks.core.cli.report import Screen
    from tasks.core.engine.run import Run


def main(runbook: Runbook, arguments: Sequence[str] | None = None, watchers: tuple[Watcher, ...] = ()) -> int:
    """The command line of a runbook; the exit code."""
    stages = ", ".join(stage.name for stage in runbook.stages)
    flags = (
        flag("site", **SITE),
        flag("dry-run", is_flag=True, help="Show diff and impact, touch nothing. Exit 2 where something differs."),
        flag("limit", **SEVERAL, help="Only sets with this host, or cluster (ceph/NAME); repeatable, or A,B."),
        flag("stage", "stages", multiple=True, metavar="STAGE", help=f"Only this stage: {stages}."),
        flag("set", "sets", multiple=True, metavar="NAME", help="Only change sets whose name matches; * matches anything."),
        flag("tags", multiple=True, metavar="TAG", help="Only checks with this tag; repeatable, or A,B."),
        flag("yes", is_flag=True, help="Apply without asking."),
        flag("acknowledge", multiple=True, metavar="ID", help="Accept what can be lost by this operation of the plan; repeatable."),
        flag("max-failures", type=click.IntRange(min=1), metavar="N", help="Start no further set once N have failed."),
        flag("json", metavar="FILE", help="Write everything to FILE as JSON ('-': standard output)."),
        flag("watch", "watch_s", type=click.FloatRange(min=1), metavar="SECONDS", help="Repeat the checks every SECONDS; Ctrl-C ends it."),
    )

    def body(**words: Any) -> int:
        if words["watch_s"] and any(stage.sets for stage in runbook.stages):
            raise click.UsageError("--watch needs a runbook that changes nothing")
        return _main(runbook, Options(**words), watchers)

    return command(runbook.purpose, flags, body, arguments)


def watch(runbook: Runbook, options: Options, run: "Run", screen: "Screen") -> int:
    """Run the checks and show them until Ctrl-C or until the screen is lost; the exit code of the last time. Connections stay open."""
    from tasks.core.engine.signals import waiting  # noqa: PLC0415 (start-up)

    code = OK
    try:
        while not screen.lost:
            run.events.clear()
            result = execute(runbook, options, run, screen.ask)
            if result.exit_code == INTERRUPTED:
                return code
            code = result.exit_code
            with waiting():
                screen.redraw(result)
            run.stop.wait(options.watch_s)
    except KeyboardInterrupt:
        screen.leave(code)
    return code


def _main(runbook: Runbook, options: Options, watchers: tuple[Watcher, ...]) -> int:
    from tasks.core.cli.ending import keep_json  # noqa: PLC0415 (start-up)
    from tasks.core.cli.report import Screen  # noqa: PLC0415

    screen = Screen(options.json == "-")

    def show(result: RunResult, line: str) -> None:
        if result.exit_code == INTERRUPTED and not any(stage.outcomes for stage in result.stages):
            screen.error(script.interrupted)
        screen.results(result)
        screen.say(line)

    def work(_: RunResult, done: RunResult) -> tuple[RunResult, Show]:
        return done, lambda line: show(done, line)

    def keep(text: str) -> None:
        if options.json:
            keep_json(options.json, text, screen)

    def begin(result: RunResult) -> RunResult:
        if options.watch_s:
            result.exit_code = watch(runbook, options, result.run, screen)
            return result
        return execute(runbook, options, result.run, screen.ask)

    written = ("--json", options.json) if options.json and options.json != "-" else None
    script = Script(runbook.purpose, options, written, watchers=watchers, kept=not options.watch_s)
    return run_script(script, screen, begin, work, keep)
