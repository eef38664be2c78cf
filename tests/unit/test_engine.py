"""Promises of applying a change set, whatever the hosts and the operator do meanwhile."""

import pytest
from engine import HEALTH, TIMERS, World, events_of, host_is_well, uplink, when
from fake_host import FakeHost

from tasks.core.connectors.napalm_link import NapalmLink
from tasks.core.engine.run import MARGIN_S, Timers
from tasks.core.engine.runbook import OK
from tasks.core.engine.verify import HOLD_S
from tasks.core.model.change import ChangeSet
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Fact

ALVIN = uplink("alvin")


def sick_once_changed(host: FakeHost) -> str:
    return "sick" if host.pending else "well"


def test_safe_end_is_applied_and_confirmed_first(world: World) -> None:
    run = world.run(ALVIN)
    assert world.apply_set(ALVIN, run).state == "done"
    assert world.asked("begin", "confirm") == [("alvin", "begin"), ("sw-rack", "begin"), ("alvin", "confirm"), ("sw-rack", "confirm")]
    steps = ["prepared", "applied", "reachable", "checked", "confirmed", "done"]
    assert [kind for kind, _ in events_of(run, *steps)] == [
        *["prepared"] * 2,
        *["applied", "reachable"] * 2,
        "checked",
        *["confirmed"] * 2,
        "done",
    ]


def test_only_the_checks_take_time(world: World) -> None:
    began = world.clock()
    assert world.execute(ALVIN, checks=(host_is_well,)).exit_code == OK
    assert world.clock() - began == HOLD_S


def test_every_end_is_locked_before_the_first_changes(world: World) -> None:
    world.apply_set(ALVIN)
    assert world.asked("prepare", "begin")[:3] == [("alvin", "prepare"), ("sw-rack", "prepare"), ("alvin", "begin")]


def test_a_change_is_seen_over_a_new_connection(world: World) -> None:
    run = world.run(ALVIN, watchers=(when("armed", "alvin", lambda: opened.append(world["alvin"].opened)),))
    opened: list[int] = []
    world.apply_set(ALVIN, run)
    assert world["alvin"].opened > opened[0]


def test_set_without_a_difference_locks_no_host(world: World) -> None:
    world.apply_set(ALVIN)
    del world.journal[:]
    assert world.apply_set(ALVIN).state == "unchanged"
    assert {verb for _, verb in world.journal} == {"read"}


def test_end_without_a_difference_is_leased_but_not_changed(world: World) -> None:
    world.apply_set(ALVIN)
    world["alvin"].files = {**world["simon"].files}
    del world.journal[:]
    assert world.apply_set(ALVIN).state == "done"
    assert {verb for host, verb in world.journal if host == "sw-rack"} == {"read", "prepare", "release"}


def test_end_without_a_difference_under_another_lease_refuses_the_set(world: World) -> None:
    """The other run's open transaction could revert what this set depends on."""
    world.apply_set(ALVIN)
    world["alvin"].files = {**world["simon"].files}
    world["sw-rack"].lease = {"run": "another", "holder": "sam@desk", "since": "20:59", "until": world.clock() + 20}
    assert world.apply_set(ALVIN).state == "refused"
    assert world.untouched("alvin")


