"""Plans of whole sets, and the sets of the shipped site."""

import json
import re
import shutil
from pathlib import Path

import pytest
from case_files import otherwise
from cases import CASES, ROOT, Case, case_of, cases_of, load_once, site_of

from inventory.load import load
from tasks.core.engine.planning import plan_set
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.fact import STATUS, Facts, HostFacts, Reading
from tasks.host.base.change import HostName, HostsFile, Lldp, Packages, Resolver, TimeSync
from tasks.host.base.sets import base_settings
from tasks.network.switch.change import SwitchPorts
from tasks.network.uplink.change import PortChannel, UplinkBond
from tasks.network.uplink.checks import NODE_END_CHECKS
from tasks.network.uplink.probes import UPLINK_PROBES, neighbour, probe_paths
from tasks.network.uplink.sets import larger_packets, packet_sizes, uplinks
from tasks.platforms.configuration import network_transaction
from tasks.platforms.ifupdown2.files import CHECK_INTERFACES, IFRELOAD, INTERFACES, INTERFACES_STAGED
from tasks.storage.ceph.pools import CephPool

SITE = load_once(ROOT / "inventory")
JUMBO = site_of("with-jumbo-frames")
NODE, SWITCH = (case_of(feature, name).facts for feature, name in (("uplink_bond", "fresh-node"), ("port_channel", "fresh-switch")))
(ALVIN, *_) = uplinks(SITE)


SETTINGS = ("host_name", "hosts_file", "resolver", "time_sync", "lldp")
PLANNED = [one for feature in SETTINGS for one in cases_of(CASES / feature) if "error" not in one.own and not one.get("inventory")]


def test_set_is_planned_in_the_order_in_which_it_is_applied() -> None:
    plan = plan_set(ALVIN, SITE, {**SWITCH, **NODE})
    assert [host.host for host in plan.targets] == ["alvin", "sw-rack"]
    assert not plan.refused


def test_several_changes_of_a_host_are_one_transaction() -> None:
    ports = SwitchPorts("sw-rack", ("swp7", "swp8"))
    both = ChangeSet("both", (Member("sw-rack", (ports, PortChannel("sw-rack", "po-alvin"))),))
    (plan,) = plan_set(both, SITE, SWITCH).targets
    assert plan.transaction is not None
    (file,) = plan.transaction.files
    assert "link-down" not in (file.text or "")
    assert "po-alvin" in (file.text or "")
    assert plan.transaction.actions == (IFRELOAD,)


def test_network_change_is_validated_and_refused_while_another_is_staged() -> None:
    plan = plan_set(ALVIN, SITE, {**SWITCH, **NODE}).targets[0]
    assert plan.transaction is not None
    assert [(file.path, file.validate) for file in plan.transaction.files] == [(INTERFACES, CHECK_INTERFACES)]
    assert plan.transaction.absent == (INTERFACES_STAGED,)


def test_missing_file_without_content_is_not_written() -> None:
    assert network_transaction("try", {}, {INTERFACES: ""}, "").files == ()
    assert [file.before for file in network_transaction("try", {}, {INTERFACES: "auto lo\n"}, "").files] == [None]


def staged(facts: Facts) -> Facts:
    """With a network configuration that another tool has staged."""
    words = {"interfaces_staged": Reading(0, "auto lo")}
    return {host: HostFacts(host, {**one.readings, **words}) for host, one in facts.items()}


def test_node_with_a_staged_configuration_is_refused() -> None:
    plan = plan_set(ALVIN, SITE, staged({**SWITCH, **NODE}))
    assert plan.refused.startswith(f"alvin: {INTERFACES_STAGED} exists: a change is staged in Proxmox's web interface; apply or discard it")


def test_staged_configuration_of_a_switch_is_left_to_its_driver() -> None:
    assert plan_set(ALVIN, SITE, {**staged(SWITCH), **NODE}).refused == ""


@pytest.mark.parametrize(
    ("pending", "refused"),
    [
        (None, ""),
        ({"run": "mine"}, ""),
        ({"overdue": True}, ""),
        ({}, "alvin: 'uplink' of sam is open and reverts in 7 s unless it is confirmed; run again after that"),
        ({"revert_in_s": -3}, "alvin: 'uplink' of sam is open and reverts in 0 s unless it is confirmed; run again after that"),
        ({"state": "reverting", "run": "mine", "reason": "not well"}, "alvin: 'uplink' of sam is reverting: not well"),
    ],
    ids=["nothing", "ours", "overdue", "open", "ends-now", "reverting"],
)
def test_host_with_anothers_open_transaction_refuses_the_set(pending: dict[str, object] | None, refused: str) -> None:
    content = pending if pending is None else {"run": "another", "why": "uplink", "holder": "sam", "revert_in_s": 7.2, **pending}
    status = json.dumps({"pending": content, "lease": None, "records": [], "deferred": [], "boot": "1"})
    facts = {**SWITCH, **NODE}
    facts["alvin"] = HostFacts("alvin", {**facts["alvin"].readings, STATUS.name: Reading(0, status)})
    assert plan_set(ALVIN, SITE, facts, "mine").refused.startswith(refused)
    assert bool(plan_set(ALVIN, SITE, facts, "mine").refused) is bool(refused)


