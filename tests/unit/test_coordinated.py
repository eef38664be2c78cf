"""Sets that must change together are merged into one set, at the place of the first of them."""

from typing import Any

import pytest
from engine import Alias, host_is_well

from inventory.targets import CEPH, Target
from tasks.core.engine.coordinated import joined
from tasks.core.model.change import ChangeSet, Concurrency, Member
from tasks.core.model.operation import Action, TimedTransaction
from tasks.core.model.plan import SetPlan, TargetPlan


def one(host: str, **fields: Any) -> ChangeSet:
    return ChangeSet(f"ospf {host}", (Member(host, (Alias(host, "eth0"),), safe_alone=True),), **fields)


def plan(change_set: ChangeSet, *, coordinated: bool = True) -> SetPlan:
    action = Action(("agree",), ("true",), coordinated=coordinated)
    (host,) = change_set.hosts
    return SetPlan(change_set, (TargetPlan(host, host, ("something",), TimedTransaction("try", actions=(action,))),))  # type: ignore[arg-type]


def join(*sets: ChangeSet, alone: tuple[str, ...] = ()) -> tuple[tuple[ChangeSet, ...], tuple[SetPlan, ...]]:
    return joined(sets, [plan(each, coordinated=each.hosts[0] not in alone) for each in sets])


def test_they_are_merged_at_the_place_of_the_first() -> None:
    sets, plans = join(one("a"), one("b"), one("c"), one("d"), alone=("a", "c"))
    assert [each.name for each in sets] == ["ospf a", "ospf b, ospf d", "ospf c"]
    assert [each.change_set for each in plans] == list(sets)
    assert [[one.host for one in each.targets] for each in plans] == [["a"], ["b", "d"], ["c"]]
    assert sets[1].hosts == ("b", "d")


@pytest.mark.parametrize("alone", [("a",), ("a", "b")])
def test_a_single_set_stays_as_it_is(alone: tuple[str, ...]) -> None:
    first, second = one("a"), one("b")
    sets, plans = join(first, second, alone=alone)
    assert sets == (first, second)
    assert [each.change_set for each in plans] == [first, second]


def test_merged_set_has_the_subjects_of_each() -> None:
    fields = {"checks": (host_is_well,), "by_hand": ("call sam",), "clusters": (Target(CEPH, "x"),)}
    (both,), _ = join(
        one("a", subjects={"a": frozenset({"swp1"})}, verify_s=30, concurrency=Concurrency(after=("larger",)), **fields),
        one("b", subjects={"b": frozenset({"swp2"})}, verify_s=90, **{**fields, "clusters": (Target(CEPH, "y"), Target(CEPH, "x"))}),
        one("c", subjects={"c": frozenset()}, **fields),
    )
    assert both.subjects == {"a": {"swp1"}, "b": {"swp2"}, "c": frozenset()}
    assert (both.verify_s, both.concurrency) == (90, Concurrency(after=("larger",)))
    assert (both.checks, both.by_hand, both.clusters) == ((host_is_well,), ("call sam",), ("ceph/x", "ceph/y"))


def test_merged_set_covers_whole_hosts_where_one_of_them_does() -> None:
    (both,), _ = join(one("a", subjects={"a": frozenset({"swp1"})}), one("b"))
    assert both.subjects is None
    assert both.verify_s is None
