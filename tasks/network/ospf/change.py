"""OSPF with BFD over the routed cables, in FRR."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import SecretStr

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.network.firewall.facts import FIREWALL, OPENING, dropped
from tasks.network.forwarding.facts import DAEMONS, FRR_CONF, FRR_DAEMONS, FRR_LAYOUT, FRR_UNIT, KERNEL_VALUES, RUNNING, SDN
from tasks.network.links.facts import STAGED
from tasks.network.ospf.facts import FRR
from tasks.network.ospf.parameters import KEY, followed, ports_with_new_parameters
from tasks.platforms.candidate import split
from tasks.platforms.frr.files import FRR_CONF as FRR_CONF_PATH
from tasks.platforms.frr.files import FRR_UNIT as RUN_FRR
from tasks.platforms.frr.frr_file import FrrFile, daemons, merge, same_statement
from tasks.platforms.frr.running import NO_WORD, Unsaved, split_files, unsaved
from tasks.platforms.proxmox.sdn import generated_by_sdn
from tasks.platforms.templates import render

IPV6_FORWARD = "net/ipv6/conf/all/forwarding"


@dataclass(frozen=True)
class OspfState:
    """The owned statements, each with its context, those to be absent as an empty text; keys by port apart, so that none is ever shown."""

    statements: tuple[tuple[str, str], ...]
    keys: tuple[SecretStr, ...]
    daemons: tuple[str, ...]
    unit: tuple[str, str]


@dataclass(frozen=True)
class Ospf(Change[OspfState]):
    """The host speaks OSPF with BFD on its routed cables and announces its loopback, from which its own traffic comes."""

    needs: ClassVar = (FRR, FRR_CONF, FRR_DAEMONS, FRR_LAYOUT, FRR_UNIT, SDN, FIREWALL, KERNEL_VALUES, STAGED)
    host: str

    def intend(self, site: Site, facts: Facts) -> OspfState:
        """As the inventory says. Raises Refused where FRR is not there, Proxmox writes its file, or OSPF runs by networks."""
        if not facts[self.host][FRR_DAEMONS]:
            raise Refused(f"{self.host}: no {FRR_DAEMONS.command.split()[1]}: install frr and frr-pythontools, then run again")
        if reason := generated_by_sdn(facts[self.host][SDN]):
            raise Refused(f"{self.host}: {reason}")
        if said := _by_networks(FrrFile(facts[self.host][FRR_CONF])):
            raise Refused(
                f"{self.host}: {FRR_CONF_PATH} says `{'`, `'.join(said)}` below `router ospf`; wanted `ip ospf area` on each port,"
                " which FRR does not take beside it: write that instead (`vtysh`, then `write`), or remove it; then run again"
            )
        key = (site.ospf_key,) * len(tuple(site.routed(self.host))) if site.ospf_key else ()
        file = self._wanted(site, facts)
        wanted = tuple((where, "" if said.startswith("no ip ospf ") else said) for where, said in _owned(file, file))
        return OspfState(wanted, key, DAEMONS, RUNNING)

    def observe(self, site: Site, facts: Facts) -> OspfState:
        """As FRR's files say, of what is owned."""
        here = facts[self.host]
        file = FrrFile(here[FRR_CONF])
        ports = [cable.near(self.host).port for cable in site.routed(self.host)]
        held = [file.get((f"interface {port}",), KEY) for port in ports]
        return OspfState(
            _owned(self._wanted(site, facts), file),
            tuple(SecretStr(words.split()[-1]) for words in held if words),
            tuple(name for name in DAEMONS if name in daemons(here[FRR_DAEMONS])),
            here[FRR_UNIT],
        )

    def steps(self, site: Site, facts: Facts, want: OspfState) -> tuple[Step, ...]:
        """One merge candidate of FRR's files; FRR is started where it does not run; who is a neighbour has to stay one.

        Refused where a firewall would keep it from working, or FRR's reload would delete what no file holds.
        """
        if reason := split_files(facts[self.host][FRR_LAYOUT]):
            raise Refused(f"{self.host}: {reason}")
        runs = self._unsaved(site, facts)
        if runs.refusal:
            raise Refused(f"{self.host}: {runs.refusal}")
        if shut := dict.fromkeys(str(packet) for packet in dropped(facts[self.host][FIREWALL], site, self.host)):
            raise Refused(f"{self.host}: Proxmox's firewall drops {', '.join(shut)}: {OPENING}")
        start = () if facts[self.host][FRR_UNIT] == want.unit else (RUN_FRR,)
        ports = ports_with_new_parameters(site, facts, self.host, self._wanted(site, facts))
        return (Candidate(self._words(site, facts), runs.impact), *start, *([followed(ports, site.ospf.dead_s)] if ports else []))

    def _unsaved(self, site: Site, facts: Facts) -> Unsaved:
        """What runs and no file holds. Raises Refused where FRR runs and does not say what."""
        here = facts[self.host]
        if here[FRR_UNIT][0] == "active" and not here[FRR].configuration:
            raise Refused(f"{self.host}: FRR runs, and {NO_WORD}")
        candidate = split(self._words(site, facts))[FRR_CONF_PATH]
        return unsaved(here[FRR].configuration, here[FRR_CONF], merge(here[FRR_CONF], candidate), candidate)

    def _wanted(self, site: Site, facts: Facts) -> FrrFile:
        return FrrFile(split(self._words(site, facts))[FRR_CONF_PATH])

    def _words(self, site: Site, facts: Facts) -> str:
        host = site.hosts[self.host]
        assert host.loopback is not None, "the inventory has a rule for that"
        cables = [
            {"port": cable.near(self.host).port, "cost": site.networks[cable.network].ospf_cost}
            for cable in site.routed(self.host)
            if cable.network is not None
        ]
        return render(
            "ospf",
            host.platform,
            self.host,
            cables=cables,
            ospf=site.ospf,
            key=site.ospf_key.get_secret_value() if site.ospf_key else "",
            router_id=host.loopback.ip,
            ipv6_forwarding=self._ipv6_forwarding(facts),
        )

    def _ipv6_forwarding(self, facts: Facts) -> str:
        """FRR's reload switches it on where its file is silent, and off where it says so. Where it is on already, it is somebody else's."""
        if facts[self.host][KERNEL_VALUES].get(IPV6_FORWARD) != "1":
            return "no ipv6 forwarding"
        off = any(line.key == "ipv6 forwarding" and line.words[0] == "no" for line in FrrFile(facts[self.host][FRR_CONF]).statements())
        return "ipv6 forwarding" if off else ""


def _by_networks(file: FrrFile) -> tuple[str, ...]:
    """The statements that ospfd takes instead of `ip ospf area` on a port, never beside it."""
    return tuple(" ".join(line.words) for line in file.statements(("router ospf",)) if line.words[0] == "network")


def _owned(wanted: FrrFile, file: FrrFile) -> tuple[tuple[str, str], ...]:
    """(context, statement) of `file` for every statement of `wanted`; an empty statement where it does not stand."""
    found = []
    for line in wanted.lines:
        if line.key and not line.opens and line.key != KEY:
            holder = next((one for one in file.statements(line.path) if one.key == line.key), None)
            shown = line.words if holder and same_statement(line.words, holder.words) else holder.words if holder else ()
            found.append((" ".join(line.path), " ".join(shown)))
    return tuple(found)
