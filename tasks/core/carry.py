"""The one function that carries every change set: arm and apply end by end, check, confirm, or undo the other way round.

The promise: at every moment each host is wholly new, wholly old, or the set is in a half-state that its safe end makes reachable; what
this process does not live to finish, the hosts' own timers do.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from inventory.rows import LinkKind
from tasks.core.change import ChangeSet
from tasks.core.check import Verdict, judge
from tasks.core.errors import BurrowError, CheckFailed, LinkError, Refused, TransactionError
from tasks.core.facts import STATUS, Facts, union
from tasks.core.link import effective_revert_s
from tasks.core.plan import HostPlan, SetPlan, plan_set
from tasks.core.precheck import prechecked
from tasks.core.run import MARGIN_S, Interrupted, Run
from tasks.core.service import Inside

POLL_S = 0.5
# The checks have to pass twice, this far apart: a bond that has just come up may fall over once more.
HOLD_S = 1.0


@dataclass
class Outcome:
    """How one set ended, with the plans and the reasons.

    Unchanged, done, refused (nothing touched), reverted, interrupted, or failed: as intended, but not all was well afterwards.
    """

    plan: SetPlan
    state: str
    reasons: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the set is not as intended."""
        return self.state not in ("unchanged", "done")


def carry(run: Run, change_set: ChangeSet, inside: Inside | None = None) -> Outcome:
    """Carry one set to its end, its hosts out of service where they are to be. Never raises for what a host or a check says."""
    run.say("queued", change_set=change_set.name)
    change_set = change_set.through(run.facts)
    with run.holding(change_set.hosts):
        return _Carrier(run, change_set, inside).carry()


