"""The steps of a run without a timer: applied in order, undone in reverse order, and reported."""

from dataclasses import dataclass
from typing import Any

import pytest

from tasks.core.connectors.compensation import CompensationLog
from tasks.core.model.errors import LinkError, TransactionError


@dataclass(frozen=True)
class Deed:
    """A step with its undo; `fails` tells how it ends."""

    name: str
    undo: str = ""
    fails: Exception | None = None

    @property
    def shown(self) -> str:
        return "" if self.name.startswith("quiet") else self.name


class Doer:
    """Executes steps, and records them."""

    def __init__(self, **fails: Exception) -> None:
        self.asked: list[str] = []
        self.fails = fails

    def __call__(self, one: Any) -> str:
        name = one if isinstance(one, str) else one.name
        self.asked.append(name)
        if error := self.fails.get(name) or getattr(one, "fails", None):
            raise error
        return f"{name} done"


def opposite(step: Deed, answer: str) -> str:
    assert answer == f"{step.name} done"
    return step.undo


FIRST, SECOND, STAYS, QUIET = Deed("first", "undo first"), Deed("second", "undo second"), Deed("stays"), Deed("quiet")


def done(*steps: Deed, do: Doer | None = None) -> CompensationLog:
    one = CompensationLog()
    one.perform_all(steps, do or Doer(), opposite)
    return one


def test_state_is_applying_until_all_steps_are_done() -> None:
    assert (CompensationLog().state, CompensationLog().reason) == ("applying", "")
    assert done(FIRST, STAYS).state == "applied"


def test_steps_with_an_undo_are_kept_and_the_others_are_reported() -> None:
    one = done(FIRST, STAYS, QUIET, SECOND)
    assert (one.undo, one.stays) == (["undo first", "undo second"], ["stays"])


def test_steps_are_undone_in_reverse_order() -> None:
    do = Doer()
    one = done(FIRST, SECOND)
    one.give_up("alvin", do, "not well")
    assert do.asked == ["undo second", "undo first"]
    assert (one.state, one.reason, one.remark) == ("reverted", "undone: not well", "")


def test_remaining_steps_and_their_output_are_reported() -> None:
    one = done(FIRST, STAYS)
    one.reported.append("mind the gap")
    one.give_up("alvin", Doer(), "not well")
    assert one.reason == "undone: not well; what stays: stays; the commands reported: mind the gap"
    assert one.remark == one.reason


@pytest.mark.parametrize(("stays", "reported"), [(["a"], []), ([], ["a"])])
def test_either_is_worth_a_remark(stays: list[str], reported: list[str]) -> None:
    assert CompensationLog(reason="because", stays=stays, reported=reported).remark == "because"
    assert CompensationLog(reason="because").remark == ""


def test_refused_step_undoes_the_steps_before_it() -> None:
    do = Doer()
    one = CompensationLog()
    with pytest.raises(TransactionError, match=r"^refused; undone: refused$"):
        one.perform_all((FIRST, Deed("second", fails=TransactionError("refused"))), do, opposite)
    assert do.asked == ["first", "second", "undo first"]
    assert one.state == "reverted"


@pytest.mark.parametrize(("error", "known"), [(LinkError("alvin: gone"), "alvin: gone"), (KeyError("up"), "KeyError('up')")])
def test_step_with_an_unknown_result_leaves_the_log_open(error: Exception, known: str) -> None:
    do = Doer()
    one = CompensationLog()
    with pytest.raises(type(error)):
        one.perform_all((FIRST, Deed("second", fails=error)), do, opposite)
    assert (one.state, one.reason) == ("interrupted", f"whether the last step was done is unknown: {known}")
    assert do.asked == ["first", "second"]


def test_failed_undo_is_reported_and_the_others_still_run() -> None:
    do = Doer(**{"undo second": TransactionError("it is busy")})
    one = done(FIRST, SECOND)
    with pytest.raises(TransactionError, match=r"^alvin: what could not be undone: it is busy$"):
        one.give_up("alvin", do, "not well")
    assert do.asked == ["undo second", "undo first"]
    with pytest.raises(TransactionError, match="what could not"):
        one.give_up("alvin", do, "again")
    assert do.asked == ["undo second", "undo first"], "it is undone once"


def test_undo_without_an_answer_is_retried() -> None:
    one = done(FIRST, SECOND)
    with pytest.raises(LinkError):
        one.give_up("alvin", Doer(**{"undo first": LinkError("gone")}), "not well")
    do = Doer()
    one.give_up("alvin", do, "not well")
    assert do.asked == ["undo first"]


def test_confirmation_is_final_and_may_be_repeated() -> None:
    one = done(FIRST)
    one.keep("alvin")
    one.keep("alvin")
    assert (one.state, one.undo) == ("confirmed", [])
    with pytest.raises(TransactionError, match=r"^alvin: it is confirmed and cannot be reverted$"):
        one.give_up("alvin", Doer(), "not well")


@pytest.mark.parametrize("state", ["applying", "reverted", "interrupted"])
def test_only_applied_steps_are_confirmed(state: str) -> None:
    with pytest.raises(TransactionError, match=f"^alvin: wanted it applied, it is {state}: because$"):
        CompensationLog(state, "because").keep("alvin")
