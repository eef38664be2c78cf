"""Secrets that stand in the answers of hosts leave a plan, an audit and a run nowhere: each is looked for on every path out."""

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cases import Case, case_of, with_clusters
from test_changes import EVERY as CHANGES
from test_changes import PLANNED, change_of, plan_of
from test_checks import CHECKS
from test_checks import EVERY as CHECKED
from test_secret_places import LETTERS, PLACES, planted
from test_topology import found

from inventory.targets import HOST, kind_of
from tasks.core.agent.secrets import redact
from tasks.core.engine.record import finding, planned
from tasks.core.model.change import ChangeSet
from tasks.core.model.check import judge
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, Facts, HostFacts, Reading
from tasks.core.model.operation import Command
from tasks.core.model.plan import SetPlan, TargetPlan
from tasks.core.model.plan_json import saved
from tasks.network.links.facts import NEIGHBOURS
from tasks.topology.view import FORMATS, view

# Some places of each grammar: `test_secret_places.py` has all of them.
EACH = [planted(place, LETTERS["words"]) for _, place in PLACES[::4]]
TEXT = "".join(f"{statement}\n" for statement, _ in EACH)
SECRETS = [secret for _, secrets in EACH for secret in secrets]
# The words of exports(5) are folders, clients and their options: a line of another grammar is read as these.
WITHOUT_SECRETS = {"exports_file"}
# What a command answers: its output with all places below it, or its failure with all of them as the message.
ANSWERS = {
    "added": lambda one: replace(one, out=f"{one.out.rstrip()}\n{TEXT}"),
    "alone": lambda _: Reading(0, TEXT),
    "a message": lambda _: Reading(1, "", TEXT),
}


def one_of_each(cases: list[Case]) -> list[Case]:
    """One case of each subject: that with the most facts."""
    found: dict[str, Case] = {}
    for case in sorted(cases, key=lambda one: -sum(len(facts.readings) for facts in one.facts.values())):
        found.setdefault(case.subject.name, case)
    return list(found.values())


def with_secrets(case: Case, needs: Iterable[Fact[Any]]) -> Iterator[tuple[str, Facts]]:
    """(which fact, the facts of the case) for each needed fact, in which secrets are planted on all hosts at once."""
    hosts = {name: facts for name, facts in case.facts.items() if kind_of(name) == HOST}
    for fact in dict.fromkeys(one.name for one in needs if one.name not in WITHOUT_SECRETS):
        for way, answer in ANSWERS.items():
            changed = {
                name: HostFacts(name, {one: answer(reading) if one == fact else reading for one, reading in facts.readings.items()})
                for name, facts in hosts.items()
            }
            yield f"{fact}, {way}", with_clusters(case.site, changed)


def shown_of(plan: TargetPlan) -> str:
    """All that is shown or kept of a plan."""
    one = SetPlan(ChangeSet("try", ()), (plan,))
    return "\n".join((plan.diff(), *plan.impact, json.dumps(planned(one)), json.dumps(saved(plan, b"key"))))


@pytest.mark.parametrize("case", one_of_each(CHANGES), ids=str)
def test_a_plan_shows_and_keeps_no_secret(case: Case) -> None:
    for where, facts in with_secrets(case, change_of(case).needs):
        try:
            shown = shown_of(plan_of(case, facts))
        except BurrowError as error:
            shown = str(error)
        assert [secret for secret in SECRETS if secret in shown] == [], where


@pytest.mark.parametrize("case", one_of_each(CHECKED), ids=str)
def test_a_finding_shows_no_secret(case: Case) -> None:
    check = CHECKS[case.subject.name]
    for where, facts in with_secrets(case, (*check.needs, *(fact for _, also in check.also for fact in also))):
        verdicts = judge([check], case.site, facts, list(facts))
        shown = json.dumps([finding(verdict) for verdict in verdicts])
        assert [secret for secret in SECRETS if secret in shown] == [], where


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_no_argument_of_a_process_is_a_secret(case: Case) -> None:
    """Every user of a host sees the arguments of processes."""
    plan = plan_of(case)
    actions = plan.transaction.actions if plan.transaction else ()
    operations = [one for operation in plan.operations for one in (operation.do, operation.undo) if isinstance(one, Command)]
    lines = [shlex.join(argv) for action in actions for argv in (action.argv, action.undo)] + [shlex.join(one.argv) for one in operations]
    assert [line for line in lines if redact(line) != line] == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_topology_shows_no_secret(suffix: str) -> None:
    """A neighbour's name and port are what it says of itself."""
    one = found(case_of("topology", "neighbour-of-no-inventory"))
    statements = [statement for statement, secrets in EACH[::8] if secrets]
    heard = [
        {f"swp{number}": {"chassis": {text: {}}, "port": {"id": {"type": "ifname", "value": text}}}}
        for number, text in enumerate(statements, start=1)
    ]
    rack = one.facts["sw-rack"]
    readings = {**rack.readings, NEIGHBOURS.name: Reading(0, json.dumps({"lldp": {"interface": heard}}))}
    drawn = view(replace(one, facts={**one.facts, "sw-rack": HostFacts("sw-rack", readings)}), suffix).text
    assert "&lt;removed&gt;" in drawn
    assert [secret for secret in SECRETS if secret in drawn] == []
