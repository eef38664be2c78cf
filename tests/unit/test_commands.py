"""Promises about operations, which no timer takes back, and about sets that are applied one after the other."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from engine import HEALTH, Alias, Named, World, clustered, host_is_well
from fake_host import FakeHost

from inventory.site import Site
from inventory.targets import CEPH, Target
from tasks.core.engine.runbook import FAILED, OK
from tasks.core.model.change import Candidate, Change, ChangeSet, Concurrency, Member, Step
from tasks.core.model.errors import BurrowError, Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Command, Operation
from tasks.core.model.plan import of_host

IN_ORDER = Concurrency("cluster")
FIRST = Operation("member/a", Command(("join", "a")), "it joins a", Command(("leave", "a")))
SECOND = Operation("member/b", Command(("join", "b")), "it joins b")


@dataclass(frozen=True)
class Joined(Change[Named]):
    """The host has joined."""

    needs: ClassVar = (HEALTH,)
    host: str
    operations: tuple[Any, ...] = (FIRST, SECOND)

    def intend(self, *_: object) -> Named:
        return Named("joined")

    def observe(self, _: Site, facts: Facts) -> Named:
        return Named(facts[self.host][HEALTH] or "alone")

    def steps(self, *_: object) -> tuple[Step, ...]:
        return self.operations


@dataclass(frozen=True)
class JoinedAfter(Joined):
    """The host has joined, after the cluster's first host has."""

    also: ClassVar = ((CEPH, (HEALTH,)),)

    def intend(self, site: Site, facts: Facts) -> Named:
        if facts[site.targets(CEPH)[0]][HEALTH] != "joined":
            raise Refused(f"{self.host}: the cluster has not joined")
        return Named("joined")


def join(host: str, *commands: Any, **fields: Any) -> ChangeSet:
    member = Member(host, (Joined(host, commands or (FIRST, SECOND)),), safe_alone=True)
    return ChangeSet(f"join {host}", (member,), **fields)


def once_joined(host: FakeHost) -> str:
    return "joined" if "join b" in host.performed else ""


@pytest.fixture(autouse=True)
def hosts(world: World) -> None:
    for name in ("alvin", "simon"):
        world[name].answers[HEALTH.command] = once_joined


def test_commands_run_in_their_order_and_a_second_run_has_none(world: World) -> None:
    assert world.execute(join("alvin")).exit_code == OK
    assert world["alvin"].performed == ["join a", "join b"]
    assert world.execute(join("alvin")).exit_code == OK
    assert world["alvin"].performed == ["join a", "join b"]
    assert world["alvin"].timers == []


def test_plan_lists_commands_without_an_undo(world: World) -> None:
    (plan,) = world.execute(join("alvin"), dry_run=True).stages[0].plans[0].changes
    assert plan.diff() == "+ it joins a\n+ it joins b\n"
    assert plan.impact == ("not undone if a later step fails: it joins b",)
    assert world["alvin"].performed == []


def test_failed_command_undoes_the_commands_before_it(world: World) -> None:
    world["alvin"].fails["join b"] = "b is full"
    outcome = world.apply_set(join("alvin"))
    assert world["alvin"].performed == ["join a", "join b", "leave a"]
    assert outcome.state == "reverted"
    assert "alvin: `join b` ended with 1: b is full" in outcome.reasons[0]


def test_commands_without_an_undo_stay_and_are_reported(world: World) -> None:
    world["alvin"].fails["join a"] = "a is closed"
    outcome = world.apply_set(join("alvin", SECOND, FIRST))
    assert world["alvin"].performed == ["join b", "join a"]
    assert any("what stays: it joins b" in reason for reason in outcome.reasons), outcome.reasons


def test_standard_error_of_a_command_is_reported_where_the_checks_then_fail(world: World) -> None:
    """Some of Proxmox's commands exit with 0 although their task failed; only their standard error has the reason."""
    world["alvin"].answers[HEALTH.command] = lambda _: "tired"
    world["alvin"].remarks["join b"] = "b is full"
    outcome = world.apply_set(replace(join("alvin"), checks=(host_is_well,)))
    assert outcome.state == "reverted"
    assert any("`join b`: b is full" in reason for reason in outcome.reasons), outcome.reasons


def test_command_with_a_lost_answer_is_not_repeated(world: World) -> None:
    """It is unknown whether the command ran: the next run reads the state."""

    def break_off(host: FakeHost) -> None:
        host.reachable = False

    world["alvin"].happens["after start"] = break_off
    outcome = world.apply_set(join("alvin"))
    assert outcome.state == "reverted"
    assert world["alvin"].performed == ["join a"]


def test_timer_does_not_undo_commands(world: World) -> None:
    outcome = world.apply_set(join("alvin", FIRST, Candidate("iface eth0\n\talias joined\n")))
    assert outcome.state == "refused"
    assert "they need a change set of their own" in outcome.reasons[0]
    assert world["alvin"].performed == []


def test_sets_of_one_lock_are_applied_one_after_the_other(world: World) -> None:
    world.execute(join("alvin", concurrency=IN_ORDER), join("simon", concurrency=IN_ORDER))
    asked = [host for host, verb in world.journal if verb == "start"]
    assert asked == ["alvin", "alvin", "simon", "simon"]


