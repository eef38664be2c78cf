"""The site as frozen, typed data: what the YAML files of an inventory folder may say, and the site that follows from them."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

# The kernel's limit for an interface name is 15 bytes (IFNAMSIZ, linux/if.h).
INTERFACE_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,14}$"
# RFC 1123, section 2.1: letters, digits and hyphens; RFC 1035, section 2.3.4: at most 63.
HOST_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
DOMAIN_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
END = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[A-Za-z][A-Za-z0-9_.-]{0,14}$"
# Debian Policy, section 5.6.1.
PACKAGE_NAME = r"^[a-z0-9][a-z0-9+.-]+$"
# What udev's path_id calls a PCI device.
PCI_PATH = r"^pci-[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
IPV4 = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"
IPV4_WITH_PREFIX = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"

# Each pattern in the words of a person who has to keep to it.
PATTERN_WORDS: Mapping[str, str] = {
    INTERFACE_NAME: "an interface name (a letter, then letters, digits, '_', '.' or '-'; at most 15 in all)",
    HOST_NAME: "a host name (a-z, 0-9 and '-', at most 63, neither first nor last a '-')",
    DOMAIN_NAME: "a domain name in lower case, such as example.org",
    END: "HOST:PORT, such as alvin:eno1",
    PACKAGE_NAME: "a Debian package name",
    PCI_PATH: "a udev PCI path, such as pci-0000:00:0d.2",
}


def matches(pattern: str, text: str) -> bool:
    """Whether `text` keeps to `pattern`, one of the keys of PATTERN_WORDS."""
    return re.search(pattern, text) is not None and not text.endswith("\n")


def _written(value: object) -> object:
    """Keeps a number from being taken as an address: 5 would become 0.0.0.5."""
    if isinstance(value, int):
        raise ValueError("an address such as 172.16.0.1")  # noqa: TRY004 - pydantic turns only a ValueError into its own
    return value


def _with_prefix(value: object) -> object:
    """Keeps an address without its prefix length from silently becoming a /32."""
    if isinstance(value, int) or (isinstance(value, str) and "/" not in value):
        raise ValueError("an address with its prefix length, such as 172.16.0.1/16")
    return value


InterfaceName = Annotated[str, StringConstraints(pattern=INTERFACE_NAME)]
HostName = Annotated[str, StringConstraints(pattern=HOST_NAME)]
EndText = Annotated[str, StringConstraints(pattern=END)]
MtuBytes = Annotated[int, Field(strict=True, ge=1280, le=65520)]
Count = Annotated[int, Field(strict=True, ge=1)]
Address = Annotated[IPv4Address, BeforeValidator(_written), WithJsonSchema({"type": "string", "pattern": IPV4})]
AddressInSubnet = Annotated[IPv4Interface, BeforeValidator(_with_prefix), WithJsonSchema({"type": "string", "pattern": IPV4_WITH_PREFIX})]
Prefix = Annotated[IPv4Network, BeforeValidator(_with_prefix), WithJsonSchema({"type": "string", "pattern": IPV4_WITH_PREFIX})]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkKind(StrEnum):
    """How a host is reached: facts and writes over SSH, or through a NAPALM driver."""

    SSH = "ssh"
    NAPALM = "napalm"


class Platform(StrEnum):
    """What a host runs, by the name of its NAPALM driver where it has one."""

    IFUPDOWN2 = "ifupdown2"
    UBUNTU = "ubuntu"
    EOS = "eos"
    IOS = "ios"
    JUNOS = "junos"


class LacpRate(StrEnum):
    """How often a LACP partner is asked to speak: every second or every 30 (IEEE 802.1AX)."""

    FAST = "fast"
    SLOW = "slow"


class Fallback(StrEnum):
    """What a channel's port does without a LACP partner: wait, or work as a plain port."""

    SUSPEND = "suspend"
    INDIVIDUAL = "individual"


class Port(Strict):
    """One network port of a host."""

    mtu_bytes: MtuBytes = 1500
    address: AddressInSubnet | None = None
    pci_path: Annotated[str, StringConstraints(pattern=PCI_PATH)] | None = None


class BondOptions(Strict):
    """What a host says of one of its bonds beyond its cables."""

    fallback: Fallback = Fallback.SUSPEND


class Lacp(Strict):
    """How the site's bonds speak LACP, the same on both ends of each."""

    rate: LacpRate = LacpRate.FAST
    hash_policy: Literal["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"] = "layer3+4"


class Vm(Strict):
    """A virtual machine's size and the node that runs it."""

    vmid: Annotated[int, Field(strict=True, ge=100, le=999_999_999)]
    node: HostName
    cpus: Count
    memory_gb: Count
    disk_gb: Count


class HostFields(Strict):
    """What a host, its groups or the defaults may say; a host's own word wins, then its first group that says it."""

    platform: Platform | None = None
    link: LinkKind | None = None
    managed: Annotated[bool, Field(strict=True)] | None = None
    management: InterfaceName | None = None
    gateway: Address | None = None
    ports: Mapping[InterfaceName, Port] = {}
    bonds: Mapping[InterfaceName, BondOptions] = {}


