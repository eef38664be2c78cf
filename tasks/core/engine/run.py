"""One run: its site, facts, leases and events, and the one method that performs a step on a host."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from nornir.core import Nornir
from nornir.core.inventory import Hosts, Inventory
from nornir.core.task import Result, Task

from inventory.site import Site
from tasks.core.connectors.agent_session import Owner
from tasks.core.connectors.base import step
from tasks.core.connectors.connection import disconnect
from tasks.core.engine.events import Event, Watcher
from tasks.core.engine.journal import STARTS, Journal, Unfinished
from tasks.core.engine.streams import OutputLostError, complain
from tasks.core.model.errors import BurrowError, LinkError, Refused, TransactionError
from tasks.core.model.fact import Fact, HostFacts, through, union

if TYPE_CHECKING:
    from tasks.core.model.plan import SetPlan

# Takes a host's facts, or why it did not answer.
Take = Callable[[str, HostFacts | BurrowError], None]
# The part of a timer that is reserved for the round trips of the confirmation.
MARGIN_S = 5
# Shown at once. Rolling back may take as long as the longest timer, if a host does not answer.
INTERRUPTED_TEXT = "rolling back open transactions; another Ctrl-C changes nothing. If this run dies, the hosts revert by their own timers"


class Interrupted(BurrowError):
    """The operator pressed Ctrl-C, or a signal asked the run to stop."""


@dataclass(frozen=True)
class Timers:
    """The timers of a change, in seconds.

    `revert_s`: the timer of a set's last end; each end before it gets `apply_s` more for every end that follows.
    `verify_s`: how long the checks after a change may take, at most until the timer.
    `maintenance_s`: a host in maintenance is put back by itself this long after the run last renewed its timer.
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
    """State of one run, shared by threads: one lock guards facts and events, and one set at a time holds a host."""

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
    shown: Mapping[str, "SetPlan"] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    max_failures: int | None = None
    journal: Journal | None = None
    unfinished: tuple[Unfinished, ...] = ()  # what killed runs left
    acknowledged: frozenset[str] = frozenset()
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)  # of the digests of its plans

    def __post_init__(self) -> None:
        self.owner = Owner(self.id, self.holder)
        self._lock = threading.RLock()
        self._held: set[str] = set()
        self._renewed = time.monotonic()
        self._freed = threading.Condition()

    def say(self, kind: str, host: str = "", change_set: str = "", text: str = "", *, operation: str = "", handle: str = "") -> None:
        """Write an event to the journal, then give it to the watchers, in order.

        Output decides nothing: a watcher that raises is switched off and noted once. Raises Refused where the event announces a step, and
        the journal cannot be written.
        """
        event = Event(kind, host, change_set, text, operation, handle)
        with self._lock:
            self._journalled(event)
            self.events.append(event)
            for watcher in self.watchers:
                self._tell(watcher, event)

    def note(self, entry: Mapping[str, Any]) -> None:
        """Write an entry to the journal alone; it waits until it is on disk. Raises Refused where it cannot be written."""
        if self.journal:
            with self._lock, self._writing(starts=True):
                self.journal.add(entry, sync=True)

    def _journalled(self, event: Event) -> None:
        if self.journal:
            with self._writing(starts=event.kind in STARTS):
                self.journal.event(event)

    @contextmanager
    def _writing(self, *, starts: bool) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"the journal of this run cannot be written: {error.strerror}"
            if starts:
                raise Refused(f"{reason}, so nothing more is started; free space, then run again") from error
            if reason not in self.switched_off:
                self.switched_off.append(reason)

    def _tell(self, watcher: Watcher, event: Event) -> None:
        try:
            watcher(event)
        except KeyboardInterrupt:  # pressed by the operator while a watcher ran
            self.stop.set()
        except BaseException as error:  # noqa: BLE001 - a library may even raise SystemExit on a closed pipe
            self.watchers = tuple(one for one in self.watchers if one is not watcher)
            name = getattr(watcher, "__qualname__", watcher)
            self.switched_off.append(f"{name} is switched off at {event.kind!r}: {error!r}")
            if not isinstance(error, OutputLostError):  # the screen reports that itself
                complain(f"{self.switched_off[-1]}; the run goes on, and its record has the result")

    def ours(self, error: BaseException) -> BurrowError:
        """Any exception as a BurrowError: Ctrl-C stops the whole run, anything else foreign is a fault of this program."""
        if isinstance(error, BurrowError):
            return error
        if isinstance(error, KeyboardInterrupt):
            self.stop.set()
            return Interrupted("interrupted")
        return TransactionError(f"a fault of this program: {error!r}")

    def do(self, host: str, verb: str, **arguments: Any) -> Any:
        """Perform one step on one host, as a nornir task; returns the answer of the verb. Raises the step's error."""
        return self._task(host, step, owner=self.owner, verb=verb, **arguments)

    def reconnect(self, host: str) -> None:
        """Close the connection, so that the next step on the host opens a new one."""
        self._task(host, disconnect)

    def _task(self, host: str, work: Any, **arguments: Any) -> Any:
        try:
            results = self._only([host]).run(task=work, on_failed=True, **arguments)
            self.nornir.data.failed_hosts.discard(host)
            outcome: Result = results[host][0]
        except Exception as error:  # of the runner itself: no thread could be started
            raise LinkError(f"{host}: the step could not be run: {error!r}") from error
        if outcome.exception:
            raise outcome.exception
        return outcome.result

    def _only(self, hosts: Iterable[str]) -> Nornir:
        """Nornir with only these hosts. Its own filter looks at every host of the site, 9 ms a step with 5,000 hosts."""
        known = self.nornir.inventory
        chosen = copy(self.nornir)
        chosen.inventory = Inventory(Hosts({name: known.hosts[name] for name in hosts}), known.groups, known.defaults)
        return chosen

    @contextmanager
    def holding(self, targets: Iterable[str]) -> Iterator[None]:
        """Hold all hosts of these targets at once, waiting until all of them are free: a set that waits holds none."""
        wanted = {host for target in targets for host in self.site.endpoints(target)}
        with self._freed:
            self._freed.wait_for(lambda: not wanted & self._held)
            self._held |= wanted
        try:
            yield
        finally:
            with self._freed:
                self._held -= wanted
                self._freed.notify_all()

    def enough_failed(self) -> str:
        """Why no further set is started; empty where fewer sets failed than --max-failures."""
        if self.max_failures is None or len(self.failures) < self.max_failures:
            return ""
        return f"{', '.join(map(repr, self.failures))} failed, and --max-failures is {self.max_failures}"

    def pause(self, wait_s: float) -> None:
        """Wait between two polls. Raises Interrupted as soon as the run is asked to stop."""
        if self.stop.wait(wait_s):
            raise Interrupted("interrupted")

    def observe(self, targets: Iterable[str], needs: Mapping[str, tuple[Fact[Any], ...]]) -> dict[str, HostFacts | BurrowError]:
        """{target: its facts now, or why it did not answer}, read in parallel: one round trip a host, also for the clusters behind it."""
        endpoints = {target: self.site.endpoints(target) for target in targets}
        asked: dict[str, list[tuple[Fact[Any], ...]]] = {}
        for target, hosts in endpoints.items():
            for host in hosts:
                asked.setdefault(host, []).append(needs[target])
        answers = self._observe_hosts({host: union(lists) for host, lists in asked.items()})
        return {
            target: answers[target] if target in answers else through(needs[target], {host: answers[host] for host in hosts})
            for target, hosts in endpoints.items()
        }

    def observe_each(self, needs: Mapping[str, tuple[Fact[Any], ...]], take: Take, *, close: bool) -> None:
        """Give each host's facts, or why it did not answer, to `take` once it was read, in the thread that read it; keep none of them.

        With `close` the host's connection ends then.
        """
        taken = set[str]()

        def take_one(host: str, answer: HostFacts | BurrowError) -> None:
            take(host, answer)
            taken.add(host)

        for host, error in self._observe_hosts(needs, take_one, close=close).items():
            if isinstance(error, BurrowError) and host not in taken:
                take(host, error)

    def _observe_hosts(
        self, needs: Mapping[str, tuple[Fact[Any], ...]], take: Take | None = None, *, close: bool = False
    ) -> dict[str, HostFacts | BurrowError]:
        if not needs:
            return {}
        try:
            results = self._only(needs).run(task=_read, on_failed=True, owner=self.owner, needs=needs, take=take, close=close)
            self.nornir.data.failed_hosts.clear()
        except Exception as error:  # noqa: BLE001 - of the runner itself: no thread could be started
            return {host: LinkError(f"{host}: it could not be read: {error!r}") for host in needs}
        answers: dict[str, HostFacts | BurrowError] = {}
        for host, outcomes in results.items():
            raised = outcomes[0].exception
            ours = raised if raised is None or isinstance(raised, BurrowError) else LinkError(f"{host}: it could not be read: {raised!r}")
            answers[host] = ours or outcomes[0].result
        return answers

    def read(self, targets: Iterable[str]) -> None:
        """Read the needed facts of the targets into `facts`; one that does not answer goes into `unreachable` with the reason."""
        for host, answer in self.observe(targets, self.needs).items():
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

    def keep_leases(self) -> None:
        """Renew the leases of this run while it waits, a third of their lifetime after the last time."""
        with self._lock:
            late = time.monotonic() - self._renewed > self.owner.ttl_s / 3
            self._renewed = time.monotonic() if late else self._renewed
        if late:
            self._observe_hosts(dict.fromkeys(sorted(self.leased.copy()), ()))  # reading renews a lease

    def release(self) -> None:
        """Release the leases of this run, even after Ctrl-C. On a host that does not answer, the lease expires."""
        while self.leased:
            host = min(self.leased)
            try:
                self.do(host, "release")
                self.leased.discard(host)
            except KeyboardInterrupt:
                self.stop.set()
            except Exception as error:  # noqa: BLE001 - the other leases are released whatever it is
                self.leased.discard(host)
                self.say("failed", host, text=f"its lease was not released and will expire: {error}")


def _read(task: Task, owner: Owner, needs: Mapping[str, tuple[Fact[Any], ...]], take: Take | None, *, close: bool) -> Result:
    """All facts of one host; none where somebody takes them."""
    if take is None:
        return step(task, owner, "read", facts=needs[task.host.name])
    try:
        read = step(task, owner, "read", facts=needs[task.host.name])
        take(task.host.name, cast("BurrowError", read.exception) if read.failed else read.result)
    except BurrowError as error:
        take(task.host.name, error)
    if close:
        disconnect(task)
    return Result(host=task.host)
