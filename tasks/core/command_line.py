"""The command line that all runbooks share."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tasks.core.errors import BurrowError, Refused
from tasks.core.events import Watcher
from tasks.core.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, Runbook, RunResult, execute, open_run

if TYPE_CHECKING:
    from tasks.core.report import Screen
    from tasks.core.run import Run


def main(runbook: Runbook, arguments: Sequence[str] | None = None, watchers: tuple[Watcher, ...] = ()) -> int:
    """The command line of a runbook; the exit code."""

    @click.command(help=runbook.purpose, context_settings={"help_option_names": ["-h", "--help"]})
    @click.option(
        "--site", default="lab", show_default=True, metavar="NAME", help="A block of nornir_config.yaml, or a folder beside inventory/."
    )
    @click.option("--dry-run", is_flag=True, help="Show diff and impact, touch nothing. Exit 2 where something differs.")
    @click.option("--limit", multiple=True, metavar="HOST", help="Only sets that touch this host; may be given several times, or as A,B.")
    @click.option(
        "--stage", "stages", multiple=True, metavar="STAGE", help=f"Only this stage: {', '.join(stage.name for stage in runbook.stages)}."
    )
    @click.option("--set", "sets", multiple=True, metavar="NAME", help="Only change sets of this name; * stands for anything.")
    @click.option("--tags", multiple=True, metavar="TAG", help="Only checks with this tag; may be given several times, or as A,B.")
    @click.option("--yes", is_flag=True, help="Apply without asking.")
    @click.option("--json", "json", metavar="FILE", help="Write everything to FILE as JSON ('-': standard output).")
    @click.option("--watch", "watch_s", type=click.FloatRange(min=1), metavar="SECONDS", help="Judge again and again; Ctrl-C ends it.")
    def command(**flags: Any) -> int:
        for several in ("limit", "tags"):
            flags[several] = tuple(name for word in flags[several] for name in word.split(","))
        if flags["watch_s"] and any(stage.sets for stage in runbook.stages):
            raise click.UsageError("--watch is for runbooks that change nothing")
        return _main(runbook, Options(**flags), watchers)

    try:
        code = command.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return REFUSED
    except click.Abort:
        return INTERRUPTED
    return int(code or OK)


def watch(runbook: Runbook, options: Options, run: "Run", screen: "Screen") -> int:
    """Judge and show until Ctrl-C or until nobody is shown it any more, on connections that stay open; the exit code of the last time."""
    from tasks.core.signals import waiting  # noqa: PLC0415 (start-up)

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
    from tasks.core.ending import keep_json, keep_record, recorded, shown  # noqa: PLC0415 (start-up)
    from tasks.core.output_file import refuse_unless_writable  # noqa: PLC0415
    from tasks.core.report import Screen  # noqa: PLC0415
    from tasks.core.signals import stopping  # noqa: PLC0415

    screen, stop = Screen(options.json == "-"), threading.Event()
    with stopping(stop):
        try:
            if options.json and options.json != "-":
                refuse_unless_writable("--json", Path(options.json))
            run = open_run(options, (screen.watch, *watchers), stop)
            if options.watch_s:
                return watch(runbook, options, run, screen)
            with recorded(RunResult(options, run), runbook.purpose):
                result = execute(runbook, options, run, screen.ask)
        except Refused as error:
            screen.error(str(error))
            return REFUSED
        except BurrowError as error:
            screen.error(str(error))
            return FAILED
        except KeyboardInterrupt:
            screen.error("interrupted before anything was changed")
            return INTERRUPTED
        text, line = keep_record(result, runbook.purpose, screen)
        if options.json:
            keep_json(options.json, text, screen)

    def show() -> None:
        if result.exit_code == INTERRUPTED and not any(stage.outcomes for stage in result.stages):
            screen.error("interrupted before anything was changed")
        screen.results(result)
        screen.say(line)

    return shown(result.exit_code, show, screen)
