"""The site of an inventory folder, as frozen, typed data. Changes, checks and the lab are derived from it."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import SecretStr

from inventory.ceph_models import Ceph
from inventory.models import (
    Disk,
    DiskPurpose,
    Fallback,
    Lacp,
    LinkKind,
    LinkName,
    Operator,
    Ospf,
    Platform,
    PlatformName,
    PointToPointNetwork,
    Port,
    SpanningTree,
    Vm,
)
from inventory.nfs_models import Nfs
from inventory.strict import Strict
from inventory.targets import CEPH, HOST, TRUENAS, Target, kind_of, name_of
from inventory.value_types import Address, AddressInSubnet, DiskId, HostName, InterfaceName, PortName
from inventory.vlan_names import vlan_of


class End(Strict):
    """One end of a cable; prints as HOST:PORT."""

    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Cable(Strict):
    """A cable, with its bond and its /31 address on each end; prints as HOST:PORT - HOST:PORT."""

    ends: tuple[End, End]
    bonds: tuple[str | None, str | None] = (None, None)
    network: str | None = None
    addresses: tuple[AddressInSubnet, AddressInSubnet] | None = None

    def __str__(self) -> str:
        return f"{self.ends[0]} - {self.ends[1]}"

    def far(self, host: str) -> End:
        """The end that is not on `host`."""
        return self.ends[1] if self.ends[0].host == host else self.ends[0]

    def address(self, host: str) -> AddressInSubnet:
        """The address of the end on `host`. Raises KeyError if the cable has no addresses."""
        if self.addresses is None:
            raise KeyError(f"{self} is no point-to-point cable")
        return self.addresses[self.ends.index(self.near(host))]

    def near(self, host: str) -> End:
        """The end on `host`."""
        return self.ends[0] if self.ends[0].host == host else self.ends[1]


class Bond(Strict):
    """A LACP group on one of its hosts: its members in the order of the cables, and the host, bond and members at the far end."""

    host: str
    name: str
    members: tuple[str, ...]
    peer_host: str
    peer_name: str
    peer_members: tuple[str, ...]
    fallback: Fallback = Fallback.SUSPEND
    mtu_bytes: int | None = None
    """The MTU that the rows of the members set on either end. None if no row sets it: the hosts keep their own MTU."""


class Host(Strict):
    """A host, with the values of its groups and of the site merged in."""

    name: HostName
    groups: tuple[str, ...]
    platform: PlatformName
    link: LinkName
    managed: bool
    management: InterfaceName
    address: AddressInSubnet
    gateway: Address | None
    spanning_tree: SpanningTree
    loopback: AddressInSubnet | None
    ports: Mapping[PortName, Port]
    disks: Mapping[DiskId, Disk]
    bonds: tuple[Bond, ...]
    vm: Vm | None
    nfs: Nfs | None = None

    @property
    def bridge(self) -> str:
        """The interface with the host's address; if that is a VLAN, the interface below it. On nodes and switches, this is the bridge."""
        return self.management.rpartition(".")[0] if self.vlan is not None else self.management

    @property
    def vlan(self) -> int | None:
        """The VLAN ID in the name of the management interface, None if that is not a VLAN."""
        return vlan_of(self.management) if self.platform in (Platform.IFUPDOWN2, Platform.UBUNTU) else None


