"""A member whose /etc/pve is not mounted is not a fresh node: it is refused, nothing is written there, and a later run continues."""

import pytest
from rehearsal import HASH_OF_ETC, NODES, Lab

pytestmark = pytest.mark.lab

KEYS, *CLUSTER = ("cluster keys", *(f"cluster {node}" for node in NODES))
BELOW = "findmnt -n -M /etc/pve; find /etc/pve -mindepth 1"


def run_sets(site: Lab, *sets: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """A run of these sets: its exit code, and each set's state and reasons."""
    code, report = site.report("bootstrap", *(word for name in sets for word in ("--set", name)))
    return code, {one["set"]: (one["state"], " ".join(one["reasons"])) for stage in report["stages"] for one in stage["sets"]}


@pytest.fixture(scope="module", autouse=True)
def half_of_a_cluster(site: Lab, fresh: None) -> None:  # noqa: ARG001
    """A cluster of two fresh hosts, before the third joins. Loopbacks are configured by hand: corosync's other link is enough."""
    assert site.runbook("bootstrap", "--stage", "host").code == 0
    for number, node in enumerate(NODES, 1):
        site.sh(node, f"ip addr add 10.103.0.{number}/32 dev lo")
    code, sets = run_sets(site, KEYS, *CLUSTER[:2])
    assert code == 0, sets


@pytest.fixture
def unmounted(site: Lab) -> None:
    """alvin's /etc/pve is not mounted, as when its daemon cannot start after a boot."""
    site.sh("alvin", "systemctl stop pve-cluster")
    assert site.sh("alvin", BELOW, check=False) == ""


@pytest.mark.usefixtures("unmounted")
def test_member_without_its_cluster_files_is_refused(site: Lab) -> None:
    """The dry run has each set's own reason. The storages could be registered through another node, but come after the refused sets."""
    before = {node: site.sh(node, HASH_OF_ETC) for node in NODES}
    sets = ("--set", "cluster *", "--set", "ceph *")
    code, report = site.report("bootstrap", *sets, "--dry-run")
    reasons = {one["set"]: " ".join(one["reasons"]) for stage in report["stages"] for one in stage["sets"]}
    assert code == 3, reasons
    for name in (KEYS, "cluster alvin", "cluster theodore", "ceph settings", "ceph monitor alvin"):
        assert "alvin: " in reasons[name], reasons
        assert "/etc/pve is not mounted, though /etc/corosync/corosync.conf is there" in reasons[name], reasons
    code, report = site.report("bootstrap", *sets)
    assert code == 3, report["stages"]
    assert {one["state"] for stage in report["stages"] for one in stage["sets"]} == {"refused"}
    assert site.sh("alvin", BELOW, check=False) == ""
    assert {node: site.sh(node, HASH_OF_ETC) for node in NODES} == before


def test_what_is_not_below_it_is_changed_as_ever(site: Lab) -> None:
    site.sh("alvin", "sed -i '/simon/d' /etc/hosts")
    done = site.runbook("bootstrap", "--stage", "host")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert "simon" in site.sh("alvin", "cat /etc/hosts")
    assert site.sh("alvin", BELOW, check=False) == ""


def test_audit_says_that_it_cannot_be_read(site: Lab) -> None:
    done = site.runbook("audit", "--tags", "proxmox")
    assert done.code == 1
    assert "/etc/pve is not mounted, though" in " ".join(done.out.split())


def test_run_goes_on_when_it_is_mounted_again(site: Lab) -> None:
    """The mount point is still empty, so it can be mounted."""
    site.sh("alvin", "systemctl start pve-cluster")
    assert site.sh("alvin", "findmnt -n -M /etc/pve") != ""
    code, sets = run_sets(site, KEYS, *CLUSTER)
    assert code == 0, sets
    assert {name: state for name, (state, _) in sets.items()} == {
        **dict.fromkeys((KEYS, *CLUSTER[:2]), "unchanged"),
        "cluster theodore": "done",
    }
    assert site.sh("theodore", "corosync-quorumtool -s").count("Quorate:          Yes") == 1
