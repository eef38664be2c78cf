"""What the YAML files of an inventory folder may say, as frozen, typed data."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address

from pydantic import Field

from inventory.ceph_models import Ceph
from inventory.nfs_models import Nfs
from inventory.strict import Strict
from inventory.value_types import (
    Address,
    AddressInSubnet,
    BfdMultiplier,
    Count,
    DiskId,
    DomainName,
    EndText,
    FileName,
    HashPolicy,
    HostName,
    InterfaceName,
    Milliseconds,
    MtuBytes,
    NetworkName,
    OspfCost,
    PackageName,
    PciPath,
    Prefix,
    Seconds,
    Truth,
    Vmid,
)


class LinkKind(StrEnum):
    """How a host is reached: facts and writes over SSH, through a NAPALM driver, or by its own API."""

    SSH = "ssh"
    NAPALM = "napalm"
    API = "api"


class Platform(StrEnum):
    """What a host runs, by the name of its NAPALM driver where it has one."""

    IFUPDOWN2 = "ifupdown2"
    UBUNTU = "ubuntu"
    EOS = "eos"
    IOS = "ios"
    JUNOS = "junos"
    TRUENAS = "truenas"


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
    """The largest packet, the same on both ends of a cable and on all members of a bond; where it is not said, the host's own stays."""
    address: AddressInSubnet | None = None
    """An address of the port's own, with its prefix length; ports of point-to-point cables and members of bonds have none."""
    pci_path: PciPath | None = None
    """Where the port sits, as udev says it, for a port whose name the kernel does not keep."""

    @property
    def said_mtu_bytes(self) -> int | None:
        """`mtu_bytes` where a row says it, None where nobody decided."""
        return self.mtu_bytes if "mtu_bytes" in self.model_fields_set else None


class DiskPurpose(StrEnum):
    """What a disk is for."""

    OSD = "osd"


class Disk(Strict):
    """A disk of a host that has a purpose here; disks that are not listed are nobody's business."""

    purpose: DiskPurpose
    """What the disk is for: `osd`, all of it for Ceph."""


class BondOptions(Strict):
    """What a host says of one of its bonds beyond its cables."""

    fallback: Fallback = Fallback.SUSPEND
    """What its ports do while no LACP partner speaks."""


class SpanningTree(StrEnum):
    """Whether a bridge speaks the spanning tree protocol (IEEE 802.1D)."""

    ON = "on"
    OFF = "off"


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
    spanning_tree: SpanningTree | None = None
    """Whether the bridge on the management interface speaks the spanning tree protocol; off where nothing is said."""
    ports: Mapping[InterfaceName, Port] = {}
    """The network ports by name; a host's row adds to those of its groups and changes single words of them."""
    disks: Mapping[DiskId, Disk] = {}
    """The disks that have a purpose, by their names under /dev/disk/by-id, which a disk keeps wherever it is plugged in."""
    bonds: Mapping[InterfaceName, BondOptions] = {}
    """What there is to say of a bond that its cables do not say."""


class HostRow(HostFields):
    """A host's row in hosts.yaml."""

    groups: tuple[HostName, ...] = ()
    """Names of groups.yaml; of two that say the same thing the first wins."""
    address: AddressInSubnet
    """The host's own address with its prefix length, on its management interface."""
    loopback: AddressInSubnet | None = None
    """A /32: the OSPF router id, and the address that storage traffic comes from."""
    vm: Vm | None = None
    """What makes the host a virtual machine."""
    nfs: Nfs | None = None
    """What makes the host an NFS server: its arrays and exports."""


class Ospf(Strict):
    """How the site's routers speak OSPF over point-to-point cables, the same on both ends of each."""

    area: Address = IPv4Address("0.0.0.0")  # noqa: S104 (the backbone area, no address)
    """The one area, written as an address."""
    hello_s: Seconds = 2
    """Seconds between two hellos."""
    dead_s: Seconds = 10
    """Seconds of silence after which a neighbour is gone."""
    bfd_interval_ms: Milliseconds = 1000
    """Milliseconds between two BFD packets."""
    bfd_multiplier: BfdMultiplier = 5
    """How many missing BFD packets mean that the neighbour is gone."""
    key_file: FileName | None = None
    """A file, relative to this folder, with the one word of at most 16 letters that routers sign with (RFC 2328, appendix D)."""


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
    ospf: Ospf = Ospf()
    """How routers speak OSPF."""
    ceph: Ceph | None = None
    """The Proxmox cluster and Ceph on it, where the site has one."""
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
    network: NetworkName | None = None
    """The network of a routed point-to-point cable."""


class CablesFile(Strict):
    """cables.yaml."""

    networks: Mapping[NetworkName, PointToPointNetwork] = {}
    """Where point-to-point cables take their addresses from, by name."""
    cables: tuple[CableRow, ...] = ()
    """One row a cable."""
