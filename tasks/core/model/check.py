"""Checks: statements about facts that are true when all is well. A check judges; it reads nothing itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory.printable import printable
from inventory.site import Site
from inventory.targets import HOST, kind_of
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
# (kind, facts) pairs: what is needed of every target of a kind.
Needs = tuple[tuple[str, tuple[Fact[Any], ...]], ...]


@dataclass(frozen=True)
class Check:
    """A judge of (site, facts, target), and the remedy where it fails.

    It judges each target `of` a kind by the facts that it `needs` of that target, and, in `also`, of all targets of another kind.
    """

    judge: Judge
    needs: tuple[Fact[Any], ...]
    severity: Severity
    remediation: str
    tags: tuple[str, ...]
    of: str = HOST
    also: Needs = ()

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.judge.__name__

    @property
    def statement(self) -> str:
        """The sentence that is true when all is well."""
        return (self.judge.__doc__ or "").strip().splitlines()[0]


def check(
    *, needs: tuple[Fact[Any], ...], severity: Severity, remediation: str, tags: tuple[str, ...], of: str = HOST, also: Needs = ()
) -> Callable[[Judge], Check]:
    """Declare a function of (site, facts, target) that yields a Finding for each thing that it judges as a check."""
    return lambda judge: Check(judge, needs, severity, remediation, tags, of, also)


@dataclass(frozen=True)
class Verdict:
    """A finding with its check and target: a row of the audit."""

    check: Check
    host: str
    finding: Finding


def judge(checks: Iterable[Check], site: Site, facts: Facts, targets: Iterable[str]) -> tuple[Verdict, ...]:
    """Every check on every target of its kind that was read. A fact that could not be read or understood is a failed finding."""
    targets = [target for target in targets if target in facts]
    pairs = ((one, target) for one in checks for target in targets if kind_of(target) == one.of)
    return tuple(Verdict(one, target, finding) for one, target in pairs for finding in _findings(one, site, facts, target))


def needs_of(site: Site, checks: Iterable[Check], targets: Iterable[str]) -> dict[str, list[tuple[Fact[Any], ...]]]:
    """{target: the facts that these checks need of it}, also of targets of another kind that they read."""
    kinds = {target: kind_of(target) for target in targets}
    needs: dict[str, list[tuple[Fact[Any], ...]]] = {target: [] for target in kinds}
    for one in checks:
        own = [target for target, kind in kinds.items() if kind == one.of]
        for target in own:
            needs[target].append(one.needs)
        for kind, facts in one.also if own else ():
            for target in site.targets(kind):
                needs.setdefault(target, []).append(facts)
    return needs


def _findings(one: Check, site: Site, facts: Facts, target: str) -> Iterator[Finding]:
    if silent := [other for kind, _ in one.also for other in site.targets(kind) if other not in facts]:
        yield Finding(target, "readable", f"{', '.join(silent)} did not answer")
        return
    try:
        yield from one.judge(site, facts, target)
    except BurrowError as error:
        yield Finding(target, "readable", str(error))
    except UNEXPECTED as error:
        names = ", ".join(fact.name for fact in one.needs)
        yield Finding(target, "readable", f"cannot be judged: an unexpected answer among {names}: {error!r}")
