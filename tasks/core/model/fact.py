"""Facts: what is read from a host, one command each, parsed at first use."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite
from typing import Any, Generic, Protocol, Self, TypeVar, cast, get_type_hints, runtime_checkable

from inventory.site import Site
from tasks.core.agent.secrets import last
from tasks.core.model.errors import UNEXPECTED, BurrowError, LinkError
from tasks.core.model.shape import REMEDY, misfit, reason, shortened

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


# A command that waits for a cluster or a server has its own deadline: the deadline of the whole reading would lose all facts of the host.
BOUNDED = """command=$(cat <<'END_OF_COMMAND'
{command}
END_OF_COMMAND
)
timeout -k 1 {within_s} sh -c "$command" </dev/null
code=$?
case $code in 124|137) echo 'no answer within {within_s} s' >&2;; esac
exit $code
"""


@cache
def _returned(parse: Callable[[str], Any]) -> Any:
    return parse if isinstance(parse, type) else get_type_hints(parse).get("return", Any)


@dataclass(frozen=True)
class Reading:
    """What one command answered."""

    rc: int
    out: str
    err: str = ""


@dataclass(frozen=True)
class Fact(Generic[T_co]):
    """A read-only command, the same on every connector, and the pure function that parses its output.

    Any exit code other than 0 is an error, so a command ends in `|| true` only where its output alone proves what is absent. `of_site`
    builds a command that depends on the inventory, from the site and the host's name; an empty one means that the host has no such fact,
    which is not read then. A fact that is compared with an earlier one is read `last`, after all others. A command that waits for a cluster
    or a server is ended after `within_s` seconds. Of a target with several endpoints, `answers` is whether one of them knows the target:
    another is asked where it does not.
    """

    name: str
    command: str
    parse: Callable[[str], T_co]
    of_site: Callable[[Site, str], str] | None = None
    last: bool = False
    within_s: int | None = None
    answers: Callable[[T_co], bool] | None = None

    def on(self, site: Site, host: str) -> Self:
        """The fact with the command for this host."""
        command = self.of_site(site, host) if self.of_site else self.command
        bounded = BOUNDED.replace("{command}", command).replace("{within_s}", str(self.within_s))
        return replace(self, command=bounded if self.within_s and command else command)

    @property
    def kind(self) -> Any:
        """The type that its parser declares to return, Any if it declares none."""
        return _returned(self.parse)

    @property
    def called(self) -> str:
        """The name of the fact in messages: the command, or for a script the fact's name."""
        return self.name if "\n" in self.command or self.of_site else f"`{self.command}`"


# A file is absent where the nearest folder above it that can be listed does not have the next name of its path.
READ_FILE = """cat {path} || {
  path={path}
  until names=$(ls -A "${path%/*}/" 2>/dev/null); do path=${path%/*}; [ "$path" ] || exit 1; done
  ! printf %s "$names" | grep -qxF -e "${path##*/}" || { echo "$path is there, but cannot be read" >&2; exit 1; }
}"""


def text(name: str, path: str) -> Fact[str]:
    """The text of a file; empty where the file is proven to be absent. An unreadable file is an error."""
    return Fact(name, READ_FILE.replace("{path}", path), str)


# A fact of a device with an API is one call a line: this word, the method, and its parameters as JSON.
CALL = "call "
# The host agent itself answers this command: pending transaction, lease, last records.
STATUS_COMMAND = "burrow status --json"


def _status(output: str) -> dict[str, Any]:
    """The host agent's status. Raises ValueError or TypeError where its shape is unexpected: what is pending is unknown then."""
    status = json.loads(output)
    if not isinstance(status, dict) or not {"pending", "lease", "records", "boot"} <= status.keys():
        raise ValueError("wanted an object with pending, lease, records and boot")
    pending, records = status["pending"], status["records"]
    if pending is not None:
        _has(pending, "run", "holder", "why")
        if not isinstance(pending.get("revert_in_s"), int | float) or not isfinite(pending["revert_in_s"]):
            raise ValueError("wanted the seconds that a pending transaction has left")
    if not isinstance(records, list):
        raise TypeError("wanted a list of records")
    for record in records:
        _has(record, "outcome", "reason", "holder", "why", "at")
    for one in status.get("deferred", ()):
        _has(one, "why", "holder", "trouble")
    if status["lease"] is not None:
        _has(status["lease"], "holder", "since")
    return status


def _has(found: object, *names: str) -> None:
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in names):
        raise ValueError(f"wanted the texts {', '.join(names)}")


STATUS: Fact[dict[str, Any]] = Fact("burrow_status", STATUS_COMMAND, _status)


@runtime_checkable
class OfHost(Protocol):
    """A parsed fact whose errors come later, when a part of it is used. They name its host."""

    def of(self, host: str) -> Self:
        """The same, as this host gave it."""


@dataclass
class HostFacts:
    """All facts that were read from one host in one round trip.

    Of a cluster they are those of the host that answered for it; `each` has those of every endpoint that answered.
    """

    host: str
    readings: Mapping[str, Reading] = field(repr=False)
    each: "Mapping[str, HostFacts]" = field(default_factory=dict, repr=False)
    parsed: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, fact: Fact[T]) -> T:
        """The parsed fact. Raises BurrowError when its command failed or its output cannot be understood."""
        if fact.name not in self.parsed:
            reading = self.readings.get(fact.name)
            if reading is None:
                raise BurrowError(f"{self.host}: {fact.name} was not read")
            if reading.rc:
                raise BurrowError(f"{self.host}: {fact.called} ended with {reading.rc}: {last((reading.err or reading.out).strip(), 300)}")
            self.parsed[fact.name] = self._parse(fact, reading.out)
        return cast("T", self.parsed[fact.name])

    def _parse(self, fact: Fact[T], output: str) -> T:
        try:
            value = fact.parse(output)
        except BurrowError as error:
            raise BurrowError(f"{self.host}: {shortened(str(error))}") from error
        except UNEXPECTED as error:
            raise self._odd(fact, reason(error, output)) from error
        if wrong := misfit(value, fact.kind):
            raise self._odd(fact, wrong)
        return value.of(self.host) if isinstance(value, OfHost) else value

    def _odd(self, fact: Fact[T], why: str) -> BurrowError:
        return BurrowError(f"{self.host}: {fact.called} answered what cannot be read as {fact.name}: {why}; {REMEDY}")


# By target: of all targets of a set, because a check may compare both ends of a cable.
Facts = Mapping[str, HostFacts]


def through(needs: Iterable[Fact[Any]], answers: Mapping[str, HostFacts | BurrowError]) -> HostFacts | BurrowError:
    """A cluster's facts: those of the first of its endpoints that knows the cluster, else of the first that answered, else all errors."""
    each = {host: answer for host, answer in answers.items() if isinstance(answer, HostFacts)}
    if not each:
        return LinkError("; ".join(dict.fromkeys(str(answer) for answer in answers.values())))
    needs = tuple(needs)
    best = min(each.values(), key=lambda one: sum(not _knows(one, fact) for fact in needs))
    return replace(best, each=each)


def _knows(facts: HostFacts, fact: Fact[Any]) -> bool:
    """Whether the fact was read there, and has something to tell."""
    try:
        return fact.answers is None or fact.answers(facts[fact])
    except (BurrowError, *UNEXPECTED):
        return False


def union(needs: Iterable[Iterable[Fact[Any]]]) -> tuple[Fact[Any], ...]:
    """Each fact once, in the order of first mention; those that are read last at the end."""
    found = {fact.name: fact for facts in needs for fact in facts}
    return tuple(sorted(found.values(), key=lambda fact: fact.last))
