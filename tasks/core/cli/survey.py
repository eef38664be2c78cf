"""Surveys: scripts in runbooks/ that read the site, change nothing, and write one file."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.targets import HOST, kind_of
from tasks.core.cli.program import SEVERAL, SITE, Script, Show, command, flag, run_script
from tasks.core.connectors.open_files import allow_connections
from tasks.core.engine.execute import ending_early
from tasks.core.engine.output_file import write_whole
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, Options, RunResult
from tasks.core.engine.selection import audited
from tasks.core.model.errors import Refused
from tasks.core.model.fact import STATUS, Fact, Facts, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.site import Site
    from tasks.core.engine.run import Run


@dataclass(frozen=True)
class Found:
    """What was read: the site, facts of the hosts that answered, reasons of the others, the selected hosts, and the time."""

    site: "Site"
    facts: Facts
    unreachable: Mapping[str, str]
    limit: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True)
class View:
    """The result of a survey: the file's text, and a few lines for the screen."""

    text: str
    lines: tuple[str, ...]
    as_intended: bool


@dataclass(frozen=True)
class Survey:
    """What a survey script declares. `view` gets what was found and one of `formats`, the suffix of the output file."""

    purpose: str
    needs: tuple[Fact[Any], ...]
    view: Callable[[Found, str], View]
    formats: tuple[str, ...]
    output: str


def surveyed(one: Survey, options: Options, run: "Run", output: str) -> tuple[str, ...]:
    """The hosts that the survey reads. Raises Refused where there are none or too many, or on an unknown output format."""
    if Path(output).suffix not in one.formats:
        raise Refused(f"--output: wanted a file name that ends in {' or '.join(one.formats)}, found {output}")
    hosts = tuple(target for target in audited(run, options) if kind_of(target) == HOST)
    if not hosts:
        raise Refused("nothing to read: no host is selected by --limit")
    allow_connections(len(hosts))
    return hosts


def look(one: Survey, result: RunResult, hosts: "Sequence[str]", suffix: str) -> View:
    """Read all hosts in parallel, and return the view."""
    run = result.run
    run.needs = dict.fromkeys(hosts, union([one.needs, (STATUS,)]))
    run.read(hosts)
    view = one.view(Found(run.site, run.facts, run.unreachable, result.options.limit, time.strftime("%Y-%m-%d %H:%M")), suffix)
    result.exit_code = OK if view.as_intended and not run.unreachable else FAILED
    return view


def survey(one: Survey, options: Options, run: "Run", output: str) -> tuple[RunResult, View]:
    """The result of the run and its view. Raises Refused as `surveyed` does."""
    result, hosts = RunResult(options, run), surveyed(one, options, run, output)
    return result, look(one, result, hosts, Path(output).suffix)


def main(one: Survey, arguments: "Sequence[str] | None" = None) -> int:
    """The command line of a survey; returns the exit code, which means the same for every runbook."""
    where = f"The output file; ends in {' or '.join(one.formats)}."
    flags = (
        flag("site", **SITE),
        flag("limit", **SEVERAL, help="Only this host and its cable neighbours; repeatable, or A,B."),
        flag("output", default=one.output, show_default=True, metavar="FILE", help=where),
    )

    def body(output: str, **words: Any) -> int:
        return _main(one, Options(**words), output)

    return command(one.purpose, flags, body, arguments)


def _main(one: Survey, options: Options, output: str) -> int:
    from tasks.core.cli.report import Screen  # noqa: PLC0415 (start-up)

    screen = Screen()

    def show(result: RunResult, lines: tuple[str, ...]) -> None:
        if result.trouble:
            screen.error(result.trouble)
        for line in lines:
            screen.say(line)

    def work(result: RunResult, hosts: "Sequence[str]") -> tuple[RunResult, Show]:
        lines = _written(one, result, hosts, output)
        return result, lambda record: show(result, (*lines, f"{record}; exit {result.exit_code}"))

    script = Script(one.purpose, options, ("--output", output), "interrupted; nothing was written", kinds=(HOST,))
    return run_script(script, screen, lambda result: surveyed(one, options, result.run, output), work)


def _written(one: Survey, result: RunResult, hosts: "Sequence[str]", output: str) -> tuple[str, ...]:
    """The lines for the screen; what ended the survey early goes into the result."""
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
