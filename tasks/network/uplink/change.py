"""The two ends of an uplink: a node's bond below its bridge, a switch's port channel in its bridge."""

from dataclasses import dataclass, replace
from typing import ClassVar

from inventory.models import Fallback
from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES, LINKS, STAGED
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.links.vlans import Vlans, refuse_a_lost_vlan, refuse_an_unproven_vlan, taken_over, vlans_of
from tasks.network.mtu.mtus import Mtus, as_written, bond_mtus
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, in_words
from tasks.platforms.templates import render

MIIMON_MS = 100


@dataclass(frozen=True)
class BondState:
    """The attributes that a bond's change owns. Other ports of the bridge stay in it.

    With `bypass`, the bond's ports work individually without a LACP partner (ifupdown2's name for a vendor's fallback).
    """

    auto: bool
    members: tuple[str, ...]
    mode: str
    miimon_ms: str
    lacp_rate: str
    hash_policy: str
    bridge_ports: tuple[str, ...]
    bypass: bool = False
    address: str = ""
    gateway: str = ""
    mtus: Mtus = ()
    vlans: Vlans = ()

    def mtu(self, iface: str) -> str:
        """The interface's wanted MTU, empty if the change leaves it alone."""
        return dict(self.mtus).get(iface, "")


def _ports(file: InterfacesFile, iface: str, attribute: str) -> tuple[str, ...]:
    """The ports in an attribute's value. An empty bridge has `none`."""
    return tuple(port for port in " ".join(file.get(iface, attribute)).split() if port != "none")


def _refuse_used_ports(site: Site, facts: Facts, host: str, bond: str) -> None:
    """Raises Refused if another interface uses the bond or a member, or if the bond or its bridge is of an unsupported kind."""
    bridge, members, holders = site.hosts[host].bridge, site.bond(host, bond).members, Holders(facts[host])
    holders.configured_once(*members, bond, bridge, site.hosts[host].management)
    holders.is_linux(bridge, "bridge")
    holders.is_linux(bond, "bond")
    for port in members:
        holders.has_no_address(port, site.hosts[host].management)
        holders.is_free(port, (bond, bridge), f"move it to {bond} or remove it first")
    holders.has_no_address(bond, site.hosts[host].management)
    holders.is_free(bond, (bridge,), f"remove it there, or name that bridge in the inventory, which leaves {bridge} alone", alone=False)


def _observe(site: Site, host: str, bond: str, file: InterfacesFile) -> BondState:
    bridge, wanted, members = site.hosts[host].bridge, site.bond(host, bond).members, _ports(file, bond, "bond-slaves")

    def one(attribute: str) -> str:
        return in_words(attribute, " ".join(file.get(bond, attribute)))

    return BondState(
        auto={bond, bridge} <= file.autos(),
        members=wanted if sorted(members) == sorted(wanted) else members,  # their order does not matter
        mode=one("bond-mode"),
        miimon_ms=one("bond-miimon"),
        lacp_rate=one("bond-lacp-rate"),
        hash_policy=one("bond-xmit-hash-policy"),
        bridge_ports=_ports(file, bridge, "bridge-ports"),
        bypass=bool({"yes", "on", "1"} & set(file.get(bond, "bond-lacp-bypass-allow"))),
        vlans=vlans_of(file, bond),
    )


def _intend(site: Site, bond_name: str, host: str, file: InterfacesFile) -> BondState:
    bond, have = site.bond(host, bond_name), _ports(file, site.hosts[host].bridge, "bridge-ports")
    kept = tuple(port for port in have if port not in bond.members)
    return BondState(
        auto=True,
        members=bond.members,
        mode="802.3ad",
        miimon_ms=str(MIIMON_MS),
        lacp_rate=site.lacp.rate,
        hash_policy=site.lacp.hash_policy,
        bridge_ports=kept if bond_name in kept else (bond_name, *kept),
        bypass=bond.fallback is Fallback.INDIVIDUAL,
        vlans=taken_over(bond, file),
    )


