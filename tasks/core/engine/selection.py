"""What the operator's flags select: stages, sets, the hosts that are read and the hosts that are judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from inventory.targets import CEPH, HOST, PROXMOX, TRUENAS, name_of
from tasks.core.model.errors import Refused

if TYPE_CHECKING:
    from tasks.core.engine.run import Run
    from tasks.core.engine.runbook import Options, Runbook, Stage
    from tasks.core.model.change import ChangeSet
    from tasks.core.model.check import Check, Verdict


def chosen_stages(runbook: "Runbook", options: "Options") -> "tuple[Stage, ...]":
    """The selected stages with their selected checks. Raises Refused on an unknown stage or tag."""
    _known("--stage", "stage", options.stages, [stage.name for stage in runbook.stages])
    _known("--tags", "tag", options.tags, sorted({tag for stage in runbook.stages for check in stage.checks for tag in check.tags}))
    stages = (stage for stage in runbook.stages if not options.stages or stage.name in options.stages)
    return tuple(replace(stage, checks=tuple(_tagged(stage.checks, options.tags))) for stage in stages)


def _known(flag: str, what: str, names: Iterable[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise Refused(f"{flag}: no {what} {', '.join(unknown)}; there are {', '.join(known)}")


def _tagged(checks: "Iterable[Check]", tags: tuple[str, ...]) -> "Iterable[Check]":
    return (check for check in checks if not tags or set(tags) & set(check.tags))


def chosen_sets(stages: "Iterable[Stage]", run: "Run", options: "Options") -> None:
    """Raises Refused where a pattern of --set matches no set of the stages."""
    names = [one.name for stage in stages for make in stage.sets for one in make(run.site)]
    for pattern in options.sets:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise Refused(f"--set: no set {pattern}; there are {', '.join(names) or 'none'}")


def sets_of(stage: "Stage", run: "Run", options: "Options") -> "tuple[ChangeSet, ...]":
    """The stage's sets that match --set and have a host of --limit; their other hosts come along."""
    sets = (one for make in stage.sets for one in make(run.site))
    named = (one for one in sets if not options.sets or any(fnmatchcase(one.name, pattern) for pattern in options.sets))
    return tuple(one for one in named if not options.limit or any(_is_limited_to(target, run, options) for target in one.hosts))


def _is_limited_to(target: str, run: "Run", options: "Options") -> bool:
    """Whether --limit names the target, or the first host through which it is reached."""
    return target in options.limit or next(iter(run.site.endpoints(target)), "") in options.limit


def needs_of_run(stages: "Iterable[Stage]", run: "Run", options: "Options") -> dict[str, tuple[Any, ...]]:
    """{target: facts} that the whole run reads, each host in one round trip."""
    from tasks.core.model.check import needs_of  # noqa: PLC0415
    from tasks.core.model.fact import STATUS, union  # noqa: PLC0415

    needs: dict[str, list[tuple[Any, ...]]] = {}

    def add(more: "Mapping[str, list[tuple[Any, ...]]]") -> None:
        for target, lists in more.items():
            needs.setdefault(target, []).extend(lists)

    for stage in stages:
        sets = sets_of(stage, run, options)
        for one in sets:
            add(one.needs(run.site))
        targets = [target for one in sets for target in (*one.hosts, *one.clusters)] if stage.sets else audited(run, options)
        add(needs_of(run.site, stage.checks, targets))
    for stage in stages:
        add(needs_of(run.site, stage.checks, sorted(peers(stage, run, options) & needs.keys()) if stage.sets else ()))
    return {target: union([*lists, (STATUS,)]) for target, lists in needs.items()}


def peers(stage: "Stage", run: "Run", options: "Options") -> set[str]:
    """The cable neighbours of the hosts that a stage judges: its checks may compare both ends."""
    return {cable.far(target).host for target in judged(stage, run, options) for cable in run.site.cables_of(target)}


def audited(run: "Run", options: "Options") -> tuple[str, ...]:
    """The targets that a stage without sets reads: the selected ones and their cable neighbours, and the clusters of selected hosts."""
    site = run.site
    hosts = [target for kind in (HOST, TRUENAS) for target in site.targets(kind)]
    managed = [one for one in hosts if site.hosts[name_of(one)].vm is None and site.hosts[name_of(one)].managed]
    clusters = [target for kind in (PROXMOX, CEPH) for target in site.targets(kind)]
    if not options.limit:
        return (*managed, *clusters)
    near = {cable.far(host).host for host in options.limit for cable in site.cables_of(host)}
    return tuple(one for one in (*managed, *clusters) if one in near or _is_limited_to(one, run, options))


def judged(stage: "Stage", run: "Run", options: "Options") -> tuple[str, ...]:
    """The targets that a stage's checks judge: with --limit the selected ones only, though their neighbours are read too."""
    sets = sets_of(stage, run, options)
    targets = [target for one in sets for target in (*one.hosts, *one.clusters)] if stage.sets else audited(run, options)
    return tuple(target for target in dict.fromkeys(targets) if not options.limit or _is_limited_to(target, run, options))


def verdicts_of(stage: "Stage", run: "Run", options: "Options") -> "tuple[Verdict, ...]":
    """The verdicts of the stage's checks; with --set those of the selected sets' own checks and on what these sets change."""
    from tasks.core.model.check import judge  # noqa: PLC0415

    if not options.sets:
        return judge(stage.checks, run.site, run.facts, judged(stage, run, options))
    found: list[Verdict] = []
    for one in sets_of(stage, run, options):
        targets = (*one.hosts, *one.clusters)
        found += [verdict for verdict in judge(one.checks, run.site, run.facts, targets) if one.concerns(verdict)]
        found += [verdict for verdict in judge(stage.checks, run.site, run.facts, targets) if one.changes(verdict)]
    return tuple(dict.fromkeys(found))
