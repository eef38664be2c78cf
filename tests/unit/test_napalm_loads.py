"""Candidates of the NAPALM driver: loaded, compared, refused."""

from typing import Any

import pytest
from napalm.base.exceptions import (
    CommitError,
    MergeConfigException,
    ReplaceConfigException,
)
from napalm_host import INTERFACES, MERGE, MERGED, RUNNING, UNMOUNTED, Host, driver

from tasks.platforms.frr.running import READ_LAYOUT, READ_RUNNING


def test_no_change_is_one_read_to_load_and_one_to_compare() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config="iface eno1\n\taddress 10.0.0.1/24\n")
    assert device.compare_config() == ""
    device.discard_config()
    assert host.asked == ["read", "read"]


def test_merge_is_by_attribute_and_committed_at_once() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    assert device.compare_config().splitlines()[:2] == [f"--- {INTERFACES}", f"+++ {INTERFACES} (candidate)"]
    assert "+\tmtu 1400" in device.compare_config()
    assert host.files[INTERFACES] == RUNNING
    device.commit_config(message="because")
    assert host.files[INTERFACES] == MERGED
    assert not device.has_pending_commit()
    assert host.done[device.token or ""]["why"] == "because"
    assert device.compare_config() == ""
    assert host.asked == ["read", "read", "read", "prepare", "begin", "confirm", "release", "read"]


def test_second_merge_adds_to_the_first_and_a_replace_forgets_both() -> None:
    device = driver(Host())
    device.load_merge_candidate(config=MERGE)
    device.load_merge_candidate(config="iface eno1\n\tgateway 10.0.0.254\n")
    candidate = device.get_config(retrieve="candidate")["candidate"]
    assert "mtu 1400" in candidate
    assert "gateway 10.0.0.254" in candidate
    device.load_replace_candidate(config=RUNNING)
    assert device.compare_config() == ""


def test_file_takes_precedence_over_text(tmp_path: Any) -> None:
    path = tmp_path / "candidate"
    path.write_text(MERGED)
    device = driver(Host())
    device.load_replace_candidate(filename=str(path), config="nonsense")
    assert "+\tmtu 1400" in device.compare_config()


def test_compare_reads_the_running_file_again() -> None:
    host = Host()
    device = driver(host)
    device.load_replace_candidate(config=MERGED)
    host.files[INTERFACES] = MERGED
    assert device.compare_config() == ""


def test_compare_marks_a_missing_last_newline() -> None:
    device = driver(Host())
    device.load_replace_candidate(config=RUNNING.rstrip("\n"))
    assert device.compare_config().endswith("-\taddress 10.0.0.1/24\n+\taddress 10.0.0.1/24\n\\ No newline at end of file\n")


@pytest.mark.parametrize(
    ("method", "error"), [("load_merge_candidate", MergeConfigException), ("load_replace_candidate", ReplaceConfigException)]
)
@pytest.mark.parametrize(
    "config", ["iface eno1\n\tmtuu 1400\n", "#### file /etc/passwd\n", RUNNING + "#### file /etc/frr/frr.conf\nrouter ospf\n"]
)
def test_bad_candidate_is_refused_with_the_methods_own_error_and_host(method: str, error: type[Exception], config: str) -> None:
    host = Host()
    with pytest.raises(error, match=r"^h: "):
        getattr(driver(host), method)(config=config)
    assert set(host.asked) <= {"read"}


def test_port_may_have_an_alternative_name() -> None:
    device = driver(Host())
    device.load_merge_candidate(config="iface vmbr0\n\tbridge-ports enx0\n")
    assert "+\tbridge-ports enx0\n" in device.compare_config()
    with pytest.raises(MergeConfigException, match="port eno7 is not on this host, which has eno1 enx0 lo vmbr0"):
        device.load_merge_candidate(config="iface vmbr0\n\tbridge-ports eno7\n")


def test_missing_file_is_refused() -> None:
    with pytest.raises(ReplaceConfigException, match="cannot be read"):
        driver(Host()).load_replace_candidate(filename="/no/such/file")


def test_frrs_files_pass_where_they_are_the_hosts_and_stay_where_they_are_not_named() -> None:
    host = Host({"/etc/frr/frr.conf": "log syslog\n", "/etc/frr/daemons": "ospfd=no\n"})
    device = driver(host)
    running = device.get_config(retrieve="running")["running"]
    assert "#### file /etc/frr/frr.conf\nlog syslog\n" in running
    device.load_replace_candidate(config=running)
    assert device.compare_config() == ""
    device.load_replace_candidate(config=MERGED)
    assert "frr" not in device.compare_config()


