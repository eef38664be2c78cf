"""What a later stage takes over from an earlier one."""

from engine import HEALTH, World, uplink, when
from test_runbook import sick_once_changed

from tasks.core.engine.execute import execute
from tasks.core.engine.runbook import OK, Options, Runbook, Stage

ALVIN, SIMON = uplink("alvin"), uplink("simon", port="swp2")


def test_no_set_of_a_later_stage_starts_after_as_many_failures_as_allowed(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    stages = tuple(Stage(name, (lambda _, one=one: (one,),)) for name, one in (("first", ALVIN), ("second", SIMON)))  # type: ignore[misc]
    result = execute(Runbook("Two stages.", stages), Options(max_failures=1), world.run(ALVIN, SIMON), lambda *_: True)
    assert [[one.state for one in stage.outcomes] for stage in result.stages] == [["reverted"], ["refused"]]
    assert result.stages[1].outcomes[0].reasons == ["not started: 'uplink alvin' failed, and --max-failures is 1"]


def test_host_that_answers_later_is_used_by_the_next_stage(world: World) -> None:
    world["simon"].reachable = False

    def arrive() -> None:
        world["simon"].reachable = True

    run = world.run(ALVIN, SIMON, watchers=(when("done", "", arrive),))
    stages = tuple(Stage(name, (lambda _, one=one: (one,),)) for name, one in (("first", ALVIN), ("second", SIMON)))  # type: ignore[misc]
    result = execute(Runbook("Two stages.", stages), Options(), run, lambda *_: True)
    assert [[one.state for one in stage.outcomes] for stage in result.stages] == [["done"], ["done"]]
    assert (result.exit_code, run.unreachable) == (OK, {})
