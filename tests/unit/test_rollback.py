"""A run asks a host to revert until it answers, or until the host's own timer has expired."""

from typing import Any

import pytest

from tasks.core.engine.rollback import POLL_S, is_confirmed, roll_back
from tasks.core.engine.work import Timed
from tasks.core.model.errors import BurrowError, LinkError, Refused, Reverting
from tasks.core.model.operation import Action, TimedTransaction
from tasks.core.model.plan import of_host

PLAN = of_host("alvin", TimedTransaction("try", actions=(Action(("a",), ("b",)),)))


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


def timed(run: Any) -> Timed:
    return Timed(run, PLAN)


@pytest.mark.parametrize("error", [LinkError("gone"), Reverting("on its way")])
def test_host_is_asked_again_twice_a_second_until_it_has_restored_itself(world, error: BurrowError) -> None:
    run = Asked(revert=[error, error, error, None])
    began = world.clock()
    assert roll_back(timed(run), "not well", began + 60) == []
    assert run.asked == [("revert", "not well")] * 4
    assert (POLL_S, world.clock() - began) == (0.5, 1.5)


@pytest.mark.parametrize("error", [LinkError("gone"), Reverting("on its way")])
def test_host_is_given_up_once_its_timer_has_ended(world, error: BurrowError) -> None:
    run = Asked(revert=[error])
    until = world.clock() + 2
    with pytest.raises(type(error)):
        roll_back(timed(run), "not well", until)
    assert until < world.clock() <= until + POLL_S


def test_long_reason_is_cut(world) -> None:
    run = Asked(revert=[None])
    roll_back(timed(run), "x" * 1000, world.clock())
    assert run.asked == [("revert", "x" * 400)]


@pytest.mark.parametrize(("state", "confirmed"), [("confirmed", True), ("applied", False), ("reverted", False)])
def test_only_the_hosts_answer_confirms(state: str, confirmed: bool) -> None:
    assert is_confirmed(timed(Asked(outcome=[{"state": state}]))) is confirmed


@pytest.mark.parametrize("error", [LinkError("gone"), Refused("no")])
def test_silent_host_has_not_confirmed(error: BurrowError) -> None:
    assert is_confirmed(timed(Asked(outcome=[error]))) is False
