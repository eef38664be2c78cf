"""The hosts that Ceph's maintenance covers: none where Ceph is not set up, unknown where it does not answer."""

import subprocess
import sys
from dataclasses import replace

import pytest
from case_files import otherwise as other
from cases import case_of, with_clusters

from tasks.core.model.errors import BurrowError, Refused
from tasks.core.model.fact import Facts, HostFacts, Reading
from tasks.storage.ceph.facts import CEPH, READ_CEPH
from tasks.storage.ceph.maintenance import CEPH_MAINTENANCE
from tasks.storage.ceph.sets import ceph

WHOLE = case_of("checks/ceph_is_whole", "whole")
NODES = ("alvin", "simon", "theodore")


def with_readings(facts: Facts, **readings: Reading) -> Facts:
    """The nodes' facts with another reading of Ceph on some."""
    hosts = {
        host: HostFacts(host, {**facts[host].readings, CEPH.name: readings.get(host, facts[host].readings[CEPH.name])}) for host in NODES
    }
    return with_clusters(WHOLE.site, hosts)


def everywhere(reading: Reading) -> Facts:
    return with_readings(WHOLE.facts, **dict.fromkeys(NODES, reading))


def whole_but(name: str) -> Facts:
    return replace(WHOLE, name=name).facts


def concerned(facts: Facts) -> tuple[tuple[str, ...], dict[str, str]]:
    return CEPH_MAINTENANCE.concerns(WHOLE.site, facts, NODES), dict(CEPH_MAINTENANCE.unknown(WHOLE.site, facts, NODES))


def test_every_node_of_a_cluster_that_answers() -> None:
    assert concerned(WHOLE.facts) == (NODES, {})


def test_none_where_ceph_is_not_set_up() -> None:
    assert concerned(whole_but("not-set-up")) == ((), {})


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (whole_but("nobody-answers"), "Ceph does not answer: [errno 110] RADOS timed out (error connecting to the cluster)"),
        (everywhere(Reading(124, "", "killed after 27 s")), "Ceph does not answer: reading it ended with 124: killed after 27 s"),
    ],
    ids=["timed-out", "no-end"],
)
def test_use_is_unknown_where_ceph_does_not_answer(facts: Facts, why: str) -> None:
    assert concerned(facts) == ((), dict.fromkeys(NODES, why))


def test_one_answer_is_enough() -> None:
    one = with_readings(WHOLE.facts, alvin=Reading(0, '{"error": "timed out"}'), simon=Reading(1, "", "Traceback"))
    assert concerned(one) == (NODES, {})


@pytest.mark.parametrize(("facts", "serial"), [(WHOLE.facts, True), (whole_but("not-set-up"), False), (whole_but("nobody-answers"), False)])
def test_nodes_of_a_cluster_that_is_used_get_their_disks_one_after_the_other(facts: Facts, serial: bool) -> None:
    """In a fresh cluster all nodes at once; without an answer none, because the change refuses."""
    nodes = [one for one in ceph(WHOLE.site) if one.name.startswith("ceph node ")]
    assert [(one.concurrency.width, one.concurrency.serial_if(WHOLE.site, facts)) for one in nodes] == [(3, serial)] * 3


def test_osd_that_only_crush_lists_serves_nothing() -> None:
    left = case_of("checks/osds_are_up_and_in", "one-is-left-in-crush").facts
    assert CEPH_MAINTENANCE.concerns(WHOLE.site, left, NODES) == ("simon", "theodore")


def otherwise(**changes: object) -> Facts:
    """The facts of all nodes, with other values at some paths of Ceph's answer."""
    readings = {host: Reading(0, other(WHOLE.facts[host].readings[CEPH.name].out, changes)) for host in NODES}
    return with_readings(WHOLE.facts, **readings)


