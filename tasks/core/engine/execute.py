"""A run: read, then plan, show, apply and verify stage after stage."""

import getpass
import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.targets import KINDS
from tasks.core.engine.events import Watcher
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, Runbook, RunResult, Stage, StageResult
from tasks.core.engine.selection import chosen_sets, chosen_stages, judged, needs_of_run, sets_of, verdicts_of
from tasks.core.model.errors import UNEXPECTED, Refused

if TYPE_CHECKING:
    from nornir.core import Nornir

    from tasks.core.engine.maintenance import Scope
    from tasks.core.engine.run import Run
    from tasks.core.model.change import ChangeSet


# Shows a stage's plan, and returns whether to apply it.
Ask = Callable[["StageResult", "RunResult"], bool]


def holder() -> str:
    """The holder of the leases, as other operators see it: user, machine and process."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def open_run(
    options: Options, watchers: tuple[Watcher, ...] = (), stop: threading.Event | None = None, kinds: tuple[str, ...] = KINDS
) -> "Run":
    """Load the site and Nornir; nothing is contacted. `--limit` may name hosts, and targets of these kinds.

    Raises Refused with every problem of the inventory.
    """
    from nornir import InitNornir  # noqa: PLC0415 (start-up)

    from inventory.errors import InventoryError  # noqa: PLC0415
    from inventory.sites import CONFIG  # noqa: PLC0415

    logging.getLogger("nornir").addHandler(logging.NullHandler())  # the operator sees a step's error once, from the suite
    logging.getLogger("nornir").propagate = False
    try:
        nornir_takes(CONFIG)
        nornir = InitNornir(config_file=str(CONFIG), inventory={"plugin": "BurrowInventory", "options": {"site": options.site}})
    except InventoryError as error:
        raise Refused(str(error)) from error
    run = run_of(nornir, watchers, stop)
    known = dict.fromkeys((*run.site.hosts, *(target for kind in kinds for target in run.site.targets(kind))))
    if unknown := [name for name in options.limit if name not in known]:
        raise Refused(f"--limit: no host {', '.join(unknown)}; there are {', '.join(known)}")
    return run


def run_of(nornir: "Nornir", watchers: tuple[Watcher, ...] = (), stop: threading.Event | None = None) -> "Run":
    """A run on hosts that Nornir loaded with BurrowInventory; its processors see each step. Raises Refused where the lab was never up."""
    from tasks.core.engine.run import Run, Timers  # noqa: PLC0415 (start-up)

    data = nornir.inventory.defaults.data
    settings = data["settings"]
    if settings.rehearsal and not os.path.exists(settings.ssh_config_path or ""):  # noqa: PTH110
        raise Refused(
            f"the lab has never been up: there is no {settings.ssh_config_path}."
            " Start it with `python -m lab up`, or name your own site with --site"
        )
    timers = Timers(settings.revert_s, settings.verify_s, settings.apply_s, settings.maintenance_s)
    return Run(nornir, data["site"], holder(), timers, watchers, rehearsal=settings.rehearsal, stop=stop or threading.Event())


def nornir_takes(config: Path) -> None:
    """Raises Refused where Nornir rejects its part of the file, with whichever kind of exception."""
    from nornir.core.configuration import Config  # noqa: PLC0415 (start-up)
    from nornir.core.exceptions import PluginNotRegistered  # noqa: PLC0415
    from nornir.init_nornir import load_runner  # noqa: PLC0415

    try:
        load_runner(Config.from_file(str(config)))
    except (*UNEXPECTED, PluginNotRegistered) as error:
        raise Refused(f"{config}:1: Nornir rejects it: {error}; compare it with the file that Burrow ships") from error


def verify_stage(done: "StageResult", run: "Run", options: Options) -> None:
    """Judge the stage. After changes, read again until all is as wanted or `verify_s` has passed: neighbours take a while to appear."""
    sets = (one.plan.change_set for one in done.outcomes if one.state == "done")
    changed = {target for one in sets for target in (*one.hosts, *one.clusters)}
    deadline = time.monotonic() + run.timers.verify_s
    while True:
        done.verdicts = verdicts_of(done.stage, run, options)
        failed = changed & {verdict.host for verdict in done.verdicts if not verdict.finding.ok}
        if not failed or time.monotonic() > deadline:
            return
        run.pause(1)
        run.read(failed)


def apply_stage(stage: Stage, result: RunResult, ask: Ask) -> None:
    """Plan one stage on the latest facts, apply it if `ask` returns true, and verify it."""
    from tasks.core.engine.coordinated import joined  # noqa: PLC0415
    from tasks.core.engine.maintenance import Scope  # noqa: PLC0415
    from tasks.core.engine.planning import plan_set  # noqa: PLC0415
    from tasks.core.engine.precheck import prechecked  # noqa: PLC0415

    run, options = result.run, result.options
    sets = sets_of(stage, run, options)
    plans = prechecked(run, [plan_set(one, run.site, run.facts, run.id, run.key) for one in sets])
    sets, plans = joined(sets, plans)
    scope = None
    if stage.maintenance and any(plan.changes for plan in plans):
        scope = Scope.of(run, stage.maintenance, sets, frozenset(plan.change_set.name for plan in plans if plan.coordinated))
        plans = tuple(scope.shown(run, plan) for plan in plans)
    done = StageResult(stage, plans)
    result.stages.append(done)
    if any(plan.changes for plan in plans) and _approved(done, result, ask):
        _applied(run, done, sets, scope, ask, result)
        run.pause(0)
        run.read(host for host in run.needs if host not in run.facts and host not in run.unreachable)
        run.say("stage", text=f"{stage.name} done")
    if not options.dry_run and not run.stop.is_set():
        verify_stage(done, run, options)


def _applied(run: "Run", done: StageResult, sets: "Sequence[ChangeSet]", scope: "Scope | None", ask: Ask, result: RunResult) -> None:
    """Apply the sets. Those whose impact has grown meanwhile are shown and asked about once more, unless no question is asked."""
    from tasks.core.engine.record import planned  # noqa: PLC0415
    from tasks.core.engine.schedule import apply_in_order  # noqa: PLC0415

    run.shown, run.written = {plan.change_set.name: plan for plan in done.plans}, set()
    for plan in done.plans:
        run.note({"kind": "plan", **planned(plan)})
    done.outcomes = apply_in_order(run, sets, scope)
    grown = tuple(one.grown for one in done.outcomes if one.grown)
    if grown and not result.options.yes and not run.rehearsal and _approved(StageResult(done.stage, grown), result, ask):
        run.shown = {**run.shown, **{plan.change_set.name: plan for plan in grown}}
        left = [one.plan.change_set for one in done.outcomes if one.state == "refused"]
        run.failures = [name for name in run.failures if name not in {one.name for one in left}]
        later = {one.plan.change_set.name: one for one in apply_in_order(run, left, scope)}
        done.outcomes = tuple(later.get(one.plan.change_set.name, one) for one in done.outcomes)


def audited(stages: Sequence[Stage], run: "Run", options: Options) -> list[StageResult]:
    """The verdicts of stages that change nothing. Each host is read, judged and forgotten."""
    from tasks.core.engine.audit import Audit  # noqa: PLC0415

    checks = tuple(dict.fromkeys(one for stage in stages for one in stage.checks))
    wanted = frozenset(target for stage in stages for target in judged(stage, run, options))
    verdicts = Audit(run, checks, wanted, keeps_connections=options.watch_s is not None).perform(run.needs)
    return [StageResult(stage, verdicts=tuple(one for one in verdicts if one.check in stage.checks)) for stage in stages]


def _approved(done: StageResult, result: RunResult, ask: Ask) -> bool:
    from tasks.core.engine.signals import waiting  # noqa: PLC0415

    with waiting():
        return ask(done, result)


def execute(runbook: Runbook, options: Options, run: "Run", ask: Ask) -> RunResult:
    """The whole run. `ask` gets each stage's plan that changes something, and returns whether to apply it.

    Raises Refused before any host is contacted; from then on everything is in the result.
    """
    from tasks.core.connectors.open_files import allow_connections  # noqa: PLC0415
    from tasks.core.engine.run import INTERRUPTED_TEXT  # noqa: PLC0415
    from tasks.core.engine.signals import stopping  # noqa: PLC0415

    result = RunResult(options, run)
    run.max_failures, run.acknowledged = options.max_failures, frozenset(options.acknowledge)
    stages = chosen_stages(runbook, options)
    chosen_sets(stages, run, options)
    run.needs = needs_of_run(stages, run, options)
    if not run.needs:
        raise Refused("nothing to do: no host is selected by these stages and --limit")
    allow_connections(len({host for target in run.needs for host in run.site.endpoints(target)}))
    with stopping(run.stop, lambda name: run.say("stage", text=f"{name}: {INTERRUPTED_TEXT}")):
        with ending_early(result):
            run.pause(0)
            if not options.dry_run and not any(stage.sets for stage in stages):
                result.stages += audited(stages, run, options)
                stages = ()
            run.read(run.needs if stages else ())
            for number, stage in enumerate(stages):
                run.pause(0)
                if number:  # a host may have appeared, or may answer by now
                    run.needs = needs_of_run(stages[number:], run, options)
                    run.read([target for target in run.needs if target not in run.facts])
                apply_stage(stage, result, ask)
        run.release()
    result.exit_code = exit_code(result)
    return result


@contextmanager
def ending_early(result: RunResult) -> Iterator[None]:
    """Turn any exception of the block into the run's `trouble`, so that its record and results are kept; Ctrl-C is no trouble."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001
        ours = result.run.ours(error)
        if not result.run.stop.is_set():
            where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]]
            result.trouble = str(error) if ours is error else f"{ours} ({', '.join(where)})"


def exit_code(result: RunResult) -> int:
    """0 as wanted, 1 failed, 2 changes pending, 3 refused before anything was touched, 130 interrupted."""
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
