"""The command line that all runbooks share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tasks.core.errors import BurrowError, Refused
from tasks.core.events import Watcher
from tasks.core.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, Runbook, execute, open_run

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
    """Judge and show until Ctrl-C, on connections that stay open; the exit code of the last time."""
    code = OK
    try:
        while True:
            run.events.clear()
            result = execute(runbook, options, run, screen.ask)
            if result.exit_code == INTERRUPTED:
                return code
            code = result.exit_code
            screen.redraw(result)
            run.stop.wait(options.watch_s)
    except KeyboardInterrupt:
        return code


def _main(runbook: Runbook, options: Options, watchers: tuple[Watcher, ...]) -> int:
    from tasks.core.record import write_record  # noqa: PLC0415 (start-up)
    from tasks.core.report import Screen  # noqa: PLC0415

    screen = Screen(options.json == "-")
    try:
        run = open_run(options, (screen.watch, *watchers))
        if options.watch_s:
            return watch(runbook, options, run, screen)
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
    path = write_record(result, runbook.purpose)
    screen.results(result)
    screen.say(f"record: {path}")
    if options.json == "-":
        print(path.read_text())
    elif options.json:
        Path(options.json).write_text(path.read_text())
    return result.exit_code
