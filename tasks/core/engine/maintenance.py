"""Takes a host out of service for a change and puts it back, also after a failure.

Taking it out is a transaction, and its revert puts the host back: by this run, by the timer once the run no longer renews it, or by the
boot of the host that holds the transaction, which retries until it succeeds.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inventory.targets import HOST, kind_of
from tasks.core.model.change import ChangeSet
from tasks.core.model.check import Check, Verdict, judge, needs_of
from tasks.core.model.errors import UNEXPECTED, BurrowError, CheckFailed, LinkError, Refused, Reverting, TransactionError
from tasks.core.model.fact import STATUS, Facts, HostFacts, union
from tasks.core.model.maintenance import ENDED, Maintenance, Preparation
from tasks.core.model.operation import TimedTransaction
from tasks.core.model.plan import SetPlan, TargetPlan, of_host
from tasks.core.model.shape import reason

if TYPE_CHECKING:
    from tasks.core.engine.run import Run

# How long a host may take to come back.
BACK_S = 300
POLL_S = 1.0
# The share of `maintenance_s` after which the timer is renewed: two renewals in a row may fail.
RENEW_AFTER = 0.25


def look(run: "Run", maintenance: Maintenance, hosts: Iterable[str]) -> Facts:
    """The facts that the maintenance of these hosts reads, without targets that do not answer."""
    return {host: answer for host, answer in _look(run, maintenance, hosts).items() if not isinstance(answer, BurrowError)}


def _look(run: "Run", maintenance: Maintenance, hosts: Iterable[str]) -> Mapping[str, HostFacts | BurrowError]:
    wanted = {name for host in hosts for name in maintenance.around(run.site, host)}
    needs = needs_of(run.site, (*maintenance.checks, *maintenance.entry_checks), wanted)
    own = {target: union([(STATUS,), *lists, maintenance.needs if kind_of(target) == HOST else ()]) for target, lists in needs.items()}
    return run.observe(own, own)


def failing(run: "Run", maintenance: Maintenance, checks: tuple[Check, ...], host: str) -> tuple[Verdict, ...]:
    """The failed verdicts on a host, its peers and the clusters. Raises LinkError where the host does not answer."""
    answers = _look(run, maintenance, (host,))
    for target, answer in answers.items():
        if isinstance(answer, BurrowError) and (target == host or kind_of(target) != HOST):
            raise LinkError(str(answer))
    facts = {name: answer for name, answer in answers.items() if not isinstance(answer, BurrowError)}
    return tuple(verdict for verdict in judge(checks, run.site, facts, maintenance.around(run.site, host)) if not verdict.finding.ok)


@dataclass(frozen=True)
class Scope:
    """The maintenance of a stage, the `hosts` that need it, and those whose state is `unknown`, with the reason.

    If their facts cannot be judged, any of them may need it, and `refused` is the reason why none is touched. The sets named in
    `coordinated` are applied at the same time, so outside of maintenance, but only while all checks pass.
    """

    maintenance: Maintenance
    hosts: frozenset[str]
    facts: Facts
    unknown: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    coordinated: frozenset[str] = frozenset()

    @classmethod
    def of(cls, run: "Run", maintenance: Maintenance, sets: Iterable[ChangeSet], coordinated: frozenset[str] = frozenset()) -> "Scope":
        """The scope for the present state of the sets' hosts."""
        may = {host for one in sets for host in one.hosts} & set(maintenance.may_concern(run.site))
        facts = look(run, maintenance, may)
        try:
            concerned = frozenset(maintenance.concerns(run.site, facts, may))
            return cls(maintenance, concerned, facts, maintenance.unknown(run.site, facts, may - concerned), coordinated=coordinated)
        except (BurrowError, *UNEXPECTED) as error:
            hosts = ", ".join(sorted(facts))
            why = str(error) if isinstance(error, BurrowError) else f"{hosts}: cannot be judged by their facts: {reason(error)}"
            return cls(maintenance, frozenset(may), facts, refused=why, coordinated=coordinated)

    def at_its_turn(self, run: "Run", change_set: ChangeSet) -> "Scope":
        """The scope read again if the state of a host was unknown: an earlier set may have repaired it."""
        return Scope.of(run, self.maintenance, (change_set,), self.coordinated) if set(change_set.hosts) & self.unknown.keys() else self

    def concerned(self, change_set: ChangeSet) -> tuple[str, ...]:
        """The set's hosts that are in maintenance while it is applied."""
        return () if change_set.name in self.coordinated else tuple(host for host in change_set.hosts if host in self.hosts)

    def lock(self, change_set: ChangeSet) -> str:
        """The lock of the set, or that of the maintenance where it needs one; empty where it needs none."""
        known = change_set.name in self.coordinated or not set(change_set.hosts) & self.unknown.keys()
        return change_set.concurrency.lock or ("" if known and not self.concerned(change_set) else self.maintenance.lock)

    def out_of_service(self, run: "Run", change_set: ChangeSet) -> AbstractContextManager[None]:
        """The maintenance of the set's hosts, as a context. Raises Refused where their state is unknown or a check fails."""
        hosts = self.concerned(change_set)
        serving = [host for host in change_set.hosts if host in self.hosts]
        if serving and self.refused:
            raise Refused(self.refused)
        for host in serving if change_set.name in self.coordinated else ():
            refuse_unless_well(run, self.maintenance, host)
        return in_maintenance(run, self.maintenance, hosts, change_set.name) if hosts else nullcontext()

    def shown(self, run: "Run", plan: SetPlan) -> SetPlan:
        """The plan with the maintenance in its impact, or refused where that is impossible."""
        try:
            return replace(plan, targets=tuple(self._shown(run, host, coordinated=plan.coordinated) for host in plan.targets))
        except Refused as error:
            return replace(plan, targets=(), refused=str(error))

    def _shown(self, run: "Run", plan: TargetPlan, *, coordinated: bool) -> TargetPlan:
        if plan and plan.target in self.unknown:
            return replace(plan, impact=(*plan.impact, self.unknown[plan.target], "one host at a time, without maintenance"))
        if plan and plan.target in self.hosts and coordinated:
            return replace(plan, impact=(*plan.impact, "together with the other routers, and only while all checks pass"))
        if not plan or plan.target not in self.hosts:
            return plan
        if self.refused:
            raise Refused(self.refused)
        around = [action.shown for one in self.maintenance.preparations(run.site, self.facts, plan.target) for action in one.actions]
        return replace(plan, impact=(*plan.impact, *around, "one host at a time, and only while all checks pass"))


