"""A host that is still reverting: what a run reports, and when it changes the host again."""

import pytest
from engine import HEALTH, World, uplink
from fake_host import FRESH, FakeHost

from tasks.core.engine import rollback
from tasks.core.engine.planning import plan_set
from tasks.core.engine.runbook import FAILED, OK, REFUSED

ALVIN = uplink("alvin")


def full(host: FakeHost) -> None:
    host.stuck = "/etc/network/interfaces: no space left on /"


@pytest.mark.parametrize("name", ["alvin", "sw-rack"])
def test_host_that_is_still_reverting_is_reported_and_refused(world: World, name: str) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world[name].happens["after begin"] = full
    result = world.execute(ALVIN)
    (outcome,) = result.stages[0].outcomes
    assert (result.exit_code, outcome.state) == (FAILED, "reverting")
    assert any(
        reason.startswith(f"{name}: is reverting: ") and reason.endswith("/etc/network/interfaces: no space left on /; it keeps trying")
        for reason in outcome.reasons
    )
    del world["alvin"].answers[HEALTH.command]
    again = world.execute(ALVIN)
    assert again.exit_code == REFUSED
    assert f"{name}: 'uplink alvin' of kim@desk is reverting: " in again.stages[0].plans[0].refused
    world[name].stuck = ""
    assert world.execute(ALVIN).exit_code == OK


def test_host_that_has_room_again_in_time_is_reverted(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = lambda host: "sick" if host.pending else "well"
    world["sw-rack"].happens["after begin"] = full
    world["sw-rack"].happens["after revert"] = lambda host: setattr(host, "stuck", "")
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "reverted"
    assert world.untouched("alvin", "sw-rack")
    assert rollback.POLL_S < 1


def test_host_that_reverts_instead_of_confirming_is_reported(world: World) -> None:
    def reverting(host: FakeHost) -> None:
        full(host)
        host._restore("by its timer, because it was not confirmed")

    world["sw-rack"].happens["before confirm"] = reverting
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.confirmed) == ("reverting", ["alvin"])


def test_open_transaction_of_this_very_run_that_is_reverting_refuses_too(world: World) -> None:
    run = world.run(ALVIN)
    world.apply_set(ALVIN, run)
    world["alvin"].pending = {"token": "1", "run": run.id, "holder": "kim", "why": "it", "state": "reverting", "until": 1e9}
    world["alvin"].files["/etc/network/interfaces"] = FRESH
    world["alvin"].pending["reason"] = "full"
    world["alvin"].happens = {}
    run.read(["alvin", "sw-rack"])
    assert "alvin: 'it' of kim is reverting: full; it keeps trying" in plan_set(ALVIN, run.site, run.facts, run.id).refused
