"""The site as frozen, typed data: what the YAML files of an inventory folder may say, and the site that follows from them."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from inventory.value_types import (
    Address,
    AddressInSubnet,
    Count,
    DomainName,
    EndText,
    HashPolicy,
    HostName,
    InterfaceName,
    MtuBytes,
    OspfCost,
    PackageName,
    PciPath,
    Prefix,
    Truth,
    Vmid,
)


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
    """The largest packet, the same on both ends of a cable."""
    address: AddressInSubnet | None = None
    """An address of the port's own, with its prefix length; ports of point-to-point cables and members of bonds have none."""
    pci_path: PciPath | None = None
    """Where the port sits, as udev says it, for a port whose name the kernel does not keep."""


class BondOptions(Strict):
    """What a host says of one of its bonds beyond its cables."""

    fallback: Fallback = Fallback.SUSPEND
    """What its ports do while no LACP partner speaks."""


class Lacp(Strict):
    """How the site's bonds speak LACP, the same on both ends of each."""

    rate: LacpRate = LacpRate.FAST
    """How often the partner is asked to speak."""
    hash_policy: HashPolicy = "layer3+4"
    """By what a packet's member is chosen (xmit_hash_policy of the kernel's bonding driver)."""


class Vm(Strict):
    """A virtual machine's size and the node that runs it."""

    vmid: Vmid
    """The number of the machine, unique in the cluster."""
    node: HostName
    """The host of group proxmox that runs it."""
    cpus: Count
    """Virtual CPUs."""
    memory_gb: Count
    """Memory in GiB."""
    disk_gb: Count
    """Its disk in GiB."""


class HostFields(Strict):
    """What a host or a group of hosts may say; a host's own word wins, then its first group that says it."""

    platform: Platform | None = None
    """What the host runs."""
    link: LinkKind | None = None
    """How the host is reached."""
    managed: Truth | None = None
    """False for a switch that nobody may configure from here; true where nothing is said."""
    management: InterfaceName | None = None
    """The interface that carries the host's own address."""
    gateway: Address | None = None
    """The way out of the host's subnet."""
    ports: Mapping[InterfaceName, Port] = {}
    """The network ports by name; a host's row adds to those of its groups and changes single words of them."""
    bonds: Mapping[InterfaceName, BondOptions] = {}
    """What there is to say of a bond that its cables do not say."""


class HostRow(HostFields):
    """A host's row in hosts.yaml."""

    groups: tuple[str, ...] = ()
    """Names of groups.yaml; of two that say the same thing the first wins."""
    address: AddressInSubnet
    """The host's own address with its prefix length, on its management interface."""
    loopback: AddressInSubnet | None = None
    """A /32: the OSPF router id, and the address that storage traffic comes from."""
    vm: Vm | None = None
    """What makes the host a virtual machine."""


class Operator(Strict):
    """Where the operator's machine is plugged in; its traffic crosses the switches that are changed."""

    port: EndText
    """HOST:PORT, a port that no cable of the table is in."""
    address: AddressInSubnet
    """The address of the operator's machine with its prefix length."""
    gateway: Address | None = None
    """The way from the operator's machine to the site's other subnets."""


class DefaultsFile(Strict):
    """defaults.yaml: what holds for the whole site."""

    domain: DomainName
    """The domain that host names are in."""
    name_servers: tuple[Address, ...] = ()
    """DNS servers, the first one asked first."""
    time_servers: tuple[Address, ...] = ()
    """NTP servers."""
    packages: tuple[PackageName, ...] = ()
    """Debian packages that every host has."""
    lacp: Lacp = Lacp()
    """How bonds speak LACP."""
    operator: Operator | None = None
    """Where the operator's own machine is plugged in, where that is on a cable of the site."""


class PointToPointNetwork(Strict):
    """Where the /31s of a kind of cable come from, and its cost in OSPF."""

    prefix: Prefix
    """The network that each cable takes its /31 from, in the order of the rows."""
    ospf_cost: OspfCost
    """The cost of the cables in OSPF, on both ends."""


class BondEnds(Strict):
    """The names of the bond that a cable belongs to on its two ends."""

    from_: InterfaceName | None = Field(default=None, alias="from")
    """The bond on the host of the row's "from"."""
    to: InterfaceName | None = None
    """The bond on the host of the row's "to"."""


class CableRow(Strict):
    """A row of cables.yaml; ends are written HOST:PORT."""

    from_: EndText = Field(alias="from")
    """One end, HOST:PORT; on a point-to-point cable it has the lower address."""
    to: EndText
    """The other end, HOST:PORT."""
    bond: BondEnds | None = None
    """The LACP group that the cable is in, by its name on each end."""
    network: str | None = None
    """The network of a routed point-to-point cable."""


class CablesFile(Strict):
    """cables.yaml."""

    networks: Mapping[str, PointToPointNetwork] = {}
    """Where point-to-point cables take their addresses from, by name."""
    cables: tuple[CableRow, ...] = ()
    """One row a cable."""


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