@contextmanager
def in_maintenance(run: "Run", maintenance: Maintenance, hosts: Iterable[str], why: str) -> Iterator[None]:
    """Inside the block the hosts are out of service; it ends once all checks pass again.

    Raises Refused where a check fails before, CheckFailed where one still fails after BACK_S seconds.
    """
    hosts = tuple(hosts)
    for host in hosts:
        refuse_unless_well(run, maintenance, host)
    with ExitStack() as preparations:
        for host in hosts:
            for one in maintenance.preparations(run.site, look(run, maintenance, (host,)), host):
                preparations.enter_context(_out_of_service(run, host, why, one))
        yield
        for host in hosts:
            wait_until_well(run, maintenance, maintenance.checks, host)
    for host in hosts:
        wait_until_well(run, maintenance, (*maintenance.checks, *maintenance.entry_checks), host)


def refuse_unless_well(run: "Run", maintenance: Maintenance, host: str) -> None:
    """Raises Refused with the failed checks of the host and its peers."""
    if bad := failing(run, maintenance, (*maintenance.checks, *maintenance.entry_checks), host):
        reasons = "".join(f"\n  {one.finding.target}: wanted {one.finding.want}, found {one.finding.got}" for one in bad)
        raise Refused(f"{host}: refused, because checks fail; `python runbooks/audit.py` lists the remedies:{reasons}")


def wait_until_well(run: "Run", maintenance: Maintenance, checks: tuple[Check, ...], host: str) -> None:
    """Wait until all checks of the host and its peers pass. Raises CheckFailed with those that fail after BACK_S seconds."""
    deadline = time.monotonic() + BACK_S
    while True:
        try:
            trouble = "; ".join(
                f"{one.finding.target}: {one.check.statement} Found: {one.finding.got}" for one in failing(run, maintenance, checks, host)
            )
        except LinkError as error:
            trouble = str(error)
        if not trouble:
            return
        if time.monotonic() > deadline:
            raise CheckFailed(f"{host}: not as before after {BACK_S} s: {trouble}")
        run.pause(POLL_S)


@contextmanager
def _out_of_service(run: "Run", host: str, why: str, preparation: Preparation) -> Iterator[None]:
    """Inside the block the host is out of service; it is put back however the block ends."""
    plan = of_host(preparation.on, TimedTransaction(why=why, actions=preparation.actions))
    with run.holding({preparation.on} - {host}):
        run.leased.add(plan.host)
        run.do(plan.host, "prepare", plan=plan)
        try:
            run.do(
                plan.host,
                "begin",
                plan=plan,
                revert_s=run.timers.maintenance_s,
                deadline_s=60,
                on_event=lambda kind: run.say(kind, plan.host, why),
            )
            run.say("ready", plan.host, why, "; ".join(action.shown for action in preparation.actions))
            # The host itself may reboot in the block, which puts it back.
            with _renewing(run, plan, why) if plan.host != host else ExitStack():
                yield
        finally:
            _put_back(run, plan, why)


@contextmanager
def _renewing(run: "Run", plan: TargetPlan, why: str) -> Iterator[None]:
    """Renew the timer until the block ends. Raises TransactionError after the block if it ran out: the host was back in service by then."""
    ended = threading.Event()
    lost: list[str] = []

    def renew() -> None:
        while not ended.wait(run.timers.maintenance_s * RENEW_AFTER):
            try:
                run.do(plan.host, "renew", plan=plan)
            except LinkError as error:
                run.say("failed", plan.host, why, f"its timer was not renewed; retrying: {error}")
            except (Refused, TransactionError) as error:
                lost.append(f"{why!r} ended before the change did: {error}")
                run.say("failed", plan.host, why, lost[0])
                return

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if lost:
        raise TransactionError(lost[0])


def _put_back(run: "Run", plan: TargetPlan, why: str) -> None:
    """Raises TransactionError with what is not put back: at once if that is final, after BACK_S seconds if the host keeps trying."""
    deadline = time.monotonic() + BACK_S
    while True:
        try:
            run.do(plan.host, "revert", plan=plan, reason=ENDED)
            kept = run.do(plan.host, "outcome", plan=plan)
            deferred = "; ".join(kept.get("deferred", ()))
            if not deferred:
                break
            if time.monotonic() > deadline:
                raise TransactionError(f"{plan.host}: {why!r} is not undone yet; the host retries until it succeeds: {deferred}")
        except (LinkError, Reverting):
            if time.monotonic() > deadline:
                raise
        except KeyboardInterrupt:  # it is put back all the same
            run.stop.set()
        time.sleep(POLL_S)
    if troubles := "; ".join(kept.get("troubles", ())):
        raise TransactionError(f"{plan.host}: {why!r} is not undone completely: {troubles}; correct that on the host")
    run.say("put back", plan.host, why)
