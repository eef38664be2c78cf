"""The command line of maintenance: take a host out of service, act on it, put it back."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from inventory.targets import HOST
from tasks.core.cli.program import SITE, Script, Show, command, flag, run_script
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
    """Reboot the host and wait for its new boot. Raises TransactionError where it does not answer within BACK_S seconds."""
    before = run.do(host, "read", facts=(STATUS,))[STATUS]["boot"]
    run.do(host, "reboot")
    run.say("rebooting", host, why)
    deadline = time.monotonic() + BACK_S
    while _boot(run, host) in ("", before):
        if time.monotonic() > deadline:
            raise TransactionError(f"{host}: unreachable {BACK_S} s after its reboot; look at its console")
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
    """Take the host out of service, perform the action, wait until all checks pass, put it back. Raises Refused where a check fails."""
    why = f"maintenance {host}"
    with in_maintenance(run, maintenance, (host,), why):
        ACTIONS[action](run, host, why)


def main(maintenance: Maintenance, words: Sequence[str] | None = None) -> int:
    """The command line of a maintenance script; returns the exit code, which means the same for every runbook."""
    flags = (
        click.Argument(["host"]),
        flag("site", **SITE),
        flag("action", type=click.Choice(list(ACTIONS)), default="reboot", show_default=True, help="The action on the host."),
        flag("dry-run", is_flag=True, help="Show what would be done, touch nothing."),
        flag("yes", is_flag=True, help="Act without asking."),
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
            result.exit_code, message = _maintained(maintenance, run, options, action, screen)
        well = result.exit_code in (OK, PENDING)
        result.trouble = "" if well else message

        def show(line: str) -> None:
            (screen.say if well else screen.error)(message)
            screen.say(line)

        return result, show

    script = Script(maintenance.purpose, options, kinds=(HOST,))
    return run_script(script, screen, lambda result: allow_connections(len(result.run.site.hosts)), work)


def _maintained(maintenance: Maintenance, run: Run, options: Options, action: str, screen: "Screen") -> tuple[int, str]:
    """The exit code and its message."""
    (host,) = options.limit
    try:
        if options.dry_run or not _may(run, screen, options, host, action):
            refuse_unless_well(run, maintenance, host)
            facts = look(run, maintenance, (host,))  # the steps depend on the host's state
            shown = [one.shown for each in maintenance.preparations(run.site, facts, host) for one in each.actions]
            return PENDING, f"{host}: {action} inside maintenance: {'; '.join(shown)}"
        try:
            run.pause(0)
            maintain(run, maintenance, host, action)
        finally:
            run.release()
    except Refused as error:
        return REFUSED, str(error)
    except BaseException as error:  # noqa: BLE001 - every end has a record and an exit code
        ours = run.ours(error)
        if run.stop.is_set():
            return INTERRUPTED, f"interrupted: {host} is put back into service, by its own timer at the latest"
        return FAILED, str(ours)
    return OK, f"{host}: {action} done; all checks pass"


def _may(run: Run, screen: "Screen", options: Options, host: str, action: str) -> bool:
    if run.rehearsal or options.yes:
        return True
    with waiting():
        return screen.confirm(f"{action} {host} of site {options.site}?")
