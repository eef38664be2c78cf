"""Runbooks: stages in their order, and what carries them out."""

import getpass
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tasks.core.errors import Refused
from tasks.core.events import Watcher

if TYPE_CHECKING:
    from inventory.schema import Site
    from tasks.core.carry import Outcome
    from tasks.core.change import ChangeSet
    from tasks.core.check import Check, Verdict
    from tasks.core.plan import SetPlan
    from tasks.core.run import Run
    from tasks.core.service import Maintenance

OK, FAILED, PENDING, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class Stage:
    """A group of change sets with the checks that must hold after them, and the maintenance inside which they are carried."""

    name: str
    sets: "tuple[Callable[[Site], Iterable[ChangeSet]], ...]" = ()
    checks: "tuple[Check, ...]" = ()
    inside: "Maintenance | None" = None


@dataclass(frozen=True)
class Runbook:
    """What a script in runbooks/ declares."""

    purpose: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Options:
    """The flags that every runbook has."""

    site: str = "lab"
    dry_run: bool = False
    limit: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    yes: bool = False
    watch_s: float | None = None
    json: str | None = None


@dataclass
class StageResult:
    """What became of a stage."""

    stage: Stage
    plans: "tuple[SetPlan, ...]" = ()
    outcomes: "tuple[Outcome, ...]" = ()
    verdicts: "tuple[Verdict, ...]" = ()


@dataclass
class RunResult:
    """What became of a run; `exit_code` as the documentation of runbooks says."""

    options: Options
    run: "Run"
    stages: list[StageResult] = field(default_factory=list)
    exit_code: int = OK


def holder() -> str:
    """Who runs this, as others are shown it: user, machine and process."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def open_run(options: Options, watchers: tuple[Watcher, ...] = ()) -> "Run":
    """Load the site and Nornir; nothing is contacted. Raises Refused with every problem of the inventory."""
    from nornir import InitNornir  # noqa: PLC0415 (start-up)

    from inventory.errors import InventoryError  # noqa: PLC0415
    from tasks.core.run import Run, Timers  # noqa: PLC0415
    from tasks.core.sites import CONFIG, find_site, nornir_takes  # noqa: PLC0415

    logging.getLogger("nornir").addHandler(logging.NullHandler())  # a step's error reaches the operator once, from us
    logging.getLogger("nornir").propagate = False
    settings = find_site(options.site)
    if settings.rehearsal and not os.path.exists(settings.ssh_config_path or ""):  # noqa: PTH110
        raise Refused(
            f"the lab has never been up: there is no {settings.ssh_config_path}."
            " Start it with `python -m lab up`, or name your own site with --site"
        )
    arguments = {
        "folder": str(settings.folder),
        "ssh_config": settings.ssh_config_path,
        "username": settings.user,
        "sudo": settings.sudo,
        "api": settings.api,
    }
    nornir_takes(CONFIG)
    try:
        nornir = InitNornir(config_file=str(CONFIG), inventory={"plugin": "BurrowInventory", "options": arguments})
    except InventoryError as error:
        raise Refused(str(error)) from error
    site = nornir.inventory.defaults.data["site"]
    unknown = [name for name in options.limit if name not in site.hosts]
    if unknown:
        raise Refused(f"--limit: no host {', '.join(unknown)}; there are {', '.join(site.hosts)}")
    return Run(
        nornir,
        site,
        holder(),
        Timers(settings.revert_s, settings.settle_s, settings.apply_s, settings.maintenance_s),
        watchers,
        rehearsal=settings.rehearsal,
    )


def chosen_stages(runbook: Runbook, options: Options) -> tuple[Stage, ...]:
    """The stages of the run, with those of their checks that have a chosen tag. Raises Refused on a name that is none."""
    _known("--stage", "stage", options.stages, [stage.name for stage in runbook.stages])
    _known("--tags", "tag", options.tags, sorted({tag for stage in runbook.stages for check in stage.checks for tag in check.tags}))
    stages = (stage for stage in runbook.stages if not options.stages or stage.name in options.stages)
    return tuple(replace(stage, checks=tuple(_tagged(stage.checks, options.tags))) for stage in stages)


def _known(flag: str, what: str, names: Iterable[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise Refused(f"{flag}: no {what} {', '.join(unknown)}; there are {', '.join(known)}")


def _tagged(checks: "Iterable[Check]", tags: tuple[str, ...]) -> "Iterable[Check]":
    return (check for check in checks if not tags or set(tags) & set(check.tags))


def chosen_sets(stages: Iterable[Stage], run: "Run", options: Options) -> None:
    """Raises Refused where a pattern of --set names no set of the stages."""
    names = [one.name for stage in stages for make in stage.sets for one in make(run.site)]
    for pattern in options.sets:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise Refused(f"--set: no set {pattern}; there are {', '.join(names) or 'none'}")


def sets_of(stage: Stage, run: "Run", options: Options) -> "tuple[ChangeSet, ...]":
    """The stage's sets that touch a chosen host and are named by a chosen pattern; the other ends of their cables come along."""
    sets = (one for make in stage.sets for one in make(run.site))
    named = (one for one in sets if not options.sets or any(fnmatchcase(one.name, pattern) for pattern in options.sets))
    return tuple(one for one in named if not options.limit or set(one.hosts) & set(options.limit))


