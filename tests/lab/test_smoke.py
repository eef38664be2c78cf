"""The whole suite once, from bare hosts to storage, with the most common failures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ceph_drills import is_clean
from deeds import open_set, run_with
from napalm import get_network_driver
from rehearsal import FOLDER, HOSTS, NODES, Lab, etc, states

pytestmark = pytest.mark.lab

NETWORK = ("--stage", "host", "--stage", "network")
UPLINK = ("--stage", "network", "--set", "uplink alvin")
SLOW = "sed -i 's/bond-lacp-rate fast/bond-lacp-rate slow/' /etc/network/interfaces && sync && ifreload -a"
PROBE = "auto probe0\niface probe0\n\tvlan-raw-device swp5\n\tvlan-id 77\n\taddress 10.99.0.1/24\n"
EXPORT = "192.168.103.114:/mnt/Vault/Data"


@pytest.fixture
def drifted(site: Lab) -> Iterator[None]:
    """alvin's bond differs from the inventory in one value. The next run corrects it."""
    site.sh("alvin", SLOW)
    yield
    assert site.runbook("bootstrap", *UPLINK).code == 0
    assert "fast" in lacp_rate(site)


def lacp_rate(lab: Lab) -> str:
    return lab.sh("alvin", "cat /sys/class/net/bond0/bonding/lacp_rate")


def full_neighbours(lab: Lab, node: str) -> int:
    """The number of a node's OSPF adjacencies that are Full, by FRR."""
    return lab.sh(node, "vtysh -c 'show ip ospf neighbor'", check=False).count("Full/")


def test_fresh_site_comes_up(site: Lab) -> None:
    code, report = site.report("bootstrap", *NETWORK)
    assert code == 0, report
    assert set(states(report).values()) == {"done"}
    for node in NODES:
        partners = site.partners(node, "bond0")
        assert len(partners) == 2, f"{node}: {partners}"
        assert set(partners) == {site.sh("sw-rack", f"cat /sys/class/net/po-{node}/address").strip()}
        assert full_neighbours(site, node) == 4


def test_second_run_changes_nothing(site: Lab) -> None:
    before = etc(site)
    code, report = site.report("bootstrap", *NETWORK)
    assert code == 0, report
    assert set(states(report).values()) == {"unchanged"}
    assert etc(site) == before


def test_audit_is_clean(site: Lab) -> None:
    code, report = site.report("audit", "--tags", "host,engine,files,network")
    assert code == 0, [row for row in report["stages"][0]["findings"] if not row["ok"]]
    assert {row["host"] for row in report["stages"][0]["findings"]} == set(HOSTS)


@pytest.mark.usefixtures("drifted")
def test_drift_is_shown_and_mended(site: Lab) -> None:
    assert "slow" in lacp_rate(site)
    done = site.runbook("bootstrap", *UPLINK, "--dry-run")
    assert done.code == 2, done.out
    assert "bond0 goes down and up: lacp-rate changes" in done.out
    assert site.runbook("bootstrap", *UPLINK).code == 0
    assert "fast" in lacp_rate(site)


@pytest.mark.usefixtures("drifted")
def test_killed_controller_leaves_the_host_to_restore_itself(site: Lab) -> None:
    before = site.sh("alvin", "cat /etc/network/interfaces")
    done, _ = run_with("die", "applied", "alvin", "uplink alvin", "--site", site.site, *UPLINK)
    assert done.returncode == -9
    assert site.pending("alvin")
    site.wait("the timer restored alvin", lambda: not site.pending("alvin"), 60)
    assert site.sh("alvin", "cat /etc/network/interfaces") == before
    assert "slow" in lacp_rate(site)
    site.wait("alvin answers", lambda: site.reachable("alvin"), 20)


@pytest.mark.usefixtures("drifted")
def test_power_cut_in_a_change_is_restored_at_boot(site: Lab) -> None:
    before = site.sh("alvin", "cat /etc/network/interfaces")
    run_with("kill:alvin", "applied", "alvin", "uplink alvin", "--site", site.site, *UPLINK)
    site.wait("alvin answers", lambda: site.reachable("alvin"), 60)
    assert not site.pending("alvin")
    assert site.sh("alvin", "cat /etc/network/interfaces") == before
    assert "at boot" in site.sh("alvin", "burrow status")
    site.wait("its neighbours are back", lambda: full_neighbours(site, "alvin") == 4, 60)


@pytest.mark.usefixtures("drifted")
def test_second_operator_is_refused_by_name(site: Lab, tmp_path: Path) -> None:
    with open_set(tmp_path / "go", "applied", "alvin", "uplink alvin", "--site", site.site, *UPLINK) as first:
        second = site.runbook("bootstrap", *UPLINK)
        assert second.code == 3, second.out
        assert f"(process {first.pid})" in second.out, second.out
    assert first.returncode == 0


def test_napalm_commits_and_rolls_back(site: Lab) -> None:
    before = site.sh("sw-rack", "cat /etc/network/interfaces")
    arguments = {"ssh_config_file": str(FOLDER / "ssh_config")}
    with get_network_driver("ifupdown2")("sw-rack", "", "", timeout=60, optional_args=arguments) as device:
        device.load_merge_candidate(config=PROBE)
        assert "+iface probe0" in device.compare_config()
        device.commit_config(message="Try probe0", revert_in=60)
        assert "10.99.0.1/24" in site.sh("sw-rack", "ip -br addr show probe0")
        device.confirm_commit()
        assert not site.pending("sw-rack")
        device.rollback()
    assert "probe0" not in site.sh("sw-rack", "ip -br link")
    assert site.sh("sw-rack", "cat /etc/network/interfaces") == before


def test_storage_comes_up_healthy_and_an_export_is_mounted(site: Lab) -> None:
    code, report = site.report("bootstrap", "--stage", "storage")
    assert code == 0, report["stages"]
    site.wait("Ceph is healthy", lambda: is_clean(site), 60)
    site.sh("alvin", f"mkdir -p /run/data && mount -t nfs4 {EXPORT} /run/data && echo hello > /run/data/smoke && sync /run/data/smoke")
    assert site.sh("vault", "cat /mnt/Vault/Data/smoke") == "hello\n"
    site.sh("alvin", "rm /run/data/smoke && umount /run/data")
