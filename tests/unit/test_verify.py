"""After a set is applied, its checks are repeated until they pass for a while, or the time is up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine import HEALTH, TIMERS, World, uplink

from tasks.core.engine.run import MARGIN_S
from tasks.core.engine.verify import HOLD_S, POLL_S, verify
from tasks.core.model.errors import CheckFailed

ALVIN = uplink("alvin")


@pytest.fixture
def verified_after(world: World) -> Callable[..., float]:
    """A function that verifies and returns the seconds that it took; `says` maps the seconds waited so far to alvin's answer."""
    began = world.clock()

    def seconds(says: Callable[[float], str], one: Any = ALVIN, timers: dict[str, float] | None = None) -> float:
        world["alvin"].answers[HEALTH.command] = lambda _: says(world.clock() - began)
        verify(world.run(one), one, None, {host: began + ends_s for host, ends_s in (timers or {}).items()})
        return world.clock() - began

    return seconds


def test_checks_run_twice_a_second_and_must_pass_for_one_second() -> None:
    assert (POLL_S, HOLD_S) == (0.5, 1.0)


@pytest.mark.parametrize(("well_after_s", "waited_s"), [(0, 1), (0.5, 1.5), (3, 4)])
def test_it_ends_once_the_checks_have_passed(verified_after, well_after_s: float, waited_s: float) -> None:
    assert verified_after(lambda now_s: "well" if now_s >= well_after_s else "sick") == waited_s


def test_another_failure_restarts_the_time(verified_after) -> None:
    assert verified_after(lambda now_s: "sick" if now_s == 0.5 else "well") == 2


@pytest.mark.parametrize(
    ("timers", "verify_s", "until_s"),
    [
        ({}, None, TIMERS.verify_s),
        ({}, 4, 4),
        ({"alvin": 100.0, "sw-rack": 9.0}, None, 9 - MARGIN_S),
    ],
    ids=["the-sites", "its-own", "the-first-timer"],
)
def test_failed_checks_are_reported_when_the_time_is_up(world: World, verified_after, timers, verify_s, until_s: float) -> None:
    began = world.clock()
    world["sw-rack"].answers[HEALTH.command] = lambda _: "ill"
    with pytest.raises(CheckFailed, match=r"^alvin: host is well: alvin: wanted well, found sick; sw-rack: host is well: sw-rack: wanted"):
        verified_after(lambda _: "sick", replace(ALVIN, verify_s=verify_s), timers)
    assert until_s < world.clock() - began <= until_s + POLL_S


def test_checks_that_pass_too_late_are_reported(verified_after) -> None:
    with pytest.raises(CheckFailed, match="the checks passed too late to hold for 1 s before the timer"):
        verified_after(lambda now_s: "well" if now_s >= TIMERS.verify_s else "sick", replace(ALVIN, verify_s=TIMERS.verify_s))


def test_unreachable_host_is_not_well(world: World, verified_after) -> None:
    world["sw-rack"].reachable = False
    with pytest.raises(CheckFailed, match="sw-rack: "):
        verified_after(lambda _: "well")


def test_set_waits_only_for_its_subjects(verified_after) -> None:
    subjects = replace(ALVIN, subjects={"alvin": frozenset({"bond0"})})
    assert verified_after(lambda _: "sick", subjects) == HOLD_S
