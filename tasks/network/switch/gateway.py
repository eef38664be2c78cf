"""A switch that routes: its routed ports and the bridge that has its own address."""

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
    """Rows of (interface, address, whether the kernel forwards packets that arrive on it)."""

    interfaces: tuple[tuple[str, str, bool], ...]
    mtus: Mtus = ()


@dataclass(frozen=True)
class GatewayPorts(Change[GatewayState]):
    """The switch has its gateway addresses and forwards packets that arrive on these interfaces."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> GatewayState:
        """The address of the bridge and of each routed port. Raises Refused if another interface already uses a port."""
        host, holders = site.hosts[self.host], Holders(facts[self.host])
        ports = [name for name, port in host.ports.items() if port.address]
        holders.configured_once(host.bridge, host.management, *ports)
        for port in ports:
            holders.is_free(port, (), "a routed port belongs to no other interface: remove it there, or correct the inventory")
        routed = ((name, str(port.address), True) for name, port in host.ports.items() if port.address)
        return GatewayState(((host.management, str(host.address), True), *routed), tuple(self._mtus(site).items()))

    def _mtus(self, site: Site) -> dict[str, str]:
        """{routed port: MTU} of those whose MTU the inventory sets. The bridge takes its MTU from its ports."""
        ports = site.hosts[self.host].ports
        return {name: str(port.configured_mtu_bytes) for name, port in ports.items() if port.address and port.configured_mtu_bytes}

    def observe(self, site: Site, facts: Facts) -> GatewayState:
        """The file's values. If an interface has several addresses, one of them being the wanted one is enough."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        found = []
        for name, address, _ in self.intend(site, facts).interfaces:
            addresses = file.get(name, "address")
            configured = address if address in addresses else " ".join(addresses)
            found.append((name, configured, bool(ON & set(file.get(name, "ip-forward")))))
        return GatewayState(tuple(found), as_written(file, self._mtus(site)))

    def steps(self, site: Site, facts: Facts, want: GatewayState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("gateway_ports", site.hosts[self.host].platform, self.host, state=want)),)
