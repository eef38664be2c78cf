"""Findings for people: those that many hosts share are one row, with their number and the first names. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.core.model.check import Check, Finding, Verdict

# How many hosts a row names.
NAMED = 3


@dataclass(frozen=True)
class Row:
    """A finding of one or more hosts."""

    check: Check
    hosts: tuple[str, ...]
    finding: Finding

    @property
    def target(self) -> str:
        """The target of one host; of several, the first hosts, how many more, and the part of the target that they share."""
        if len(self.hosts) == 1:
            return self.finding.target
        more = len(self.hosts) - NAMED
        names = ", ".join(self.hosts[:NAMED]) + (f" and {more} more" if more > 0 else "")
        part = _part(self.finding.target, self.hosts[0])
        return f"{names}: {part}" if part else names


def rows(verdicts: Iterable[Verdict]) -> tuple[Row, ...]:
    """The verdicts in the order of their first host. Those that differ only in the host are one row."""
    found: dict[tuple[Check, str, str, str], list[Verdict]] = {}
    for one in verdicts:
        key = (one.check, _part(one.finding.target, one.host), one.finding.want, one.finding.got)
        found.setdefault(key, []).append(one)
    return tuple(Row(key[0], tuple(dict.fromkeys(one.host for one in same)), same[0].finding) for key, same in found.items())


def _part(target: str, host: str) -> str:
    """What follows the host's name in a target; the whole target where it does not begin with that name."""
    return "" if target == host else target.removeprefix(f"{host}:")
