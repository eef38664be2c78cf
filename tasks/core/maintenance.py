"""The command line of scripts that take a host out of service, do something to it, and put it back."""

import threading
import time
from typing import TYPE_CHECKING

import click

from tasks.core.errors import LinkError, Refused, TransactionError
from tasks.core.facts import STATUS
from tasks.core.open_files import allow_connections
from tasks.core.run import Run
from tasks.core.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, RunResult, open_run
from tasks.core.service import BACK_S, POLL_S, Maintenance, in_maintenance, refuse_unless_well
from tasks.core.signals import waiting

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
    from tasks.core.ending import keep_record, recorded, shown  # noqa: PLC0415 (start-up)
    from tasks.core.report import Screen  # noqa: PLC0415
    from tasks.core.signals import stopping  # noqa: PLC0415

    screen, stop = Screen(), threading.Event()
    with stopping(stop):
        try:
            run = open_run(options, (screen.watch,), stop)
            result = RunResult(options, run)
            with recorded(result, maintenance.purpose):
                allow_connections(len(run.site.hosts))
        except Refused as error:
            screen.error(str(error))
            return REFUSED
        except KeyboardInterrupt:
            screen.error("interrupted before anything was changed")
            return INTERRUPTED
        with stopping(stop, lambda name: run.say("stage", text=f"{name}: putting back what is out of service")):
            result.exit_code, words = _carried(maintenance, run, options, action, screen)
        result.trouble = "" if result.exit_code in (OK, PENDING) else words
        _, line = keep_record(result, maintenance.purpose, screen)

    def show() -> None:
        (screen.say if result.exit_code in (OK, PENDING) else screen.error)(words)
        screen.say(line)

    return shown(result.exit_code, show, screen)


def _carried(maintenance: Maintenance, run: Run, options: Options, action: str, screen: "Screen") -> tuple[int, str]:
    """The exit code, and what is said of it."""
    (host,) = options.limit
    try:
        if options.dry_run or not _may(run, screen, options, host, action):
            refuse_unless_well(run, maintenance, host)
            facts = maintenance.look(run, (host,))  # what is to be done depends on what is there
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
