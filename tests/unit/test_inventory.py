"""Valid inventories: the shipped site, a fourth node that needs only rows, a home of another shape, Nornir's view."""

import re
import shutil
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from nornir import InitNornir
from nornir.core.filter import F

from inventory.errors import InventoryError
from inventory.load import BurrowInventory, load
from inventory.models import Fallback, LinkKind, Port
from inventory.site import End, Site

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


KEYS = {
    "everybody's": (b"hush\n", 0o644, "found mode 0644, which lets other users read it; run chmod 600 "),
    "the group's": (b"hush\n", 0o620, "found mode 0620"),
    "letters that are no bytes": ("ü".encode() * 16, 0o600, "found the byte 0xc3"),
    "control character": (b"hush\x1b[2J", 0o600, "found the byte 0x1b"),
    "no words": (b"\n", 0o600, "found 0 words"),
}


def signed(folder: Path, content: bytes, mode: int) -> Path:
    """The shipped inventory with an OSPF key."""
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    defaults = folder / "defaults.yaml"
    defaults.write_text(defaults.read_text().replace("ospf:\n", "ospf:\n  key_file: key\n"))
    (folder / "key").write_bytes(content)
    (folder / "key").chmod(mode)
    return folder


def test_private_key_file_is_accepted(tmp_path: Path) -> None:
    key = load(signed(tmp_path, b"hush-hush-16-abc\n", 0o600)).ospf_key
    assert key is not None
    assert key.get_secret_value() == "hush-hush-16-abc"


@pytest.mark.parametrize(("content", "mode", "message"), KEYS.values(), ids=KEYS)
def test_invalid_or_readable_key_file_is_refused(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    with pytest.raises(InventoryError) as raised:
        load(signed(tmp_path, content, mode))
    (problem,) = raised.value.problems
    assert (problem.place.file.name, problem.what) == ("defaults.yaml", "ospf key_file")
    assert message in str(problem)
    assert "hush" not in str(problem)


# Typing errors in one row, and their consequences.
TYPOS = {
    "loopback": ("  loopback: 10.103.0.1/32\n", "  loopbak: 10.103.0.1/32\n", "did you mean 'loopback'?"),
    "address": ("172.16.101.1/16", "172.16.101.1", "an address with its prefix length"),
    "groups": ("  groups: [proxmox]\n", "  groups: proxmox\n", "a list"),
    "group": ("  groups: [proxmox]\n", "  groups: [proxmos]\n", "a group of groups.yaml"),
    "disk": ("{purpose: osd}", "{purpose: ods}", "wanted 'osd', found 'ods'"),
}


@pytest.mark.parametrize(("right", "typed", "message"), TYPOS.values(), ids=TYPOS)
def test_one_typo_is_one_problem(tmp_path: Path, right: str, typed: str, message: str) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    hosts = tmp_path / "hosts.yaml"
    assert right in hosts.read_text()
    hosts.write_text(hosts.read_text().replace(right, typed, 1))
    with pytest.raises(InventoryError) as raised:
        load(tmp_path)
    assert len(raised.value.problems) == 1, str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize("content", [b"a: [\n", b"- x\n", b"\xff\xfe", b"[" * 2000, b"x: \0", None], ids=str)
@pytest.mark.parametrize("name", ["hosts", "groups", "defaults", "cables"])
def test_invalid_file_is_one_problem(tmp_path: Path, name: str, content: bytes | None) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"{name}.yaml"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InventoryError) as raised:
        load(tmp_path)
    assert [problem.place.file for problem in raised.value.problems] == [path], str(raised.value)


def test_the_cause_comes_first(tmp_path: Path) -> None:
    """A row that is wrong by itself comes before rows that do not fit together, in whichever file they are."""
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    for name, right, wrong in (("hosts", "172.16.101.1/16", "172.16.101.1"), ("cables", "to: sw-rack:swp1,", "to: sw-rack:swp99,")):
        path = tmp_path / f"{name}.yaml"
        assert right in path.read_text()
        path.write_text(path.read_text().replace(right, wrong, 1))
    with pytest.raises(InventoryError) as raised:
        load(tmp_path)
    assert [problem.place.file.name for problem in raised.value.problems] == ["hosts.yaml", "cables.yaml"]


def with_the_documents_diff(folder: Path) -> Path:
    """The shipped inventory with the diff of docs/inventory.md: the `+` lines replace the `-` lines above them, others are appended."""
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


def test_port_of_an_unmanaged_switch_has_the_name_that_its_vendor_prints(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    hosts, cables = tmp_path / "hosts.yaml", tmp_path / "cables.yaml"
    printed = {"swp1": "1", "swp2": "1/1/2", "swp3": "3"}
    row = hosts.read_text().partition("sw-rack:\n")[2].partition("sw-core:")[0]
    renamed = row
    for port, name in printed.items():
        renamed = renamed.replace(f"{port}: {{}}", f'"{name}": {{}}')
        cables.write_text(cables.read_text().replace(f"sw-rack:{port},", f'"sw-rack:{name}",'))
    hosts.write_text(hosts.read_text().replace(row, f"  managed: false\n{renamed}"))
    assert load(tmp_path).peer("alvin", "eno2") == End(host="sw-rack", port="1/1/2")
    hosts.write_text(hosts.read_text().replace("  managed: false\n", ""))
    with pytest.raises(InventoryError, match=r"sw-rack ports\.1/1/2: wanted an interface name .* found '1/1/2'"):
        load(tmp_path)
