"""Every change on every case: the diff, the impact and the steps that it sends, or the refusal; then a second run finds no difference."""

import pytest
from cases import CASES, Case, cases_of, changes, with_clusters
from replay import after
from sent import SCRIPTS, save_scripts, script_names, scripts, steps

from inventory.targets import HOST, kind_of
from tasks.core.engine.planning import plan_member
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Facts, HostFacts, Reading
from tasks.core.model.operation import PVE, WITH_MOUNT, Command
from tasks.core.model.plan import TargetPlan

CHANGES = changes()
EVERY = [case for name in CHANGES for case in cases_of(CASES / name)]
# Changes that are always in a set with the other hosts that they read.
TOGETHER = frozenset({"NodeKeys"})
REFUSED = [case for case in EVERY if "error" in case.own]
PLANNED = [case for case in EVERY if case not in REFUSED]


def change_of(case: Case):
    """The change of the case. A case names no host where the site has one target of the change's kind."""
    change = CHANGES[case.subject.name]
    row = dict(case.get("change") or {})
    if change.of != HOST:
        (row["host"],) = case.site.targets(change.of)
    return change(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def plan_of(case: Case, facts=None, change=None) -> TargetPlan:
    change = change or change_of(case)
    facts = facts or case.facts
    if change.host not in facts:
        raise BurrowError(f"{change.host} did not answer")
    return plan_member(Member(change.host, (change,)), str(case), case.site, facts)


def follows(case: Case, change=None) -> dict[str, object]:
    """The results of a case: the plan as shown and as sent, or the refusal. Empty where nothing differs."""
    try:
        plan = plan_of(case, change=change)
    except BurrowError as error:
        return {"error": str(error)}
    results = {"diff": plan.diff(), "impact": list(plan.impact), "steps": steps(plan, case.site)}
    return {key: value for key, value in results.items() if value}


def test_scripts_are_those_that_are_sent(request: pytest.FixtureRequest) -> None:
    """Each is stored once in tests/cases/scripts, as the host receives it, and the cases refer to it by name."""
    found = [one for case in PLANNED for one in scripts(plan_of(case))]
    if request.config.getoption("--save"):
        save_scripts(found)
    assert {text for _, text in found} == set(script_names())
    assert len(script_names()) == len(list(SCRIPTS.iterdir()))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_change_shows_and_sends_exactly_what_its_case_expects(case: Case, expect) -> None:
    expect(case, follows(case))


def declared(case: Case) -> Facts:
    """The facts that a run reads for the case's set: those that its changes declare, of their hosts and of the clusters that they name.

    A set whose members are several hosts is cut down to the facts of these.
    """
    change = change_of(case)
    needs = ChangeSet(str(case), (Member(change.host, (change,)),)).needs(case.site)
    hosts = [name for name in case.facts if kind_of(name) == HOST]
    found: dict[str, HostFacts] = {}
    for target, groups in needs.items():
        names = {fact.name for facts in groups for fact in facts}
        for host in hosts if type(change).__name__ in TOGETHER else case.site.endpoints(target):
            if host in case.facts:
                have = found.get(host, HostFacts(host, {})).readings
                read = {name: one for name, one in case.facts[host].readings.items() if name in names}
                found[host] = HostFacts(host, {**have, **read})
    if type(change).__name__ in TOGETHER:
        return with_clusters(case.site, found)
    whole = with_clusters(case.site, found)
    return {target: whole[target] for target in needs if target in whole}


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_change_uses_only_the_facts_that_it_declares(case: Case) -> None:
    assert plan_of(case, declared(case)).diff() == plan_of(case).diff()


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_what_is_sent_is_shown(case: Case) -> None:
    plan = plan_of(case)
    assert bool(plan.differences) is bool(plan.diff()) is bool(steps(plan, case.site))


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_change_leaves_nothing_for_a_second_run(case: Case) -> None:
    plan = plan_of(case)
    facts = after(plan, case.facts, change_of(case), case.site) if plan else case.facts
    assert plan_of(case, facts).differences == ()


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_proxmoxs_commands_run_only_on_its_mount(case: Case) -> None:
    commands = [one for operation in plan_of(case).operations for one in (operation.do, operation.undo) if isinstance(one, Command)]
    assert {one.mount for one in commands if one.argv[0] in ("pvecm", "pveceph", "pvesm")} <= {PVE}
    for one in commands:
        assert one.guarded == (("/bin/sh", "-c", WITH_MOUNT, one.argv[0], PVE, *one.argv) if one.mount else one.argv)


def _texts(plan: TargetPlan) -> dict[str, str]:
    return {file.path: (file.text or "").rstrip("\n") for file in (plan.transaction.files if plan.transaction else ())}


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_file_without_a_last_newline_gets_the_same_change(case: Case) -> None:
    """An appended line does not run into the last one."""
    plan = plan_of(case)
    before = {file.before for file in (plan.transaction.files if plan.transaction else ()) if file.before}
    facts = {
        host: HostFacts(
            host, {name: Reading(0, one.out.rstrip("\n") if one.out in before else one.out) for name, one in answers.readings.items()}
        )
        for host, answers in case.facts.items()
        if kind_of(host) == HOST
    }
    assert _texts(plan_of(case, with_clusters(case.site, facts))) == _texts(plan)