@dataclass(frozen=True)
class UplinkBond(Change[BondState]):
    """Both uplink ports form one LACP bond, and the bridge with the node's own address is on it."""

    needs: ClassVar = (STAGED, *HOLDER_FACTS)
    host: str
    bond: str

    def intend(self, site: Site, facts: Facts) -> BondState:
        """The inventory's values. Raises Refused if a member is missing, is in use or has an address, or if the address would be lost."""
        host, file = site.hosts[self.host], InterfacesFile(facts[self.host][INTERFACES])
        links = facts[self.host][LINKS]
        for port in site.bond(self.host, self.bond).members:
            if port not in links:
                other = next((f"{name} is also called {port}: name it {name} there" for name in links if port in links[name].altnames), "")
                raise Refused(
                    f"{self.host}: no port {port}, which cables.yaml plugs into {site.peer(self.host, port)};"
                    f" {other or 'it has ' + ', '.join(links)}"
                )
        _refuse_used_ports(site, facts, self.host, self.bond)
        Holders(facts[self.host]).refuse_to_move(str(host.address), host.management)
        refuse_an_unproven_vlan(site, self.host, links)
        refuse_a_lost_vlan(site, site.bond(self.host, self.bond), file, host.vlan, self.host)
        want = _intend(site, self.bond, self.host, file)
        address, mtus = str(host.address), tuple(self._mtus(site, facts, file).items())
        for port, mtu in mtus:
            most = links[port].most_mtu_bytes if port in links else 0
            if most and int(mtu) > most:
                raise Refused(
                    f"{self.host}: {port} accepts packets of at most {most} bytes (`ip -d link show {port}`), wanted MTU {mtu};"
                    " set a smaller mtu_bytes on both ends of its cables"
                )
        return BondState(**{**vars(want), "address": address, "gateway": str(host.gateway or ""), "mtus": mtus})

    def observe(self, site: Site, facts: Facts) -> BondState:
        """The file's values. If there are several addresses or gateways, one of them being the wanted one is enough."""
        host, file = site.hosts[self.host], InterfacesFile(facts[self.host][INTERFACES])
        addresses, gateways = file.get(host.management, "address"), file.get(host.management, "gateway")
        have = _observe(site, self.host, self.bond, file)
        return BondState(
            **{
                **vars(have),
                "auto": have.auto and host.management in file.autos(),
                "address": str(host.address) if str(host.address) in addresses else " ".join(addresses),
                "gateway": str(host.gateway) if str(host.gateway) in gateways else " ".join(gateways) if host.gateway else "",
                "mtus": as_written(file, self._mtus(site, facts, file)),
            }
        )

    def _mtus(self, site: Site, facts: Facts, file: InterfacesFile) -> dict[str, str]:
        live = {name: link.mtu_bytes for name, link in facts[self.host][LINKS].items()}
        return bond_mtus(site, site.bond(self.host, self.bond), site.hosts[self.host].bridge, file, live)

    def steps(self, site: Site, facts: Facts, want: BondState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        host = site.hosts[self.host]
        return (
            Candidate(
                render("uplink_bond", host.platform, self.host, bond=self.bond, bridge=host.bridge, holder=host.management, state=want)
            ),
        )


@dataclass(frozen=True)
class PortChannel(Change[BondState]):
    """The switch's ports to a node form one LACP port channel in its bridge."""

    needs: ClassVar = HOLDER_FACTS
    host: str
    bond: str

    def intend(self, site: Site, facts: Facts) -> BondState:
        """The inventory's values. Ports of other channels and hosts stay in the bridge. Raises Refused if a port is already in use."""
        _refuse_used_ports(site, facts, self.host, self.bond)
        file = InterfacesFile(facts[self.host][INTERFACES])
        bond = site.bond(self.host, self.bond)
        for one in (self.host, bond.peer_host):
            refuse_a_lost_vlan(site, bond, file, site.hosts[one].vlan, one)
        want = _intend(site, self.bond, self.host, file)
        return replace(want, mtus=tuple(self._mtus(site, file).items()))

    def observe(self, site: Site, facts: Facts) -> BondState:
        """The file's values."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        return replace(_observe(site, self.host, self.bond, file), mtus=as_written(file, self._mtus(site, file)))

    def _mtus(self, site: Site, file: InterfacesFile) -> dict[str, str]:
        return bond_mtus(site, site.bond(self.host, self.bond), site.hosts[self.host].bridge, file, {})

    def steps(self, site: Site, facts: Facts, want: BondState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        host = site.hosts[self.host]
        return (Candidate(render("port_channel", host.platform, self.host, channel=self.bond, bridge=host.bridge, state=want)),)
