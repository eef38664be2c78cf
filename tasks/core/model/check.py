"""Checks: statements about facts that are true when all is well. A check judges; it reads nothing itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory.site import Site
from inventory.targets import HOST, kind_of
from tasks.core.model.errors import UNEXPECTED, BurrowError
from tasks.core.model.fact import Fact, Facts, HostFacts
from tasks.core.model.shape import reason
from tasks.core.model.shown import shown


class Severity(StrEnum):
    """What a failed check means for the site."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    NOTE = "note"


class Scope(StrEnum):
    """Whose facts a check reads besides those in `also`: its target's own, its cable neighbours' too, or a value of every target."""

    OWN = "own"
    PEERS = "peers"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result for one target. `subject` is what a change set waits for by name: a bond, a bridge, a file."""

    target: str
    want: str
    got: str
    subject: str = ""
    passed: bool | None = None

    def __post_init__(self) -> None:
        """Make text that came from hosts fit to be shown. Two texts that differ only in a secret are not equal all the same."""
        seen = [shown(text, keep="") for text in (self.target, self.want, self.got)]
        if seen != [self.target, self.want, self.got]:
            object.__setattr__(self, "passed", self.ok)
            for field, text in zip(("target", "want", "got"), seen, strict=True):
                object.__setattr__(self, field, text)

    @property
    def ok(self) -> bool:
        """Whether it is as wanted; by default, whether both texts are equal."""
        return self.want == self.got if self.passed is None else self.passed


class Kept(dict[str, Any]):
    """{target: the value that a check of the whole site keeps of it}. Reading a value that could not be read raises BurrowError."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._having: dict[Any, list[str]] | None = None

    def __getitem__(self, target: str) -> Any:
        if isinstance(value := super().__getitem__(target), BurrowError):
            raise value
        return value

    def having(self, value: Any) -> Sequence[str]:
        """The targets with this value, by name."""
        if self._having is None:
            self._having = {}
            for target, one in sorted(self.items()):
                if not isinstance(one, BurrowError):
                    self._having.setdefault(one, []).append(target)
        return self._having.get(value, ())


# The second argument is the facts by target, of a check of the whole site what it keeps.
Judge = Callable[[Site, Any, str], Iterator[Finding]]
# (kind, facts) pairs: what is needed of every target of a kind.
Needs = tuple[tuple[str, tuple[Fact[Any], ...]], ...]


@dataclass(frozen=True)
class Check:
    """A judge of (site, facts, target), and the remedy where it fails.

    It judges each target `of` a kind by the facts that it `needs` of that target, and, in `also`, of all targets of another kind. Facts of
    targets outside its scope are not there. One of the whole site has `keep`: what it keeps of a target's facts, a small value.
    """

    judge: Judge
    needs: tuple[Fact[Any], ...]
    severity: Severity
    remediation: str
    tags: tuple[str, ...]
    of: str = HOST
    also: Needs = ()
    scope: Scope = Scope.OWN
    keep: Callable[[HostFacts], Any] | None = None

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.judge.__name__

    @property
    def statement(self) -> str:
        """The sentence that is true when all is well."""
        return (self.judge.__doc__ or "").strip().splitlines()[0]


def check(**words: Any) -> Callable[[Judge], Check]:
    """Declare a function of (site, facts, target) that yields a Finding for each thing that it judges as a check. The words are Check's."""
    return lambda judge: Check(judge, **words)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding with its check and target: a row of the audit."""

    check: Check
    host: str
    finding: Finding


def judge(checks: Iterable[Check], site: Site, facts: Facts, targets: Iterable[str]) -> tuple[Verdict, ...]:
    """Every check on every target of its kind that was read. A fact that could not be read or understood is a failed finding."""
    targets, found = [target for target in targets if target in facts], list[Verdict]()
    for one in checks:
        if one.scope is Scope.SITE:
            kept = Kept({target: value_of(one, facts[target]) for target in facts if kind_of(target) == one.of})
            found += judge_kept(one, site, kept, targets)
            continue
        for target in (target for target in targets if kind_of(target) == one.of):
            given = _within(one, site, facts, target)
            silent = [other for kind, _ in one.also for other in site.targets(kind) if other not in facts]
            found += (Verdict(one, target, finding) for finding in _findings(one, site, given, target, silent))
    return tuple(found)


def judge_kept(one: Check, site: Site, kept: Kept, targets: Iterable[str]) -> tuple[Verdict, ...]:
    """A check of the whole site on each target that was read."""
    read = (target for target in targets if target in kept)
    return tuple(Verdict(one, target, finding) for target in read for finding in _findings(one, site, kept, target, ()))


def value_of(one: Check, facts: HostFacts) -> Any:
    """What it keeps of one target, or the error where that cannot be read."""
    assert one.keep is not None
    try:
        return one.keep(facts)
    except BurrowError as error:
        return error


def _within(one: Check, site: Site, facts: Facts, target: str) -> Facts:
    """The facts within the check's scope."""
    names = [target, *(other for kind, _ in one.also for other in site.targets(kind))]
    names += [cable.far(target).host for cable in site.cables_of(target)] if one.scope is Scope.PEERS else []
    return {name: facts[name] for name in names if name in facts}


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


def _findings(one: Check, site: Site, given: Any, target: str, silent: Sequence[str]) -> Iterator[Finding]:
    if silent:
        yield Finding(target, "readable", f"{', '.join(silent)} did not answer")
        return
    try:
        yield from one.judge(site, given, target)
    except BurrowError as error:
        yield Finding(target, "readable", str(error))
    except UNEXPECTED as error:
        names = ", ".join(fact.name for fact in one.needs)
        yield Finding(target, "readable", f"{target}: cannot be judged by {names or 'its facts'}: {reason(error)}")
