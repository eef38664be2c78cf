"""An odd answer to any fact is one named problem: one error of each check that needs it, one refusal of each set, with host and fact."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from cases import KNOWN_BY, checks, modules, site_of, with_clusters
from odd_answers import odd
from whole_site import hosts_facts, sets

from tasks.core.engine.planning import plan_set
from tasks.core.model.change import ChangeSet
from tasks.core.model.check import Check, judge
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, HostFacts, Reading

FACTS = {value.name: value for module in modules() for value in vars(module).values() if isinstance(value, Fact)}
# How many answers are parsed, and how many of these the checks and the changes get: the first odd one, and those that look right.
PARSED, JUDGED = 80, 5
PYTHON = re.compile(r"\b[A-Z]\w*(Error|Exception|Interrupt)\b|cannot be (judged|planned) by|object is not|Traceback")


def answered(host: str, fact: Fact[Any], out: str) -> HostFacts:
    return HostFacts(host, {**hosts_facts()[host].readings, fact.name: Reading(0, out)})


def right(fact: Fact[Any]) -> tuple[str, str]:
    """A host and its right answer, a long one if there is any."""
    found = {host: facts.readings[fact.name] for host, facts in hosts_facts().items() if fact.name in facts.readings}
    return max(((host, one.out) for host, one in found.items() if not one.rc), key=lambda one: len(one[1]), default=("alvin", ""))


def problem(given: HostFacts, fact: Fact[Any]) -> str:
    """The message where the answer cannot be read, else empty."""
    try:
        given[fact]
    except BurrowError as error:
        return str(error)
    return ""


def names(needs: Iterable[Iterable[Fact[Any]]]) -> set[str]:
    return {fact.name for facts in needs for fact in facts}


@dataclass(frozen=True)
class Concerned:
    """The checks and the change sets that need a fact of a host, and the targets: the host, its neighbours, the clusters."""

    checks: list[Check]
    sets: list[ChangeSet]
    targets: list[str]


def concerned(fact: Fact[Any], host: str) -> Concerned:
    site = site_of(None)
    clusters = [target for kind in KNOWN_BY for target in site.targets(kind)]
    judged = [one for one in checks().values() if fact.name in names((one.needs, *(more for _, more in one.also)))]
    changed = [one for one in sets(site) if {host, *clusters} & {*one.hosts}]
    changed = [one for one in changed if any(fact.name in names(needs) for needs in one.needs(site).values())]
    return Concerned(judged, changed, [*dict.fromkeys((host, *(cable.far(host).host for cable in site.cables_of(host)), *clusters))])


def results(fact: Fact[Any], given: HostFacts, of: Concerned) -> dict[tuple[str, str], list[str]]:
    """{(check or set, target): its errors} of everything that needs the fact."""
    site = site_of(None)
    # A cluster is read through another host where one does not know it.
    others = {name: answered(name, fact, given.readings[fact.name].out) for name in hosts_facts()} if fact.answers else {}
    facts = with_clusters(site, {**hosts_facts(), **others, given.host: given})
    found: dict[tuple[str, str], list[str]] = {}
    for row in judge(of.checks, site, facts, of.targets):
        found.setdefault((row.check.name, row.host), []).extend([row.finding.got] if row.finding.want == "readable" else [])
    for one in of.sets:
        found[one.name, ""] = [plan.refused] if (plan := plan_set(one, site, facts)).refused else []
    return found


def is_named(message: str, host: str, fact: Fact[Any]) -> bool:
    """Whether a message names the host, and the fact by its name, its command or its file, in the words of an operator."""
    files = re.findall(r"/etc/[\w./-]+", fact.command)
    named = any(name in message for name in (fact.name, fact.called, *files))
    return host in message and named and not PYTHON.search(message) and len(message) < 600


@pytest.mark.parametrize("name", sorted(FACTS))
def test_odd_answer_is_one_named_problem(name: str) -> None:
    fact = FACTS[name]
    host, out = right(fact)
    given = answered(host, fact, out)
    of = concerned(fact, host)
    usual, used, tried = results(fact, given, of), name in given.parsed, Counter[bool]()
    for answer in dict.fromkeys(odd(out, name, PARSED)):
        given = answered(host, fact, answer)
        message = problem(given, fact)
        assert not message or is_named(message, host, fact), (answer[:200], message)
        tried[bool(message)] += 1
        if tried[bool(message)] > (1 if message else JUDGED):
            continue
        found = {place: [one for one in errors if one not in usual.get(place, ())] for place, errors in results(fact, given, of).items()}
        said = [one for errors in found.values() for one in errors]
        assert all(len(errors) <= 1 for errors in found.values()), (answer[:200], found)
        assert [one for one in said if PYTHON.search(one) or not re.search(rf"\b{host}\b|{'|'.join(of.targets)}", one)] == [], answer[:200]
        assert said or not message or not used, (answer[:200], message)
