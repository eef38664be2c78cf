"""Packet loss on ports, and Thunderbolt ports that share a controller."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.forwarding.facts import DEVICES
from tasks.network.ospf.facts import COUNTERS, COUNTERS_LATER
from tasks.network.thunderbolt.facts import DRIVER, paths

TAGS = ("network", "link")
ONE_IN = 1000
WELL = f"at most 1 in {ONE_IN}"
# Losses since the port came up, up to this number, are normal: plugging in a cable or bringing a port up loses some packets.
ONCE = 100
# Allowed between the two readings: a sound cable damages no packet, and a host that is briefly busy drops some.
DAMAGED_NOW, DROPPED_NOW = 0, 10
READ_TWICE = (COUNTERS, COUNTERS_LATER)


@dataclass(frozen=True)
class Share:
    """The number of lost packets and of received and sent ones."""

    lost: int
    packets: int

    def __str__(self) -> str:
        return f"{self.lost} of {self.packets + self.lost}"

    def is_large(self, floor: int) -> bool:
        """Whether more than `floor` packets and more than 1 in 1000 are lost."""
        return self.lost > floor and self.lost * ONE_IN > self.packets + self.lost


def _judged(target: str, port: str, now: Share, ever: Share, floor: int) -> Finding:
    """Fails on losses now. Earlier losses on a port that loses nothing now are reported, and the finding passes."""
    if now.is_large(floor):
        return Finding(target, WELL, f"{now} now, {ever} since the port came up", port)
    return Finding(target, WELL, f"{now} now, but {ever} since the port came up" if ever.is_large(ONCE) else WELL, port, passed=True)


def _shares(facts: Facts, host: str, port: str, what: Literal["errors", "dropped"]) -> tuple[Share, Share] | None:
    """The port's losses between the two readings, and since it came up; None if the port does not exist."""
    first, last = (facts[host][fact].get(port) for fact in READ_TWICE)
    if first is None or last is None:
        return None
    lost, packets = (max(0, getattr(last, count) - getattr(first, count)) for count in (what, "packets"))
    return Share(lost, packets), Share(getattr(last, what), last.packets)


@check(
    needs=READ_TWICE,
    severity=Severity.MAJOR,
    remediation="Replace the cable or transceiver. `ethtool -S PORT` shows which errors occur and whether their counters still grow.",
    tags=TAGS,
)
def cabled_ports_have_few_errors(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """On a cabled port, at most 1 packet in 1000 has errors."""
    for cable in site.cables_of(host):
        port = cable.near(host).port
        if shares := _shares(facts, host, port, "errors"):
            yield _judged(f"{host}:{port} errors", port, *shares, DAMAGED_NOW)


@check(
    needs=READ_TWICE,
    severity=Severity.MAJOR,
    remediation="The host cannot keep up with the traffic: check its load, `ethtool -g PORT`, and a Thunderbolt port's interrupts.",
    tags=TAGS,
)
def routed_ports_drop_few_packets(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """On a routed port, at most 1 packet in 1000 is dropped."""
    # Only routed ports: elsewhere the kernel rightly counts a switch's STP and discovery frames, which no process receives, as dropped.
    for cable in site.routed(host):
        port = cable.near(host).port
        if shares := _shares(facts, host, port, "dropped"):
            yield _judged(f"{host}:{port} dropped", port, *shares, DROPPED_NOW)


@check(
    needs=(DEVICES,),
    severity=Severity.MINOR,
    remediation="Plug the cable into a port of another controller: ports of one controller share its bandwidth.",
    tags=(*TAGS, "thunderbolt"),
)
def thunderbolt_controllers_are_not_shared(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each routed Thunderbolt port has a controller of its own."""
    # Each function of a PCI device is a controller (a Thunderbolt NHI) of its own.
    live = [(name, device.path) for name, device in facts[host][DEVICES].items() if device.driver == DRIVER] if paths(site, host) else []
    for port, path in paths(site, host).items():
        sharing = sorted(name for name, place in live if place == path)
        if sharing:
            yield Finding(f"{host}:{path}", "one port", "one port" if len(sharing) == 1 else f"{len(sharing)}: {' '.join(sharing)}", port)


LINK_CHECKS = (cabled_ports_have_few_errors, routed_ports_drop_few_packets, thunderbolt_controllers_are_not_shared)
