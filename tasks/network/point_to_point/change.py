"""Routed cables: each end's address and MTU, and the router's own address on its loopback."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES, STAGED
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.mtu.mtus import said
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
    """The ends of the routed cables, in the order of the table, and the loopback's address."""

    ports: tuple[PortState, ...]
    loopback: str


def _held(file: InterfacesFile, iface: str, wanted: str) -> str:
    """The wanted address where the interface has it, else what it has: it may have others beside."""
    addresses = file.get(iface, "address")
    return wanted if wanted in addresses else " ".join(addresses)


@dataclass(frozen=True)
class PointToPointLinks(Change[LinksState]):
    """Every routed cable has its address and MTU at this end, and the loopback has the router's own address."""

    needs: ClassVar = (STAGED, *HOLDER_FACTS)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinksState:
        """As the cable table says. Raises Refused where a port is somebody else's."""
        host, holders = site.hosts[self.host], Holders(facts[self.host])
        near = [(cable.near(self.host).port, str(cable.address(self.host))) for cable in site.routed(self.host)]
        ports = tuple(PortState(name, auto=True, address=address, mtu_bytes=str(host.ports[name].mtu_bytes)) for name, address in near)
        holders.stands_alone(*(name for name, _ in near))
        for name, _ in near:
            holders.is_free(name, (), "a routed port is nobody else's: take it away there, or correct the cable table")
        return LinksState(ports, str(host.loopback or ""))

    def observe(self, site: Site, facts: Facts) -> LinksState:
        """As the file says; of several addresses the wanted one counts."""
        file, want = InterfacesFile(facts[self.host][INTERFACES]), self.intend(site, facts)
        ports = tuple(
            PortState(one.name, one.name in file.autos(), _held(file, one.name, one.address), said(file, one.name)) for one in want.ports
        )
        return LinksState(ports, _held(file, "lo", want.loopback) if want.loopback else "")

    def steps(self, site: Site, facts: Facts, want: LinksState) -> tuple[Step, ...]:
        """One merge candidate; others' traffic is led round the host while a cable that already has an address changes."""
        candidate = Candidate(render("point_to_point_links", site.hosts[self.host].platform, self.host, state=want))
        now = self.observe(site, facts).ports
        moves = any(one.address and one != new for one, new in zip(now, want.ports, strict=True))
        return (DRAIN, candidate, UNDRAIN) if moves else (candidate,)