class _Carrier:
    def __init__(self, run: Run, change_set: ChangeSet, inside: Inside | None) -> None:
        self.run, self.change_set, self.inside = run, change_set, inside.at_its_turn(run, change_set) if inside else None
        self.concerned = self.inside.concerned(change_set) if self.inside else ()
        self.opened: list[HostPlan] = []
        self.touched: list[str] = []
        self.timers: dict[str, float] = {}

    def say(self, kind: str, host: str = "", text: str = "") -> None:
        self.run.say(kind, host, self.change_set.name, text)

    def carry(self) -> Outcome:
        (plan,) = prechecked(self.run, [plan_set(self.change_set, self.run.site, {**self.run.facts, **self.refreshed()}, self.run.id)])
        if plan.refused:
            self.say("refused", text=plan.refused)
            return Outcome(plan, "refused", [plan.refused])
        if not plan.changes:
            return Outcome(plan, "unchanged")
        outcome = Outcome(plan, "done")
        try:
            with self.out_of_service():
                self.attempt(plan, outcome)
        except BurrowError as error:
            self.not_well(outcome, error)
        finally:
            for host in self.touched:
                self.run.facts.pop(host, None)
        if outcome.state == "done":
            self.say("done")
        return outcome

    def out_of_service(self) -> AbstractContextManager[None]:
        """Of the hosts that are to be while they are changed."""
        return self.inside.out_of_service(self.run, self.change_set) if self.inside else nullcontext()

    def attempt(self, plan: SetPlan, outcome: Outcome) -> None:
        """Forward to the end, or back to the beginning."""
        try:
            self.prepare(plan)
            self.apply(plan)
            self.settle()
            self.confirm(plan, outcome)
        except BurrowError as error:
            self.undo(outcome, error)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, what is open is undone and the other sets go on
            self.undo(outcome, TransactionError(f"a fault of this program: {error!r}"))

    def not_well(self, outcome: Outcome, error: BurrowError) -> None:
        """The hosts could not be taken out of service, or are not well after it."""
        outcome.reasons.append(str(error))
        self.say("failed", text=str(error))
        if outcome.state == "done":
            ended = "failed" if outcome.confirmed else "refused"
            outcome.state = "interrupted" if isinstance(error, Interrupted) else ended

    def refreshed(self) -> Facts:
        """What this set looks at, read again on its hosts, and beside them, where an earlier set has changed something."""
        one = self.change_set
        needs = dict.fromkeys(one.beside, one.compares) | dict.fromkeys(one.hosts, union([(STATUS,), *one.needs()]))
        stale = [host for host in needs if host not in self.run.facts and host not in self.run.unreachable]
        return {host: answer for host, answer in self.run.observe(stale, needs).items() if not isinstance(answer, BurrowError)}

    def prepare(self, plan: SetPlan) -> None:
        """Every end is held, also one that is right already: another run's open transaction there could take it away again."""
        for host in plan.hosts:
            self.run.pause(0)
            self.run.leased.add(host.host)
            self.run.do(host.host, "prepare", plan=host)
            self.touched += [host.host] if host.packages else []
            self.say("prepared", host.host)

    def apply(self, plan: SetPlan) -> None:
        timers, started = self.run.timers, time.monotonic()
        lives_s = self.lives_s(plan)
        for index, host in enumerate(plan.changes):
            timed = bool(host.transaction and host.transaction.timed)
            if timed and index and time.monotonic() - started > timers.apply_s * index:
                raise TransactionError(
                    f"{host.host}: not begun: the end before it took over {timers.apply_s} s, and its timer must end last"
                )
            self.run.pause(0)
            self.opened.append(host)
            self.touched.append(host.host)
            revert_s = lives_s[host.host]
            if timed:
                self.timers[host.host] = time.monotonic() + revert_s
            self.begin(host, revert_s, last=host is plan.changes[-1])
            self.say("applied", host.host)
            self.see_reachable(host)

    def lives_s(self, plan: SetPlan) -> dict[str, int]:
        """{host: its timer}, longer by `apply_s` for each end that comes after it, each as its device can set it."""
        lives_s: dict[str, int] = {}
        revert_s = self.run.timers.revert_s
        for host in reversed(plan.changes):
            intent = self.run.site.hosts[host.host]
            lives_s[host.host] = effective_revert_s(intent.platform, revert_s) if intent.link is LinkKind.NAPALM else revert_s
            revert_s = lives_s[host.host] + self.run.timers.apply_s + MARGIN_S
        return lives_s

    def begin(self, host: HostPlan, revert_s: int, *, last: bool) -> None:
        deadline_s = revert_s - MARGIN_S if last else self.run.timers.apply_s
        try:
            self.run.do(
                host.host,
                "begin",
                plan=host,
                revert_s=revert_s,
                deadline_s=deadline_s,
                on_event=lambda kind: self.say(kind, host.host, f"restores itself in {revert_s} s unless confirmed"),
            )
        except LinkError:
            # The change may have cut the very connection that carried its answer: the host knows.
            try:
                kept = self.ask_again(host)
            except LinkError as error:
                raise TransactionError(f"{host.host}: not reached again after its change ({'; '.join(host.impact)}): {error}") from error
            if kept["state"] != "applied":
                raise TransactionError(
                    f"{host.host}: not reached in time after its change ({'; '.join(host.impact)}); it is {kept['state']}: {kept['reason']}"
                ) from None
        except Refused:
            self.opened.remove(host)
            self.touched.remove(host.host)
            raise

    def ask_again(self, host: HostPlan) -> dict[str, Any]:
        """What the host holds, over new connections, until it has ended applying or its deadline has passed."""
        deadline = time.monotonic() + self.run.timers.apply_s
        while True:
            late = time.monotonic() > deadline
            try:
                self.run.reconnect(host.host)
                kept: dict[str, Any] = self.run.do(host.host, "outcome", plan=host)
                if late or kept["state"] not in ("armed", "applying"):
                    return kept
            except LinkError:
                if late:
                    raise
            self.run.pause(POLL_S)

    def see_reachable(self, host: HostPlan) -> None:
        """A new connection answers: the old one could have outlived the path."""
        kept = self.ask_again(host)
        if kept["state"] != "applied":
            raise TransactionError(f"{host.host}: the transaction is {kept['state']}: {kept['reason']}")
        self.say("reachable", host.host)

    def settle(self) -> None:
        """Poll the set's checks over new connections until all pass and hold, or the deadline, which is shorter than the timer."""
        patience_s = self.change_set.settle_s or self.run.timers.settle_s
        deadline = min([time.monotonic() + patience_s, *(ends - MARGIN_S for ends in self.timers.values())])
        passing_since: float | None = None
        while True:
            failed = self.failing()
            now = time.monotonic()
            passing_since = None if failed else passing_since or now
            if passing_since is not None and now - passing_since >= HOLD_S:
                self.say("checked")
                return
            if now > deadline:
                raise CheckFailed("; ".join(failed) or f"the checks passed too late to hold for {HOLD_S:g} s before the timer")
            self.run.pause(POLL_S)

    def failing(self) -> list[str]:
        needs = union(check.needs for check in self.change_set.checks)
        hosts = self.change_set.hosts
        try:
            with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
                facts = dict(zip(hosts, pool.map(lambda host: self.run.do(host, "read", facts=needs), hosts), strict=True))
        except LinkError as error:
            return [str(error)]
        verdicts = judge(self.change_set.checks, self.run.site, facts, self.change_set.hosts)
        failed = [describe(verdict) for verdict in verdicts if not verdict.finding.ok and self.change_set.concerns(verdict)]
        return failed or self.failing_around()

    def failing_around(self) -> list[str]:
        """What the hosts that are out of service are missed by."""
        if self.inside is None:
            return []
        maintenance = self.inside.maintenance
        try:
            return [describe(bad) for host in self.concerned for bad in maintenance.failing(self.run, maintenance.checks, host)]
        except LinkError as error:
            return [str(error)]

    def confirm(self, plan: SetPlan, outcome: Outcome) -> None:
        for host in plan.changes:
            try:
                self.run.do(host.host, "confirm", plan=host)
            except LinkError:
                kept = self.ask_again(host)
                if kept["state"] == "applied":
                    self.run.do(host.host, "confirm", plan=host)
                elif kept["state"] != "confirmed":
                    raise TransactionError(f"{host.host}: not confirmed, it is {kept['state']}: {kept['reason']}") from None
            self.opened.remove(host)
            outcome.confirmed.append(host.host)
            self.say("confirmed", host.host)

    def undo(self, outcome: Outcome, error: BurrowError) -> None:
        """Roll back what is open, the unsafe end first; a host that cannot be reached restores itself."""
        outcome.reasons.append(str(error))
        self.say("failed", text=str(error))
        for host in reversed(self.opened):
            try:
                self.roll_back(host, str(error))
                outcome.reasons += self.left_behind(host)
                self.say("reverted", host.host)
            except BurrowError as trouble:
                outcome.reasons.append(
                    f"{host.host}: not rolled back from here ({trouble}); where it has a timer, that or its next boot does it"
                )
                self.say("failed", host.host, outcome.reasons[-1])
        if isinstance(error, Interrupted):
            outcome.state = "interrupted"
        elif isinstance(error, Refused) and not self.touched:
            outcome.state = "refused"
        else:
            outcome.state = "reverted"

    def left_behind(self, host: HostPlan) -> list[str]:
        """What has no opposite, of a host whose steps have no timer, and what they said."""
        if host.transaction is None or host.transaction.timed:
            return []
        remark = self.run.do(host.host, "outcome", plan=host)["remark"]
        return [f"{host.host}: {remark}"] if remark else []

    def roll_back(self, host: HostPlan, reason: str) -> None:
        """Ask until the host answers, or its own timer has undone it: only then may another set have the host."""
        while True:
            try:
                self.run.do(host.host, "revert", plan=host, reason=reason[:400])
            except LinkError:
                if time.monotonic() > self.timers.get(host.host, 0) + MARGIN_S:
                    raise
                time.sleep(POLL_S)
            else:
                return


def describe(verdict: Verdict) -> str:
    """One line: check, host and target, wanted, found."""
    finding = verdict.finding
    return f"{verdict.host}: {verdict.check.name.replace('_', ' ')}: {finding.target}: wanted {finding.want}, found {finding.got}"
