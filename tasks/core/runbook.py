"""Runbooks: stages in their order, and what carries them out."""

import getpass
import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.errors import Refused
from tasks.core.events import Watcher
from tasks.core.selection import chosen_sets, chosen_stages, needs_of, sets_of, verdicts_of

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
    trouble: str = ""  # what ended the run early
    ended_at: str = ""


def holder() -> str:
    """Who runs this, as others are shown it: user, machine and process."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def open_run(options: Options, watchers: tuple[Watcher, ...] = (), stop: threading.Event | None = None) -> "Run":
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
        stop=stop or threading.Event(),
    )


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
    from tasks.core.coordinated import joined  # noqa: PLC0415
    from tasks.core.order import carry_by_turns  # noqa: PLC0415
    from tasks.core.plan import plan_set  # noqa: PLC0415
    from tasks.core.precheck import prechecked  # noqa: PLC0415
    from tasks.core.service import Inside  # noqa: PLC0415

    run, options = result.run, result.options
    sets = sets_of(stage, run, options)
    plans = prechecked(run, [plan_set(one.through(run.facts), run.site, run.facts, run.id) for one in sets])
    sets, plans = joined(sets, plans)
    inside = None
    if stage.inside and any(plan.changes for plan in plans):
        inside = Inside.of(run, stage.inside, sets, frozenset(plan.change_set.name for plan in plans if plan.coordinated))
        plans = tuple(inside.shown(run, plan) for plan in plans)
    done = StageResult(stage, plans)
    result.stages.append(done)
    if any(plan.changes for plan in plans) and _asked(done, result, ask):
        done.outcomes = carry_by_turns(run, sets, inside)
        run.pause(0)
        run.read(host for host in run.needs if host not in run.facts and host not in run.unreachable)
        run.say("stage", text=f"{stage.name} done")
    if not options.dry_run and not run.stop.is_set():
        settle_stage(done, run, options)


def _asked(done: StageResult, result: RunResult, ask: "Callable[[StageResult, RunResult], bool]") -> bool:
    from tasks.core.signals import waiting  # noqa: PLC0415

    with waiting():
        return ask(done, result)


def execute(runbook: Runbook, options: Options, run: "Run", ask: "Callable[[StageResult, RunResult], bool]") -> RunResult:
    """The whole run. `ask` is shown each stage's plan where something differs, and says whether to apply it.

    Raises Refused before any host is asked; from then on all that happens is in the result.
    """
    from tasks.core.open_files import allow_connections  # noqa: PLC0415
    from tasks.core.run import INTERRUPTED_TEXT  # noqa: PLC0415
    from tasks.core.signals import stopping  # noqa: PLC0415

    result = RunResult(options, run)
    stages = chosen_stages(runbook, options)
    chosen_sets(stages, run, options)
    run.needs = needs_of(stages, run, options)
    if not run.needs:
        raise Refused("nothing to do: no host is selected by these stages and --limit")
    allow_connections(len(run.needs))
    with stopping(run.stop, lambda name: run.say("stage", text=f"{name}: {INTERRUPTED_TEXT}")):
        with ending_early(result):
            run.pause(0)
            run.read(run.needs)
            for stage in stages:
                run.pause(0)
                carry_stage(stage, result, ask)
        run.release()
    result.exit_code = exit_code(result)
    return result


@contextmanager
def ending_early(result: RunResult) -> Iterator[None]:
    """Whatever ends the block is the run's `trouble`, so that what was done until then has its record and results; Ctrl-C is none."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001
        ours = result.run.ours(error)
        if not result.run.stop.is_set():
            where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]]
            result.trouble = str(error) if ours is error else f"{ours} ({', '.join(where)})"


def exit_code(result: RunResult) -> int:
    """0 as intended, 1 failed, 2 changes pending, 3 refused before anything was touched, 130 interrupted."""
    if result.run.stop.is_set():
        return INTERRUPTED
    outcomes = [one for stage in result.stages for one in stage.outcomes]
    plans = [one for stage in result.stages for one in stage.plans]
    touched = [one for one in outcomes if one.state not in ("unchanged", "refused")]
    refused = [one for one in plans if one.refused] + [one for one in outcomes if one.state == "refused"]
    if any(one.state in ("reverted", "reverting", "failed") for one in outcomes) or result.run.unreachable or result.trouble:
        return FAILED
    if refused:
        return FAILED if touched else REFUSED
    if any(plan.changes for stage in result.stages if not stage.outcomes for plan in stage.plans):
        return PENDING
    return FAILED if any(not verdict.finding.ok for stage in result.stages for verdict in stage.verdicts) else OK
