"""Every change on every case: the diff, the impact or the refusal that its folder holds, and then nothing left to do."""

import pytest
from cases import CASES, Case, cases_of, changes
from replay import after

from tasks.core.change import Member
from tasks.core.errors import BurrowError
from tasks.core.facts import HostFacts, Reading
from tasks.core.plan import HostPlan, plan_member
from tasks.core.transaction import PVE

CHANGES = changes()
EVERY = [case for name in CHANGES if (CASES / name).is_dir() for case in cases_of(CASES / name)]
REFUSED = [case for case in EVERY if case.text("error.txt")]
PLANNED = [case for case in EVERY if case not in REFUSED]


def change_of(case: Case):
    return CHANGES[case.feature.name](**case.yaml("change.yaml"))


def plan_of(case: Case, facts=None) -> HostPlan:
    change = change_of(case)
    return plan_member(Member(change.host, (change,)), str(case), case.site, facts or case.facts)


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_change_writes_this_and_nothing_else(case: Case) -> None:
    plan = plan_of(case)
    assert plan.diff() == case.text("expected.diff")
    assert bool(plan.differences) is bool(plan.diff())
    assert "".join(f"{line}\n" for line in plan.impact) == (case.text("impact.txt") or "")


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_wish_that_cannot_be_carried_out_is_refused(case: Case) -> None:
    with pytest.raises(BurrowError) as raised:
        plan_of(case)
    assert f"{raised.value}\n" == case.text("error.txt")


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_change_leaves_nothing_for_a_second_run(case: Case) -> None:
    plan = plan_of(case)
    facts = after(plan, case.facts, change_of(case), case.site) if plan else case.facts
    assert plan_of(case, facts).differences == ()


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_proxmoxs_commands_are_run_on_its_mount_alone(case: Case) -> None:
    transaction = plan_of(case).transaction
    commands = transaction.commands if transaction else ()
    assert {one.mount for one in commands if one.argv[0] in ("pvecm", "pveceph", "pvesm")} <= {PVE}


def _texts(plan: HostPlan) -> dict[str, str]:
    return {file.path: (file.text or "").rstrip("\n") for file in (plan.transaction.files if plan.transaction else ())}


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_file_without_a_last_newline_is_changed_alike(case: Case) -> None:
    """What comes after its last line does not run into it."""
    plan = plan_of(case)
    before = {file.before for file in (plan.transaction.files if plan.transaction else ()) if file.before}
    facts = {
        host: HostFacts(
            host, {name: Reading(0, one.out.rstrip("\n") if one.out in before else one.out) for name, one in answers.readings.items()}
        )
        for host, answers in case.facts.items()
    }
    assert _texts(plan_of(case, facts)) == _texts(plan)