def needs_of(stages: Iterable[Stage], run: "Run", options: Options) -> dict[str, tuple[Any, ...]]:
    """{host: facts} that the whole run reads of each host in one go."""
    from tasks.core.facts import STATUS, union  # noqa: PLC0415

    needs: dict[str, list[tuple[Any, ...]]] = {}
    for stage in stages:
        checks = [one.needs for one in stage.checks]
        for host in () if stage.sets else audited(run, options):
            needs.setdefault(host, []).extend(checks)
        for change_set in sets_of(stage, run, options):
            for member in change_set.members:
                for host in (member.host, *member.instead):
                    needs.setdefault(host, []).extend(change.needs for change in member.changes)
                    needs[host] += [*checks, *(check.needs for check in change_set.checks)]
            for host in change_set.beside:
                needs.setdefault(host, []).append(change_set.compares)
    for stage in stages:
        for host in beside(stage, run, options) & needs.keys() if stage.sets else ():
            needs[host] += [one.needs for one in stage.checks]
    return {host: union([*lists, (STATUS,)]) for host, lists in needs.items()}


def beside(stage: Stage, run: "Run", options: Options) -> set[str]:
    """The hosts at the other end of a cable of the hosts that a stage judges: its checks may compare both ends."""
    return {cable.far(host).host for host in judged(stage, run, options) for cable in run.site.cables_of(host)}


def audited(run: "Run", options: Options) -> tuple[str, ...]:
    """The hosts that a stage without sets reads: the chosen ones, and what is at the other end of their cables."""
    managed = [host.name for host in run.site.hosts.values() if host.vm is None and host.managed]
    if not options.limit:
        return tuple(managed)
    near = {cable.far(host).host for host in options.limit for cable in run.site.cables_of(host)}
    return tuple(host for host in managed if host in near or host in options.limit)


def judged(stage: Stage, run: "Run", options: Options) -> tuple[str, ...]:
    """The hosts that a stage's checks speak of: with --limit the chosen ones, though their partners are read too."""
    hosts = [host for one in sets_of(stage, run, options) for host in one.hosts] if stage.sets else audited(run, options)
    return tuple(host for host in dict.fromkeys(hosts) if not options.limit or host in options.limit)


def verdicts_of(stage: Stage, run: "Run", options: Options) -> "tuple[Verdict, ...]":
    """What the stage's checks say; with --set only of what the chosen sets change, besides their own checks: the rest may be to come."""
    from tasks.core.check import judge  # noqa: PLC0415

    if not options.sets:
        return judge(stage.checks, run.site, run.facts, judged(stage, run, options))
    found: list[Verdict] = []
    for one in sets_of(stage, run, options):
        found += [verdict for verdict in judge(one.checks, run.site, run.facts, one.hosts) if one.concerns(verdict)]
        found += [verdict for verdict in judge(stage.checks, run.site, run.facts, one.hosts) if one.changes(verdict)]
    return tuple(dict.fromkeys(found))


