"""Routed cables: each end's address and MTU, and the router's own address on its loopback."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES, STAGED
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.mtu.mtus import mtu_in_file
from tasks.network.ospf.drain import DRAIN, UNDRAIN
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.templates import render


@dataclass(frozen=True)
class PortState:
    """One end of a routed cable."""

    name: str
    auto: bool
    address: str
    mtu_bytes: str


@dataclass(frozen=True)
class LinksState:
    """This host's end of each routed cable, in the order of the cable table, and the loopback's address."""

    ports: tuple[PortState, ...]
    loopback: str


def _address(file: InterfacesFile, iface: str, wanted: str) -> str:
    """The wanted address if the interface has it, even among others; else all that it has."""
    addresses = file.get(iface, "address")
    return wanted if wanted in addresses else " ".join(addresses)


@dataclass(frozen=True)
class PointToPointLinks(Change[LinksState]):
    """Every routed cable has its address and MTU at this end, and the loopback has the router's own address."""

    needs: ClassVar = (STAGED, *HOLDER_FACTS)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinksState:
        """The cable table's values. Raises Refused if another interface already uses a port."""
        host, holders = site.hosts[self.host], Holders(facts[self.host])
        near = [(cable.near(self.host).port, str(cable.address(self.host))) for cable in site.routed(self.host)]
        ports = tuple(PortState(name, auto=True, address=address, mtu_bytes=str(host.ports[name].mtu_bytes)) for name, address in near)
        holders.configured_once(*(name for name, _ in near))
        for name, _ in near:
            holders.is_free(name, (), "a routed port belongs to no other interface: remove it there, or correct the cable table")
        return LinksState(ports, str(host.loopback or ""))

    def observe(self, site: Site, facts: Facts) -> LinksState:
        """The file's values. If an interface has several addresses, one of them being the wanted one is enough."""
        file, want = InterfacesFile(facts[self.host][INTERFACES]), self.intend(site, facts)
        ports = tuple(
            PortState(one.name, one.name in file.autos(), _address(file, one.name, one.address), mtu_in_file(file, one.name))
            for one in want.ports
        )
        return LinksState(ports, _address(file, "lo", want.loopback) if want.loopback else "")

    def steps(self, site: Site, facts: Facts, want: LinksState) -> tuple[Step, ...]:
        """One merge candidate. If a cable that already has an address changes, transit traffic bypasses the host meanwhile."""
        candidate = Candidate(render("point_to_point_links", site.hosts[self.host].platform, self.host, state=want))
        now = self.observe(site, facts).ports
        changes_live = any(one.address and one != new for one, new in zip(now, want.ports, strict=True))
        return (DRAIN, candidate, UNDRAIN) if changes_live else (candidate,)
