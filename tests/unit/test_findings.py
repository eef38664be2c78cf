"""Findings as the operator sees them: what many hosts share is one row."""

from collections.abc import Iterator

import pytest

from inventory.site import Site
from tasks.core.cli.findings import rows
from tasks.core.cli.report import Screen
from tasks.core.model.check import Finding, Severity, Verdict, check
from tasks.core.model.fact import Facts


@check(needs=(), severity=Severity.MAJOR, remediation="Set it.", tags=())
def mtu_is_as_intended(_: Site, __: Facts, ___: str) -> Iterator[Finding]:
    """The MTU is as intended."""
    yield from ()


def verdict(host: str, target: str, got: str = "1500") -> Verdict:
    return Verdict(mtu_is_as_intended, host, Finding(target, "9000", got))


def targets(*verdicts: Verdict) -> list[str]:
    return [row.target for row in rows(verdicts)]


def test_a_finding_of_one_host_has_its_own_target() -> None:
    assert targets(verdict("alvin", "alvin:eno1")) == ["alvin:eno1"]


@pytest.mark.parametrize(
    ("count", "want"),
    [(2, "h0, h1: eno1"), (3, "h0, h1, h2: eno1"), (4, "h0, h1, h2 and 1 more: eno1"), (400, "h0, h1, h2 and 397 more: eno1")],
)
def test_a_finding_of_many_hosts_is_one_row(count: int, want: str) -> None:
    assert targets(*(verdict(f"h{number}", f"h{number}:eno1") for number in range(count))) == [want]


def test_a_finding_on_whole_hosts_has_no_part() -> None:
    assert targets(verdict("alvin", "alvin"), verdict("simon", "simon")) == ["alvin, simon"]


def test_findings_that_differ_are_rows_of_their_own() -> None:
    other_port, other_value = verdict("simon", "simon:eno2"), verdict("vault", "vault:eno1", "1400")
    assert targets(verdict("alvin", "alvin:eno1"), other_port, other_value) == ["alvin:eno1", "simon:eno2", "vault:eno1"]


def test_a_target_that_is_no_host_stays_whole() -> None:
    assert targets(verdict("alvin", "storage vault-data"), verdict("simon", "storage vault-data")) == ["alvin, simon: storage vault-data"]


def test_four_hundred_findings_take_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().findings(verdict(f"host{number}", f"host{number}:eno1") for number in range(400))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) < 10
    assert "host0, host1, host2 and 397" in " ".join(shown.split())
