"""MTUs of a switch's ports: raised before any host sends so much. A single port's is lowered here too, a bond's with its other end."""

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
    """(interface, its MTU)."""

    mtus: Mtus


def _decided(site: Site, host: str) -> dict[str, int]:
    """{single port or bond: MTU} of what is in the switch's bridge and has one in the inventory."""
    return {name: mtu_bytes for name, mtu_bytes in site.bridged(host).items() if mtu_bytes is not None}


@dataclass(frozen=True)
class RaisedMtus(Change[MtusState]):
    """No port of the switch takes less than the inventory says."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> MtusState:
        """What the inventory says, or more where the port takes more: it is lowered once nobody sends so much."""
        decided, now = self._ports(site, facts), dict(self.observe(site, facts).mtus)
        Holders(facts[self.host]).stands_alone(*decided)
        return MtusState(tuple((name, now[name] if _is_more(now[name], wanted) else str(wanted)) for name, wanted in decided.items()))

    def observe(self, site: Site, facts: Facts) -> MtusState:
        """As the file says."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        return MtusState(as_written(file, {name: str(mtu) for name, mtu in self._ports(site, facts).items()}))

    def _ports(self, site: Site, facts: Facts) -> Mapping[str, int]:
        """{port or bond: MTU}: bonds that the file has, and the members of all."""
        file = InterfacesFile(facts[self.host][INTERFACES])
        found: dict[str, int] = {}
        bonds = {bond.name: bond for bond in site.hosts[self.host].bonds}
        for name, mtu_bytes in _decided(site, self.host).items():
            members = bonds[name].members if name in bonds else (name,)
            found |= dict.fromkeys((*members, name) if file.of(name) else members, mtu_bytes)
        return found

    def steps(self, site: Site, facts: Facts, want: MtusState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("switch_mtus", site.hosts[self.host].platform, self.host, state=want)),)


@dataclass(frozen=True)
class SwitchMtus(Change[MtusState]):
    """The switch's single ports have the MTU that the inventory says, and its bridge that of its largest port."""

    needs: ClassVar = HOLDER_FACTS
    host: str

    def intend(self, site: Site, facts: Facts) -> MtusState:
        """As the inventory says, of the ports of which it says something."""
        bonds = {bond.name for bond in site.hosts[self.host].bonds}
        single = {name: str(mtu_bytes) for name, mtu_bytes in _decided(site, self.host).items() if name not in bonds}
        bridge = bridge_mtu(site, self.host, site.hosts[self.host].bridge, InterfacesFile(facts[self.host][INTERFACES]))
        Holders(facts[self.host]).stands_alone(*single, *bridge)
        return MtusState(tuple({**single, **bridge}.items()))

    def observe(self, site: Site, facts: Facts) -> MtusState:
        """As the file says."""
        return MtusState(as_written(InterfacesFile(facts[self.host][INTERFACES]), dict(self.intend(site, facts).mtus)))

    def steps(self, site: Site, facts: Facts, want: MtusState) -> tuple[Step, ...]:  # noqa: ARG002
        """One merge candidate."""
        return (Candidate(render("switch_mtus", site.hosts[self.host].platform, self.host, state=want)),)


def _is_more(now: str, wanted: int) -> bool:
    return now.isdecimal() and int(now) > wanted
