"""The lab as plain data, derived from the inventory: machines with their ports, cables, and the operator's machine."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from inventory.site import Host, Site
from lab.settings import MEMORY, NIC_BYTES, RESERVES, STORAGE_MEMORY
from lab.wiring import mac_of, relays_of

OPERATOR = "operator"
OPERATOR_PORT = "op0"
# The name pattern that the driver passes to the kernel, which inserts the first free number.
THUNDERBOLT_NAME = "thunderbolt%d"


@dataclass(frozen=True)
class PortPlan:
    """A port of a machine. Without a cable it has no carrier."""

    name: str
    mac: str
    mtu_bytes: int
    cable: str | None
    pci_path: str | None = None

    @property
    def kernel_name(self) -> str:
        """The port's name for the kernel: its own, or the Thunderbolt pattern with the first free number."""
        return THUNDERBOLT_NAME if self.pci_path else self.name

    @property
    def max_mtu_bytes(self) -> int:
        """The largest MTU that the port accepts: a NIC accepts jumbo frames, whatever its MTU at boot."""
        return max(self.mtu_bytes, NIC_BYTES)


@dataclass(frozen=True)
class MachinePlan:
    """A machine: its address, memory, ports in order, the IDs of its extra disks, and the mount points of its arrays."""

    name: str
    address: str
    memory: str
    relays: Mapping[str, str]
    ports: tuple[PortPlan, ...]
    disks: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()

    @property
    def reserve_kib(self) -> int:
        """The memory, in KiB, that its kernel keeps free for frames of the port with the largest MTU."""
        return next(kib for mtu_bytes, kib in RESERVES.items() if all(port.max_mtu_bytes <= mtu_bytes for port in self.ports))


@dataclass(frozen=True)
class CablePlan:
    """A cable between two ends (MACHINE, PORT)."""

    name: str
    ends: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class OperatorPlan:
    """The operator's machine, which is the keeper's network namespace."""

    address: str
    gateway: str | None


@dataclass(frozen=True)
class Blueprint:
    """The keeper's description of the lab."""

    machines: Mapping[str, MachinePlan]
    cables: Mapping[str, CablePlan]
    operator: OperatorPlan | None

    def to_json(self) -> str:
        """The blueprint as JSON text. Equal sites have equal texts."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Blueprint":
        """The blueprint in a text of `to_json`."""
        raw = json.loads(text)
        return cls(
            machines={name: _machine(one) for name, one in raw["machines"].items()},
            cables={name: CablePlan(name, (tuple(one["ends"][0]), tuple(one["ends"][1]))) for name, one in raw["cables"].items()},
            operator=OperatorPlan(**raw["operator"]) if raw["operator"] else None,
        )

    def cable_at(self, host: str, port: str) -> CablePlan | None:
        """The cable in HOST:PORT, None if there is none."""
        return next((cable for cable in self.cables.values() if (host, port) in cable.ends), None)


def _machine(raw: dict[str, Any]) -> MachinePlan:
    ports = tuple(PortPlan(**port) for port in raw["ports"])
    return MachinePlan(**{**raw, "ports": ports, "disks": tuple(raw["disks"]), "arrays": tuple(raw["arrays"])})


def draw(site: Site) -> Blueprint:
    """The blueprint of a site, with every host that is not a virtual machine."""
    physical = {name: host for name, host in site.hosts.items() if host.vm is None}
    cables = {}
    for cable in site.cables:
        if all(end.host in physical for end in cable.ends):
            plan = CablePlan(str(cable.ends[0]), ((cable.ends[0].host, cable.ends[0].port), (cable.ends[1].host, cable.ends[1].port)))
            cables[plan.name] = plan
    operator = None
    if site.operator:
        host, port = site.operator.port.split(":")
        cables[site.operator.port] = CablePlan(site.operator.port, ((host, port), (OPERATOR, OPERATOR_PORT)))
        operator = OperatorPlan(str(site.operator.address), str(site.operator.gateway) if site.operator.gateway else None)
    plugged = {end: cable.name for cable in cables.values() for end in cable.ends}
    return Blueprint({name: _plan(host, plugged) for name, host in physical.items()}, cables, operator)


def _plan(host: Host, plugged: Mapping[tuple[str, str], str]) -> MachinePlan:
    ports = tuple(
        PortPlan(name, mac_of(host.name, name), port.mtu_bytes, plugged.get((host.name, name)), port.pci_path)
        for name, port in host.ports.items()
    )
    relays = relays_of(IPv4Address(IPv4Interface(host.address).ip))
    memory = STORAGE_MEMORY if host.disks else MEMORY
    arrays = tuple(host.nfs.arrays) if host.nfs else ()
    return MachinePlan(host.name, str(host.address.ip), memory, relays, ports, tuple(host.disks), arrays)
