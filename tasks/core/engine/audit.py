"""An audit reads each host, judges it, reports it and forgets it, so its memory does not grow with the site's facts.

The endpoints of clusters come first, because checks of other hosts read the clusters. What a check compares with cable neighbours is held
until both ends were read; of a check of the whole site, one value a host.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inventory.targets import HOST, kind_of
from tasks.core.model.check import Check, Kept, Scope, Verdict, judge, judge_kept, value_of
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import STATUS, Fact, HostFacts

if TYPE_CHECKING:
    from tasks.core.engine.run import Run


@dataclass
class Audit:
    """The checks of an audit, the targets that they judge, and what was read and judged so far."""

    run: "Run"
    checks: Sequence[Check]
    judged: frozenset[str]
    keeps_connections: bool = False
    clusters: dict[str, HostFacts] = field(default_factory=dict)
    held: dict[str, HostFacts] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._own = [one for one in self.checks if one.scope is Scope.OWN]
        self._peers = [one for one in self.checks if one.scope is Scope.PEERS]
        self._site = [one for one in self.checks if one.scope is Scope.SITE]
        self._values: dict[str, dict[str, Any]] = {one.name: {} for one in self._site}
        self._names = frozenset(fact.name for one in self._peers for fact in one.needs)
        self._left: dict[str, set[str]] = {}
        self._needed: dict[str, set[str]] = {}

    def perform(self, needs: Mapping[str, tuple[Fact[Any], ...]]) -> tuple[Verdict, ...]:
        """Read the targets that `needs` names, and return all verdicts, in the order of the checks."""
        run = self.run
        hosts = [target for target in needs if run.site.endpoints(target) == (target,)]
        clusters = [target for target in needs if target not in hosts]
        for host in hosts:
            self._left[host] = {host, *(cable.far(host).host for cable in run.site.cables_of(host))} & set(hosts)
            self._needed[host] = set(self._left[host])
        first = {host for target in clusters for host in run.site.endpoints(target)}
        answers = run.observe((*clusters, *(host for host in hosts if host in first)), needs)
        self.clusters = {target: answers[target] for target in clusters if isinstance(answers[target], HostFacts)}  # type: ignore[misc]
        for target in clusters:
            self._take(target, answers[target])
        for host in (host for host in hosts if host in first):
            self._take(host, answers[host])
        run.observe_each({host: needs[host] for host in hosts if host not in first}, self._take, close=not self.keeps_connections)
        return self._all(hosts)

    def _take(self, target: str, answer: HostFacts | BurrowError) -> None:
        """Judge a target that was read, and its neighbours that waited for it."""
        with self._lock:
            error = answer if isinstance(answer, BurrowError) else None
            if isinstance(answer, BurrowError):
                self.run.unreachable[target] = str(answer)
            elif kind_of(target) == HOST or target not in self.clusters:
                self._judge_own(target, answer)
            elif target in self.judged:
                self.verdicts[target] = list(judge(self._own, self.run.site, self.clusters, [target]))
            self._forget(target)
        self.run.say("failed" if error else "read", target, text=str(error or ""))

    def _judge_own(self, host: str, facts: HostFacts) -> None:
        if host in self.judged:
            self.verdicts.setdefault(host, []).extend(judge(self._own, self.run.site, {**self.clusters, host: facts}, [host]))
        for one in self._site:
            self._values[one.name][host] = value_of(one, facts)
        if STATUS.name in facts.readings:
            self.run.first_facts[host] = HostFacts(host, {STATUS.name: facts.readings[STATUS.name]})
        self.held[host] = HostFacts(host, {name: one for name, one in facts.readings.items() if name in self._names})

    def _forget(self, host: str) -> None:
        """Judge what was waiting for this host alone, and forget the facts that nobody needs any more."""
        for waiting in self._needed.get(host, ()):
            self._left[waiting].discard(host)
            if not self._left[waiting]:
                if waiting in self.held and waiting in self.judged:
                    self.verdicts.setdefault(waiting, []).extend(
                        judge(self._peers, self.run.site, {**self.clusters, **self.held}, [waiting])
                    )
                for other in self._needed[waiting]:
                    if not any(self._left[third] for third in self._needed[other]):
                        self.held.pop(other, None)

    def _all(self, hosts: Iterable[str]) -> tuple[Verdict, ...]:
        for one in self._site:
            for verdict in judge_kept(one, self.run.site, Kept(self._values[one.name]), [host for host in hosts if host in self.judged]):
                self.verdicts.setdefault(verdict.host, []).append(verdict)
        order = {one.name: number for number, one in enumerate(self.checks)}
        found = [verdict for host in self.verdicts for verdict in self.verdicts[host]]
        places = {host: number for number, host in enumerate((*hosts, *self.clusters))}
        return tuple(sorted(found, key=lambda one: (order[one.check.name], places.get(one.host, 0))))
