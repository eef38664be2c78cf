"""A switch that routes: its routed ports and the bridge that carries its own address."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.mtu.mtus import Mtus, as_written
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.templates import render

ON = frozenset({"yes", "on", "1"})


@dataclass(frozen=True)
class GatewayState:
    """(interface, address, whether packets that come in by it are forwarded)."""

    interfaces: tuple[tuple[str, str, bool], ...]
    mtus: Mtus = ()


@dataclass(frozen=True)
class GatewayPorts(Change[GatewayState]):
    """The switch has its gateway addresses, and forwards what comes in by them."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> GatewayState:
        """The bridge's own address and those of its routed ports. Raises Refused where a port is somebody else's."""
        host, holders = site.hosts[self.host], Holders(facts[self.host])
        ports = [name for name, port in host.ports.items() if port.address]
        holders.stands_alone(host.bridge, host.management, *ports)
        for port in ports:
            holders.is_free(port, (), "a routed port is nobody else's: take it away there, or correct the inventory")
        routed = ((name, str(port.address), True) for name, port in host.ports.items() if port.address)
        return GatewayState(((host.management, str(host.address), True), *routed), tuple(self._mtus(site).items()))

    def _mtus(self, site: Site) -> dict[str, str]:
        """Of its routed ports, where the inventory says it; its bridge's is that of the bridge's ports."""
        ports = site.hosts[self.host].ports
        return {name: str(port.configured_mtu_bytes) for name, port in ports.items() if port.address and port.configured_mtu_bytes}

    def observe(self, site: Site, facts: Facts) -> GatewayState:
        """As the file says; of several addresses the wanted one counts."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        found = []
        for name, address, _ in self.intend(site, facts).interfaces:
            addresses = file.get(name, "address")
            held = address if address in addresses else " ".join(addresses)
            found.append((name, held, bool(ON & set(file.get(name, "ip-forward")))))
        return GatewayState(tuple(found), as_written(file, self._mtus(site)))

    def steps(self, site: Site, facts: Facts, want: GatewayState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("gateway_ports", site.hosts[self.host].platform, self.host, state=want)),)
