"""What the operator's flags select: stages, sets, the hosts that are read and the hosts that are judged."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

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
    return tuple(one for one in named if not options.limit or set(one.hosts) & set(options.limit))


def needs_of(stages: "Iterable[Stage]", run: "Run", options: "Options") -> dict[str, tuple[Any, ...]]:
    """{host: facts} that the whole run reads from each host in one round trip."""
    from tasks.core.model.fact import STATUS, union  # noqa: PLC0415

    needs: dict[str, list[tuple[Any, ...]]] = {}
    for stage in stages:
        checks = [one.needs for one in stage.checks]
        for host in () if stage.sets else audited(run, options):
            needs.setdefault(host, []).extend(checks)
        for change_set in sets_of(stage, run, options):
            for member in change_set.members:
                for host in (member.host, *member.endpoints):
                    needs.setdefault(host, []).extend(change.needs for change in member.changes)
                    needs[host] += [*checks, *(check.needs for check in change_set.checks)]
            for host in change_set.peers:
                needs.setdefault(host, []).append(change_set.peer_facts)
    for stage in stages:
        for host in peers(stage, run, options) & needs.keys() if stage.sets else ():
            needs[host] += [one.needs for one in stage.checks]
    return {host: union([*lists, (STATUS,)]) for host, lists in needs.items()}


def peers(stage: "Stage", run: "Run", options: "Options") -> set[str]:
    """The cable neighbours of the hosts that a stage judges: its checks may compare both ends."""
    return {cable.far(host).host for host in judged(stage, run, options) for cable in run.site.cables_of(host)}


def audited(run: "Run", options: "Options") -> tuple[str, ...]:
    """The hosts that a stage without sets reads: the selected ones and their cable neighbours."""
    managed = [host.name for host in run.site.hosts.values() if host.vm is None and host.managed]
    if not options.limit:
        return tuple(managed)
    near = {cable.far(host).host for host in options.limit for cable in run.site.cables_of(host)}
    return tuple(host for host in managed if host in near or host in options.limit)


def judged(stage: "Stage", run: "Run", options: "Options") -> tuple[str, ...]:
    """The hosts that a stage's checks judge: with --limit the selected ones only, though their neighbours are read too."""
    hosts = [host for one in sets_of(stage, run, options) for host in one.hosts] if stage.sets else audited(run, options)
    return tuple(host for host in dict.fromkeys(hosts) if not options.limit or host in options.limit)


def verdicts_of(stage: "Stage", run: "Run", options: "Options") -> "tuple[Verdict, ...]":
    """The verdicts of the stage's checks; with --set those of the selected sets' own checks and on what these sets change."""
    from tasks.core.model.check import judge  # noqa: PLC0415

    if not options.sets:
        return judge(stage.checks, run.site, run.facts, judged(stage, run, options))
    found: list[Verdict] = []
    for one in sets_of(stage, run, options):
        found += [verdict for verdict in judge(one.checks, run.site, run.facts, one.hosts) if one.concerns(verdict)]
        found += [verdict for verdict in judge(stage.checks, run.site, run.facts, one.hosts) if one.changes(verdict)]
    return tuple(dict.fromkeys(found))
