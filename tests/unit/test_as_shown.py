"""What is applied is what was shown: what happens between the question and its answer, and what this run itself has written."""

import io
import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from engine import HEALTH, Alias, Named, World, runbook
from fake_host import FRESH

from inventory.site import Site
from tasks.core.cli.report import Screen
from tasks.core.engine.as_shown import need_as_shown
from tasks.core.engine.execute import execute
from tasks.core.engine.planning import plan_set
from tasks.core.engine.run import Run
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, REFUSED, Options, RunResult
from tasks.core.model.change import Candidate, Change, ChangeSet, Concurrency, Member, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Action, Command, Operation, TimedTransaction
from tasks.core.model.plan import SetPlan, TargetPlan
from tasks.core.model.plan_json import loaded, saved
from tasks.network.links.facts import INTERFACES, STAGED

FILE = "/etc/network/interfaces"


class Loud(Alias):
    """A port has this alias, which interrupts whoever uses it."""

    needs: ClassVar = (INTERFACES, STAGED, HEALTH)

    def steps(self, _: Site, facts: Facts, want: Named) -> tuple[Step, ...]:
        users = facts[self.host][HEALTH].split()
        return (Candidate(f"iface {self.port}\n\talias {want.alias}\n", impact=tuple(f"interrupts {user}" for user in users)),)


def one(host: str, change: type[Alias] = Alias, port: str = "eth0") -> ChangeSet:
    return ChangeSet(f"name {host} {port}", (Member(host, (change(host, port),), safe_alone=True),))


ALVIN, SIMON = one("alvin"), one("simon")


def answered(world: World, *sets: ChangeSet, answers: list[Any], rehearsal: bool = False, **options: Any) -> RunResult:
    """A run whose operator does something at each question, and then answers it."""
    run = world.run(*sets, rehearsal=rehearsal)

    def ask(*_: object) -> bool:
        answer = answers.pop(0)
        return bool(answer() is None if callable(answer) else answer)

    result = execute(runbook(*sets), Options(**options), run, ask)
    assert answers == []
    return result


def states(result: RunResult) -> list[str]:
    return [outcome.state for outcome in result.stages[0].outcomes]


def edit(world: World, old: str, new: str) -> None:
    world["alvin"].files[FILE] = world["alvin"].files[FILE].replace(old, new)


def test_field_that_somebody_changes_before_the_answer_refuses_its_set_only(world: World) -> None:
    result = answered(world, ALVIN, SIMON, answers=[lambda: edit(world, "inet static\n", "inet static\n\talias sam\n")])
    assert (states(result), result.exit_code) == (["refused", "done"], FAILED)
    reason = "not applied, because it is not what was shown: alvin: alias changed meanwhile; run again to see the new plan"
    assert result.stages[0].outcomes[0].reasons == [reason]
    assert "alias sam" in world["alvin"].files[FILE]
    assert ("alvin", "prepare") not in world.journal


def test_other_lines_of_the_file_may_change_and_stay(world: World) -> None:
    result = answered(world, ALVIN, answers=[lambda: edit(world, "# somebody else's", "# sam's")])
    assert (states(result), result.exit_code) == (["done"], OK)
    assert world["alvin"].files[FILE] == FRESH.replace("# somebody else's", "# sam's").replace("/16\n", "/16\n\talias uplink\n")


def test_nothing_is_left_to_do_where_somebody_did_it(world: World) -> None:
    result = answered(world, ALVIN, answers=[lambda: edit(world, "inet static\n", "inet static\n\talias uplink\n")])
    assert (states(result), result.exit_code) == (["unchanged"], OK)


def test_later_set_is_planned_on_top_of_what_this_run_wrote(world: World) -> None:
    sets = (ALVIN, one("alvin", port="swp1"))
    assert states(answered(world, *sets, answers=[True])) == ["done", "done"]
    assert world["alvin"].files[FILE].count("alias uplink") == 2


def use(world: World, users: str) -> None:
    world["alvin"].answers[HEALTH.command] = lambda _: users


def test_larger_impact_is_asked_about_again(world: World) -> None:
    use(world, "sam")
    loud = one("alvin", Loud)
    assert states(answered(world, loud, SIMON, answers=[lambda: use(world, "sam kim"), True])) == ["done", "done"]


def test_larger_impact_that_is_declined_is_refused(world: World) -> None:
    use(world, "sam")
    result = answered(world, one("alvin", Loud), answers=[lambda: use(world, "sam kim"), False])
    assert (states(result), result.exit_code) == (["refused"], REFUSED)
    reason = "not applied, because its impact is larger than shown: interrupts kim; run again to see the new plan"
    assert result.stages[0].outcomes[0].reasons == [reason]


@pytest.mark.parametrize("options", [{"yes": True}, {"rehearsal": True}])
def test_larger_impact_is_refused_where_no_question_is_asked(world: World, options: dict[str, bool]) -> None:
    use(world, "sam")
    assert states(answered(world, one("alvin", Loud), answers=[lambda: use(world, "sam kim")], **options)) == ["refused"]
    assert world.untouched("alvin")


