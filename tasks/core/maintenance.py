"""Work on one host that takes it out of service: made ready, acted on, waited for, put back; also after a failure.

What makes it ready is a transaction whose restoring puts it back: by this run, by its timer where this run dies, by the boot that the
action brings. So nobody has to remember.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from inventory.schema import Site
from tasks.core.check import Check, Verdict, judge
from tasks.core.errors import BurrowError, CheckFailed, LinkError, Refused, TransactionError
from tasks.core.facts import STATUS, Facts, union
from tasks.core.plan import HostPlan
from tasks.core.run import Interrupted, Run
from tasks.core.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, RunResult, open_run
from tasks.core.transaction import Action, Transaction

if TYPE_CHECKING:
    from tasks.core.report import Screen

# How long a host may take to come back.
BACK_S = 300
POLL_S = 1.0


@dataclass(frozen=True)
class Preparation:
    """What makes a host ready, done on `on` and undone there: the host itself, or one that speaks for the cluster it is in."""

    on: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Maintenance:
    """What a script in runbooks/ declares: how a host is made ready, what holds all the while, and what only `outside` of it."""

    purpose: str
    ready: Callable[[Site, Facts, str], tuple[Preparation, ...]]
    checks: tuple[Check, ...]
    outside: tuple[Check, ...] = ()


@contextmanager
def out_of_service(run: Run, host: str, why: str, ready: tuple[Action, ...]) -> Iterator[None]:
    """The host is made ready inside the block, and put back after it, however it ends."""
    plan = HostPlan(host, transaction=Transaction(why=why, actions=ready))
    run.leased.add(host)
    run.do(host, "prepare", plan=plan)
    try:
        run.do(host, "begin", plan=plan, revert_s=run.timers.maintenance_s, deadline_s=60, on_event=lambda kind: run.say(kind, host, why))
        run.say("drained", host, why)
        yield
    finally:
        _put_back(run, plan, why)


def _put_back(run: Run, plan: HostPlan, why: str) -> None:
    deadline = time.monotonic() + BACK_S
    while True:
        try:
            run.do(plan.host, "revert", plan=plan, reason="maintenance has ended")
        except LinkError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)
        else:
            run.say("undrained", plan.host, why)
            return


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


def failing(run: Run, checks: tuple[Check, ...], host: str) -> tuple[Verdict, ...]:
    """The verdicts on a host and on what is cabled to it that are not as wanted. Raises LinkError where the host does not answer."""
    near = {host, *(cable.far(host).host for cable in run.site.cables_of(host)), *(run.site.ceph.monitors if run.site.ceph else ())}
    hosts = [one.name for one in run.site.hosts.values() if one.name in near and one.managed and one.vm is None]
    run.needs = dict.fromkeys(hosts, union([(STATUS,), *(check.needs for check in checks)]))
    run.read(hosts)
    if host in run.unreachable:
        raise LinkError(run.unreachable[host])
    return tuple(verdict for verdict in judge(checks, run.site, run.facts, hosts) if not verdict.finding.ok)


def wait_until_well(run: Run, checks: tuple[Check, ...], host: str) -> None:
    """Until all checks hold on the host and its neighbours. Raises CheckFailed with what does not after BACK_S seconds."""
    deadline = time.monotonic() + BACK_S
    while True:
        try:
            trouble = "; ".join(
                f"{one.finding.target}: {one.check.statement} Found: {one.finding.got}" for one in failing(run, checks, host)
            )
        except LinkError as error:
            trouble = str(error)
        if not trouble:
            return
        if time.monotonic() > deadline:
            raise CheckFailed(f"{host}: not as before after {BACK_S} s: {trouble}")
        run.pause(POLL_S)


def maintain(run: Run, maintenance: Maintenance, host: str, action: str) -> None:
    """Refused while something is not well; then out of service, the action, well again, back in service."""
    everything = (*maintenance.checks, *maintenance.outside)
    if bad := failing(run, everything, host):
        reasons = "".join(f"\n  {one.finding.target}: wanted {one.finding.want}, found {one.finding.got}" for one in bad)
        raise Refused(f"{host}: nothing is done while not all is well around it; `python runbooks/audit.py` says what to do:{reasons}")
    why = f"maintenance {host}"
    with ExitStack() as preparations:
        for one in maintenance.ready(run.site, run.facts, host):
            preparations.enter_context(out_of_service(run, one.on, why, one.actions))
        ACTIONS[action](run, host, why)
        wait_until_well(run, maintenance.checks, host)
    wait_until_well(run, everything, host)


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
            failing(run, maintenance.checks, host)  # what is to be done depends on what is there
            shown = [one.shown for each in maintenance.ready(run.site, run.facts, host) for one in each.actions]
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
