"""One run: its site, its hosts' facts, its lease, its events, and the one door through which it does a step on a host."""

import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nornir.core import Nornir
from nornir.core.task import Result, Task

from inventory.site import Site
from tasks.core.connectors.agent_session import Owner
from tasks.core.connectors.base import disconnect, step
from tasks.core.engine.events import Event, Watcher
from tasks.core.engine.streams import OutputLostError, complain
from tasks.core.model.errors import BurrowError, LinkError, Refused, TransactionError
from tasks.core.model.fact import Fact, HostFacts

# Left of a timer for the confirmation's own round trips.
MARGIN_S = 5
# What the operator is told at once. Rolling back may take as long as the longest timer, where a host does not answer.
INTERRUPTED_TEXT = "rolling back what is open; another Ctrl-C changes nothing, and without this run the hosts' own timers do it"


class Interrupted(BurrowError):
    """The operator pressed Ctrl-C, or a signal asked for the end."""


@dataclass(frozen=True)
class Timers:
    """How long an unconfirmed change lives, in seconds.

    `revert_s` is the timer of a set's last end; that of an end before it is longer by `apply_s` for each end that comes after it. The
    after-checks get `verify_s` at most, and never more than the timer leaves them. A host that is out of service comes back by itself
    `maintenance_s` after the run that took it out was last heard.
    """

    revert_s: int = 60
    verify_s: int = 40
    apply_s: int = 30
    maintenance_s: int = 180

    def __post_init__(self) -> None:
        if self.verify_s + MARGIN_S > self.revert_s:
            raise Refused(f"verify_s ({self.verify_s}) and {MARGIN_S} s to confirm must fit into revert_s ({self.revert_s})")


