"""Every check on every case: its findings, and that each check has a case that passes and one that fails."""

import pytest
from cases import CASES, KNOWN_BY, Case, cases_of, checks

from inventory.targets import HOST
from tasks.core.model.check import Severity, judge

CHECKS = checks()
FOLDER = CASES / "checks"
EVERY = [case for name in CHECKS for case in cases_of(FOLDER / name)]


def findings(case: Case) -> list[str]:
    """One line a target: `target | wanted | found | ok`."""
    site, facts = case.site, case.facts
    hosts = (host for host in site.targets(HOST) if host in facts)
    found = judge([CHECKS[case.subject.name]], site, facts, [*hosts, *(one for kind in KNOWN_BY for one in site.targets(kind))])
    lines = [(one.finding.target, one.finding.want, one.finding.got, "ok" if one.finding.ok else "not ok") for one in found]
    return [" | ".join(line) for line in lines]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_check_returns_the_findings_of_its_case(case: Case, expect) -> None:
    expect(case, {"findings": findings(case)})


def ends(case: Case) -> set[str]:
    return {line.rpartition(" | ")[2] for line in case.own["findings"]}


def test_every_check_has_a_case_in_which_it_passes() -> None:
    assert CHECKS.keys() - {case.subject.name for case in EVERY if ends(case) == {"ok"}} == set()


def test_every_check_has_a_case_in_which_it_fails() -> None:
    """Except a note, which only lists unmanaged configuration and never fails."""
    can_fail = {name for name, check in CHECKS.items() if check.severity is not Severity.NOTE}
    assert can_fail - {case.subject.name for case in EVERY if "not ok" in ends(case)} == set()


def test_every_case_belongs_to_a_check() -> None:
    assert {path.stem for path in FOLDER.iterdir()} - {*CHECKS, "base"} == set()


LIVE = {"frr", "links", "bonds", "ospf_routes", "probes"}


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if {fact.name for fact in check.needs} <= LIVE])
def test_a_remedy_for_running_state_names_more_than_the_stage(name: str) -> None:
    """Where an operator changed only the running host, the stage plans nothing. So the remedy tells how to make the files live."""
    remedy = CHECKS[name].remediation
    assert "network stage" not in remedy or "`systemctl reload frr`" in remedy or "`ifreload -a`" in remedy


@pytest.mark.parametrize("name", CHECKS)
def test_no_remedy_restarts_the_routers(name: str) -> None:
    """A restart ends every adjacency, and so all traffic. A reload, or `clear ip ospf process` for a router id, is enough."""
    assert "restart frr" not in CHECKS[name].remediation
