"""Sets of a stage that are applied in a fixed order."""

from dataclasses import replace

from engine import Alias, World, uplink

from tasks.core.engine.runbook import OK
from tasks.core.model.change import ChangeSet, Member

LATER, FIRST = replace(uplink("alvin"), turn=2), replace(uplink("simon", port="swp2"), turn=0)


def test_sets_are_applied_turn_by_turn_and_reported_in_order(world: World) -> None:
    result = world.execute(LATER, FIRST)
    assert result.exit_code == OK
    assert [host for host, _ in world.asked("begin")] == ["simon", "sw-rack", "alvin", "sw-rack"]
    assert [one.plan.change_set.name for one in result.stages[0].outcomes] == ["uplink alvin", "uplink simon"]


def test_set_does_not_start_after_an_earlier_failure_on_its_host(world: World) -> None:
    world["simon"].reload_fails = True
    apart = ChangeSet("apart", (Member("sw-vendor", (Alias("sw-vendor", "swp1"),), safe_alone=True),), turn=2)
    result = world.execute(LATER, FIRST, apart)
    outcomes = {one.plan.change_set.name: one for one in result.stages[0].outcomes}
    assert {name: one.state for name, one in outcomes.items()} == {"uplink alvin": "refused", "uplink simon": "reverted", "apart": "done"}
    assert outcomes["uplink alvin"].reasons == ["not started: 'uplink simon' comes first and is not as wanted"]
