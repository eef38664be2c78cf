"""Operations are announced, started once, polled to their end, undone in reverse order, and reported."""

from typing import Any

import pytest
from fake_host import Clock

from tasks.core.engine.procedure import MARGIN_S, POLL_WAIT_S, Performance, _with_id
from tasks.core.engine.run import Interrupted
from tasks.core.model.errors import BadAnswer, LinkError, Refused, TransactionError
from tasks.core.model.operation import Call, Command, Operation, Procedure, Progress


def operation(name: str, *, undo: bool = False, **fields: Any) -> Operation:
    back = Command(("undo", name)) if undo else None
    return Operation(f"step/{name}", Command(("do", name)), fields.pop("shown", f"{name} is done"), back, **fields)


FIRST, SECOND, STAYS = operation("first", undo=True), operation("second", undo=True), operation("stays")
QUIET = operation("quiet", shown="")
ENDED, RUNNING = Progress("ended"), Progress("running", "t-0")


class Host:
    """A run whose one host answers: `answers` has the progress or the error of each request on a command, the last one repeated."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers, self.asked, self.said = answers, list[str](), list[tuple[str, str]]()
        self.finished: list[tuple[str, str]] = []
        self.renewed = 0
        self.stops_after: int | None = None

    def do(self, host: str, verb: str, **words: Any) -> Any:
        assert host == "alvin"
        if verb == "finish":
            self.finished.append((words["outcome"], words["reason"]))
            return None
        name = " ".join(words["do"].argv)
        self.asked.append(f"{verb} {name}")
        answers = self.answers.get(name.replace(" ", "_"), [ENDED])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reconnect(self, host: str) -> None:
        self.asked.append(f"reconnect {host}")

    def pause(self, wait_s: float) -> None:
        assert wait_s == 0
        if self.stops_after is not None and len(self.asked) > self.stops_after:
            raise Interrupted("interrupted")

    def keep_leases(self) -> None:
        self.renewed += 1

    def say(self, kind: str, host: str, change_set: str, text: str = "", *, operation: str = "", handle: str = "") -> None:
        assert (host, change_set) == ("alvin", "storage")
        assert kind == "failed" or (operation and handle.startswith("t-"))
        self.said.append((kind, operation or text))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr("time.monotonic", one)
    monkeypatch.setattr("time.sleep", one.sleep)
    return one


def performance(host: Host, *operations: Operation) -> Performance:
    return Performance(host, "storage", "alvin", Procedure("storage", operations, "t"))  # type: ignore[arg-type]


def test_operations_are_performed_in_order_and_each_is_announced_before_it_starts() -> None:
    host = Host()
    one = performance(host, FIRST, STAYS)
    assert one.state == "applying"
    one.perform_all()
    assert host.asked == ["start do first", "start do stays"]
    assert host.said == [(kind, name) for name in ("step/first", "step/stays") for kind in ("performing", "performed")]
    assert (one.state, one.stays) == ("applied", ["stays is done"])


def test_running_operation_is_polled_and_the_leases_are_renewed() -> None:
    host = Host(do_first=[Progress("running", "t-0", line="half"), Progress("running", "t-0"), ENDED])
    performance(host, FIRST).perform_all()
    assert host.asked == ["start do first", "poll do first", "poll do first"]
    assert [kind for kind, _ in host.said] == ["performing", "running", "running", "performed"]
    assert (host.renewed, POLL_WAIT_S) == (2, 4.0)


def test_operation_whose_connection_broke_is_polled_and_not_started_again() -> None:
    host = Host(do_first=[LinkError("gone"), LinkError("gone"), RUNNING, ENDED])
    performance(host, FIRST).perform_all()
    assert [word for word in host.asked if "reconnect" not in word] == ["start do first", *["poll do first"] * 3]
    assert host.asked[1] == "reconnect alvin"


def test_operation_that_never_began_is_started_again() -> None:
    host = Host(do_first=[LinkError("gone"), Progress("absent"), ENDED])
    performance(host, FIRST).perform_all()
    assert [word for word in host.asked if "reconnect" not in word] == ["start do first", "poll do first", "start do first"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([LinkError("alvin: gone"), Progress("unknown")], "alvin: gone"),
        ([LinkError("alvin: gone")], "alvin: gone"),
        ([RUNNING], "alvin: what became of `do second` is not known"),
        ([BadAnswer("alvin: odd")], "alvin: odd"),
        ([KeyError("up")], "KeyError('up')"),
    ],
    ids=["host-does-not-know", "host-stays-away", "never-ends", "odd-answer", "fault"],
)
def test_operation_with_an_unknown_end_leaves_the_procedure_open(answers: list[Any], words: str, clock: Clock) -> None:
    host, began = Host(do_second=answers), clock()
    one = performance(host, FIRST, operation("second", deadline_s=20.0))
    if answers == [RUNNING]:
        host.keep_leases = lambda: clock.sleep(POLL_WAIT_S)  # type: ignore[method-assign]
    with pytest.raises(type(answers[0]) if isinstance(answers[0], Exception) else LinkError):
        one.perform_all()
    assert (one.state, one.reason) == ("interrupted", f"whether the last operation was done is unknown: {words}")
    assert not any("undo" in word for word in host.asked)
    assert clock() - began <= 20 + MARGIN_S + POLL_WAIT_S


def test_failed_operation_undoes_those_before_it_in_reverse_order() -> None:
    host = Host(do_stays=[Progress("ended", error="stays is busy")])
    one = performance(host, FIRST, SECOND, STAYS)
    with pytest.raises(TransactionError, match=r"^stays is busy; undone: stays is busy$"):
        one.perform_all()
    assert host.asked[3:] == ["start undo second", "start undo first"]
    assert host.said[-4:] == [("undoing", "step/second"), ("undone", "step/second"), ("undoing", "step/first"), ("undone", "step/first")]
    assert one.state == "reverted"


@pytest.mark.parametrize(("number", "error"), [(0, Refused), (1, TransactionError)])
def test_refused_operation_touched_nothing_where_it_is_the_first(number: int, error: type[Exception]) -> None:
    names = ("first", "second")
    host = Host(**{f"do_{names[number]}": [Refused("sam has it")]})
    one = performance(host, FIRST, SECOND)
    with pytest.raises(error, match=r"^sam has it"):
        one.perform_all()
    assert one.state == "reverted"


def test_run_that_is_asked_to_stop_undoes_what_is_known() -> None:
    host = Host()
    host.stops_after = 1
    one = performance(host, FIRST, SECOND, STAYS)
    with pytest.raises(Interrupted):
        one.perform_all()
    assert host.asked == ["start do first", "start do second", "start undo second", "start undo first"]
    assert one.state == "reverted"


def test_what_stays_and_what_was_reported_is_told() -> None:
    host = Host(do_stays=[Progress("ended", reported="mind the gap")])
    one = performance(host, FIRST, STAYS, QUIET)
    one.perform_all()
    one.revert("not well")
    assert one.reason == "undone: not well; what stays: stays is done; the commands reported: `do stays`: mind the gap"
    assert one.remarks == [f"alvin: {one.reason}"]
    assert host.finished == [("reverted", one.reason)]


def test_nothing_is_told_where_everything_was_undone() -> None:
    one = performance(Host(), FIRST, QUIET)
    one.perform_all()
    one.revert("not well")
    assert (one.state, one.reason, one.remarks) == ("reverted", "undone: not well", [])


def test_failed_undo_is_reported_and_the_others_still_run() -> None:
    host = Host(undo_second=[Progress("ended", error="it is busy")])
    one = performance(host, FIRST, SECOND)
    one.perform_all()
    for _ in range(2):
        with pytest.raises(TransactionError, match=r"^alvin: what could not be undone: it is busy$"):
            one.revert("not well")
    assert host.asked[2:] == ["start undo second", "start undo first"], "it is undone once"


def test_undo_without_an_answer_is_retried() -> None:
    host = Host(undo_first=[LinkError("gone"), Progress("unknown"), ENDED])
    one = performance(host, FIRST, SECOND)
    one.perform_all()
    with pytest.raises(LinkError):
        one.revert("not well")
    one.revert("not well")
    assert host.asked[-1] == "start undo first"


def test_confirmation_is_final_and_may_be_repeated() -> None:
    host = Host()
    one = performance(host, FIRST)
    one.perform_all()
    one.confirm()
    one.confirm()
    assert (one.state, one.undo, host.finished[0]) == ("confirmed", [], ("confirmed", ""))
    with pytest.raises(TransactionError, match=r"^alvin: it is confirmed and cannot be reverted$"):
        one.revert("not well")


@pytest.mark.parametrize("state", ["applying", "reverted", "interrupted"])
def test_only_what_was_applied_is_confirmed(state: str) -> None:
    one = performance(Host(), FIRST)
    one.state, one.reason = state, "because"
    with pytest.raises(TransactionError, match=f"^alvin: wanted it applied, it is {state}: because$"):
        one.confirm()


def test_host_that_does_not_hear_of_the_end_changes_nothing() -> None:
    host = Host()
    one = performance(host, FIRST)
    one.perform_all()
    host.do = lambda *_, **__: (_ for _ in ()).throw(LinkError("gone"))  # type: ignore[method-assign]
    one.confirm()
    assert (one.state, host.said[-1]) == ("confirmed", ("failed", "the host does not know that it is confirmed: gone"))


@pytest.mark.parametrize("result", [None, 7, [7], {"name": "share"}], ids=str)
def test_answer_without_the_created_id_is_refused(result: object) -> None:
    """The undo would delete another object."""
    with pytest.raises(BadAnswer) as raised:
        _with_id(Call("sharing.nfs.delete", "[{id}]"), result)
    assert str(raised.value) == f"the answer does not name what was made: wanted an object with an id, found {result!r}"
    assert _with_id(Call("service.update", "[]", job=True), result) == Call("service.update", "[]", job=True)


def test_undo_names_the_created_object() -> None:
    assert _with_id(Call("sharing.nfs.delete", "[{id}]"), {"id": 7}) == Call("sharing.nfs.delete", "[7]")
