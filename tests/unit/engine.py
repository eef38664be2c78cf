"""A small site of hosts in memory, with the simplest change, check and change sets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from fake_host import FRESH, Clock, FakeHost, Stop
from nornir.core import Nornir
from nornir.plugins.runners import SerialRunner

from inventory.ceph_models import Ceph
from inventory.load import BurrowInventory, load
from inventory.site import Site
from tasks.core.engine.apply import apply_set
from tasks.core.engine.events import Event
from tasks.core.engine.execute import execute
from tasks.core.engine.run import Run, Timers
from tasks.core.engine.runbook import Options, Runbook, RunResult, Stage
from tasks.core.model.change import Candidate, Change, ChangeSet, Member, Step
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import STATUS, Fact, Facts
from tasks.core.model.maintenance import Maintenance
from tasks.core.model.outcome import Outcome
from tasks.network.links.facts import INTERFACES, STAGED
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

FOLDER = Path(__file__).parents[1] / "cases" / "engine"
HEALTH = Fact("health", "health", str.strip)
# The kinds of events. Only a test's own watcher emits the last one.
KINDS = {"read", "planned", "queued", "prepared", "armed", "applied", "reachable", "checked", "confirmed", "reverted", "failed", "refused"}
KINDS |= {"done", "stage", "ready", "put back", "rebooting", "noted"}
KINDS |= {"preparing", "applying", "confirming", "performing", "running", "performed", "undoing", "undone"}
TIMERS = Timers(revert_s=16, verify_s=10, apply_s=8)


@dataclass(frozen=True)
class Named:
    alias: str


@dataclass(frozen=True)
class Alias(Change[Named]):
    """A port has this alias."""

    needs: ClassVar = (INTERFACES, STAGED)
    host: str
    port: str
    alias: str = "uplink"

    def intend(self, *_: object) -> Named:
        return Named(self.alias)

    def observe(self, _: Site, facts: Facts) -> Named:
        return Named(" ".join(InterfacesFile(facts[self.host][INTERFACES]).get(self.port, "alias")))

    def steps(self, _: Site, __: Facts, want: Named) -> tuple[Step, ...]:
        return (Candidate(f"iface {self.port}\n\talias {want.alias}\n"),)


@check(needs=(HEALTH,), severity=Severity.CRITICAL, remediation="Give it rest.", tags=())
def host_is_well(_: Site, facts: Facts, host: str) -> Iterable[Finding]:
    """The host is well."""
    yield Finding(host, "well", facts[host][HEALTH] or "well", "health")


def uplink(node: str, switch: str = "sw-rack", port: str = "swp1") -> ChangeSet:
    """A set with a node's end, which is safe alone, and its switch's."""
    members = (Member(switch, (Alias(switch, port),)), Member(node, (Alias(node, "eth0"),), safe_alone=True))
    return ChangeSet(f"uplink {node}", members, (host_is_well,))


def runbook(*sets: ChangeSet, checks: tuple[Any, ...] = (), maintenance: Maintenance | None = None) -> Runbook:
    return Runbook("Try the engine.", (Stage("network", (lambda _: sets,), checks, maintenance),))


def clustered(run: Run) -> Run:
    """The run, on a site with a Ceph cluster that has three endpoints."""
    block = Ceph(cluster="attic", network="10.103.0.0/24", monitors=("alvin", "simon", "sw-rack"))
    run.site = run.site.model_copy(update={"ceph": block})
    return run


load_once = cache(load)  # a run needs its own Nornir inventory, but not its own site


@cache
def inventory() -> BurrowInventory:
    return BurrowInventory(str(FOLDER), ssh_config="none")


@dataclass
class World:
    """The hosts, the requests that they received, and any number of runs."""

    clock: Clock = field(default_factory=Clock)
    journal: list[tuple[str, str]] = field(default_factory=list)
    hosts: dict[str, FakeHost] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("alvin", "simon", "sw-rack", "sw-vendor"):
            self.hosts[name] = FakeHost(name, self.clock, self.journal)

    def __getitem__(self, name: str) -> FakeHost:
        return self.hosts[name]

    def run(self, *sets: ChangeSet, **options: Any) -> Run:
        """A run of these sets, which reads its facts when it needs them."""
        loaded = inventory().load()
        run = Run(Nornir(loaded, runner=SerialRunner()), loaded.defaults.data["site"], "kim@desk", TIMERS, stop=Stop(self.clock), **options)
        self.runs.append(run)
        facts = (STATUS, INTERFACES, STAGED, HEALTH)
        run.needs = {host: facts for one in sets for host in one.hosts}
        return run

    def apply_set(self, one: ChangeSet, run: Run | None = None) -> Outcome:
        """Apply one set, in its own run."""
        run = run or self.run(one)
        outcome = apply_set(run, one)
        run.release()
        return outcome

    def execute(
        self,
        *sets: ChangeSet,
        checks: tuple[Any, ...] = (),
        maintenance: Maintenance | None = None,
        yes: bool = True,
        run: Run | None = None,
        **options: Any,
    ) -> RunResult:
        return execute(
            runbook(*sets, checks=checks, maintenance=maintenance),
            Options(**options),
            run or self.run(*sets),
            lambda *_: yes and not options.get("dry_run"),
        )

    def asked(self, *verbs: str) -> list[tuple[str, str]]:
        """The requests of these kinds, in order."""
        return [asked for asked in self.journal if asked[1] in verbs]

    def unknown_kinds(self) -> set[str]:
        """The emitted events that are not in KINDS: a watcher would never see them."""
        return {event.kind for run in self.runs for event in run.events} - KINDS

    def untouched(self, *names: str) -> bool:
        return all(self[name].files["/etc/network/interfaces"] == FRESH for name in names)


def events_of(run: Run, *kinds: str) -> list[tuple[str, str]]:
    """The run's events of these kinds, in order."""
    return [(event.kind, event.host) for event in run.events if event.kind in kinds]


def when(kind: str, host: str, then: Any) -> Any:
    """A watcher that calls a function at an event."""

    def watch(event: Event) -> None:
        if (event.kind, event.host) == (kind, host):
            then()

    return watch
