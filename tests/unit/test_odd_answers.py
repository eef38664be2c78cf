"""An odd answer is only its host's failure: the other hosts continue, and open transactions are rolled back."""

import errno
import resource
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from engine import HEALTH, TIMERS, World, uplink
from fake_host import FakeHost
from nornir.core.plugins.connections import ConnectionPluginRegister
from test_commands import join
from test_maintenance import INSIDE, settings

from tasks.core.connectors import answer, open_files
from tasks.core.engine import maintenance as service
from tasks.core.engine.execute import execute
from tasks.core.engine.runbook import Options, Runbook, RunResult, Stage
from tasks.core.model.change import ChangeSet
from tasks.core.model.errors import BadAnswer, LinkError, Refused
from tasks.core.model.fact import STATUS, Fact, HostFacts, Reading

ALVIN, SIMON = uplink("alvin", "sw-rack"), uplink("simon", "sw-vendor")
LATE_S = TIMERS.revert_s + 2 * TIMERS.apply_s + 60

# Values that may come instead of an answer, for any verb.
WHOLE: dict[str, Any] = {
    "none": None,
    "empty-object": {},
    "list": [],
    "text": "fine",
    "number": 7,
    "true": True,
    "another-object": {"status": "ok"},
    "not-json": b"Last login: Fri Nov 27\n",
    "nothing": b"",
    "truncated": b'{"answer": {"state": "app',
    "no-answer": b'{"event": 7}\n',
    "null": b"null\n",
    "a-list": b"[1, 2]\n",
    "not-utf-8": b"\xff\xfe\x00",
    "deep": b"[" * 20_000 + b"\n",
    "refused-with-a-list": b'{"refused": [1]}\n',
    "huge": b'{"answer": "' + b"x" * 200_000 + b'"}\n',
    "not-a-number": b'{"answer": {"state": NaN, "reason": Infinity}}\n',
}


def replaced_by(one: Any) -> Callable[[Any], Any]:
    return lambda _: one


def spoiled(found: Any) -> Iterator[tuple[str, Any]]:
    """The answer with each of its parts missing, or of another type."""
    if not isinstance(found, dict):
        return
    for key, value in found.items():
        yield f"without-{key}", {name: one for name, one in found.items() if name != key}
        for kind, one in (("none", None), ("list", [1]), ("text", "surprise")):
            yield f"{key}-{kind}", {**found, key: one}
        for name, one in spoiled(value):
            yield f"{key}/{name}", {**found, key: one}


def sick_once_changed(host: FakeHost) -> str:
    return "sick" if host.pending else "well"


def expire_timers(world: World) -> None:
    world.clock.sleep(LATE_S)
    for host in world.hosts.values():
        host.odd.clear()
        host.lapse()


def execute_both(world: World, odd: ChangeSet = ALVIN, other: ChangeSet = SIMON) -> RunResult:
    """One after the other: they share the clock, and waiting for an odd host would let the other's timers expire."""
    stages = tuple(Stage(one.name, (lambda _, one=one: (one,),)) for one in (odd, other))  # type: ignore[misc]
    return execute(Runbook("Try odd answers.", stages), Options(), world.run(ALVIN, SIMON), lambda *_: True)


def assert_only_its_set_failed(world: World, result: RunResult, hosts: tuple[str, ...] = ("alvin", "sw-rack")) -> None:
    """The other set is done. This one is completely applied, or completely undone, or reports which of its ends has confirmed."""
    assert result.trouble == ""
    odd, other = result.stages
    assert [one.state for one in other.outcomes] == ["done"]
    expire_timers(world)
    assert [host.name for host in world.hosts.values() if host.pending or host.lease] == []
    confirmed = odd.outcomes[0].confirmed if odd.outcomes else []
    assert [name for name in hosts if not world.untouched(name)] == confirmed
    assert [one.state == "done" for one in odd.outcomes] == [confirmed == list(hosts)] * len(odd.outcomes)
    assert odd.outcomes or odd.plans[0].refused