def test_failed_after_check_rolls_back_unsafe_end_first(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "reverted"
    assert outcome.reasons == ["alvin: host is well: alvin: wanted well, found sick"]
    assert world.asked("revert", "confirm") == [("sw-rack", "revert"), ("alvin", "revert")]
    assert world.untouched("alvin", "sw-rack")


def test_after_checks_have_to_hold(world: World) -> None:
    words = iter(["well", "well", "sick", "well", "well", "well"])
    world["alvin"].answers[HEALTH.command] = lambda _: next(words)
    assert world.apply_set(ALVIN).state == "done"
    assert next(words, "none left") == "none left"


def test_after_checks_cover_only_the_subjects_of_the_set(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    other = ChangeSet(ALVIN.name, ALVIN.members, ALVIN.checks, subjects={"alvin": frozenset({"bond0"})})
    assert world.apply_set(other).state == "done"


def test_after_checks_end_before_the_first_timer(world: World) -> None:
    world["alvin"].answers[HEALTH.command] = sick_once_changed
    run = world.run(ALVIN)
    world.apply_set(ALVIN, run)
    assert [record["reason"] for record in world["sw-rack"].records] == ["rolled back"]
    assert world["sw-rack"].records[0]["outcome"] == "reverted"


def test_timer_of_safe_end_outlasts_the_other(world: World) -> None:
    ends: dict[str, float] = {}
    world["sw-rack"].happens["after begin"] = lambda host: ends.update({one: world[one].pending["until"] for one in ("alvin", host.name)})
    world["alvin"].happens["after begin"] = lambda host: host.clock.sleep(TIMERS.apply_s - 1)
    world.apply_set(ALVIN)
    assert ends["alvin"] > ends["sw-rack"]
    assert world["alvin"].timers == [TIMERS.revert_s + TIMERS.apply_s + MARGIN_S]
    assert world["sw-rack"].timers == [TIMERS.revert_s]


def test_end_whose_timer_would_expire_last_is_not_begun(world: World) -> None:
    world["alvin"].happens["after begin"] = lambda host: host.clock.sleep(TIMERS.apply_s + 1)
    outcome = world.apply_set(ALVIN)
    assert outcome.state == "reverted"
    assert "sw-rack: not started" in outcome.reasons[0]
    assert world.asked("begin") == [("alvin", "begin")]
    assert world.untouched("alvin", "sw-rack")


@pytest.mark.parametrize("verify_s", [56, 60, 90])
def test_timers_must_fit(verify_s: int) -> None:
    with pytest.raises(Refused, match="must fit into revert_s"):
        Timers(revert_s=60, verify_s=verify_s)


@pytest.mark.parametrize(
    ("platform", "least_s", "effective_s"), [("ifupdown2", 1, 61), ("eos", 1, 61), ("ios", 60, 120), ("junos", 60, 120)]
)
def test_timer_is_rounded_up_to_the_platforms_unit(platform: str, least_s: int, effective_s: int) -> None:
    assert [NapalmLink.effective_revert_s(platform, wanted_s) for wanted_s in (0, 1, 61)] == [least_s, least_s, effective_s]


def test_platform_without_a_timer_is_refused() -> None:
    with pytest.raises(Refused, match="no commit timer"):
        NapalmLink.effective_revert_s("nxos", 61)


def test_vendors_driver_without_a_lease_takes_part(world: World) -> None:
    vendors = uplink("alvin", "sw-vendor")
    assert world.apply_set(vendors).state == "done"
    assert world["sw-vendor"].timers == [16]  # EOS accepts seconds
    assert world["sw-vendor"].records[0]["why"] == ""  # EOS accepts no message


@pytest.mark.parametrize(("platform", "why"), [("eos", ""), ("ios", ""), ("ifupdown2", "uplink alvin")])
def test_platform_that_accepts_no_message_gets_none(world: World, platform: str, why: str) -> None:
    """NAPALM's drivers for EOS and IOS raise on any message."""
    vendors = uplink("alvin", "sw-vendor")
    run = world.run(vendors)
    run.nornir.inventory.hosts["sw-vendor"].platform = platform
    outcome = world.apply_set(vendors, run)
    assert (outcome.state, outcome.reasons) == ("done", [])
    assert world["sw-vendor"].records[0]["why"] == why


def test_vendors_driver_is_rolled_back_too(world: World) -> None:
    vendors = uplink("alvin", "sw-vendor")
    world["sw-vendor"].answers[HEALTH.command] = sick_once_changed
    assert world.apply_set(vendors).state == "reverted"
    assert world.untouched("alvin", "sw-vendor")


def test_set_with_a_host_that_was_not_read_is_refused(world: World) -> None:
    world["sw-rack"].reachable = False
    outcome = world.apply_set(ALVIN)
    assert (outcome.state, outcome.reasons) == ("refused", ["sw-rack did not answer"])
    assert world.asked("prepare") == []


def test_fact_of_the_site_is_read_by_each_hosts_own_command(world: World) -> None:
    own = Fact("own", "made of the site", str.strip, lambda site, host: f"ping {site.hosts[host].address.ip}")
    world["alvin"].answers["ping 172.16.0.11"] = lambda _: "here"
    assert world.run(ALVIN).do("alvin", "read", facts=(own,))[own] == "here"


def test_fact_that_a_host_does_not_have_is_not_read(world: World) -> None:
    of_switches = Fact("own", "made of the site", str.strip, lambda site, host: "" if "switch" not in site.hosts[host].groups else "ports")
    assert world.run(ALVIN).do("alvin", "read", facts=(of_switches, HEALTH)).readings.keys() == {"health"}


def test_verb_that_a_link_does_not_have_is_refused(world: World) -> None:
    with pytest.raises(Refused, match=r"sw-rack: its link \(napalm\) cannot reboot"):
        world.run(ALVIN).do("sw-rack", "reboot")


def test_time_to_apply_is_limited_by_the_next_ends_timer(world: World) -> None:
    world.apply_set(ALVIN)
    assert (world["alvin"].limits, world["sw-rack"].limits) == ([TIMERS.apply_s], [TIMERS.revert_s - MARGIN_S])
