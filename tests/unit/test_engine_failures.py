"""A change set whose hosts refuse, fail, fall silent or are interrupted: what is undone, and what the outcome says."""

import pytest
from engine import HEALTH, Alias, World, uplink, when
from fake_host import FakeHost

from tasks.core.engine.planning import plan_set
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.errors import LinkError, Reverting, TransactionError
from tasks.core.model.fact import STATUS

ALVIN = uplink("alvin")


def sick_once_changed(host: FakeHost) -> str:
    return "sick" if host.pending else "well"


def lose_answer(host: FakeHost) -> None:
    raise LinkError(f"{host.name}: the connection broke")


def vanish(host: FakeHost) -> None:
    host.reachable = False
    lose_answer(host)


def test_refused_host_leaves_other_end_untouched(world: World) -> None:
    world["sw-rack"].lease = {"run": "another", "holder": "sam@desk", "since": "20:59", "until": world.clock() + 20}
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "refused"
    assert world.asked("begin") == []


@pytest.mark.parametrize("held", ["alvin", "sw-rack"])
def test_lease_holder_is_named(world: World, held: str) -> None:
    world[held].lease = {"run": "another", "holder": "sam@desk", "since": "20:59", "until": world.clock() + 20}
    assert world.apply_set(ALVIN).reasons == [f"{held}: sam@desk has been changing this host since 20:59"]


def test_end_that_refuses_its_candidate_reverts_the_other(world: World) -> None:
    nonsense = Member("sw-rack", (Alias("sw-rack", "swp1", "x\n\tnonsense 1"),))
    bad = ChangeSet("bad", (ALVIN.ordered()[0], nonsense), ALVIN.checks)
    outcome = world.apply_set(bad)
    assert outcome.state == "reverted"
    assert world.asked("begin", "revert") == [("alvin", "begin"), ("alvin", "revert")]
    assert world.untouched("alvin", "sw-rack")


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_end_that_cannot_apply_reports_why(world: World, host: str) -> None:
    world[host].reload_fails = True
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "reverted"
    assert "`ifreload -a` ended with 1: eth0: no such device" in outcome.reasons[0]
    assert world.untouched("alvin", "sw-rack")


def test_host_that_changed_since_it_was_read_is_refused(world: World) -> None:
    def edited(host: FakeHost) -> None:
        host.files["/etc/network/interfaces"] += "# by hand\n"

    world["alvin"].happens["before begin"] = edited
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "refused"
    assert "was changed since it was read" in outcome.reasons[0]


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
@pytest.mark.parametrize("verb", ["begin", "confirm"])
def test_lost_answer_is_asked_again(world: World, host: str, verb: str) -> None:
    world[host].happens[f"after {verb}"] = lose_answer
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("done", ["alvin", "sw-rack"])
    assert world.asked("begin") == [("alvin", "begin"), ("sw-rack", "begin")]


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_lost_request_to_confirm_is_repeated(world: World, host: str) -> None:
    world[host].happens["before confirm"] = lose_answer
    assert world.apply_set(ALVIN).state == "done"


def test_host_that_its_change_cuts_off_restores_itself(world: World) -> None:
    world["alvin"].happens["after begin"] = vanish
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "reverted"
    assert "alvin: unreachable after its change" in outcome.reasons[0]
    assert world.asked("begin") == [("alvin", "begin")]
    world["alvin"].lapse()
    assert world.untouched("alvin", "sw-rack")


def test_cut_off_hosts_set_ends_only_after_its_timer(world: World) -> None:
    """Until then no other set may use the host."""
    world["sw-rack"].happens["after begin"] = vanish
    world.apply_set(ALVIN)
    assert world["sw-rack"].pending is not None
    assert world.clock() > world["sw-rack"].pending["until"]


def test_confirm_failure_leaves_safe_half_state(world: World) -> None:
    world["sw-rack"].happens["before confirm"] = vanish
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("reverted", ["alvin"])
    world["sw-rack"].lapse()
    assert world.untouched("sw-rack")
    assert not world.untouched("alvin")


def test_confirm_failure_of_the_safe_end_reverts_both(world: World) -> None:
    world["alvin"].happens["before confirm"] = vanish
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("reverted", [])
    world["alvin"].lapse()
    assert world.untouched("alvin", "sw-rack")


def test_next_run_finishes_a_half_state(world: World) -> None:
    world["sw-rack"].happens["before confirm"] = vanish
    world.apply_set(ALVIN)
    world["sw-rack"].reachable = True
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("done", ["sw-rack"])


