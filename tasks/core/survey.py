"""Surveys: a script in runbooks/ that reads the site, changes nothing, and writes what it found to one file."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tasks.core.errors import Refused
from tasks.core.facts import STATUS, Fact, Facts, union
from tasks.core.open_files import allow_connections
from tasks.core.output_file import refuse_unless_writable, write_whole
from tasks.core.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, RunResult, ending_early, open_run
from tasks.core.selection import audited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.schema import Site
    from tasks.core.run import Run


@dataclass(frozen=True)
class Found:
    """What was read: the site, the facts of the hosts that answered, and why others did not; the chosen hosts, and the time."""

    site: "Site"
    facts: Facts
    unreachable: Mapping[str, str]
    limit: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True)
class View:
    """What a survey makes of it: the file's text, and the same in a few lines for the screen."""

    text: str
    lines: tuple[str, ...]
    as_intended: bool


@dataclass(frozen=True)
class Survey:
    """What such a script declares. `view` is given what was found and one of `formats`, each the end of a file's name."""

    purpose: str
    needs: tuple[Fact[Any], ...]
    view: Callable[[Found, str], View]
    formats: tuple[str, ...]
    output: str


def surveyed(one: Survey, options: Options, run: "Run", output: str) -> tuple[str, ...]:
    """The hosts that it reads. Raises Refused where there are none or too many, or where the output is of no such format."""
    if Path(output).suffix not in one.formats:
        raise Refused(f"--output: wanted a file that ends in {' or '.join(one.formats)}, found {output}")
    hosts = audited(run, options)
    if not hosts:
        raise Refused("nothing to read: no host is selected by --limit")
    allow_connections(len(hosts))
    return hosts


def look(one: Survey, result: RunResult, hosts: "Sequence[str]", suffix: str) -> View:
    """Read all hosts at once, and view what they said."""
    run = result.run
    run.needs = dict.fromkeys(hosts, union([one.needs, (STATUS,)]))
    run.read(hosts)
    view = one.view(Found(run.site, run.facts, run.unreachable, result.options.limit, time.strftime("%Y-%m-%d %H:%M")), suffix)
    result.exit_code = OK if view.as_intended and not run.unreachable else FAILED
    return view


def survey(one: Survey, options: Options, run: "Run", output: str) -> tuple[RunResult, View]:
    """What was read, and the view of it. Raises Refused where nothing can be read, or in no such format."""
    result, hosts = RunResult(options, run), surveyed(one, options, run, output)
    return result, look(one, result, hosts, Path(output).suffix)


def main(one: Survey, arguments: "Sequence[str] | None" = None) -> int:
    """The command line of a survey; the exit code, with the meaning that it has for every runbook."""

    @click.command(help=one.purpose, context_settings={"help_option_names": ["-h", "--help"]})
    @click.option("--site", default="lab", show_default=True, metavar="NAME", help="A block of nornir_config.yaml, or a folder.")
    @click.option("--limit", multiple=True, metavar="HOST", help="Only this host and what it is tied to; several times, or as A,B.")
    @click.option(
        "--output", default=one.output, show_default=True, metavar="FILE", help=f"Where it is written; ends in {' or '.join(one.formats)}."
    )
    def command(site: str, limit: tuple[str, ...], output: str) -> int:
        return _main(one, Options(site=site, limit=tuple(name for word in limit for name in word.split(","))), output)

    try:
        code = command.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return REFUSED
    except click.Abort:
        return INTERRUPTED
    return int(code or OK)


def _main(one: Survey, options: Options, output: str) -> int:
    from tasks.core.ending import keep_record, recorded, shown  # noqa: PLC0415 (start-up)
    from tasks.core.report import Screen  # noqa: PLC0415
    from tasks.core.signals import stopping  # noqa: PLC0415

    screen, stop = Screen(), threading.Event()
    with stopping(stop):
        try:
            refuse_unless_writable("--output", Path(output))
            run = open_run(options, (screen.watch,), stop)
            result = RunResult(options, run)
            with recorded(result, one.purpose):
                hosts = surveyed(one, options, run, output)
        except Refused as error:
            screen.error(str(error))
            return REFUSED
        except KeyboardInterrupt:
            screen.error("interrupted; nothing was written")
            return INTERRUPTED
        lines = _written(one, result, hosts, output)
        _, record = keep_record(result, one.purpose, screen)

    def show() -> None:
        if result.trouble:
            screen.error(result.trouble)
        for line in (*lines, f"{record}; exit {result.exit_code}"):
            screen.say(line)

    return shown(result.exit_code, show, screen)


def _written(one: Survey, result: RunResult, hosts: "Sequence[str]", output: str) -> tuple[str, ...]:
    """The lines for the screen; what ended the survey early is the result's."""
    run = result.run
    lines: tuple[str, ...] = ()
    with ending_early(result):
        view = look(one, result, hosts, Path(output).suffix)
        run.pause(0)
        write_whole(Path(output), view.text)
        lines = (*view.lines, f"written: {output}")
    if run.stop.is_set():
        result.exit_code, result.trouble = INTERRUPTED, "interrupted; nothing was written"
    elif result.trouble:
        result.exit_code = FAILED
    return lines
