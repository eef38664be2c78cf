"""Ports of a switch."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.templates import render


@dataclass(frozen=True)
class PortsState:
    """The ports that come up at boot and are not `link-down`."""

    up: tuple[str, ...]


@dataclass(frozen=True)
class SwitchPorts(Change[PortsState]):
    """The cabled ports of a switch are up, at boot too."""

    needs: ClassVar = HOLDER_FACTS
    host: str
    ports: tuple[str, ...]

    def intend(self, site: Site, facts: Facts) -> PortsState:  # noqa: ARG002
        """All of the change's ports. Raises Refused if another file or a range also configures one of them."""
        Holders(facts[self.host]).configured_once(*self.ports)
        return PortsState(self.ports)

    def observe(self, site: Site, facts: Facts) -> PortsState:  # noqa: ARG002
        """The ports that the file brings up."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        on = {"yes", "on", "1"}
        return PortsState(tuple(port for port in self.ports if port in file.autos() and not on & set(file.get(port, "link-down"))))

    def steps(self, site: Site, facts: Facts, want: PortsState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("switch_ports", site.hosts[self.host].platform, self.host, state=want)),)
