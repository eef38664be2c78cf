"""Every check on every case: its verdicts, and that each check has a case in which all is well and one in which it is not."""

import pytest
from cases import CASES, Case, cases_of, checks

from tasks.core.check import Severity, judge

CHECKS = checks()
FOLDER = CASES / "checks"
EVERY = [case for name in CHECKS if (FOLDER / name).is_dir() for case in cases_of(FOLDER / name)]


def verdicts(case: Case) -> str:
    """A line a target: `target | wanted | found | ok`."""
    found = judge([CHECKS[case.feature.name]], case.site, case.facts, [host for host in case.site.hosts if host in case.facts])
    lines = [(one.finding.target, one.finding.want, one.finding.got, "ok" if one.finding.ok else "not ok") for one in found]
    return "".join(f"{' | '.join(line)}\n" for line in lines)


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_check_says_this_of_what_was_read(case: Case) -> None:
    assert verdicts(case) == case.text("verdicts.txt")


def ends(case: Case) -> set[str]:
    return {line.rpartition(" | ")[2] for line in (case.text("verdicts.txt") or "").splitlines()}


def test_every_check_has_a_case_in_which_all_is_well() -> None:
    assert CHECKS.keys() - {case.feature.name for case in EVERY if ends(case) == {"ok"}} == set()


def test_every_check_has_a_case_in_which_it_fails() -> None:
    """A note only lists what is somebody else's: nothing fails it."""
    can_fail = {name for name, check in CHECKS.items() if check.severity is not Severity.NOTE}
    assert can_fail - {case.feature.name for case in EVERY if "not ok" in ends(case)} == set()


def test_every_case_is_of_a_check() -> None:
    assert {path.name for path in FOLDER.iterdir() if not path.name.startswith("_")} - CHECKS.keys() == set()