class Site(Strict):
    """A whole inventory folder, validated. Changes, checks and the lab are derived from it alone."""

    domain: str
    name_servers: tuple[Address, ...]
    time_servers: tuple[Address, ...]
    packages: tuple[str, ...]
    lacp: Lacp
    ospf: Ospf
    ospf_key: SecretStr | None = None
    ceph: Ceph | None = None
    operator: Operator | None
    hosts: Mapping[str, Host]
    cables: tuple[Cable, ...]
    networks: Mapping[str, PointToPointNetwork]

    @cached_property
    def _cables(self) -> Mapping[str, tuple[Cable, ...]]:
        found: dict[str, list[Cable]] = {}
        for cable in self.cables:
            for host in dict.fromkeys(end.host for end in cable.ends):
                found.setdefault(host, []).append(cable)
        return {host: tuple(cables) for host, cables in found.items()}

    @cached_property
    def _groups(self) -> Mapping[str, tuple[Host, ...]]:
        found: dict[str, list[Host]] = {}
        for host in self.hosts.values():
            for group in host.groups:
                found.setdefault(group, []).append(host)
        return {group: tuple(hosts) for group, hosts in found.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all hosts, with and without the domain."""
        return frozenset(name for host in self.hosts for name in (f"{host}.{self.domain}", host))

    @cached_property
    def hosts_lines(self) -> tuple[str, ...]:
        """The line of each host in a hosts file: its address and its names (hosts(5))."""
        return tuple(f"{host.address.ip} {name}.{self.domain} {name}" for name, host in self.hosts.items())

    @cached_property
    def router_ids(self) -> Mapping[str, str]:
        """{host: router ID} of the hosts with routed cables."""
        return {name: str(host.loopback.ip) for name, host in self.hosts.items() if host.loopback and any(self.routed(name))}

    @cached_property
    def routers(self) -> Mapping[str, str]:
        """{router ID: host}; of two hosts with one ID, the first."""
        return {router_id: name for name, router_id in reversed(tuple(self.router_ids.items()))}

    def model_copy(self, **words: Any) -> Self:
        """A copy with some fields replaced; its indexes are built anew."""
        copied = super().model_copy(**words)
        for index in ("_cables", "_groups", "names", "hosts_lines", "router_ids", "routers"):
            vars(copied).pop(index, None)
        return copied

    def cables_of(self, host: str) -> Iterator[Cable]:
        """The cables with an end on `host`, in the order of the table."""
        return iter(self._cables.get(host, ()))

    def peer(self, host: str, port: str) -> End | None:
        """The far end of the cable in HOST:PORT, None if it has no cable."""
        return next((c.far(host) for c in self.cables_of(host) if c.near(host).port == port), None)

    def routed(self, host: str) -> Iterator[Cable]:
        """The point-to-point cables with an end on `host`."""
        return (cable for cable in self.cables_of(host) if cable.network is not None and cable.addresses is not None)

    def bridged(self, host: str) -> Mapping[str, int | None]:
        """{bond or port: configured MTU in bytes} of the cabled ports of the bridge with the host's own address.

        Empty if the host's own address is on a port.
        """
        own, found = self.hosts[host], {}
        for cable in self.cables_of(host) if own.bridge not in own.ports else ():
            port, name = cable.near(host).port, cable.bonds[cable.ends.index(cable.near(host))]
            if cable.network is None and own.ports[port].address is None:
                found[name or port] = self.bond(host, name).mtu_bytes if name else own.ports[port].configured_mtu_bytes
        plugged = self.operator.port.partition(":")[::2] if self.operator else ("", "")
        if plugged[0] == host and own.bridge not in own.ports and own.ports[plugged[1]].address is None:
            found[plugged[1]] = own.ports[plugged[1]].configured_mtu_bytes
        return found

    def bond(self, host: str, name: str) -> Bond:
        """The bond `name` of `host`. Raises KeyError if there is none."""
        for bond in self.hosts[host].bonds:
            if bond.name == name:
                return bond
        raise KeyError(f"{host} has no bond {name}")

    def members_of(self, group: str) -> tuple[Host, ...]:
        """The hosts of a group, in the order of hosts.yaml."""
        return self._groups.get(group, ())

    def osds(self, host: str) -> tuple[str, ...]:
        """The IDs of a host's disks for Ceph OSDs."""
        return tuple(name for name, disk in self.hosts[host].disks.items() if disk.purpose is DiskPurpose.OSD)

    def targets(self, kind: str) -> tuple[Target, ...]:
        """The targets of a kind: rows of hosts.yaml, or the one cluster where the site has one."""
        if kind in (HOST, TRUENAS):
            by_api = kind == TRUENAS
            return tuple(Target(kind, name) for name, host in self.hosts.items() if (host.link is LinkKind.API) is by_api)
        return (Target(kind, self.ceph.cluster),) if self.ceph else ()

    def endpoints(self, target: str) -> tuple[str, ...]:
        """The hosts through which a target is reached, in order: a host itself, Ceph's monitors, the nodes of the Proxmox cluster.

        The first monitor is the first node, and creates the cluster. Hosts that are not managed are left out.
        """
        kind = kind_of(target)
        if kind in (HOST, TRUENAS) or self.ceph is None:
            return (name_of(target),)
        monitors = [name for name in self.ceph.monitors if self.hosts[name].managed]
        if kind == CEPH:
            return tuple(monitors)
        nodes = [host.name for host in self.members_of("proxmox") if host.managed]
        return tuple(dict.fromkeys((*(name for name in monitors if name in nodes), *nodes)))

    def physical(self) -> Self:
        """The same site without its virtual machines."""
        return self.model_copy(update={"hosts": {n: h for n, h in self.hosts.items() if h.vm is None}})
