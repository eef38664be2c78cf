"""MTUs of a switch's ports.

They are raised before any host sends larger packets. `SwitchMtus` lowers the MTU of a single port; a bond's set lowers both of its ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.fact import Facts
from tasks.network.links.facts import INTERFACES
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.mtu.mtus import Mtus, as_written, bridge_mtu
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.templates import render


@dataclass(frozen=True)
class MtusState:
    """Rows of (interface, its MTU)."""

    mtus: Mtus


def _configured(site: Site, host: str) -> dict[str, int]:
    """{single port or bond: MTU} of those in the switch's bridge whose MTU the inventory sets."""
    return {name: mtu_bytes for name, mtu_bytes in site.bridged(host).items() if mtu_bytes is not None}


@dataclass(frozen=True)
class RaisedMtus(Change[MtusState]):
    """No port of the switch has a smaller MTU than the inventory sets."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> MtusState:
        """The inventory's MTUs. A port with a larger MTU keeps it: another set lowers it once no host sends packets of that size."""
        configured, now = self._ports(site, facts), dict(self.observe(site, facts).mtus)
        Holders(facts[self.host]).configured_once(*configured)
        return MtusState(tuple((name, now[name] if _is_larger(now[name], wanted) else str(wanted)) for name, wanted in configured.items()))

    def observe(self, site: Site, facts: Facts) -> MtusState:
        """The MTUs in the file."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        return MtusState(as_written(file, {name: str(mtu) for name, mtu in self._ports(site, facts).items()}))

    def _ports(self, site: Site, facts: Facts) -> Mapping[str, int]:
        """{port or bond: MTU} of the bonds that the file has, and of the members of every bond."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        found: dict[str, int] = {}
        bonds = {bond.name: bond for bond in site.hosts[self.host].bonds}
        for name, mtu_bytes in _configured(site, self.host).items():
            members = bonds[name].members if name in bonds else (name,)
            found |= dict.fromkeys((*members, name) if file.of(name) else members, mtu_bytes)
        return found

    def steps(self, site: Site, facts: Facts, want: MtusState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("switch_mtus", site.hosts[self.host].platform, self.host, state=want)),)


@dataclass(frozen=True)
class SwitchMtus(Change[MtusState]):
    """The switch's single ports have the inventory's MTU, and its bridge has the MTU of its largest port."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> MtusState:
        """The MTUs of the single ports that the inventory sets, and the bridge's."""
        bonds = {bond.name for bond in site.hosts[self.host].bonds}
        single = {name: str(mtu_bytes) for name, mtu_bytes in _configured(site, self.host).items() if name not in bonds}
        bridge = bridge_mtu(site, self.host, site.hosts[self.host].bridge, InterfacesFile(facts[self.host][INTERFACES]))
        Holders(facts[self.host]).configured_once(*single, *bridge)
        return MtusState(tuple({**single, **bridge}.items()))

    def observe(self, site: Site, facts: Facts) -> MtusState:
        """The MTUs in the file."""
        return MtusState(as_written(InterfacesFile(facts[self.host][INTERFACES]), dict(self.intend(site, facts).mtus)))

    def steps(self, site: Site, facts: Facts, want: MtusState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("switch_mtus", site.hosts[self.host].platform, self.host, state=want)),)


def _is_larger(now: str, wanted: int) -> bool:
    return now.isdecimal() and int(now) > wanted
