"""The command line of scripts that take a host out of service, do something to it, and put it back."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tasks.core.cli.program import SITE, Script, Show, carried_out, command, flag
from tasks.core.connectors.open_files import allow_connections
from tasks.core.engine.maintenance import BACK_S, POLL_S, in_maintenance, look, refuse_unless_well
from tasks.core.engine.run import Run
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, RunResult
from tasks.core.engine.signals import stopping, waiting
from tasks.core.model.errors import LinkError, Refused, TransactionError
from tasks.core.model.fact import STATUS
from tasks.core.model.maintenance import Maintenance

if TYPE_CHECKING:
    from tasks.core.cli.report import Screen


def reboot(run: Run, host: str, why: str) -> None:
    """Boot the host and wait until it answers from a new boot. Raises TransactionError where it does not within BACK_S seconds."""
    before = run.do(host, "read", facts=(STATUS,))[STATUS]["boot"]
    run.do(host, "reboot")
    run.say("rebooting", host, why)
    deadline = time.monotonic() + BACK_S
    while _boot(run, host) in ("", before):
        if time.monotonic() > deadline:
            raise TransactionError(f"{host}: not back {BACK_S} s after its reboot; look at its console")
        run.pause(POLL_S)
    run.say("reachable", host, why)


def _boot(run: Run, host: str) -> str:
    try:
        run.reconnect(host)
        return str(run.do(host, "read", facts=(STATUS,))[STATUS]["boot"])
    except LinkError:
        return ""


ACTIONS = {"reboot": reboot}


def maintain(run: Run, maintenance: Maintenance, host: str, action: str) -> None:
    """Refused while something is not well; then out of service, the action, well again, back in service."""
    why = f"maintenance {host}"
    with in_maintenance(run, maintenance, (host,), why):
        ACTIONS[action](run, host, why)


def main(maintenance: Maintenance, words: Sequence[str] | None = None) -> int:
    """The command line of a maintenance script; the exit code, with the meaning that it has for every runbook."""
    flags = (
        click.Argument(["host"]),
        flag("site", **SITE),
        flag("action", type=click.Choice(list(ACTIONS)), default="reboot", show_default=True, help="What is done to the host."),
        flag("dry-run", is_flag=True, help="Say what would be done, touch nothing."),
        flag("yes", is_flag=True, help="Do it without asking."),
    )

    def body(host: str, action: str, **words: Any) -> int:
        return _main(maintenance, Options(limit=(host,), **words), action)

    return command(maintenance.purpose, flags, body, words)


def _main(maintenance: Maintenance, options: Options, action: str) -> int:
    from tasks.core.cli.report import Screen  # noqa: PLC0415 (start-up)

    screen = Screen()

    def work(result: RunResult, _: None) -> tuple[RunResult, Show]:
        run = result.run
        with stopping(run.stop, lambda name: run.say("stage", text=f"{name}: putting back what is out of service")):
            result.exit_code, said = _carried(maintenance, run, options, action, screen)
        well = result.exit_code in (OK, PENDING)
        result.trouble = "" if well else said

        def show(line: str) -> None:
            (screen.say if well else screen.error)(said)
            screen.say(line)

        return result, show

    script = Script(maintenance.purpose, options)
    return carried_out(script, screen, lambda result: allow_connections(len(result.run.site.hosts)), work)


def _carried(maintenance: Maintenance, run: Run, options: Options, action: str, screen: "Screen") -> tuple[int, str]:
    """The exit code, and what is said of it."""
    (host,) = options.limit
    try:
        if options.dry_run or not _may(run, screen, options, host, action):
            refuse_unless_well(run, maintenance, host)
            facts = look(run, maintenance, (host,))  # what is to be done depends on what is there
            shown = [one.shown for each in maintenance.preparations(run.site, facts, host) for one in each.actions]
            return PENDING, f"{host}: {action} inside maintenance: {'; '.join(shown)}"
        try:
            run.pause(0)
            maintain(run, maintenance, host, action)
        finally:
            run.release()
    except Refused as error:
        return REFUSED, str(error)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it has its record and its exit code
        ours = run.ours(error)
        if run.stop.is_set():
            return INTERRUPTED, f"interrupted: {host} is put back into service by its own timer at the latest"
        return FAILED, str(ours)
    return OK, f"{host}: {action} done; all is well around it"


def _may(run: Run, screen: "Screen", options: Options, host: str, action: str) -> bool:
    if run.rehearsal or options.yes:
        return True
    with waiting():
        return screen.confirm(f"{action} {host} of site {options.site}?")
