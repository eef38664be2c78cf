"""The shipped site with all facts that cases have of its hosts, and what the suite makes of any inventory on these facts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from cases import CASES, KNOWN_BY, Case, cases_of, changes, checks, site_of, with_clusters

from inventory import files
from inventory.errors import InventoryError
from inventory.site import Site
from inventory.targets import HOST
from runbooks.bootstrap import RUNBOOK
from tasks.checks.catalog import CATALOG
from tasks.core.engine.planning import plan_set
from tasks.core.model.change import ChangeSet
from tasks.core.model.check import Check, judge
from tasks.core.model.fact import HostFacts, Reading
from tasks.core.model.plan import SetPlan
from tasks.topology.picture import picture
from tasks.topology.view import adjacencies

Answers = Mapping[str, Mapping[str, str]]
# The cases of a subject that are taken first. The second is of the topology, with the LLDP neighbours of all ports.
FIRST = ("already-right", "vm-and-operator-are-not-drawn")


def _cases() -> list[Case]:
    """Two cases of each subject, those of the shipped site first, and of these the ones in which nothing is left to do."""
    paths = [*(CASES / name for name in changes()), *(CASES / "checks" / name for name in checks()), CASES / "topology"]
    return sorted((case for path in paths for case in sorted(cases_of(path), key=_place)[:2]), key=_place)


def _place(case: Case) -> tuple[bool, ...]:
    return (case.site is not site_of(None), *(not case.name.startswith(name) for name in FIRST))


@cache
def hosts_facts() -> Mapping[str, HostFacts]:
    """{host: facts} of the shipped site: each fact from the first case that has it."""
    readings: dict[str, dict[str, Reading]] = {host: {} for host in site_of(None).hosts}
    for facts in (case.facts for case in _cases()):
        for host in facts.keys() & readings.keys():
            readings[host] = {**facts[host].readings, **readings[host]}
    return {host: HostFacts(host, found) for host, found in readings.items() if found}


def sets(site: Site) -> Iterator[ChangeSet]:
    """The change sets of all stages."""
    return (one for stage in RUNBOOK.stages for build in stage.sets for one in build(site))


def planned(plan: SetPlan) -> tuple[Any, ...]:
    """What an operator sees of a set's plan."""
    targets = [(one.target, one.differences, one.diff(), one.impact, one.packages) for one in plan.targets]
    return (plan.refused, plan.change_set.by_hand, targets)


def made_of(site: Site, only: Iterable[str] | None = None, others: Answers | None = None) -> dict[str, Any]:
    """{change set, check or topology: what an operator sees of it}: the plans and findings of this site on the facts of the shipped one.

    `others` are the answers of hosts, {host: {fact: text}}, in the place of these facts.
    """
    names = None if only is None else set(only)
    hosts = {host: one for host, one in hosts_facts().items() if host in site.hosts}
    for host, answers in (others or {}).items():
        hosts[host] = HostFacts(host, {**hosts[host].readings, **{name: Reading(0, out) for name, out in answers.items()}})
    facts = with_clusters(site, hosts)
    found: dict[str, Any] = {}
    for one in sets(site):
        if names is None or one.name in names:
            found[one.name] = planned(plan_set(one, site, facts))
    targets = [*site.targets(HOST), *(target for kind in KNOWN_BY for target in site.targets(kind))]
    for row in judge([one for one in _checks() if names is None or one.name in names], site, facts, targets):
        found.setdefault(row.check.name, []).append(row.finding)
    if names is None or "topology" in names:
        found["topology"] = picture(site, hosts, {}, adjacencies(hosts))
    return found


def _checks() -> Iterable[Check]:
    return dict.fromkeys(one for one in (*CATALOG, *checks().values()))


@cache
def as_shipped() -> Mapping[str, Any]:
    """What the suite makes of the shipped inventory."""
    return made_of(site_of(None))


_FILES: dict[tuple[str, bytes], files.YamlFile] = {}


def read_once(path: Path) -> files.YamlFile:
    """As `files.read`: of folders that differ in one file, the others are parsed once."""
    key = (path.name, path.read_bytes())
    if key not in _FILES or _FILES[key].problems:
        _FILES[key] = files.read(path)
    return replace(_FILES[key], path=path)


def refusal(case: Case) -> str:
    """The message where the case's inventory is refused, else empty."""
    try:
        assert case.site
    except InventoryError as error:
        return str(error).replace(f"{case.folder}/", "")
    return ""