def test_one_end_that_was_not_read_refuses_the_set() -> None:
    plan = plan_set(ALVIN, SITE, NODE)
    assert (plan.refused, plan.changes) == ("sw-rack did not answer", ())


def test_answer_of_another_shape_refuses_the_set() -> None:
    """Otherwise it would end the run, with the open transactions of other sets."""
    case = case_of("ceph_pool", "already-right")
    odd = otherwise(case.facts["alvin"].readings["ceph"].out, {"osd dump/pools/1/size": None})
    facts = {**case.facts, "alvin": HostFacts("alvin", {**case.facts["alvin"].readings, "ceph": Reading(0, odd)})}
    one = ChangeSet("ceph pool", (Member("alvin", (CephPool("alvin", "vm-storage"),)),))
    assert plan_set(one, case.site, case.facts).refused == ""
    assert plan_set(one, case.site, facts).refused.startswith(
        "alvin: `ceph osd dump` answered what cannot be read as ceph: pools.1: wanted the key 'size', found nothing"
    )


def test_one_end_that_cannot_reach_its_intent_refuses_the_set() -> None:
    plan = plan_set(ALVIN, SITE, {**SWITCH, **case_of("uplink_bond", "port-missing").facts})
    assert plan.refused.startswith("alvin: no port eno2")
    assert plan.changes == ()


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_settings_change_only_what_differs(case: Case) -> None:
    """With the other settings as wanted, a feature's own diff is the whole diff."""
    readings: dict[str, Reading] = {}
    for one in (*(case_of(feature, "already-right") for feature in SETTINGS), case):
        readings |= one.facts["alvin"].readings
    (plan,) = plan_set(next(iter(base_settings(SITE))), SITE, {"alvin": HostFacts("alvin", readings)}).targets
    assert plan.diff() == case.own.get("diff", "")


def test_uplink_is_one_set_a_node_with_the_node_safe_alone() -> None:
    sets = list(uplinks(SITE))
    assert [one.name for one in sets] == ["uplink alvin", "uplink simon", "uplink theodore"]
    assert [[(member.host, member.safe_alone) for member in one.ordered()] for one in sets] == [
        [(node, True), ("sw-rack", False)] for node in ("alvin", "simon", "theodore")
    ]
    assert ALVIN.ordered()[0].changes == (UplinkBond("alvin", "bond0"),)


def test_uplink_waits_only_for_what_it_changes() -> None:
    assert ALVIN.subjects == {"alvin": {"bond0", "vmbr0"}, "sw-rack": {"po-alvin"}}


def test_unmanaged_switch_gets_instructions_for_its_operator() -> None:
    home = load_once(ROOT / "examples" / "home")
    (ada, *_) = uplinks(home)
    assert ada.hosts == ("ada",)
    assert ada.checks == NODE_END_CHECKS
    assert ada.by_hand == ("attic: bundle Ethernet1/1 and Ethernet1/2 as one slow LACP channel to ada",)


def test_instructions_for_an_unmanaged_switch_name_the_mtu(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    shutil.copytree(ROOT / "examples" / "home", folder)
    groups, hosts = folder / "groups.yaml", folder / "hosts.yaml"
    groups.write_text(groups.read_text().replace("nic0: {}", "nic0: {mtu_bytes: 9000}").replace("nic1: {}", "nic1: {mtu_bytes: 9000}"))
    hosts.write_text(re.sub(r"(Ethernet1/[1-4]): {}", r"\1: {mtu_bytes: 9000}", hosts.read_text()))
    (ada, *_) = uplinks(load(folder))
    assert ada.by_hand == ("attic: bundle Ethernet1/1 and Ethernet1/2 as one slow LACP channel, for packets of 9000 bytes, to ada",)


def test_mtus_are_sets_of_the_switches_that_have_some() -> None:
    assert not [*larger_packets(SITE), *packet_sizes(SITE)]
    (first,) = larger_packets(JUMBO)
    assert first.hosts == ("sw-rack", "sw-core")
    (rack, core) = packet_sizes(JUMBO)
    assert rack.subjects == {"sw-rack": {"br0"}}
    assert core.subjects == {"sw-core": {"br0", "swp4"}}


def test_full_packets_are_sent_to_the_other_end_and_to_the_next_node() -> None:
    assert [(path.name, path.address, path.mtu_bytes) for path in probe_paths(JUMBO, "alvin")] == [("bond0", "172.16.0.2", 9000)]
    assert [(path.name, path.far_host) for path in probe_paths(JUMBO, "sw-rack")] == [("po-alvin", "alvin"), ("po-simon", "simon")]
    assert [getattr(neighbour(JUMBO, host), "far_host", None) for host in ("alvin", "simon", "theodore")] == ["simon", "alvin", None]
    assert UPLINK_PROBES.on(SITE, "alvin").command == ""
    assert "probe 172.16.0.2 9000 8972 &" in UPLINK_PROBES.on(JUMBO, "alvin").command


def test_base_settings_are_one_set_a_host_that_has_its_own() -> None:
    sets = list(base_settings(SITE))
    assert [one.hosts for one in sets] == [("alvin",), ("simon",), ("theodore",), ("vault",)]
    assert tuple(type(change) for change in sets[0].members[0].changes) == (HostName, HostsFile, Packages, Resolver, TimeSync, Lldp)
