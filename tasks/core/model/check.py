"""Checks: statements about facts that are true when all is well. A check judges; it reads nothing itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory.models import LinkKind
from inventory.printable import printable
from inventory.site import Site
from tasks.core.model.errors import UNEXPECTED, BurrowError
from tasks.core.model.fact import Fact, Facts


class Severity(StrEnum):
    """What a failed check means for the site."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """A check's result for one target. `subject` is what a change set waits for by name: a bond, a bridge, a file."""

    target: str
    want: str
    got: str
    subject: str = ""
    passed: bool | None = None

    def __post_init__(self) -> None:
        """Make text that came from hosts printable."""
        for field in ("target", "want", "got"):
            object.__setattr__(self, field, printable(getattr(self, field)))

    @property
    def ok(self) -> bool:
        """Whether it is as wanted; by default, whether both texts are equal."""
        return self.want == self.got if self.passed is None else self.passed


Judge = Callable[[Site, Facts, str], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A judge of (site, facts, host), the facts that it needs, and the remedy where it fails."""

    judge: Judge
    needs: tuple[Fact[Any], ...]
    severity: Severity
    remediation: str
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.judge.__name__

    @property
    def statement(self) -> str:
        """The sentence that is true when all is well."""
        return (self.judge.__doc__ or "").strip().splitlines()[0]


def check(*, needs: tuple[Fact[Any], ...], severity: Severity, remediation: str, tags: tuple[str, ...]) -> Callable[[Judge], Check]:
    """Declare a function of (site, facts, host) that yields a Finding for each target as a check."""
    return lambda judge: Check(judge, needs, severity, remediation, tags)


@dataclass(frozen=True)
class Verdict:
    """A finding with its check and host: a row of the audit."""

    check: Check
    host: str
    finding: Finding


def judge(checks: Iterable[Check], site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[Verdict, ...]:
    """Every check on every host that was read. A fact that could not be read or has an unexpected shape is a failed finding."""
    verdicts = []
    hosts = tuple(hosts)
    for one in checks:
        for host in hosts:
            if host in facts and _can_judge(one, site, facts, host):
                verdicts += [Verdict(one, host, finding) for finding in _findings(one, site, facts, host)]
    return tuple(verdicts)


def _findings(one: Check, site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    try:
        yield from one.judge(site, facts, host)
    except BurrowError as error:
        yield Finding(host, "readable", str(error))
    except UNEXPECTED as error:
        names = ", ".join(fact.name for fact in one.needs)
        yield Finding(host, "readable", f"cannot be judged: an unexpected answer among {names}: {error!r}")


def _can_judge(one: Check, site: Site, facts: Facts, host: str) -> bool:
    """Whether all facts were read: a device with an API has none of a Linux host's."""
    return site.hosts[host].link is not LinkKind.API or all(fact.name in facts[host].readings for fact in one.needs)
