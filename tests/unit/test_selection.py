"""The scope of a run, as the operator's flags select it."""

from dataclasses import replace

import pytest
from engine import HEALTH, Alias, World, clustered, host_is_well, runbook, uplink

from inventory.targets import CEPH
from tasks.core.engine.runbook import Options, Runbook, Stage
from tasks.core.engine.selection import audited, chosen_sets, chosen_stages, judged, needs_of_run, sets_of
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.check import Check
from tasks.core.model.errors import Refused
from tasks.core.model.fact import STATUS
from tasks.network.links.facts import INTERFACES, STAGED

ALVIN, SIMON = uplink("alvin"), uplink("simon", port="swp2")


def tagged(*tags: str) -> Check:
    return replace(host_is_well, tags=tags)


HOST, FILES = tagged("host"), tagged("files", "host")
BOOK = Runbook("Try it.", (Stage("host", checks=(HOST, FILES)), Stage("network", (lambda _: (ALVIN, SIMON),), (FILES,))))


def test_without_a_flag_all_stages_are_chosen_with_all_their_checks() -> None:
    assert chosen_stages(BOOK, Options()) == BOOK.stages


def test_stages_and_checks_are_chosen_by_name_and_tag() -> None:
    assert [stage.name for stage in chosen_stages(BOOK, Options(stages=("network",)))] == ["network"]
    assert [stage.checks for stage in chosen_stages(BOOK, Options(tags=("files",)))] == [(FILES,), (FILES,)]
    assert [stage.checks for stage in chosen_stages(BOOK, Options(tags=("host", "files")))] == [(HOST, FILES), (FILES,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(stages=("host", "storage", "cellar")), "--stage: no stage storage, cellar; there are host, network"),
        (Options(tags=("ceph",)), "--tags: no tag ceph; there are files, host"),
    ],
)
def test_unknown_name_is_refused_with_the_known_ones(options: Options, message: str) -> None:
    with pytest.raises(Refused) as raised:
        chosen_stages(BOOK, options)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("sets", "stages", "message"),
    [
        (("uplink s*", "uplink x"), BOOK.stages, "--set: no set uplink x; there are uplink alvin, uplink simon"),
        (("uplink *",), BOOK.stages[:1], "--set: no set uplink *; there are none"),
    ],
)
def test_pattern_that_matches_no_set_is_refused(world: World, sets: tuple[str, ...], stages: tuple[Stage, ...], message: str) -> None:
    with pytest.raises(Refused) as raised:
        chosen_sets(stages, world.run(), Options(sets=sets))
    assert str(raised.value) == message
    chosen_sets(BOOK.stages, world.run(), Options(sets=("uplink s*",)))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), [ALVIN, SIMON]),
        (Options(limit=("alvin",)), [ALVIN]),
        (Options(limit=("sw-rack",)), [ALVIN, SIMON]),
        (Options(sets=("uplink s*",)), [SIMON]),
        (Options(sets=("uplink s*",), limit=("alvin",)), []),
    ],
)
def test_sets_are_chosen_by_host_and_by_name(world: World, options: Options, expected: list[ChangeSet]) -> None:
    assert list(sets_of(BOOK.stages[1], world.run(), options)) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ((), ["alvin", "simon", "sw-rack", "sw-vendor"]),
        (("alvin",), ["alvin", "sw-rack"]),
        (("sw-rack",), ["alvin", "simon", "sw-rack"]),
        (("sw-vendor",), ["sw-vendor"]),
    ],
)
def test_audit_reads_the_selected_hosts_and_their_cable_neighbours(world: World, limit: tuple[str, ...], expected: list[str]) -> None:
    run, options = world.run(), Options(limit=limit)
    assert list(audited(run, options)) == expected
    assert list(judged(BOOK.stages[0], run, options)) == (list(limit) or expected)
    assert list(needs_of_run(BOOK.stages[:1], run, options)) == expected


def test_unmanaged_hosts_and_virtual_machines_are_not_audited(world: World) -> None:
    run = world.run()
    hosts = {name: one.model_copy(update={"managed": name != "simon"}) for name, one in run.site.hosts.items()}
    hosts["sw-rack"] = hosts["sw-rack"].model_copy(update={"vm": "of alvin"})
    run.site = run.site.model_copy(update={"hosts": hosts})
    assert audited(run, Options()) == ("alvin", "sw-vendor")


def test_stage_with_sets_checks_their_hosts(world: World) -> None:
    run = world.run()
    assert judged(BOOK.stages[1], run, Options()) == ("alvin", "sw-rack", "simon")
    assert judged(BOOK.stages[1], run, Options(limit=("sw-rack",))) == ("sw-rack",)


def test_a_run_reads_the_needs_of_its_changes_and_checks(world: World) -> None:
    """And what a set's own checks need, and the state of each host."""
    run = world.run()
    beside = replace(ALVIN, members=ALVIN.members[1:], checks=())
    needs = needs_of_run(runbook(beside).stages, run, Options())
    assert HEALTH not in needs["alvin"]
    assert HEALTH in needs_of_run(runbook(ALVIN).stages, run, Options())["alvin"]
    needs = needs_of_run(runbook(beside, checks=(host_is_well,)).stages, run, Options())
    assert HEALTH in needs["alvin"]
    assert "sw-rack" not in needs
    both = runbook(beside, replace(SIMON, members=SIMON.members[:1], checks=()), checks=())
    stages = (*both.stages, Stage("more", (lambda _: (beside,),), (host_is_well,)))
    assert HEALTH in needs_of_run(stages, run, Options())["sw-rack"], "the checks of a host also read its cable neighbours"


def test_cluster_is_read_and_chosen_through_its_endpoints(world: World) -> None:
    run = clustered(world.run())
    (cluster,) = run.site.targets(CEPH)
    one = ChangeSet("pool", (Member(cluster, (Alias(cluster, "eth0"),), safe_alone=True),))
    needs = needs_of_run(runbook(one).stages, run, Options())
    assert needs == {cluster: (INTERFACES, STAGED, STATUS)}
    assert run.observe(needs, needs).keys() == {cluster}
    assert set(world.asked("read")) == {("alvin", "read"), ("simon", "read"), ("sw-rack", "read")}
    assert [sets_of(runbook(one).stages[0], run, Options(limit=(name,))) for name in ("alvin", cluster, "simon")] == [(one,), (one,), ()]


def test_audit_reads_the_clusters_too(world: World) -> None:
    run = clustered(world.run())
    assert [one for one in audited(run, Options()) if "/" in one] == ["proxmox/attic", "ceph/attic"]
    assert [one for one in audited(run, Options(limit=("alvin",))) if "/" in one] == ["ceph/attic"]
    assert [one for one in audited(run, Options(limit=("sw-vendor",))) if "/" in one] == []
