"""The types of the inventory's values: names, addresses and sizes. Each is strict and has a text for error messages."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

# A vendor's names may contain '/' and ':' (ge-0/0/1, et-0/0/0:0). A Linux host's may not: rules/host.py checks that.
INTERFACE_NAME = r"^[A-Za-z][A-Za-z0-9_.:/-]{0,62}$"
# A port of a switch that nobody configures may have any of the names that vendors print, without blanks: 1, 1/1/1, Gi1/0/1.
PORT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$"
# RFC 1123, section 2.1: letters, digits and hyphens; RFC 1035, section 2.3.4: at most 63.
HOST_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
DOMAIN_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
END = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$"
# Debian Policy, section 5.6.1. apt-get removes a package whose name is followed by '-'.
PACKAGE_NAME = r"^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$"
NETWORK_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
FILE_NAME = r"^[^\x00-\x1f\x7f]+$"
# pve-storage: PVE::JSONSchema, parse_storage_id; pve-cluster: PVE::API2::ClusterConfig (at most 15 characters, a node's name).
STORAGE_NAME = r"^[a-z][a-z0-9_.-]*[a-z0-9]$"
CLUSTER_NAME = r"^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$"
# The name that udev's path_id gives to a PCI device and the devices behind it. Behind a VMD, the domain has more than four digits.
# udev rules and .link files treat the name as a pattern.
PCI_PATH = r"^pci-[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](-[A-Za-z0-9_.:]+)*$"
# Each part begins with a letter, a digit or '_', so none is '.', '..' or hidden. exports(5) needs no quotes for these characters.
PATH = r"^(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$"
OWNER = r"^[0-9]{1,10}:[0-9]{1,10}$"
MODE = r"^[0-7]{4}$"
# udev builds it from a disk's bus, model and serial number. It never contains "/".
DISK_ID = r"^[A-Za-z0-9][A-Za-z0-9_.:+=@-]*$"
IPV4 = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"
IPV4_WITH_PREFIX = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"
IPV4_CLIENTS = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$"

# The text of each pattern for error messages.
PATTERN_WORDS: Mapping[str, str] = {
    INTERFACE_NAME: "an interface name (a letter, then letters, digits, '_', '.', ':', '/' or '-')",
    PORT_NAME: "a port's name (a letter or digit, then letters, digits, '_', '.', ':', '/' or '-')",
    HOST_NAME: "a host name (a-z, 0-9 and '-', at most 63 characters, no '-' at either end)",
    DOMAIN_NAME: "a domain name in lower case, such as example.org",
    END: "HOST:PORT, such as alvin:eno1",
    PACKAGE_NAME: "a Debian package name",
    DISK_ID: "the name of a disk under /dev/disk/by-id",
    NETWORK_NAME: "a name of letters, digits, '_', '.' and '-'",
    STORAGE_NAME: "a Proxmox storage's name (a-z, 0-9, '_', '.' and '-', at least 2 characters, a letter first)",
    CLUSTER_NAME: "a Proxmox cluster's name (a-z, 0-9 and '-', at most 15 characters, no '-' at either end)",
    FILE_NAME: "a file's name, without control characters",
    PCI_PATH: "a udev PCI path, such as pci-0000:00:0d.2",
    PATH: "an absolute path of letters, digits, '_', '.' and '-' without a '/' at its end, such as /mnt/Vault/Data",
    OWNER: "UID:GID in numbers, such as 1000:1000",
    MODE: "a mode of four octal digits in quotes, such as '0755'",
}


def matches(pattern: str, text: str) -> bool:
    """Whether all of `text` matches `pattern`, a key of PATTERN_WORDS."""
    return re.fullmatch(pattern, text) is not None


def _written(value: object) -> object:
    """Refuses a number as an address: 5 would become 0.0.0.5."""
    if isinstance(value, int):
        raise ValueError("an address such as 172.16.0.1")  # noqa: TRY004 - pydantic turns only a ValueError into its own
    return value


def _area(value: object) -> object:
    """Refuses an area as a number: one spelling is enough."""
    if not isinstance(value, str) or re.fullmatch(IPV4, value) is None:
        raise ValueError("an area in dotted form, such as 0.0.0.0")
    return value


def _with_prefix(value: object) -> object:
    """Refuses an address without a prefix length, which would become a /32, and one with a netmask."""
    if isinstance(value, int) or (isinstance(value, str) and not re.fullmatch(r".*/[0-9]{1,2}", value)):
        raise ValueError("an address with its prefix length, such as 172.16.0.1/16")
    return value


def _clients(value: object) -> object:
    """Refuses the names and patterns of exports(5): which clients they admit depends on DNS."""
    if not isinstance(value, str) or re.fullmatch(IPV4_CLIENTS, value) is None:
        raise ValueError("an IPv4 network or address, such as 172.16.0.0/16")
    return value


def _quoted(value: object) -> object:
    """Refuses 0755 without quotes, which YAML reads as the number 755."""
    if isinstance(value, int):
        raise ValueError(PATTERN_WORDS[MODE])  # noqa: TRY004 - pydantic turns only a ValueError into its own
    return value


InterfaceName = Annotated[str, StringConstraints(pattern=INTERFACE_NAME)]
PortName = Annotated[str, StringConstraints(pattern=PORT_NAME)]
HostName = Annotated[str, StringConstraints(pattern=HOST_NAME)]
NetworkName = Annotated[str, StringConstraints(pattern=NETWORK_NAME)]
FileName = Annotated[str, StringConstraints(pattern=FILE_NAME)]
StorageName = Annotated[str, StringConstraints(pattern=STORAGE_NAME)]
ClusterName = Annotated[str, StringConstraints(pattern=CLUSTER_NAME)]
EndText = Annotated[str, StringConstraints(pattern=END)]
MtuBytes = Annotated[int, Field(strict=True, ge=1280, le=65520)]
Count = Annotated[int, Field(strict=True, ge=1)]
Address = Annotated[IPv4Address, BeforeValidator(_written), WithJsonSchema({"type": "string", "pattern": IPV4})]
AreaId = Annotated[IPv4Address, BeforeValidator(_area), WithJsonSchema({"type": "string", "pattern": IPV4})]
AddressInSubnet = Annotated[IPv4Interface, BeforeValidator(_with_prefix), WithJsonSchema({"type": "string", "pattern": IPV4_WITH_PREFIX})]
Prefix = Annotated[IPv4Network, BeforeValidator(_with_prefix), WithJsonSchema({"type": "string", "pattern": IPV4_WITH_PREFIX})]
Truth = Annotated[bool, Field(strict=True)]
Vmid = Annotated[int, Field(strict=True, ge=100, le=999_999_999)]
OspfCost = Annotated[int, Field(strict=True, ge=1, le=65535)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=65535)]
# FRR's own bounds (bfdd).
Milliseconds = Annotated[int, Field(strict=True, ge=10, le=60000)]
BfdMultiplier = Annotated[int, Field(strict=True, ge=2, le=255)]
DomainName = Annotated[str, StringConstraints(pattern=DOMAIN_NAME, max_length=253)]
PackageName = Annotated[str, StringConstraints(pattern=PACKAGE_NAME)]
# pveceph(1): a pool's size is 1 to 7.
Replicas = Annotated[int, Field(strict=True, ge=1, le=7)]
AbsolutePath = Annotated[str, StringConstraints(pattern=PATH)]
Clients = Annotated[IPv4Network, BeforeValidator(_clients), WithJsonSchema({"type": "string", "pattern": IPV4_CLIENTS})]
OwnerIds = Annotated[str, StringConstraints(pattern=OWNER)]
FolderMode = Annotated[str, StringConstraints(pattern=MODE), BeforeValidator(_quoted)]
Percent = Annotated[int, Field(strict=True, ge=0, le=99)]
# exports(5): 0 would be the root of all exports.
Fsid = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647)]
# A limit against typing errors; no NFS server needs more threads.
Threads = Annotated[int, Field(strict=True, ge=1, le=4096)]
DiskId = Annotated[str, StringConstraints(pattern=DISK_ID)]
PciPath = Annotated[str, StringConstraints(pattern=PCI_PATH)]
HashPolicy = Literal["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"]