def test_frrs_file_is_merged_by_statement() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "log syslog\n! mine\n", "/etc/frr/daemons": "ospfd=no\n"}))
    device.load_merge_candidate(config="#### file /etc/frr/frr.conf\nrouter ospf\n ospf router-id 10.0.0.1\nexit\n")
    assert "+ ospf router-id 10.0.0.1\n" in device.compare_config()
    assert "! mine" in device.get_config(retrieve="candidate")["candidate"]


COST = "#### file /etc/frr/frr.conf\ninterface en05\n ip ospf cost 7\nexit\n"

UNSAVED = "interface en05\n ip ospf cost 9\nexit\nrouter bgp 65001\n neighbor 10.0.0.2 password hush\nexit\nip route 10.9.0.0/16 10.0.0.1\n"


def routed() -> Host:
    return Host({"/etc/frr/frr.conf": "interface en05\n ip ospf cost 5\nexit\n", "/etc/frr/daemons": "ospfd=no\n"})


@pytest.mark.parametrize("candidate", [COST, "#### file /etc/frr/daemons\nospfd=yes\n"])
def test_unsaved_frr_configuration_is_not_deleted(candidate: str) -> None:
    """A reload would delete it silently. A value that the candidate itself sets may change."""
    host = routed()
    host.frr[READ_RUNNING] = UNSAVED if candidate == COST else UNSAVED.replace("cost 9", "cost 5")
    device = driver(host)
    with pytest.raises(
        MergeConfigException, match=r"`ip route 10.9.0.0/16 10.0.0.1`, `router bgp 65001`.*password <removed>.*write memory"
    ) as raised:
        device.load_merge_candidate(config=candidate)
    assert "ospf cost" not in str(raised.value)
    host.frr[READ_RUNNING] = "interface en05\n ip ospf cost 9\nexit\n" if candidate == COST else ""
    device.load_merge_candidate(config=candidate)
    host.frr[READ_RUNNING] = UNSAVED  # an operator typed it between the two
    with pytest.raises(CommitError, match="nothing was changed: FRR runs statements"):
        device.commit_config(revert_in=60)
    assert "begin" not in host.asked


def test_frr_without_a_file_for_all_daemons_is_left_alone() -> None:
    host = routed()
    host.frr[READ_LAYOUT] = "no service integrated-vtysh-config\n"
    with pytest.raises(ReplaceConfigException, match="no service integrated-vtysh-config"):
        driver(host).load_replace_candidate(config=COST)


def test_no_key_is_in_a_difference() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "interface en05\n ip ospf message-digest-key 1 md5 hush\nexit\n", "/etc/frr/daemons": ""}))
    device.load_merge_candidate(config="#### file /etc/frr/frr.conf\ninterface en05\n ip ospf cost 7\nexit\n")
    assert "+ ip ospf cost 7\n" in device.compare_config()
    assert "hush" not in device.compare_config()


@pytest.mark.parametrize(
    ("files", "candidate", "expected"),
    [
        ({}, "#### file /etc/frr/frr.conf\nrouter ospf\n", "the host has no FRR"),
        ({"/etc/frr/daemons": "ospfd=no\n"}, "#### file /etc/frr/daemons\nospf=yes\n", "no daemon `ospf`"),
        ({"/etc/frr/daemons": "ospfd=no\n"}, "#### file /etc/frr/daemons\nospfd\n", "wanted NAME=VALUE, found `ospfd`"),
        (
            {"/etc/frr/daemons": "ospfd=no\n", "/etc/pve/sdn/controllers.cfg": "evpn: mine\n\tasn 65000\n"},
            "#### file /etc/frr/daemons\nospfd=yes\n",
            "Proxmox's SDN writes /etc/frr/frr.conf for evpn: mine",
        ),
        (
            {"/etc/frr/daemons": "ospfd=no\n", UNMOUNTED: "/etc/pve is not mounted, though /usr/bin/pvecm is there"},
            "#### file /etc/frr/daemons\nospfd=yes\n",
            "/etc/pve is not mounted, though /usr/bin/pvecm is there",
        ),
    ],
)
def test_frrs_part_is_refused_with_the_reason(files: dict[str, str], candidate: str, expected: str) -> None:
    device = driver(Host(files))
    with pytest.raises(MergeConfigException, match=expected):
        device.load_merge_candidate(config=candidate)


def test_sanitized_configuration_has_no_secrets() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "password zebra\nip ospf message-digest-key 1 md5 hush\n"}))
    assert "zebra" in device.get_config()["running"]
    shown = device.get_config(sanitized=True)["running"]
    assert "password <removed>\n" in shown
    assert "md5 <removed>\n" in shown
