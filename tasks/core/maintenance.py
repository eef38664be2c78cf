"""The command line of scripts that take a host out of service, do something to it, and put it back."""

import time
from typing import TYPE_CHECKING

import click

from tasks.core.errors import BurrowError, LinkError, Refused, TransactionError
from tasks.core.facts import STATUS
from tasks.core.run import Interrupted, Run
from tasks.core.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, RunResult, open_run
from tasks.core.service import BACK_S, POLL_S, Maintenance, in_maintenance, refuse_unless_well

if TYPE_CHECKING:
    from tasks.core.report import Screen


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


def main(maintenance: Maintenance) -> int:
    """The command line of a maintenance script; the exit code, with the meaning that it has for every runbook."""

    @click.command(help=maintenance.purpose, context_settings={"help_option_names": ["-h", "--help"]})
    @click.argument("host")
    @click.option("--site", default="lab", show_default=True, metavar="NAME", help="A block of nornir_config.yaml, or a folder.")
    @click.option("--action", type=click.Choice(list(ACTIONS)), default="reboot", show_default=True, help="What is done to the host.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done, touch nothing.")
    @click.option("--yes", is_flag=True, help="Do it without asking.")
    def command(host: str, site: str, action: str, dry_run: bool, yes: bool) -> int:
        return _main(maintenance, Options(site=site, limit=(host,), dry_run=dry_run, yes=yes), action)

    try:
        return int(command.main(standalone_mode=False) or OK)
    except click.ClickException as error:
        error.show()
        return REFUSED
    except click.Abort:
        return INTERRUPTED


def _main(maintenance: Maintenance, options: Options, action: str) -> int:
    from tasks.core.record import write_record  # noqa: PLC0415 (start-up)
    from tasks.core.report import Screen  # noqa: PLC0415

    screen = Screen()
    try:
        run = open_run(options, (screen.watch,))
    except Refused as error:
        screen.error(str(error))
        return REFUSED
    result = RunResult(options, run)
    result.exit_code = _carried(maintenance, run, options, action, screen)
    screen.say(f"record: {write_record(result, maintenance.purpose)}")
    return result.exit_code


def _carried(maintenance: Maintenance, run: Run, options: Options, action: str, screen: "Screen") -> int:
    """The exit code; what went wrong is said."""
    (host,) = options.limit
    try:
        if options.dry_run or not _may(run, screen, options, host, action):
            refuse_unless_well(run, maintenance, host)
            facts = maintenance.look(run, (host,))  # what is to be done depends on what is there
            shown = [one.shown for each in maintenance.preparations(run.site, facts, host) for one in each.actions]
            screen.say(f"{host}: {action} inside maintenance: {'; '.join(shown)}")
            return PENDING
        try:
            maintain(run, maintenance, host, action)
        finally:
            screen.close()
            run.release()
    except Refused as error:
        screen.error(str(error))
        return REFUSED
    except (KeyboardInterrupt, Interrupted):
        screen.error(f"interrupted: {host} is put back into service by its own timer at the latest")
        return INTERRUPTED
    except BurrowError as error:
        screen.error(str(error))
        return FAILED
    screen.say(f"{host}: {action} done; all is well around it")
    return OK


def _may(run: Run, screen: "Screen", options: Options, host: str, action: str) -> bool:
    return run.rehearsal or options.yes or screen.confirm(f"{action} {host} of site {options.site}?")
