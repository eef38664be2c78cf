"""Sets of a stage that are applied in a fixed order."""

from dataclasses import replace

from engine import Alias, World, uplink

from tasks.core.engine.runbook import OK
from tasks.core.model.change import ChangeSet, Concurrency, Member

AFTER = Concurrency(after=("uplink simon",))
LATER, FIRST = replace(uplink("alvin"), concurrency=AFTER), uplink("simon", port="swp2")


def test_set_is_applied_after_those_that_it_names_and_reported_in_order(world: World) -> None:
    result = world.execute(LATER, FIRST)
    assert result.exit_code == OK
    assert [host for host, _ in world.asked("begin")] == ["simon", "sw-rack", "alvin", "sw-rack"]
    assert [one.plan.change_set.name for one in result.stages[0].outcomes] == ["uplink alvin", "uplink simon"]


def test_set_does_not_start_after_an_earlier_failure_on_its_host(world: World) -> None:
    world["simon"].reload_fails = True
    apart = ChangeSet("apart", (Member("sw-vendor", (Alias("sw-vendor", "swp1"),), safe_alone=True),), concurrency=AFTER)
    result = world.execute(LATER, FIRST, apart)
    outcomes = {one.plan.change_set.name: one for one in result.stages[0].outcomes}
    assert {name: one.state for name, one in outcomes.items()} == {"uplink alvin": "refused", "uplink simon": "reverted", "apart": "done"}
    assert outcomes["uplink alvin"].reasons == ["not started: 'uplink simon' comes first and is not as wanted"]
