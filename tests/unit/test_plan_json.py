"""Plans survive JSON, hold no secret there, and have a digest of what the operator decides on."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cases import Case, case_of
from test_changes import PLANNED, plan_of
from test_redact import PLANTED, TEXTS

from inventory.models import Ceph
from tasks.core.agent.secrets import redact
from tasks.core.model.change import Difference
from tasks.core.model.errors import Refused
from tasks.core.model.operation import FileWrite, TimedTransaction
from tasks.core.model.plan import TargetPlan
from tasks.core.model.plan_json import comparable, digest, loaded, resolved, saved
from tasks.platforms.frr.files import FRR_CONF

KEY = b"of one run"
SECRET = "interface en05\n ip ospf message-digest-key 1 md5 abcdefghijklmnop\n"


def through_json(plan: TargetPlan) -> TargetPlan:
    return loaded(json.loads(json.dumps(saved(plan, KEY))))


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_saved_and_loaded_plan_does_the_same(case: Case) -> None:
    plan = plan_of(case)
    if not plan:
        return
    again = resolved(through_json(plan), plan, KEY)
    assert again.work == plan.work
    assert (again.target, again.host, again.candidate, again.packages, again.impact) == (
        plan.target,
        plan.host,
        plan.candidate,
        plan.packages,
        plan.impact,
    )
    assert comparable(through_json(plan), KEY) == comparable(again, KEY) == comparable(plan, KEY)


def plan_with(text: str, before: str = "") -> TargetPlan:
    difference = Difference("text", before.splitlines(), text.splitlines())
    return TargetPlan("alvin", "alvin", (difference,), TimedTransaction("test", (FileWrite(FRR_CONF, before, text),)), text)


@pytest.mark.parametrize("path", TEXTS)
def test_saved_plan_holds_no_secret(path: str) -> None:
    text = json.dumps(saved(plan_with(TEXTS[path], TEXTS[path]), KEY))
    assert "{secret " in text
    assert [secret for _, secret in PLANTED if secret in text] == []


def test_secret_is_taken_from_the_plan_that_is_made_anew() -> None:
    plan = plan_with(SECRET)
    kept = through_json(plan)
    assert kept.transaction is not None
    assert "abcdefghijklmnop" not in str(kept)
    assert resolved(kept, plan, KEY).transaction == plan.transaction


def test_secret_that_is_another_one_now_is_refused() -> None:
    kept = through_json(plan_with(SECRET))
    with pytest.raises(Refused, match=r"^alvin: a secret of the plan is not on the host any more: .* md5 <removed>; make the plan anew$"):
        resolved(kept, plan_with(SECRET.replace("abcd", "dcba")), KEY)


def test_another_key_gives_other_references_and_digests() -> None:
    plan, site = plan_with(SECRET), case_of("hosts_file", "fresh-node").site
    assert saved(plan, KEY) != saved(plan, b"of another run")
    assert digest(plan, site, KEY) != digest(plan, site, b"of another run")


CHANGED: dict[str, Any] = {
    "a field": lambda plan: replace(plan, differences=(Difference("text", [], ["more"]),)),
    "a step": lambda plan: replace(plan, work=replace(plan.work, sysctls={"net.ipv4.ip_forward": "1"})),
    "a file's mode": lambda plan: replace(plan, work=replace(plan.work, files=(replace(plan.work.files[0], mode=0o600),))),
    "the impact": lambda plan: replace(plan, impact=("alvin is cut off",)),
    "a secret": lambda _: plan_with(SECRET.replace("abcd", "dcba")),
    "a package": lambda plan: replace(plan, packages=("frr",)),
}
SAME: dict[str, Any] = {
    "another token": lambda plan: replace(plan, work=replace(plan.work, token="t")),
    "another line of the file": lambda plan: replace(
        plan, work=replace(plan.work, files=(replace(plan.work.files[0], before="! mine\n", text=f"! mine\n{SECRET}"),))
    ),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_digest_is_another_one_where_something_else_would_be_done(change: Any) -> None:
    plan, site = plan_with(SECRET), case_of("hosts_file", "fresh-node").site
    assert digest(change(plan), site, KEY) != digest(plan, site, KEY)


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_digest_is_the_same_where_the_same_would_be_done(change: Any) -> None:
    plan, site = plan_with(SECRET), case_of("hosts_file", "fresh-node").site
    assert digest(change(plan), site, KEY) == digest(plan, site, KEY)


def test_digest_has_the_inventorys_rows_of_the_target() -> None:
    plan, site = plan_with(SECRET), case_of("hosts_file", "fresh-node").site
    other = site.hosts["alvin"].model_copy(update={"groups": ("others",)})
    assert digest(plan, site.model_copy(update={"hosts": {**site.hosts, "alvin": other}}), KEY) != digest(plan, site, KEY)
    cluster = replace(plan, target="ceph/homelab")
    assert isinstance(site.ceph, Ceph)
    smaller = site.model_copy(update={"ceph": site.ceph.model_copy(update={"pools": {}})})
    assert digest(cluster, smaller, KEY) != digest(cluster, site, KEY)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "the plan has format None, wanted 1"),
        ({"format": 2}, "the plan has format 2, wanted 1: make it anew with this version"),
        ({"format": 1}, "the plan cannot be read: target: Field required: make it anew"),
        ({"format": 1, "target": "alvin", "host": "alvin", "work": {"why": 7}}, "the plan cannot be read: work."),
    ],
)
def test_what_is_no_plan_is_refused(data: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as raised:
        loaded(data)
    assert str(raised.value).startswith(words)


def test_members_of_a_set_have_an_order() -> None:
    both = [replace(plan_with(""), differences=(Difference("ports", frozenset(), frozenset(order)),)) for order in ("abc", "cba")]
    assert saved(both[0], KEY) | {"work": 0} == saved(both[1], KEY) | {"work": 0}


def test_text_without_a_secret_stays_as_it_is() -> None:
    text = "iface eth0\n\taddress 10.0.0.1/24\n"
    assert redact(text) == text
    assert saved(plan_with(text), KEY)["candidate"] == text
