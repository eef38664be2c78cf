"""The lab is derived from the inventory: machines, ports, cables, and the address of each."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from inventory.load import load
from inventory.site import Site
from lab import arrays
from lab.blueprint import OPERATOR, Blueprint, draw
from lab.wiring import mac_of, on_loopback, relays_of

SHIPPED = Path(__file__).parents[2] / "inventory"


@pytest.fixture(scope="module")
def site() -> Site:
    return load(SHIPPED)


@pytest.fixture(scope="module")
def blueprint(site: Site) -> Blueprint:
    return draw(site)


@pytest.mark.parametrize(
    ("inside", "outside"), [("172.16.101.1", "127.16.101.1"), ("172.16.255.0", "127.16.255.0"), ("192.168.103.114", "127.168.103.114")]
)
def test_an_address_is_reached_on_loopback_by_its_first_octet(inside: str, outside: str) -> None:
    assert on_loopback(IPv4Address(inside)) == IPv4Address(outside)
    assert relays_of(IPv4Address(inside)) == {f"{outside}:10022": f"{inside}:22"}


def test_macs_are_stable_local_unicast_and_unique(blueprint: Blueprint) -> None:
    macs = [port.mac for machine in blueprint.machines.values() for port in machine.ports]
    assert len(set(macs)) == len(macs) == 31
    assert all(int(mac[:2], 16) & 0b11 == 0b10 for mac in macs)
    assert mac_of("alvin", "eno1") == "02:79:ad:e9:cc:0c"


def test_every_host_except_virtual_machines_is_a_machine(site: Site, blueprint: Blueprint) -> None:
    assert set(blueprint.machines) == {name for name, host in site.hosts.items() if host.vm is None}
    assert [(port.name, port.mtu_bytes) for port in blueprint.machines["alvin"].ports] == [
        ("eno1", 1500),
        ("eno2", 1500),
        ("enp2s0f0np0", 9000),
        ("enp2s0f1np1", 9000),
        ("en05", 65520),
        ("en06", 65520),
    ]


def test_the_kernel_names_a_thunderbolt_port_by_its_number(blueprint: Blueprint) -> None:
    ports = {port.name: port.kernel_name for port in blueprint.machines["alvin"].ports}
    assert (ports["eno1"], ports["en05"], ports["en06"]) == ("eno1", "thunderbolt%d", "thunderbolt%d")


def test_every_cable_exists_and_the_operators_too(site: Site, blueprint: Blueprint) -> None:
    assert len(blueprint.cables) == len(site.cables) + 1
    operators = blueprint.cable_at("sw-core", "swp4")
    assert operators
    assert operators.ends[1] == (OPERATOR, "op0")
    cable = blueprint.cable_at("sw-core", "swp2")
    assert cable
    assert cable is blueprint.cable_at("sw-rack", "swp8")


def test_a_port_without_a_cable_has_none(site: Site) -> None:
    bare = draw(site.model_copy(update={"cables": (), "operator": None}))
    assert {port.cable for machine in bare.machines.values() for port in machine.ports} == {None}
    assert bare.operator is None


def test_a_blueprint_survives_its_text(blueprint: Blueprint) -> None:
    assert Blueprint.from_json(blueprint.to_json()) == blueprint
    assert Blueprint.from_json(blueprint.to_json()).to_json() == blueprint.to_json()


def test_a_machine_has_a_disk_for_each_of_its_arrays(blueprint: Blueprint) -> None:
    assert blueprint.machines["vault"].arrays == ("/mnt/Vault", "/mnt/Flash")
    assert arrays.kernel_parameters(blueprint.machines["vault"], "/here") == [
        "ubdb=/here/array0.cow,/here/array0.ext4",
        "ubdc=/here/array1.cow,/here/array1.ext4",
    ]
    assert arrays.kernel_parameters(blueprint.machines["alvin"], "/here") == []
