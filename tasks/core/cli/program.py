"""The command line of all scripts in runbooks/: their flags, their start and their end."""

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from inventory.targets import KINDS
from tasks.core.engine.events import Watcher
from tasks.core.engine.execute import open_run
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, RunResult
from tasks.core.model.errors import BurrowError, Refused

if TYPE_CHECKING:
    from tasks.core.cli.report import Screen

Begun = TypeVar("Begun")
Show = Callable[[str], None]

SITE = {"default": "lab", "show_default": True, "metavar": "NAME", "help": "A block of nornir_config.yaml, or a folder beside inventory/."}
SEVERAL = {"multiple": True, "metavar": "HOST"}
# Flags that also accept a list, A,B.
LISTS = ("limit", "tags")


def flag(name: str, *names: str, **settings: Any) -> click.Option:
    """One flag `--NAME`, passed on as the first of `names` where given."""
    return click.Option([f"--{name}", *names], **settings)


def command(purpose: str, parameters: Sequence[click.Parameter], body: Callable[..., int], words: Sequence[str] | None = None) -> int:
    """Call `body` with the flags as keywords; returns its exit code, or that of a refusal where the flags are wrong."""

    def called(**flags: Any) -> int:
        for name in LISTS:
            if name in flags:
                flags[name] = tuple(word for words in flags[name] for word in words.split(","))
        return body(**flags)

    settings = {"help_option_names": ["-h", "--help"]}
    one = click.Command(None, params=list(parameters), callback=called, help=purpose, context_settings=settings)
    try:
        return int(one.main(args=None if words is None else list(words), standalone_mode=False) or OK)
    except click.ClickException as error:
        error.show()
        return REFUSED
    except click.Abort:
        return INTERRUPTED


@dataclass(frozen=True)
class Script:
    """A script's purpose and options, for its record and its operator, and the watchers of its events."""

    purpose: str
    options: Options
    output: tuple[str, str] | None = None  # a flag with a file to be written, and that file
    interrupted: str = "interrupted before anything was changed"
    watchers: tuple[Watcher, ...] = ()
    kept: bool = True  # whether it leaves a journal and a record
    kinds: tuple[str, ...] = KINDS  # of the targets that --limit may name


def run_script(
    script: Script,
    screen: "Screen",
    begin: Callable[[RunResult], Begun],
    work: Callable[[RunResult, Begun], tuple[RunResult, Show]],
    keep: Callable[[str], None] = lambda _: None,
) -> int:
    """Open the run and its journal, do the work, write the record, show the results; returns the exit code, however it ends.

    If `begin` raises Refused no host was contacted, and there is no journal. `work` returns the result and a function that shows it with
    the line about the record; `keep` gets the record's text.
    """
    from tasks.core.cli.ending import journalled, keep_record, shown  # noqa: PLC0415 (start-up)
    from tasks.core.engine.output_file import refuse_unless_writable  # noqa: PLC0415
    from tasks.core.engine.signals import stopping  # noqa: PLC0415

    stop = threading.Event()
    with stopping(stop):
        try:
            if script.output:
                refuse_unless_writable(script.output[0], Path(script.output[1]))
            result = RunResult(script.options, open_run(script.options, (screen.watch, *script.watchers), stop, script.kinds))
            with journalled(result, script.purpose) if script.kept else nullcontext():
                begun = begin(result)
        except BurrowError as error:
            screen.error(str(error))
            return REFUSED if isinstance(error, Refused) else FAILED
        except KeyboardInterrupt:
            screen.error(script.interrupted)
            return INTERRUPTED
        if not script.kept:
            return result.exit_code
        result, show = work(result, begun)
        text, line = keep_record(result, script.purpose, screen)
        keep(text)
    return shown(result.exit_code, lambda: show(line), screen)
