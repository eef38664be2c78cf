"""The one function that applies every change set: arm and apply end by end, verify, confirm; or undo in the reverse order.

The promise: at every moment each host is wholly new or wholly old, and between two ends the safe end keeps every host reachable. If this
process dies, the hosts' own timers undo the set.
"""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tasks.core.connectors.answer import reverting
from tasks.core.connectors.base import link_of
from tasks.core.engine.as_shown import ImpactGrew, need_acknowledged, need_as_shown
from tasks.core.engine.maintenance import Scope
from tasks.core.engine.planning import plan_set
from tasks.core.engine.precheck import prechecked
from tasks.core.engine.rollback import POLL_S, is_confirmed, roll_back
from tasks.core.engine.run import MARGIN_S, Interrupted, Run
from tasks.core.engine.verify import verify
from tasks.core.engine.work import Work, work_of
from tasks.core.model.change import ChangeSet
from tasks.core.model.errors import BurrowError, LinkError, Refused, Reverting, TransactionError
from tasks.core.model.fact import STATUS, Fact, Facts, union
from tasks.core.model.outcome import Outcome
from tasks.core.model.plan import SetPlan, TargetPlan, of_host


def apply_set(run: Run, change_set: ChangeSet, scope: Scope | None = None) -> Outcome:
    """Apply one change set, inside maintenance where its hosts need that. Never raises: everything is in the outcome."""
    run.say("queued", change_set=change_set.name)
    try:
        with run.holding(change_set.hosts):
            return _Application(run, change_set, scope).apply_set()
    except BaseException as error:  # noqa: BLE001 - no transaction is open at this point
        reason = str(run.ours(error))
        run.say("failed", change_set=change_set.name, text=reason)
        return Outcome(SetPlan(change_set, refused=reason), "interrupted" if run.stop.is_set() else "refused", [reason])