def test_host_of_an_osd_is_the_one_that_it_reports() -> None:
    """By the host that an OSD reports, whatever the name of its CRUSH bucket."""
    facts = otherwise(**{"osd tree/nodes/1/name": "alvin-ssd", "osd metadata/1/hostname": "simon.mrcurls.org"})
    assert concerned(facts) == (NODES, {})
    (flag,) = CEPH_MAINTENANCE.ready(WHOLE.site, facts, "alvin")[0].actions
    assert flag.argv[-3:] == ("set-group", "noout", "osd.0")
    assert flag.undo[-3:] == ("unset-group", "noout", "osd.0")
    assert flag.shown == "Ceph waits for the OSDs of alvin (noout for this host only, set on simon)"
    (flag,) = CEPH_MAINTENANCE.ready(WHOLE.site, facts, "simon")[0].actions
    assert flag.argv[-3:] == ("set-group", "noout", "simon")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"osd metadata/1/hostname": "pve2"}, "osd.1 is up on pve2"),
        ({"osd metadata/1/hostname": "", "osd tree/nodes/3/name": "simon-ssd"}, "osd.1 is up on simon-ssd"),
        ({"osd metadata/1": {"id": 1}, "osd tree/nodes/3/children": []}, "osd.1 is up on a host that it does not report"),
    ],
    ids=["another-name", "only-a-bucket", "nowhere"],
)
def test_osd_that_is_up_on_an_unknown_host_refuses_all_changes(changes: dict[str, object], where: str) -> None:
    facts = otherwise(**changes)
    with pytest.raises(Refused) as raised:
        concerned(facts)
    assert str(raised.value) == (
        f"{where}, which is no storage host of the inventory: which OSDs a change would stop is not known; name that host"
        " in hosts.yaml as it names itself (`ceph osd metadata`, hostname), then run again"
    )
    with pytest.raises(Refused, match=where):
        CEPH_MAINTENANCE.ready(WHOLE.site, facts, "alvin")
    down = otherwise(**changes, **{"osd dump/osds/1/up": 0})
    assert concerned(down) == (("alvin", "theodore"), {}), "a host whose OSDs are down serves no data"


def test_unintended_osd_on_another_host_counts() -> None:
    assert "vault" in CEPH_MAINTENANCE.may_concern(WHOLE.site)
    facts = otherwise(**{"osd metadata/1/hostname": "vault"})
    assert CEPH_MAINTENANCE.concerns(WHOLE.site, facts, ("vault", "alvin")) == ("vault", "alvin")


def test_monitor_belongs_to_the_host_that_it_reports() -> None:
    named = {"mon dump/mons/0/name": "a", "osd dump/osds/0/up": 0, "status/quorum_names": ["a", "simon"]}
    where = {"mon metadata": [{"name": "a", "hostname": "alvin"}]}
    assert CEPH_MAINTENANCE.concerns(WHOLE.site, otherwise(**named, **where), ("alvin",)) == ("alvin",)


def test_invalid_answer_is_not_a_missing_answer() -> None:
    with pytest.raises(BurrowError, match="cannot be read as ceph"):
        concerned(everywhere(Reading(0, "no JSON")))


@pytest.mark.parametrize("osds", [(), ("ceph-0", "ceph-4")])
def test_host_that_lost_its_ceph_conf_still_has_its_osds(tmp_path, osds: tuple[str, ...]) -> None:
    for name in osds:
        (tmp_path / "osd" / name).mkdir(parents=True)
        (tmp_path / "osd" / name / "whoami").write_text("0\n")
    script = READ_CEPH.replace("/etc/", f"{tmp_path}/").replace("/var/lib/ceph/", f"{tmp_path}/")
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out == ('{"error": "there is no ceph.conf, but the host has ceph-0, ceph-4"}' if osds else "{}")


def test_flag_is_set_on_a_monitors_host_that_answers() -> None:
    (one,) = CEPH_MAINTENANCE.ready(WHOLE.site, with_readings(WHOLE.facts, simon=Reading(1, "", "Traceback")), "alvin")
    assert one.on == "theodore"
    assert one.actions[0].cluster_scoped, "a boot of theodore does not unset a flag of Ceph"


def test_flag_that_no_host_would_unset_is_not_set() -> None:
    silent = with_readings(WHOLE.facts, simon=Reading(1, "", "Traceback"), theodore=Reading(1, "", "Traceback"))
    with pytest.raises(Refused) as raised:
        CEPH_MAINTENANCE.ready(WHOLE.site, silent, "alvin")
    assert str(raised.value) == (
        "alvin: no other monitor's host answers, so no host would unset Ceph's noout if this run died; bring one back"
    )


def test_site_without_ceph_has_no_storage_hosts() -> None:
    assert CEPH_MAINTENANCE.may_concern(WHOLE.site.model_copy(update={"ceph": None})) == ()