def settle_stage(done: "StageResult", run: "Run", options: Options) -> None:
    """Judge the stage; after changes, until all is as wanted or the site's patience ends: neighbours take a while to be heard."""
    changed = {host for one in done.outcomes if one.state == "done" for host in one.plan.change_set.hosts}
    deadline = time.monotonic() + run.timers.settle_s
    while True:
        done.verdicts = verdicts_of(done.stage, run, options)
        failed = changed & {verdict.host for verdict in done.verdicts if not verdict.finding.ok}
        if not failed or time.monotonic() > deadline:
            return
        run.pause(1)
        run.read(failed)


def carry_stage(stage: Stage, result: RunResult, ask: "Callable[[StageResult, RunResult], bool]") -> None:
    """Plan one stage on what was read last, carry it out where `ask` says so, and judge it."""
    from tasks.core.order import carry_by_turns  # noqa: PLC0415
    from tasks.core.plan import plan_set  # noqa: PLC0415
    from tasks.core.precheck import prechecked  # noqa: PLC0415
    from tasks.core.service import Inside  # noqa: PLC0415

    run, options = result.run, result.options
    sets = sets_of(stage, run, options)
    plans = prechecked(run, [plan_set(one.through(run.facts), run.site, run.facts, run.id) for one in sets])
    inside = None
    if stage.inside and any(plan.changes for plan in plans):
        inside = Inside.of(run, stage.inside, sets, frozenset(plan.change_set.name for plan in plans if plan.mutual))
        plans = tuple(inside.shown(run, plan) for plan in plans)
    done = StageResult(stage, plans)
    result.stages.append(done)
    if any(plan.changes for plan in plans) and ask(done, result):
        done.outcomes = carry_by_turns(run, sets, inside)
        run.read(host for host in run.needs if host not in run.facts and host not in run.unreachable)
        run.say("stage", text=f"{stage.name} done")
    if not options.dry_run and not run.stop.is_set():
        settle_stage(done, run, options)


def execute(runbook: Runbook, options: Options, run: "Run", ask: "Callable[[StageResult, RunResult], bool]") -> RunResult:
    """The whole run. `ask` is shown each stage's plan where something differs, and says whether to apply it."""
    from tasks.core.run import Interrupted  # noqa: PLC0415

    result = RunResult(options, run)
    stages = chosen_stages(runbook, options)
    chosen_sets(stages, run, options)
    run.needs = needs_of(stages, run, options)
    if not run.needs:
        raise Refused("nothing to do: no host is selected by these stages and --limit")
    run.read(run.needs)
    try:
        for stage in stages:
            if not run.stop.is_set():
                carry_stage(stage, result, ask)
    except (KeyboardInterrupt, Interrupted):
        run.stop.set()
    finally:
        run.release()
    result.exit_code = exit_code(result)
    return result


def exit_code(result: RunResult) -> int:
    """0 as intended, 1 failed, 2 changes pending, 3 refused before anything was touched, 130 interrupted."""
    if result.run.stop.is_set():
        return INTERRUPTED
    outcomes = [one for stage in result.stages for one in stage.outcomes]
    plans = [one for stage in result.stages for one in stage.plans]
    touched = [one for one in outcomes if one.state not in ("unchanged", "refused")]
    refused = [one for one in plans if one.refused] + [one for one in outcomes if one.state == "refused"]
    if any(one.state in ("reverted", "failed") for one in outcomes) or result.run.unreachable:
        return FAILED
    if refused:
        return FAILED if touched else REFUSED
    if any(plan.changes for stage in result.stages if not stage.outcomes for plan in stage.plans):
        return PENDING
    return FAILED if any(not verdict.finding.ok for stage in result.stages for verdict in stage.verdicts) else OK
