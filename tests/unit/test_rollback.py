"""A run asks a host to revert until it answers, or until the host's own timer has expired."""

from typing import Any

import pytest

from tasks.core.engine.rollback import POLL_S, is_confirmed, roll_back
from tasks.core.model.errors import BurrowError, LinkError, Refused, Reverting
from tasks.core.model.operation import Action, Command, Transaction
from tasks.core.model.plan import HostPlan

TIMED = HostPlan("alvin", transaction=Transaction("try", actions=(Action(("a",), ("b",)),)))
UNTIMED = HostPlan("alvin", transaction=Transaction("try", commands=(Command(("a",), "a is done"),)))


class Asked:
    """A run that only asks: each verb returns the next value of its list, and repeats the last one."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, Any]]()

    def do(self, host: str, verb: str, **arguments: Any) -> Any:
        assert host == "alvin"
        self.asked.append((verb, arguments.get("reason")))
        answers = self.answers[verb]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("error", [LinkError("gone"), Reverting("on its way")])
def test_host_is_asked_again_twice_a_second_until_it_has_restored_itself(world, error: BurrowError) -> None:
    run = Asked(revert=[error, error, error, None])
    began = world.clock()
    assert roll_back(run, TIMED, "not well", began + 60) == []
    assert run.asked == [("revert", "not well")] * 4
    assert (POLL_S, world.clock() - began) == (0.5, 1.5)


@pytest.mark.parametrize("error", [LinkError("gone"), Reverting("on its way")])
def test_host_is_given_up_once_its_timer_has_ended(world, error: BurrowError) -> None:
    run = Asked(revert=[error])
    until = world.clock() + 2
    with pytest.raises(type(error)):
        roll_back(run, TIMED, "not well", until)
    assert until < world.clock() <= until + POLL_S


def test_long_reason_is_cut(world) -> None:
    run = Asked(revert=[None])
    roll_back(run, TIMED, "x" * 1000, world.clock())
    assert run.asked == [("revert", "x" * 400)]


@pytest.mark.parametrize(("remark", "reported"), [("", []), ("what stays: a", ["alvin: what stays: a"])])
def test_steps_without_an_undo_are_reported(world, remark: str, reported: list[str]) -> None:
    run = Asked(revert=[None], outcome=[{"remark": remark}])
    assert roll_back(run, UNTIMED, "not well", world.clock()) == reported


def test_host_with_a_timer_or_without_a_change_has_no_remark(world) -> None:
    for plan in (TIMED, HostPlan("alvin")):
        run = Asked(revert=[None], outcome=[{"remark": "nobody asks"}])
        assert roll_back(run, plan, "not well", world.clock()) == []
        assert run.asked == [("revert", "not well")]


@pytest.mark.parametrize(("state", "confirmed"), [("confirmed", True), ("applied", False), ("reverted", False)])
def test_only_the_hosts_answer_confirms(state: str, confirmed: bool) -> None:
    assert is_confirmed(Asked(outcome=[{"state": state}]), TIMED) is confirmed


@pytest.mark.parametrize("error", [LinkError("gone"), Refused("no")])
def test_silent_host_has_not_confirmed(error: BurrowError) -> None:
    assert is_confirmed(Asked(outcome=[error]), TIMED) is False
