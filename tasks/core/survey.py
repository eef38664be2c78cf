"""Surveys: a script in runbooks/ that reads the site, changes nothing, and writes what it found to one file."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tasks.core.errors import BurrowError, Refused
from tasks.core.facts import STATUS, Fact, Facts, union
from tasks.core.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, RunResult, audited, open_run

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


def survey(one: Survey, options: Options, run: "Run", output: str) -> tuple[RunResult, View]:
    """Read all hosts at once, and view what they said. Raises Refused where nothing can be read, or in no such format."""
    suffix = Path(output).suffix
    if suffix not in one.formats:
        raise Refused(f"--output: wanted a file that ends in {' or '.join(one.formats)}, found {output}")
    hosts = audited(run, options)
    if not hosts:
        raise Refused("nothing to read: no host is selected by --limit")
    run.needs = dict.fromkeys(hosts, union([one.needs, (STATUS,)]))
    run.read(hosts)
    view = one.view(Found(run.site, run.facts, run.unreachable, options.limit, time.strftime("%Y-%m-%d %H:%M")), suffix)
    return RunResult(options, run, exit_code=OK if view.as_intended and not run.unreachable else FAILED), view


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
    from tasks.core.record import write_record  # noqa: PLC0415 (start-up)
    from tasks.core.report import Screen  # noqa: PLC0415

    screen = Screen()
    try:
        result, view = survey(one, options, open_run(options, (screen.watch,)), output)
        Path(output).write_text(view.text, encoding="utf-8")
    except Refused as error:
        screen.error(str(error))
        return REFUSED
    except (BurrowError, OSError) as error:
        screen.error(str(error))
        return FAILED
    except KeyboardInterrupt:
        screen.error("interrupted; nothing was written")
        return INTERRUPTED
    for line in (*view.lines, f"written: {output}", f"record: {write_record(result, one.purpose)}; exit {result.exit_code}"):
        screen.say(line)
    return result.exit_code