VERBS = ("read", "prepare", "begin", "outcome", "confirm", "revert", "release")


@pytest.mark.parametrize("one", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
@pytest.mark.parametrize("verb", VERBS)
def test_missing_answer(world: World, host: str, verb: str, one: Any) -> None:
    if verb == "revert":
        world["alvin"].answers[HEALTH.command] = sick_once_changed
    world[host].odd[verb] = replaced_by(one)
    assert_only_its_set_failed(world, execute_both(world))


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
@pytest.mark.parametrize("verb", VERBS)
def test_answer_with_a_part_of_another_type(world: World, host: str, verb: str) -> None:
    """Every part of it, one after the other, each on fresh hosts."""
    known: list[Any] = []
    world[host].odd[verb] = lambda found: known.append(found) or found
    if verb == "revert":
        world["alvin"].answers[HEALTH.command] = sick_once_changed
    world.execute(ALVIN, SIMON)
    for _, one in spoiled(known[0]):
        for name in ("alvin", "simon", "sw-rack", "sw-vendor"):
            world.hosts[name].__init__(name, world.clock, world.journal)  # type: ignore[misc]
        if verb == "revert":
            world["alvin"].answers[HEALTH.command] = sick_once_changed
        world[host].odd[verb] = replaced_by(one)
        assert_only_its_set_failed(world, execute_both(world))


METHODS = ("cli", "get_config", "compare_config", "commit_config", "has_pending_commit", "confirm_commit", "rollback")


def leave(_: Any) -> Any:
    raise SystemExit(1)


def no_memory(_: Any) -> Any:
    raise MemoryError


def no_name(_: Any) -> Any:
    raise OSError(-2, "Name or service not known")


ODD_DEVICE = {name: replaced_by(WHOLE[name]) for name in ("none", "empty-object", "list", "text", "number")}
ODD_DEVICE |= {"lists": replaced_by({"running": []}), "leaves": leave, "no-memory": no_memory, "no-name": no_name}


DEVICES = {
    f"{switch}-{method}-{name}": (switch, method, one)
    for switch in ("sw-rack", "sw-vendor")
    for method in METHODS
    for name, one in ODD_DEVICE.items()
    # A device without a record cannot tell whether it confirmed or reverted.
    if (switch, method) != ("sw-vendor", "confirm_commit") or one not in (leave, no_memory, no_name)
}


@pytest.mark.parametrize(("switch", "method", "one"), DEVICES.values(), ids=DEVICES)
def test_driver_that_answers_or_fails_oddly(world: World, switch: str, method: str, one: Callable[[Any], Any]) -> None:
    hosts = ("simon", switch) if switch == "sw-vendor" else ("alvin", switch)
    if method == "rollback":
        world[hosts[0]].answers[HEALTH.command] = sick_once_changed
    world[switch].odd[f"device {method}"] = one
    sets = (SIMON, ALVIN) if switch == "sw-vendor" else (ALVIN, SIMON)
    assert_only_its_set_failed(world, execute_both(world, *sets), hosts)


@pytest.mark.parametrize("one", WHOLE.values(), ids=WHOLE)
def test_command_without_an_answer(world: World, one: Any) -> None:
    """It is unknown whether the command ran, so the steps before it are undone."""
    for verb in ("start", "poll"):
        world["alvin"].odd[verb] = lambda found: one if world["alvin"].performed[-1] == "join b" else found
    world["simon"].answers[HEALTH.command] = lambda host: "joined" if "join b" in host.performed else ""
    assert [world.apply_set(join(host)).state for host in ("alvin", "simon")] == ["reverted", "done"]
    assert "leave a" in world["alvin"].performed


@pytest.mark.parametrize("one", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("verb", ["begin", "outcome", "revert", "read"])
def test_host_that_prepares_for_a_peer_answers_oddly(world: World, monkeypatch: pytest.MonkeyPatch, verb: str, one: Any) -> None:
    monkeypatch.setattr(service, "BACK_S", 3)
    world["simon"].odd[verb] = replaced_by(one)
    result = world.execute(settings("alvin"), settings("sw-rack"), maintenance=INSIDE)
    assert result.trouble == ""
    assert {one.plan.change_set.name: one.state for one in result.stages[0].outcomes}["settings sw-rack"] == "done"


def test_failed_connection_is_only_its_hosts_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example an error of a library about a `Match` in the SSH configuration that it does not support."""
    plugin = ConnectionPluginRegister.available["burrow_ssh"]

    class Odd(plugin):  # type: ignore[misc, valid-type]
        def open(self, hostname: str, **named: Any) -> None:
            if hostname == "alvin":
                raise ValueError("Invalid match condition")
            super().open(hostname, **named)

    monkeypatch.setitem(ConnectionPluginRegister.available, "burrow_ssh", Odd)
    result = world.execute(ALVIN, SIMON)
    assert [one.state for one in result.stages[0].outcomes] == ["refused", "done"]
    assert "Invalid match condition" in result.run.unreachable["alvin"]


def test_process_at_its_limit_of_open_files_is_reported(world: World) -> None:
    def full() -> None:
        raise LinkError("alvin: no SSH connection: [Errno 24] Too many open files") from OSError(errno.EMFILE, "Too many open files")

    world["alvin"].connect = full  # type: ignore[method-assign]
    result = world.execute(ALVIN, SIMON)
    assert "ulimit -n" in result.run.unreachable["alvin"]
    assert [one.state for one in result.stages[0].outcomes] == ["refused", "done"]


def test_more_connections_than_files_are_refused_before_the_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 20))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with pytest.raises(Refused, match="connections to 2 hosts need 70 open files, and this process may open 20"):
        world.execute(ALVIN)
    assert world.journal == []


def test_soft_limit_is_raised_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 5000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, one: limits.append(one))
    open_files.allow_connections(10)
    open_files.allow_connections(100)
    assert limits == [(100 * open_files.PER_HOST + open_files.RESERVE, 5000)]


ODD_STATUS = {
    "none": "null",
    "text": '"x"',
    "no-pending": '{"records": [], "boot": "1"}',
    "pending-without-time": '{"pending": {"run": "a", "holder": "b", "why": "c"}, "records": [], "boot": "1"}',
    "pending-for-ever": '{"pending": {"run": "a", "holder": "b", "why": "c", "revert_in_s": Infinity}, "records": [], "boot": "1"}',
    "records-of-text": '{"pending": null, "records": ["x"], "boot": "1"}',
    "records-none": '{"pending": null, "records": null, "boot": "1"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("one", ODD_STATUS.values(), ids=ODD_STATUS)
def test_host_with_an_invalid_status_is_refused(world: World, one: str) -> None:
    world["alvin"]._output = lambda command: one if command == STATUS.command else FakeHost._output(world["alvin"], command)  # type: ignore[method-assign]
    result = world.execute(ALVIN, SIMON)
    assert [outcome.state for outcome in result.stages[0].outcomes] == ["refused", "done"]
    assert "cannot be read as burrow_status" in result.stages[0].outcomes[0].reasons[0]


def test_odd_reading_fails_only_what_needs_it() -> None:
    readings = answer.readings(
        "alvin", ["good", "odd", "missing"], {"facts": {"good": {"rc": 0, "out": "x", "err": ""}, "odd": {"rc": "0"}}}
    )
    assert readings["good"] == Reading(0, "x")
    facts = HostFacts("alvin", readings)
    for name in ("odd", "missing"):
        with pytest.raises(Exception, match="cannot be understood"):
            facts[Fact(name, name, str)]


def test_message_is_short_and_names_the_host() -> None:
    with pytest.raises(BadAnswer, match=r"alvin: .* wanted .* found '?x{100,130}\.\.\.") as caught:
        answer.outcome("alvin", "x" * 100_000)
    assert len(str(caught.value)) < 300
