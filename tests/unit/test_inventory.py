"""What follows from sound inventories: the shipped site, a fourth node that is rows alone, a home of another shape, Nornir's view."""

import re
import shutil
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from nornir import InitNornir
from nornir.core.filter import F

from inventory.rows import Fallback, LinkKind, Port
from inventory.schema import End, Site
from inventory.typed import BurrowInventory, load

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "inventory"
HOME = ROOT / "examples" / "home"


@pytest.fixture(scope="module")
def site() -> Site:
    return load(SHIPPED)


def addresses(site: Site, host: str) -> dict[str, str]:
    """The point-to-point addresses of a host by port."""
    return {
        end.port: str(address)
        for cable in site.cables_of(host)
        for end, address in zip(cable.ends, cable.addresses or (), strict=False)
        if end.host == host
    }


def test_ports_and_peers_follow_from_the_cables(site: Site) -> None:
    assert site.peer("sw-rack", "swp3") == End(host="simon", port="eno1")
    assert site.peer("sw-core", "swp4") is None
    assert site.bond("sw-core", "trunk").peer_members == ("swp7", "swp8")
    assert site.bond("sw-core", "trunk").fallback is Fallback.INDIVIDUAL
    assert site.bond("sw-rack", "trunk").fallback is Fallback.SUSPEND


def test_point_to_point_addresses_follow_from_the_order_of_the_rows(site: Site) -> None:
    assert addresses(site, "theodore") == {
        "enp2s0f0np0": "10.104.0.3/31",
        "enp2s0f1np1": "10.104.0.4/31",
        "en05": "10.105.0.3/31",
        "en06": "10.105.0.4/31",
    }


def test_an_address_that_ends_in_zero_is_a_hosts(site: Site) -> None:
    assert site.hosts["haproxy01"].address == IPv4Interface("172.16.255.0/16")


def test_every_virtual_machine_has_its_node(site: Site) -> None:
    assert len(site.hosts) - len(site.physical().hosts) == 11
    assert {host.vm.node for host in site.hosts.values() if host.vm} == {host.name for host in site.members_of("proxmox")}