class _Application:
    def __init__(self, run: Run, change_set: ChangeSet, scope: Scope | None) -> None:
        self.run, self.change_set, self.scope = run, change_set, scope.at_its_turn(run, change_set) if scope else None
        self.opened: list[TargetPlan] = []
        self.touched: list[str] = []
        self.timers: dict[str, float] = {}
        self.works: dict[str, Work] = {}

    def work(self, host: TargetPlan) -> Work:
        """What is applied there."""
        return self.works.setdefault(host.token, work_of(self.run, self.change_set.name, host))

    def say(self, kind: str, host: str = "", text: str = "") -> None:
        self.run.say(kind, host, self.change_set.name, text)

    def apply_set(self) -> Outcome:
        grown: SetPlan | None = None
        try:
            plan = self.planned()
        except Refused as error:
            plan, grown = SetPlan(self.change_set, refused=str(error)), error.plan if isinstance(error, ImpactGrew) else None
        if plan.refused:
            self.say("refused", text=plan.refused)
            return Outcome(plan, "refused", [plan.refused], grown=grown)
        if not plan.changes:
            return Outcome(plan, "unchanged")
        outcome = Outcome(plan, "done")
        try:
            with self.out_of_service():
                self.attempt(plan, outcome)
        except BaseException as error:  # noqa: BLE001 - the set's own hosts are confirmed or undone by then
            self.maintenance_failed(outcome, self.run.ours(error))
        finally:
            self.forget()
        if outcome.state == "done":
            self.say("done")
        return outcome

    def planned(self) -> SetPlan:
        """The plan. Where something differs, all facts are read once more, and Refused is raised where it is not what was shown."""
        needs = {target: union([(STATUS,), *lists]) for target, lists in self.change_set.needs(self.run.site).items()}
        missing = [target for target in needs if target not in self.run.facts and target not in self.run.unreachable]
        plan = self.plan({**self.run.facts, **self.read(missing, needs)})
        if not plan.changes:
            return plan
        now = plan if missing == list(needs) else self.plan({**self.run.facts, **self.read(needs, needs)})
        if not now.refused:
            need_as_shown(self.run, self.run.shown.get(self.change_set.name, plan), now)
            need_acknowledged(self.run, now)
        return now

    def plan(self, facts: Facts) -> SetPlan:
        (plan,) = prechecked(self.run, [plan_set(self.change_set, self.run.site, facts, self.run.id, self.run.key)])
        return plan

    def read(self, targets: Iterable[str], needs: Mapping[str, tuple[Fact[Any], ...]]) -> Facts:
        """The facts of those that answer."""
        return {target: answer for target, answer in self.run.observe(targets, needs).items() if not isinstance(answer, BurrowError)}

    def forget(self) -> None:
        """If the set changed anything, the next one reads it again, and does not take it for somebody else's change."""
        if self.touched:
            clusters = (host for cluster in self.change_set.clusters for host in self.run.site.endpoints(cluster))
            self.run.written |= {*self.touched, *clusters}
            for target in (*self.touched, *self.change_set.needs(self.run.site)):
                self.run.facts.pop(target, None)

    def out_of_service(self) -> AbstractContextManager[None]:
        """The maintenance of the hosts that need it while they are changed."""
        return self.scope.out_of_service(self.run, self.change_set) if self.scope else nullcontext()

    def attempt(self, plan: SetPlan, outcome: Outcome) -> None:
        """Apply and confirm, or undo what is open; whatever goes wrong, the other sets go on."""
        try:
            self.prepare(plan)
            self.apply(plan)
            verify(self.run, self.change_set, self.scope, self.timers)
            self.say("checked")
            self.confirm(plan, outcome)
        except BaseException as error:  # noqa: BLE001
            self.undo(outcome, self.run.ours(error))

    def maintenance_failed(self, outcome: Outcome, error: BurrowError) -> None:
        """The hosts could not be taken out of service, or their checks fail after it."""
        outcome.reasons.append(str(error))
        self.say("failed", text=str(error))
        if outcome.state == "done":
            ended = "failed" if outcome.confirmed else "refused"
            outcome.state = "interrupted" if isinstance(error, Interrupted) else ended

    def prepare(self, plan: SetPlan) -> None:
        """Take the lease of every end, also of one without differences: another run's open transaction there could undo that."""
        for host in plan.targets:
            self.run.pause(0)
            self.say("preparing", host.host)
            self.run.leased.add(host.host)
            self.run.do(host.host, "prepare", plan=host)
            self.touched += [host.host] if host.packages else []
            self.say("prepared", host.host)
        for target in dict.fromkeys((*self.change_set.clusters, *self.change_set.hosts)):
            self.lease_majority(self.run.site.endpoints(target), {host.host for host in plan.targets})

    def lease_majority(self, endpoints: tuple[str, ...], leased: set[str]) -> None:
        """Take the leases of more than half of a cluster's endpoints: no other run can. Raises Refused where too few of them answer."""
        wanted = len(endpoints) // 2 + 1
        silent: list[str] = []
        for host in endpoints:
            if len(leased & set(endpoints)) >= wanted:
                return
            if host not in leased:
                try:
                    self.run.leased.add(host)
                    self.run.do(host, "prepare", plan=of_host(host))
                    leased.add(host)
                except LinkError as error:
                    silent.append(str(error))
        if len(leased & set(endpoints)) < wanted:
            raise Refused(f"wanted the leases of {wanted} of {', '.join(endpoints)}, got fewer: {'; '.join(silent)}; bring them back first")

    def apply(self, plan: SetPlan) -> None:
        """Apply one end after the other; those of a coordinated set at the same time, because none succeeds without the others."""
        timers_s = self.timers_s(plan)
        if plan.coordinated:
            with ThreadPoolExecutor(max_workers=len(plan.changes)) as pool:
                begun = [pool.submit(self.apply_one, host, timers_s[host.host], last=True) for host in plan.changes]
            for one in begun:
                one.result()
            return
        timers, started = self.run.timers, time.monotonic()
        for index, host in enumerate(plan.changes):
            if host.transaction and index and time.monotonic() - started > timers.apply_s * index:
                raise TransactionError(
                    f"{host.host}: not started: the end before it took more than {timers.apply_s} s, and its timer must run out last"
                )
            self.apply_one(host, timers_s[host.host], last=host is plan.changes[-1])

    def apply_one(self, host: TargetPlan, revert_s: int, *, last: bool) -> None:
        """Arm, apply, and see that the host is reachable."""
        self.run.pause(0)
        self.say("applying", host.host)
        self.opened.append(host)
        self.touched.append(host.host)
        if host.transaction:
            self.timers[host.host] = time.monotonic() + revert_s
        self.begin(host, revert_s, last=last)
        self.say("applied", host.host)
        self.see_reachable(host)

    def timers_s(self, plan: SetPlan) -> dict[str, int]:
        """{host: its timer in seconds}: `apply_s` longer for each end that is applied after it, rounded as its device rounds it."""
        lifetimes_s: dict[str, int] = {}
        revert_s = self.run.timers.revert_s
        for host in reversed(plan.changes):
            intent = self.run.site.hosts[host.host]
            lifetimes_s[host.host] = link_of(intent).effective_revert_s(intent.platform, revert_s)
            revert_s = self.run.timers.revert_s if plan.coordinated else lifetimes_s[host.host] + self.run.timers.apply_s + MARGIN_S
        return lifetimes_s

    def begin(self, host: TargetPlan, revert_s: int, *, last: bool) -> None:
        deadline_s = revert_s - MARGIN_S if last else self.run.timers.apply_s
        try:
            reverts = f"reverts in {revert_s} s unless confirmed"
            self.work(host).begin(revert_s, deadline_s, lambda kind: self.say(kind, host.host, reverts))
        except LinkError:
            # The change may have cut the connection that carried the answer; ask the host over a new one.
            try:
                kept = self.ask_again(host)
            except LinkError as error:
                raise TransactionError(f"{host.host}: unreachable after its change ({'; '.join(host.impact)}): {error}") from error
            if kept["state"] != "applied":
                raise TransactionError(
                    f"{host.host}: not reachable in time after its change ({'; '.join(host.impact)}); it {described(kept)}"
                ) from None
        except Refused:
            self.opened.remove(host)
            self.touched.remove(host.host)
            raise

    def ask_again(self, host: TargetPlan) -> dict[str, Any]:
        """The state of the transaction on the host, asked over new connections until it is applied or `apply_s` have passed."""
        deadline = time.monotonic() + self.run.timers.apply_s
        while True:
            late = time.monotonic() > deadline
            try:
                self.run.reconnect(host.host)
                kept = self.work(host).outcome()
                if late or kept["state"] not in ("armed", "applying"):
                    return kept
            except LinkError:
                if late:
                    raise
            self.run.pause(POLL_S)

    def see_reachable(self, host: TargetPlan) -> None:
        """See that the host answers on a new connection: the old one may survive a path that is gone."""
        kept = self.ask_again(host)
        if kept["state"] != "applied":
            raise TransactionError(f"{host.host}: the transaction {described(kept)}")
        self.say("reachable", host.host)

    def confirm(self, plan: SetPlan, outcome: Outcome) -> None:
        for host in plan.changes:
            self.say("confirming", host.host)
            try:
                self.work(host).confirm()
            except LinkError:
                kept = self.ask_again(host)
                if kept["state"] == "applied":
                    self.work(host).confirm()
                elif kept["state"] != "confirmed":
                    raise TransactionError(f"{host.host}: not confirmed, it {described(kept)}") from None
            self.opened.remove(host)
            outcome.confirmed.append(host.host)
            self.say("confirmed", host.host)

    def undo(self, outcome: Outcome, error: BurrowError) -> None:
        """Roll back open transactions, the unsafe end first; an unreachable host reverts by its timer. Ctrl-C does not stop this."""
        outcome.reasons.append(str(error))
        refused = isinstance(error, Refused) and not self.touched
        outcome.state = "interrupted" if isinstance(error, Interrupted) else "refused" if refused else "reverted"
        self.say("failed", text=str(error))
        while self.opened:
            host = self.opened[-1]
            try:
                outcome.reasons += roll_back(self.work(host), str(error), self.timers.get(host.host, 0) + MARGIN_S)
                self.say("reverted", host.host)
            except KeyboardInterrupt:
                self.run.stop.set()
                continue
            except Reverting as trouble:
                outcome.reasons.append(str(trouble))
                outcome.state = "reverting" if outcome.state == "reverted" else outcome.state
                self.say("failed", host.host, outcome.reasons[-1])
            except BaseException as trouble:  # noqa: BLE001 - the next host is rolled back whatever it is
                outcome.reasons.append(self.not_rolled_back(host, outcome, self.run.ours(trouble)))
                self.say("failed", host.host, outcome.reasons[-1])
            self.opened.remove(host)

    def not_rolled_back(self, host: TargetPlan, outcome: Outcome, trouble: BurrowError) -> str:
        """Why, and what happens to the host now."""
        if isinstance(trouble, TransactionError) and is_confirmed(self.work(host)):
            outcome.confirmed.append(host.host)
            return f"{host.host}: it is confirmed and stays; only its answer was lost"
        return f"{host.host}: not rolled back from here ({trouble}); its timer or its next boot does that, where it has a timer"


def described(kept: dict[str, Any]) -> str:
    """The state of a transaction on a host, as the rest of a sentence."""
    return reverting(kept) if kept["state"] == "reverting" else f"is {kept['state']}: {kept['reason']}"