def test_cluster_is_read_again_after_an_earlier_set_changed_it(world: World) -> None:
    after = ChangeSet("simon after alvin", (Member("simon", (JoinedAfter("simon"),), safe_alone=True),), concurrency=IN_ORDER)
    sets = (join("alvin", concurrency=IN_ORDER), after)
    assert [one.state for one in world.execute(*sets, run=clustered(world.run(*sets))).stages[0].outcomes] == ["done", "done"]


def test_no_set_of_the_lock_starts_after_one_that_failed(world: World) -> None:
    world["alvin"].fails["join a"] = "a is closed"
    result = world.execute(join("alvin", concurrency=IN_ORDER), join("simon", concurrency=IN_ORDER))
    assert result.exit_code == FAILED
    assert [one.state for one in result.stages[0].outcomes] == ["reverted", "refused"]
    assert "'join alvin' comes first" in result.stages[0].outcomes[1].reasons[0]
    assert world["simon"].performed == []


def test_neighbouring_sets_with_a_width_are_applied_in_parallel(world: World) -> None:
    """A set that fails does not stop the others that run with it, but it stops all sets after these."""
    world["alvin"].fails["join a"] = "a is closed"
    group = [join(host, concurrency=Concurrency("cluster", 2)) for host in ("alvin", "simon")]
    result = world.execute(*group, replace(join("simon", concurrency=IN_ORDER), name="after"))
    assert [one.state for one in result.stages[0].outcomes] == ["reverted", "done", "refused"]
    assert world["simon"].performed == ["join a", "join b"]


def unreadable(*_: object) -> bool:
    raise BurrowError("alvin: its answer cannot be read")


@pytest.mark.parametrize("apart", [lambda *_: True, unreadable], ids=["in-use", "nobody-can-tell"])
def test_they_are_applied_serially_where_their_cluster_is_in_use(world: World, apart: Any) -> None:
    group = [join(host, concurrency=Concurrency("cluster", 2, apart)) for host in ("alvin", "simon")]
    world["alvin"].fails["join a"] = "a is closed"
    result = world.execute(*group)
    assert [one.state for one in result.stages[0].outcomes] == ["reverted", "refused"]
    assert world["simon"].performed == []


CLUSTER = Target(CEPH, "attic")


def test_cluster_is_changed_through_an_endpoint_that_answers(world: World) -> None:
    """And the leases of most of its endpoints are taken."""
    world["alvin"].reachable = False
    result = world.execute(join(CLUSTER), run=clustered(world.run()))
    assert [outcome.state for outcome in result.stages[0].outcomes] == ["done"]
    assert [world[name].performed for name in ("alvin", "simon", "sw-rack")] == [[], ["join a", "join b"], []]
    assert world.asked("prepare") == [("simon", "prepare"), ("sw-rack", "prepare")]
    assert world.asked("release") == [("simon", "release"), ("sw-rack", "release")]


def test_cluster_is_not_changed_where_most_of_its_endpoints_are_silent(world: World) -> None:
    world["alvin"].reachable = world["sw-rack"].reachable = False
    (outcome,) = world.execute(join(CLUSTER), run=clustered(world.run())).stages[0].outcomes
    assert (outcome.state, world["simon"].performed) == ("refused", [])
    assert outcome.reasons[0].startswith("wanted the leases of 2 of alvin, simon, sw-rack, got fewer: ")


@pytest.mark.parametrize("first", ["simon", CLUSTER])
def test_second_operator_is_refused_on_a_cluster(world: World, first: str) -> None:
    """One changes a host of the cluster, or the cluster through another endpoint."""
    other = clustered(world.run())
    other.do("simon" if first == CLUSTER else first, "prepare", plan=of_host("simon"))
    if first == CLUSTER:
        other.do("sw-rack", "prepare", plan=of_host("sw-rack"))
    run = clustered(world.run())
    run.owner = replace(run.owner, run="another")
    (outcome,) = world.execute(join(CLUSTER), run=run).stages[0].outcomes
    assert (outcome.state, world["alvin"].performed) == ("refused", [])
    assert "kim@desk has been changing this host" in outcome.reasons[0]


def test_change_of_a_host_that_changes_its_cluster_leases_the_cluster(world: World) -> None:
    assert world.execute(join("alvin", clusters=(CLUSTER,)), run=clustered(world.run())).exit_code == OK
    assert world.asked("prepare") == [("alvin", "prepare"), ("simon", "prepare")]


def test_set_waits_for_its_checks_for_its_own_time(world: World) -> None:
    begun = world.clock()
    world["alvin"].answers[HEALTH.command] = lambda host: "well" if host.clock() > begun + 60 else "tired"
    one = ChangeSet("slow", (Member("alvin", (Alias("alvin", "eth0"),), safe_alone=True),), (host_is_well,), verify_s=90)
    assert world.apply_set(one).state == "reverted"  # its own timer expires before that
    assert world.apply_set(replace(join("alvin"), checks=(host_is_well,), verify_s=90)).state == "done"