@dataclass
class Run:
    """State of one run. Threads share it: facts and events are guarded by one lock, hosts are held by one set at a time."""

    nornir: Nornir
    site: Site
    holder: str
    timers: Timers = field(default_factory=Timers)
    watchers: tuple[Watcher, ...] = ()
    rehearsal: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    facts: dict[str, HostFacts] = field(default_factory=dict)
    first_facts: dict[str, HostFacts] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    events: list[Event] = field(default_factory=list)
    switched_off: list[str] = field(default_factory=list)
    began: str = field(default_factory=lambda: time.strftime("%Y%m%dT%H%M%S"))
    leased: set[str] = field(default_factory=set)
    needs: Mapping[str, tuple[Fact[Any], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.owner = Owner(self.id, self.holder)
        self._lock = threading.RLock()
        self._held: set[str] = set()
        self._freed = threading.Condition()

    def say(self, kind: str, host: str = "", change_set: str = "", text: str = "") -> None:
        """Tell the watchers, in order. Output decides nothing: one that raises is switched off, which is noted once."""
        event = Event(kind, host, change_set, text)
        with self._lock:
            self.events.append(event)
            for watcher in self.watchers:
                self._tell(watcher, event)

    def _tell(self, watcher: Watcher, event: Event) -> None:
        try:
            watcher(event)
        except KeyboardInterrupt:  # the operator's, which only happened to come in here
            self.stop.set()
        except BaseException as error:  # noqa: BLE001 - a library may even leave with SystemExit where a pipe is closed
            self.watchers = tuple(one for one in self.watchers if one is not watcher)
            name = getattr(watcher, "__qualname__", watcher)
            self.switched_off.append(f"{name} is switched off at {event.kind!r}: {error!r}")
            if not isinstance(error, OutputLostError):  # the screen has said so itself
                complain(f"{self.switched_off[-1]}; the run goes on, and its record says what becomes of it")

    def ours(self, error: BaseException) -> BurrowError:
        """Any error as one of ours: Ctrl-C asks the whole run to end, all else is a fault of this program."""
        if isinstance(error, BurrowError):
            return error
        if isinstance(error, KeyboardInterrupt):
            self.stop.set()
            return Interrupted("interrupted")
        return TransactionError(f"a fault of this program: {error!r}")

    def do(self, host: str, verb: str, **arguments: Any) -> Any:
        """One step on one host, as a nornir task; the verb's answer. Raises the step's own error."""
        return self._task(host, step, owner=self.owner, verb=verb, **arguments)

    def reconnect(self, host: str) -> None:
        """The next step on the host opens a new connection."""
        self._task(host, disconnect)

    def _task(self, host: str, work: Any, **arguments: Any) -> Any:
        try:
            results = self.nornir.filter(name=host).run(task=work, on_failed=True, **arguments)
            self.nornir.data.failed_hosts.discard(host)
            outcome: Result = results[host][0]
        except Exception as error:  # the runner's own: no thread could be started
            raise LinkError(f"{host}: the step could not be run: {error!r}") from error
        if outcome.exception:
            raise outcome.exception
        return outcome.result

    @contextmanager
    def holding(self, hosts: Iterable[str]) -> Iterator[None]:
        """Sets that share a host queue on it. A set takes all of its hosts at once: one that waits keeps none from the others."""
        wanted = set(hosts)
        with self._freed:
            self._freed.wait_for(lambda: not wanted & self._held)
            self._held |= wanted
        try:
            yield
        finally:
            with self._freed:
                self._held -= wanted
                self._freed.notify_all()

    def pause(self, wait_s: float) -> None:
        """Wait between two polls. Raises Interrupted as soon as the operator asks."""
        if self.stop.wait(wait_s):
            raise Interrupted("interrupted")

    def observe(self, hosts: Iterable[str], needs: Mapping[str, tuple[Fact[Any], ...]]) -> dict[str, HostFacts | BurrowError]:
        """{host: what it says now, or why it did not answer}, in parallel."""
        wanted = set(hosts)
        if not wanted:
            return {}
        try:
            chosen = self.nornir.filter(filter_func=lambda host: host.name in wanted)
            results = chosen.run(task=_read, on_failed=True, owner=self.owner, needs=needs)
            self.nornir.data.failed_hosts.clear()
        except Exception as error:  # noqa: BLE001 - the runner's own: no thread could be started
            return {host: LinkError(f"{host}: it could not be read: {error!r}") for host in wanted}
        answers: dict[str, HostFacts | BurrowError] = {}
        for host, outcomes in results.items():
            raised = outcomes[0].exception
            ours = raised if raised is None or isinstance(raised, BurrowError) else LinkError(f"{host}: it could not be read: {raised!r}")
            answers[host] = ours or outcomes[0].result
        return answers

    def read(self, hosts: Iterable[str]) -> None:
        """Read all that is needed of hosts into `facts`; those that do not answer go into `unreachable` with the reason."""
        for host, answer in self.observe(hosts, self.needs).items():
            error = answer if isinstance(answer, BurrowError) else None
            with self._lock:
                self.facts.pop(host, None)
                self.unreachable.pop(host, None)
                if isinstance(answer, BurrowError):
                    self.unreachable[host] = str(answer)
                else:
                    self.facts[host] = answer
                    self.first_facts.setdefault(host, answer)
            self.say("failed" if error else "read", host, text=str(error or ""))

    def release(self) -> None:
        """Give back the leases that this run took; a host that does not answer lets its own lapse. Ctrl-C does not keep it from that."""
        while self.leased:
            host = min(self.leased)
            try:
                self.do(host, "release")
                self.leased.discard(host)
            except KeyboardInterrupt:
                self.stop.set()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other hosts' leases are given back
                self.leased.discard(host)
                self.say("failed", host, text=f"its lease was not given back and lapses by itself: {error}")


def _read(task: Task, owner: Owner, needs: Mapping[str, tuple[Fact[Any], ...]]) -> Result:
    """All facts of one host."""
    return step(task, owner, "read", facts=needs[task.host.name])