@pytest.mark.parametrize(("kind", "host"), [("prepared", "alvin"), ("applied", "alvin"), ("reachable", "alvin"), ("applied", "sw-rack")])
def test_interrupt_rolls_back(world: World, kind: str, host: str) -> None:
    run = world.run(ALVIN)
    run.watchers = (when(kind, host, run.stop.set),)
    assert world.apply_set(ALVIN, run).state == "interrupted"
    assert (world["alvin"].pending, world["sw-rack"].pending) == (None, None)
    assert world.untouched("alvin", "sw-rack")


def test_interrupt_while_confirming_comes_too_late(world: World) -> None:
    """A set that is confirmed on only one host is worse than one that is confirmed on both."""
    run = world.run(ALVIN)
    run.watchers = (when("confirmed", "alvin", run.stop.set),)
    assert world.apply_set(ALVIN, run).state == "done"


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_host_that_was_never_reached_is_asked_once(world: World, host: str) -> None:
    """Only a connection that was open may have broken meanwhile."""
    world[host].reachable = False
    with pytest.raises(LinkError):
        world.run(ALVIN).do(host, "read", facts=(STATUS,))
    assert world[host].tries == 1


@pytest.mark.parametrize("host", ["alvin", "sw-rack"])
def test_outcome_of_a_host_that_is_not_rolled_back_is_reported(world: World, host: str) -> None:
    run = world.run(ALVIN)
    world[host].happens["after begin"] = vanish
    outcome = world.apply_set(ALVIN, run)
    *_, printed = (event.text for event in run.events if (event.kind, event.host) == ("failed", host) and event.change_set)
    assert printed in outcome.reasons[1:]
    assert printed.startswith(f"{host}: not rolled back from here")


def test_host_that_is_still_restoring_is_reported(world: World) -> None:
    run = world.run(ALVIN)
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    world["alvin"].stuck = "it is busy"
    outcome = world.apply_set(ALVIN, run)
    assert outcome.state == "reverting"
    (printed,) = (event.text for event in run.events if (event.kind, event.host) == ("failed", "alvin"))
    assert printed == outcome.reasons[-1]
    assert "it is busy" in printed


@pytest.fixture
def begun(world: World):
    """A run that has begun a switch's change, and its plan."""

    def begin(switch: str):
        change_set = uplink("alvin", switch)
        run = world.run(change_set)
        run.read([switch, "alvin"])
        (plan,) = (host for host in plan_set(change_set, run.site, run.facts).targets if host.host == switch)
        run.do(switch, "prepare", plan=plan)
        run.do(switch, "begin", plan=plan, revert_s=60, deadline_s=30, on_event=lambda _: None)
        return run, plan

    return begin


@pytest.mark.parametrize("state", ["armed", "applying", "applied"])
def test_switch_is_rolled_back_in_any_state(world: World, begun, state: str) -> None:
    run, plan = begun("sw-rack")
    assert world["sw-rack"].pending["token"] == plan.transaction.token, "the host has the run's own token"
    world["sw-rack"].pending["state"] = state
    run.do("sw-rack", "revert", plan=plan, reason="not well")
    assert world.untouched("sw-rack")
    run.do("sw-rack", "revert", plan=plan, reason="once more")
    assert len(world.asked("revert")) == 1, "a second revert would undo another operator's commit"


def test_switch_that_is_reverting_is_asked_again(world: World, begun) -> None:
    run, plan = begun("sw-rack")
    world["sw-rack"].stuck = "it is busy"
    for _ in range(2):
        with pytest.raises(Reverting):
            run.do("sw-rack", "revert", plan=plan, reason="not well")
    world["sw-rack"].stuck = ""
    run.do("sw-rack", "revert", plan=plan, reason="not well")
    assert world.untouched("sw-rack")


def test_vendors_switch_knows_only_what_is_pending(world: World, begun) -> None:
    run, plan = begun("sw-vendor")
    assert run.do("sw-vendor", "outcome", plan=plan)["state"] == "applied"
    run.do("sw-vendor", "revert", plan=plan, reason="not well")
    assert run.do("sw-vendor", "outcome", plan=plan) == {"state": "unknown", "reason": "no commit is pending"}
    run.do("sw-vendor", "revert", plan=plan, reason="once more")
    assert len(world.asked("revert")) == 1


def test_switch_that_has_confirmed_keeps_it(begun) -> None:
    run, plan = begun("sw-rack")
    run.do("sw-rack", "confirm", plan=plan)
    with pytest.raises(TransactionError, match=r"^sw-rack: it is confirmed and cannot be reverted"):
        run.do("sw-rack", "revert", plan=plan, reason="not well")
