"""The keys of the YAML files of an inventory folder, as frozen, typed data."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Address
from typing import Annotated

from pydantic import Field, WrapValidator

from inventory.ceph_models import Ceph
from inventory.nfs_models import Nfs
from inventory.plugins import LINKS, PLATFORMS, accepted
from inventory.strict import Strict
from inventory.value_types import (
    Address,
    AddressInSubnet,
    AreaId,
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
    PortName,
    Prefix,
    Seconds,
    Truth,
    Vmid,
)


class LinkKind(StrEnum):
    """How Burrow reaches a host: over SSH, with a NAPALM driver, or by the host's own API."""

    SSH = "ssh"
    NAPALM = "napalm"
    API = "api"


class Platform(StrEnum):
    """The operating system of a host: the name of its NAPALM driver if it has one."""

    IFUPDOWN2 = "ifupdown2"
    UBUNTU = "ubuntu"
    EOS = "eos"
    IOS = "ios"
    JUNOS = "junos"
    TRUENAS = "truenas"


# At run time also the name of another package's link or platform, as plain text.
LinkName = Annotated[LinkKind, WrapValidator(partial(accepted, group=LINKS))]
PlatformName = Annotated[Platform, WrapValidator(partial(accepted, group=PLATFORMS))]


class LacpRate(StrEnum):
    """How often the LACP partner sends a LACPDU: every second or every 30 seconds (IEEE 802.1AX)."""

    FAST = "fast"
    SLOW = "slow"


class Fallback(StrEnum):
    """What a member port of a switch's LAG does without a LACP partner: it stays down, or works as a plain port."""

    SUSPEND = "suspend"
    INDIVIDUAL = "individual"


class Port(Strict):
    """One network port of a host."""

    mtu_bytes: MtuBytes = 1500
    """The MTU in bytes: equal on both ends of a cable and on all members of a bond. If no row sets it, the host keeps its own."""
    address: AddressInSubnet | None = None
    """The port's own address, with its prefix length. Ports of point-to-point cables and members of bonds have none."""
    pci_path: PciPath | None = None
    """The port's PCI path as udev writes it, for a port whose kernel name is not stable."""

    @property
    def configured_mtu_bytes(self) -> int | None:
        """`mtu_bytes` if a row sets it, else None."""
        return self.mtu_bytes if "mtu_bytes" in self.model_fields_set else None


class DiskPurpose(StrEnum):
    """The purpose of a disk."""

    OSD = "osd"


class Disk(Strict):
    """A disk of a host that Burrow manages. Burrow leaves unlisted disks alone."""

    purpose: DiskPurpose
    """The disk's purpose: with `osd`, Ceph uses the whole disk."""


class BondOptions(Strict):
    """Options of one of a host's bonds, beyond what its cables define."""

    fallback: Fallback = Fallback.SUSPEND
    """What the bond's ports do without a LACP partner."""


class SpanningTree(StrEnum):
    """Whether a bridge runs the spanning tree protocol (IEEE 802.1D)."""

    ON = "on"
    OFF = "off"


class Lacp(Strict):
    """LACP settings of the site's bonds, equal on both ends."""

    rate: LacpRate = LacpRate.FAST
    """How often the partner sends a LACPDU."""
    hash_policy: HashPolicy = "layer3+4"
    """The packet fields that select the member (xmit_hash_policy of the kernel's bonding driver)."""


class Vm(Strict):
    """A virtual machine's size and the node that runs it."""

    vmid: Vmid
    """The VM's number, unique in the cluster."""
    node: HostName
    """The host of group `proxmox` that runs the VM."""
    cpus: Count
    """Virtual CPUs."""
    memory_gb: Count
    """Memory in GiB."""
    disk_gb: Count
    """Disk size in GiB."""


class HostFields(Strict):
    """The keys of a host or a group. A value in the host's row wins, then that of the first of its groups that sets it."""

    platform: PlatformName | None = None
    """The host's operating system."""
    link: LinkName | None = None
    """How Burrow reaches the host."""
    managed: Truth | None = None
    """False for a switch that Burrow must not configure. The default is true."""
    management: InterfaceName | None = None
    """The interface that has the host's own address."""
    gateway: Address | None = None
    """The host's default gateway."""
    spanning_tree: SpanningTree | None = None
    """Whether the bridge on the management interface runs the spanning tree protocol. The default is off."""
    ports: Mapping[PortName, Port] = {}
    """The network ports by name. A host's row adds ports to those of its groups, or overrides single keys of them."""
    disks: Mapping[DiskId, Disk] = {}
    """The disks that Burrow manages, by their names under /dev/disk/by-id, which do not depend on the slot."""
    bonds: Mapping[InterfaceName, BondOptions] = {}
    """Options of bonds that cables.yaml does not define."""