class HostRow(HostFields):
    """A host's row in hosts.yaml."""

    groups: tuple[str, ...] = ()
    address: AddressInSubnet
    loopback: AddressInSubnet | None = None
    vm: Vm | None = None


class Operator(Strict):
    """Where the operator's machine is plugged in; its traffic crosses the switches that are changed."""

    port: EndText
    address: AddressInSubnet
    gateway: Address | None = None


class DefaultsFile(Strict):
    """defaults.yaml: what holds for the whole site."""

    domain: Annotated[str, StringConstraints(pattern=DOMAIN_NAME, max_length=253)]
    name_servers: tuple[Address, ...] = ()
    time_servers: tuple[Address, ...] = ()
    packages: tuple[Annotated[str, StringConstraints(pattern=PACKAGE_NAME)], ...] = ()
    lacp: Lacp = Lacp()
    operator: Operator | None = None


class PointToPointNetwork(Strict):
    """Where the /31s of a kind of cable come from, and its cost in OSPF."""

    prefix: Prefix
    ospf_cost: Annotated[int, Field(strict=True, ge=1, le=65535)]


class BondEnds(Strict):
    """The names of the bond that a cable belongs to on its two ends."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: InterfaceName | None = Field(default=None, alias="from")
    to: InterfaceName | None = None


class CableRow(Strict):
    """A row of cables.yaml; ends are written HOST:PORT."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: EndText = Field(alias="from")
    to: EndText
    bond: BondEnds | None = None
    network: str | None = None


class CablesFile(Strict):
    """cables.yaml."""

    networks: Mapping[str, PointToPointNetwork] = {}
    cables: tuple[CableRow, ...] = ()


class End(Strict):
    """One end of a cable; prints as HOST:PORT."""

    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Cable(Strict):
    """A cable with what follows from its row: its bond on each end, its /31 on each end; prints as HOST:PORT - HOST:PORT."""

    ends: tuple[End, End]
    bonds: tuple[str | None, str | None] = (None, None)
    network: str | None = None
    addresses: tuple[AddressInSubnet, AddressInSubnet] | None = None

    def __str__(self) -> str:
        return f"{self.ends[0]} - {self.ends[1]}"

    def far(self, host: str) -> End:
        """The end that is not on `host`."""
        return self.ends[1] if self.ends[0].host == host else self.ends[0]

    def near(self, host: str) -> End:
        """The end on `host`."""
        return self.ends[0] if self.ends[0].host == host else self.ends[1]


class Bond(Strict):
    """A LACP group as one of its ends sees it: members in the order of the cables, and the host and bond at the far end."""

    host: str
    name: str
    members: tuple[str, ...]
    peer_host: str
    peer_name: str
    peer_members: tuple[str, ...]
    fallback: Fallback = Fallback.SUSPEND


class Host(Strict):
    """A host with its groups' and the site's words filled in."""

    name: HostName
    groups: tuple[str, ...]
    platform: Platform
    link: LinkKind
    managed: bool
    management: InterfaceName
    address: AddressInSubnet
    gateway: Address | None
    loopback: AddressInSubnet | None
    ports: Mapping[InterfaceName, Port]
    bonds: tuple[Bond, ...]
    vm: Vm | None


class Site(Strict):
    """All of an inventory folder, checked: the one thing that changes, checks and the lab are derived from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    domain: str
    name_servers: tuple[Address, ...]
    time_servers: tuple[Address, ...]
    packages: tuple[str, ...]
    lacp: Lacp
    operator: Operator | None
    hosts: Mapping[str, Host]
    cables: tuple[Cable, ...]
    networks: Mapping[str, PointToPointNetwork]

    def cables_of(self, host: str) -> Iterator[Cable]:
        """The cables with an end on `host`, in the order of the table."""
        return (cable for cable in self.cables if host in (cable.ends[0].host, cable.ends[1].host))

    def peer(self, host: str, port: str) -> End | None:
        """What is plugged in at the other end of HOST:PORT, None where nothing is."""
        return next((c.far(host) for c in self.cables_of(host) if c.near(host).port == port), None)

    def bond(self, host: str, name: str) -> Bond:
        """The bond `name` of `host`. Raises KeyError where there is none."""
        for bond in self.hosts[host].bonds:
            if bond.name == name:
                return bond
        raise KeyError(f"{host} has no bond {name}")

    def members_of(self, group: str) -> tuple[Host, ...]:
        """The hosts of a group, in the order of hosts.yaml."""
        return tuple(host for host in self.hosts.values() if group in host.groups)

    def physical(self) -> Self:
        """The same site without its virtual machines."""
        return self.model_copy(update={"hosts": {n: h for n, h in self.hosts.items() if h.vm is None}})
