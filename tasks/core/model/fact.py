"""Facts: what is read from a host, by one command each, and parsed only when somebody asks."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Generic, Self, TypeVar, cast

from inventory.site import Site
from tasks.core.model.errors import UNEXPECTED, BurrowError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


# What waits for others has a limit of its own: at the one of the whole reading all of a host's facts are lost.
BOUNDED = """command=$(cat <<'END_OF_COMMAND'
{command}
END_OF_COMMAND
)
timeout -k 1 {within_s} sh -c "$command" </dev/null
code=$?
case $code in 124|137) echo 'no answer within {within_s} s' >&2;; esac
exit $code
"""


@dataclass(frozen=True)
class Reading:
    """What one command answered."""

    rc: int
    out: str
    err: str = ""


@dataclass(frozen=True)
class Fact(Generic[T_co]):
    """A command, read-only and the same on both links, and what its output means.

    `parse` gets the reading and is pure. A command that may fail says so itself (`|| true`): any other exit code than 0 is an error.
    Where the command depends on the inventory, `of_site` makes it of the site and the host's name. What is to be compared with another
    fact a while later is read `last`, after all others. One that waits for a cluster or a server is ended after `within_s` seconds.
    """

    name: str
    command: str
    parse: Callable[[str], T_co]
    of_site: Callable[[Site, str], str] | None = None
    last: bool = False
    within_s: int | None = None

    def on(self, site: Site, host: str) -> Self:
        """The fact with the command for this host."""
        command = self.of_site(site, host) if self.of_site else self.command
        bounded = BOUNDED.replace("{command}", command).replace("{within_s}", str(self.within_s))
        return replace(self, command=bounded if self.within_s else command)

    @property
    def called(self) -> str:
        """The fact as a message names it: a script by its name."""
        return self.name if "\n" in self.command or self.of_site else f"`{self.command}`"


def text(name: str, path: str) -> Fact[str]:
    """The fact that a file holds; an absent file is an empty text."""
    return Fact(name, f"cat {path} 2>/dev/null || true", str)


def unit_states(*units: str) -> str:
    """The command that says Id, ActiveState and UnitFileState of each unit.

    Whether one is enabled is looked up on disk: what `systemctl show` says of a unit that is loaded is from when it was loaded.
    """
    return (
        f"for unit in {' '.join(units)}; do systemctl show -p Id,ActiveState $unit;"
        ' echo "UnitFileState=$(systemctl is-enabled $unit 2>/dev/null)"; echo; done'
    )


# A fact of a device with an API is its calls, a line each: this word, the method, and its parameters as JSON.
CALL = "call "
# The host agent answers this command itself, on either link: pending transaction, lease, last records.
STATUS_COMMAND = "burrow status --json"


def _status(output: str) -> dict[str, Any]:
    """What the host agent says of itself. Raises ValueError or TypeError where it is of another shape: what is open is not known then."""
    said = json.loads(output)
    if not isinstance(said, dict) or not {"pending", "records", "boot"} <= said.keys():
        raise ValueError("wanted an object with pending, records and boot")
    pending, records = said["pending"], said["records"]
    if pending is not None:
        _has(pending, "run", "holder", "why")
        if not isinstance(pending.get("revert_in_s"), int | float) or not isfinite(pending["revert_in_s"]):
            raise ValueError("wanted the seconds that a pending transaction has left")
    if not isinstance(records, list):
        raise TypeError("wanted a list of records")
    for record in records:
        _has(record, "outcome", "reason", "holder", "why", "at")
    return said


def _has(found: object, *names: str) -> None:
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in names):
        raise ValueError(f"wanted the texts {', '.join(names)}")


STATUS: Fact[dict[str, Any]] = Fact("burrow_status", STATUS_COMMAND, _status)


@dataclass
class HostFacts:
    """All that was read from one host in one go."""

    host: str
    readings: Mapping[str, Reading]
    _parsed: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, fact: Fact[T]) -> T:
        """The parsed fact. Raises BurrowError when its command failed or its output cannot be understood."""
        if fact.name not in self._parsed:
            reading = self.readings.get(fact.name)
            if reading is None:
                raise BurrowError(f"{self.host}: {fact.name} was not read")
            if reading.rc:
                raise BurrowError(f"{self.host}: {fact.called} ended with {reading.rc}: {(reading.err or reading.out).strip()[-300:]}")
            try:
                self._parsed[fact.name] = fact.parse(reading.out)
            except BurrowError as error:
                raise BurrowError(f"{self.host}: {error}") from error
            except UNEXPECTED as error:
                raise BurrowError(f"{self.host}: {fact.called} answered what cannot be read as {fact.name}: {error!r}") from error
        return cast("T", self._parsed[fact.name])


# A set's hosts, not one host: a partner's MAC is the other end's fact.
Facts = Mapping[str, HostFacts]


def union(needs: Iterable[Iterable[Fact[Any]]]) -> tuple[Fact[Any], ...]:
    """Each fact once, in the order of first mention, but for those that are read last."""
    found = {fact.name: fact for facts in needs for fact in facts}
    return tuple(sorted(found.values(), key=lambda fact: fact.last))