def test_larger_impact_after_an_earlier_set_of_this_run_is_refused_too(world: World) -> None:
    use(world, "")
    first = ChangeSet("name alvin eth0", ALVIN.members, concurrency=Concurrency("alvin"))
    second = ChangeSet("name alvin swp1", one("alvin", Loud, "swp1").members, concurrency=Concurrency("alvin"))
    world["alvin"].happens["after confirm"] = lambda _: use(world, "kim")
    result = answered(world, first, second, answers=[True], yes=True)
    assert states(result) == ["done", "refused"]
    assert "larger than shown: interrupts kim" in result.stages[0].outcomes[1].reasons[0]


def test_smaller_impact_is_applied(world: World) -> None:
    use(world, "sam kim")
    assert states(answered(world, one("alvin", Loud), answers=[lambda: use(world, "sam")], yes=True)) == ["done"]


def test_other_steps_are_refused(world: World) -> None:
    """The same fields by another way: the operator has not seen it."""
    run = world.run(ALVIN)
    run.read(["alvin"])
    (difference,) = Alias("alvin", "eth0").diff(Named(""), Named("uplink"))

    def plan(*argv: str) -> SetPlan:
        return SetPlan(ALVIN, (TargetPlan("alvin", "alvin", (difference,), TimedTransaction("name it", actions=(Action(argv, argv),))),))

    need_as_shown(run, plan("ifreload"), plan("ifreload"))
    with pytest.raises(Refused, match="alvin: other steps lead there now"):
        need_as_shown(run, plan("ifreload"), plan("reboot"))
    with pytest.raises(Refused, match="alvin: alias changed meanwhile"):
        need_as_shown(run, replace(plan("ifreload"), targets=()), plan("ifreload"))


def shown_from_json(world: World, change_set: ChangeSet) -> Run:
    """A run whose operator saw the plan yesterday: it was saved, and is loaded now."""
    run = world.run(change_set)
    run.read(change_set.hosts)
    plan = plan_set(change_set, run.site, run.facts, run.id, run.key)
    kept = json.dumps([saved(one, run.key) for one in plan.targets])
    run.shown = {change_set.name: SetPlan(change_set, tuple(loaded(one) for one in json.loads(kept)))}
    run.facts.clear()
    return run


def test_plan_that_was_saved_and_loaded_applies_the_same(world: World) -> None:
    assert world.apply_set(ALVIN, shown_from_json(world, ALVIN)).state == "done"


def test_plan_that_was_saved_and_is_not_right_any_more_is_refused(world: World) -> None:
    run = shown_from_json(world, ALVIN)
    edit(world, "iface eth0 inet static\n", "iface eth0 inet static\n\talias theirs\n")
    outcome = world.apply_set(ALVIN, run)
    assert (outcome.state, "begin" in [verb for _, verb in world.journal]) == ("refused", False)
    assert "alias changed meanwhile" in outcome.reasons[0]


RISKY = Operation("member/alvin", Command(("join", "a")), "it joins a", at_risk="its own users are replaced")


@dataclass(frozen=True)
class Joins(Change[Named]):
    """The host has joined."""

    needs: ClassVar = (HEALTH,)
    host: str

    def intend(self, *_: object) -> Named:
        return Named("joined")

    def observe(self, _: Site, facts: Facts) -> Named:
        return Named(facts[self.host][HEALTH])

    def steps(self, *_: object) -> tuple[Step, ...]:
        return (RISKY,)


JOINS = ChangeSet("join alvin", (Member("alvin", (Joins("alvin"),), safe_alone=True),))
ACCEPT = "nothing undoes member/alvin: its own users are replaced; if you accept that, run again with --acknowledge member/alvin"


def test_operation_that_can_lose_something_is_refused_until_it_is_accepted_by_name(world: World) -> None:
    result = answered(world, JOINS, answers=[True], yes=True)
    assert (states(result), result.exit_code, result.stages[0].outcomes[0].reasons) == (["refused"], REFUSED, [ACCEPT])
    assert answered(world, JOINS, answers=[True], acknowledge=("member/simon",)).exit_code == REFUSED
    assert world["alvin"].performed == []
    answered(world, JOINS, answers=[True], yes=True, acknowledge=("member/alvin",))
    assert world["alvin"].performed == ["join a"]


def test_plan_says_what_can_be_lost(world: World) -> None:
    (plan,) = answered(world, JOINS, answers=[False]).stages[0].plans[0].changes
    assert plan.impact == (
        "not undone if a later step fails: it joins a",
        "member/alvin needs your acknowledgement: its own users are replaced",
    )


def test_lab_needs_no_acknowledgement(world: World) -> None:
    answered(world, JOINS, answers=[True], rehearsal=True)
    assert world["alvin"].performed == ["join a"]


def test_operator_who_leaves_at_the_question_interrupts_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the input is what click makes of Ctrl-C."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    result = execute(runbook(JOINS), Options(), world.run(JOINS), Screen().ask)
    assert (result.exit_code, result.trouble, world["alvin"].performed) == (INTERRUPTED, "", [])


@pytest.mark.parametrize(("typed", "accepted"), [("member/alvin\n", True), ("yes\n", False), ("\n", False)])
def test_operator_types_the_id(world: World, monkeypatch: pytest.MonkeyPatch, typed: str, accepted: bool) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"y\n{typed}"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    run = world.run(JOINS)
    execute(runbook(JOINS), Options(), run, Screen().ask)
    assert (world["alvin"].performed == ["join a"]) is accepted