def test_a_rows_port_changes_single_words_of_its_groups(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    hosts, cables = tmp_path / "hosts.yaml", tmp_path / "cables.yaml"
    hosts.write_text(
        hosts.read_text().replace("  loopback: 10.103.0.1/32\n", "  loopback: 10.103.0.1/32\n  ports: {en05: {mtu_bytes: 9000}}\n")
    )
    cables.write_text("".join(line for line in cables.read_text().splitlines(keepends=True) if "alvin:en05" not in line))
    ports = load(tmp_path).hosts["alvin"].ports
    assert ports["en05"] == Port(mtu_bytes=9000, pci_path="pci-0000:00:0d.2")
    assert list(ports) == ["eno1", "eno2", "enp2s0f0np0", "enp2s0f1np1", "en05", "en06"]


def with_the_documents_diff(folder: Path) -> Path:
    """The shipped inventory with the diff of docs/inventory.md applied: `-` lines give way to the `+` lines below, others are appended."""
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    diff = re.search(r"```diff\n(.*?)```", (ROOT / "docs" / "inventory.md").read_text(), re.DOTALL)
    assert diff is not None
    for part in diff[1].split("--- inventory/")[1:]:
        name, _, changes = part.partition("\n")
        text = (folder / name).read_text()
        for old, new in re.findall(r"^-(.*\n)\+(.*\n)", changes, re.MULTILINE):
            assert text.count(old) == 1
            text = text.replace(old, new)
        added = re.sub(r"^-.*\n\+.*\n", "", changes, flags=re.MULTILINE)
        (folder / name).write_text(text + re.sub(r"^\+", "", added, flags=re.MULTILINE))
    return folder


def test_a_fourth_node_is_rows_and_no_code(site: Site, tmp_path: Path) -> None:
    grown = load(with_the_documents_diff(tmp_path))
    assert [host.name for host in grown.members_of("proxmox")] == ["alvin", "simon", "theodore", "brittany"]
    assert grown.hosts["brittany"].ports == site.hosts["alvin"].ports

    bond = grown.bond("brittany", "bond0")
    assert (bond.members, bond.peer_host, bond.peer_name, bond.peer_members) == (
        ("eno1", "eno2"),
        "sw-rack",
        "po-brittany",
        ("swp9", "swp10"),
    )
    channel = grown.bond("sw-rack", "po-brittany")
    assert (channel.members, channel.peer_host, channel.peer_name, channel.peer_members) == (
        bond.peer_members,
        "brittany",
        "bond0",
        bond.members,
    )

    assert addresses(grown, "brittany") == {
        "enp2s0f0np0": "10.104.0.5/31",
        "enp2s0f1np1": "10.104.0.6/31",
        "en05": "10.105.0.5/31",
        "en06": "10.105.0.6/31",
    }
    assert grown.peer("alvin", "en05") == End(host="brittany", port="en06")


def test_a_fourth_node_moves_no_other_nodes_addresses(site: Site, tmp_path: Path) -> None:
    grown = load(with_the_documents_diff(tmp_path))
    assert {name: grown.hosts[name] for name in ("alvin", "simon", "theodore", "sw-core")} == {
        name: site.hosts[name] for name in ("alvin", "simon", "theodore", "sw-core")
    }
    for host in ("simon", "theodore"):
        assert addresses(grown, host) == addresses(site, host)
    for port in ("enp2s0f1np1", "en06"):
        assert addresses(grown, "alvin")[port] == addresses(site, "alvin")[port]


def test_a_home_of_another_shape_is_a_site() -> None:
    home = load(HOME)
    assert home.operator is None
    assert not home.hosts["attic"].managed
    assert home.hosts["attic"].link is LinkKind.NAPALM
    assert home.bond("attic", "Port-Channel2").members == ("Ethernet1/3", "Ethernet1/4")
    assert home.bond("nas", "bond0").peer_name == "Port-Channel3"
    assert addresses(home, "grace") == {"nic2": "10.9.8.1/31"}
    assert [host.name for host in home.hosts.values() if host.vm] == ["photos"]


def test_nornir_sees_hosts_groups_and_intent(site: Site) -> None:
    nornir = InitNornir(inventory={"plugin": "BurrowInventory", "options": {"folder": str(SHIPPED)}}, logging={"enabled": False})
    simon = nornir.inventory.hosts["simon"]
    assert (simon.hostname, simon.platform) == ("172.16.101.2", "ifupdown2")
    assert simon["intent"] == site.hosts["simon"]
    assert simon["site"] == site
    assert set(nornir.filter(F(groups__any=["switch", "nfs"])).inventory.hosts) == {"sw-rack", "sw-core", "vault"}


def test_nornir_reaches_hosts_by_name_where_an_ssh_configuration_resolves_them() -> None:
    hosts = BurrowInventory(str(HOME), ssh_config="/etc/site/ssh_config", username="ops", sudo=True).load().hosts
    assert (hosts["ada"].hostname, hosts["ada"].username) == ("ada", "ops")
    assert hosts["ada"].get_connection_parameters("burrow_ssh").extras == {"ssh_config": "/etc/site/ssh_config", "sudo": True}
    extras = hosts["attic"].get_connection_parameters("napalm").extras
    tls = {"transport": "https", "enforce_verification": True}
    assert extras == {"optional_args": {"ssh_config_file": "/etc/site/ssh_config", "ssh_strict": True, "sudo": True, **tls}}


def test_napalm_checks_host_keys_without_an_ssh_configuration_too() -> None:
    extras = BurrowInventory(str(HOME)).load().hosts["attic"].get_connection_parameters("napalm").extras
    assert extras == {"optional_args": {"ssh_strict": True, "sudo": False, "transport": "https", "enforce_verification": True}}
