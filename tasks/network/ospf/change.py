"""OSPF with BFD over the routed cables, in FRR."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import SecretStr

from inventory.site import Site
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.network.firewall.facts import FIREWALL, OPENING, dropped
from tasks.network.forwarding.facts import DAEMONS, FRR_LAYOUT, FRR_UNIT, KERNEL_VALUES, RUNNING, SDN
from tasks.network.links.facts import STAGED
from tasks.network.ospf.facts import FRR
from tasks.network.ospf.parameters import KEY, followed, ports_with_new_parameters
from tasks.platforms.candidate import split
from tasks.platforms.frr.files import CONF_FACT, DAEMONS_FACT, FRR_CONF
from tasks.platforms.frr.files import FRR_UNIT as RUN_FRR
from tasks.platforms.frr.frr_file import FrrFile, daemons, merge
from tasks.platforms.frr.running import NO_ANSWER, Unsaved, split_files, unsaved
from tasks.platforms.proxmox.sdn import generated_by_sdn
from tasks.platforms.templates import render

IPV6_FORWARD = "net/ipv6/conf/all/forwarding"


@dataclass(frozen=True)
class OspfState:
    """The owned statements, each with its context; one that has to be absent is empty. Keys are separate, so that none is ever shown."""

    statements: tuple[tuple[str, str], ...]
    keys: tuple[SecretStr, ...]
    daemons: tuple[str, ...]
    unit: tuple[str, str]


@dataclass(frozen=True)
class Ospf(Change[OspfState]):
    """The host runs OSPF with BFD on its routed cables, announces its loopback, and uses the loopback's address as source."""

    needs: ClassVar = (FRR, CONF_FACT, DAEMONS_FACT, FRR_LAYOUT, FRR_UNIT, SDN, FIREWALL, KERNEL_VALUES, STAGED)
    host: str

    def intend(self, site: Site, facts: Facts) -> OspfState:
        """The inventory's values. Raises Refused if FRR is missing, Proxmox writes FRR's file, or OSPF uses `network` statements."""
        if not facts[self.host][DAEMONS_FACT]:
            raise Refused(f"{self.host}: no {DAEMONS_FACT.command.split()[1]}: install frr and frr-pythontools, then run again")
        if reason := generated_by_sdn(facts[self.host][SDN]):
            raise Refused(f"{self.host}: {reason}")
        if found := _networks(FrrFile(facts[self.host][CONF_FACT])):
            raise Refused(
                f"{self.host}: {FRR_CONF} has `{'`, `'.join(found)}` below `router ospf`; wanted `ip ospf area` on each port, which"
                " FRR does not accept together with `network`: replace or remove `network` (`vtysh`, then `write`), then run again"
            )
        key = (site.ospf_key,) * len(tuple(site.routed(self.host))) if site.ospf_key else ()
        file = self._wanted(site, facts)
        wanted = tuple((context, "" if text.startswith("no ip ospf ") else text) for context, text in _owned(file, file))
        return OspfState(wanted, key, DAEMONS, RUNNING)

    def observe(self, site: Site, facts: Facts) -> OspfState:
        """The owned statements in FRR's files, the keys, the daemons and the unit's state."""
        here = facts[self.host]
        file = FrrFile(here[CONF_FACT])
        ports = [cable.near(self.host).port for cable in site.routed(self.host)]
        keys = [file.get((f"interface {port}",), KEY) for port in ports]
        return OspfState(
            _owned(self._wanted(site, facts), file),
            tuple(SecretStr(words.split()[-1]) for words in keys if words),
            tuple(name for name in DAEMONS if name in daemons(here[DAEMONS_FACT])),
            here[FRR_UNIT],
        )

    def steps(self, site: Site, facts: Facts, want: OspfState) -> tuple[Step, ...]:
        """One merge candidate of FRR's files. FRR is started if it does not run. Present Full neighbours have to stay Full.

        Raises Refused if a firewall drops OSPF or BFD, or if FRR's reload would delete running statements that are in no file.
        """
        if reason := split_files(facts[self.host][FRR_LAYOUT]):
            raise Refused(f"{self.host}: {reason}")
        runs = self._unsaved(site, facts)
        if runs.refusal:
            raise Refused(f"{self.host}: {runs.refusal}")
        if blocked := dict.fromkeys(str(packet) for packet in dropped(facts[self.host][FIREWALL], site, self.host)):
            raise Refused(f"{self.host}: Proxmox's firewall drops {', '.join(blocked)}: {OPENING}")
        start = () if facts[self.host][FRR_UNIT] == want.unit else (RUN_FRR,)
        ports = ports_with_new_parameters(site, facts, self.host, self._wanted(site, facts))
        return (Candidate(self._candidate(site, facts), runs.impact), *start, *([followed(ports, site.ospf.dead_s)] if ports else []))

    def _unsaved(self, site: Site, facts: Facts) -> Unsaved:
        """The running statements that are in no file. Raises Refused if FRR runs and does not show its configuration."""
        here = facts[self.host]
        if here[FRR_UNIT][0] == "active" and not here[FRR].configuration:
            raise Refused(f"{self.host}: FRR runs, but {NO_ANSWER}")
        candidate = split(self._candidate(site, facts))[FRR_CONF]
        return unsaved(here[FRR].configuration, here[CONF_FACT], merge(here[CONF_FACT], candidate), candidate)

    def _wanted(self, site: Site, facts: Facts) -> FrrFile:
        return FrrFile(split(self._candidate(site, facts))[FRR_CONF])

    def _candidate(self, site: Site, facts: Facts) -> str:
        host = site.hosts[self.host]
        assert host.loopback is not None, "the inventory's rules require a loopback"
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
        """The wanted statement. FRR's reload turns IPv6 forwarding on unless its file has `no ipv6 forwarding`, and off if it has.

        If forwarding is already on, another configuration turned it on, and it stays on.
        """
        if facts[self.host][KERNEL_VALUES].get(IPV6_FORWARD) != "1":
            return "no ipv6 forwarding"
        off = any(line.key == "ipv6 forwarding" and line.words[0] == "no" for line in FrrFile(facts[self.host][CONF_FACT]).statements())
        return "ipv6 forwarding" if off else ""


def _networks(file: FrrFile) -> tuple[str, ...]:
    """The `network` statements: ospfd accepts them instead of `ip ospf area` on a port, never together with it."""
    return tuple(" ".join(line.words) for line in file.statements(("router ospf",)) if line.words[0] == "network")


def _owned(wanted: FrrFile, file: FrrFile) -> tuple[tuple[str, str], ...]:
    """(context, statement) of `file` for every statement of `wanted`; the statement is empty if `file` lacks it."""
    found = []
    for line in wanted.lines:
        if line.key and not line.opens and line.key != KEY:
            present = next((one for one in file.statements(line.path) if one.key == line.key), None)
            shown = line.words if present and line.statement == present.statement else present.words if present else ()
            found.append((" ".join(line.path), " ".join(shown)))
    return tuple(found)