class HostRow(HostFields):
    """A host's row in hosts.yaml."""

    groups: tuple[HostName, ...] = ()
    """Groups from groups.yaml. If two groups set the same key, the first wins."""
    address: AddressInSubnet
    """The host's own address with its prefix length, on its management interface."""
    loopback: AddressInSubnet | None = None
    """A /32: the OSPF router ID, and the source address of storage traffic."""
    vm: Vm | None = None
    """Present if the host is a virtual machine: its size and its node."""
    nfs: Nfs | None = None
    """Present if the host is an NFS server: its arrays and exports."""


class Ospf(Strict):
    """OSPF settings of the point-to-point cables, equal on both ends."""

    area: AreaId = IPv4Address("0.0.0.0")  # noqa: S104 (the backbone area, not an address)
    """The one area, in dotted-decimal form."""
    hello_s: Seconds = 2
    """Seconds between two hellos."""
    dead_s: Seconds = 10
    """Seconds without a hello after which a neighbor is down."""
    bfd_interval_ms: Milliseconds = 1000
    """Milliseconds between two BFD packets."""
    bfd_multiplier: BfdMultiplier = 5
    """How many missing BFD packets mean that the neighbor is down."""
    key_file: FileName | None = None
    """A file, relative to this folder, with the key of at most 16 characters that routers authenticate with (RFC 2328, appendix D)."""


class Operator(Strict):
    """Where the operator's machine is plugged in. Its traffic crosses the switches that Burrow changes."""

    port: EndText
    """HOST:PORT, a port that no cable in the table uses."""
    address: AddressInSubnet
    """The address of the operator's machine with its prefix length."""
    gateway: Address | None = None
    """The gateway of the operator's machine to the site's other subnets."""


class DefaultsFile(Strict):
    """defaults.yaml: settings of the whole site."""

    domain: DomainName
    """The domain of the host names."""
    name_servers: tuple[Address, ...] = ()
    """DNS servers, in the order in which hosts query them."""
    time_servers: tuple[Address, ...] = ()
    """NTP servers."""
    packages: tuple[PackageName, ...] = ()
    """Debian packages that every host has."""
    lacp: Lacp = Lacp()
    """LACP settings of bonds."""
    ospf: Ospf = Ospf()
    """OSPF settings of routers."""
    ceph: Ceph | None = None
    """The Proxmox cluster and Ceph on it, if the site has one."""
    operator: Operator | None = None
    """Where the operator's own machine is plugged in, if that is a switch of the site."""


class PointToPointNetwork(Strict):
    """The pool of /31s for a kind of point-to-point cable, and its OSPF cost."""

    prefix: Prefix
    """The prefix that cables take their /31s from, in the order of the rows."""
    ospf_cost: OspfCost
    """The OSPF cost of the cables, on both ends."""


class BondEnds(Strict):
    """The bond that a cable belongs to, by its name on each end."""

    from_: InterfaceName | None = Field(default=None, alias="from")
    """The bond on the row's "from" host."""
    to: InterfaceName | None = None
    """The bond on the row's "to" host."""


class CableRow(Strict):
    """A row of cables.yaml. Ends are written HOST:PORT."""

    from_: EndText = Field(alias="from")
    """One end, HOST:PORT. On a point-to-point cable it has the lower address."""
    to: EndText
    """The other end, HOST:PORT."""
    bond: BondEnds | None = None
    """The LACP group of the cable, by its name on each end."""
    network: NetworkName | None = None
    """The network of a routed point-to-point cable."""


class CablesFile(Strict):
    """cables.yaml."""

    networks: Mapping[NetworkName, PointToPointNetwork] = {}
    """The networks that point-to-point cables take their addresses from, by name."""
    cables: tuple[CableRow, ...] = ()
    """One row for each cable."""
