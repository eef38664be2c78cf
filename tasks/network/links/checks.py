"""What ports lose, and what Thunderbolt ports share."""

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
# Since the port came up, fewer lost packets than this say nothing: a cable that is plugged in, or a port that comes up, costs some.
ONCE = 100
# Between the two readings: a sound cable damages nothing, a host that is busy for a moment drops some.
DAMAGED_NOW, DROPPED_NOW = 0, 10
READ_TWICE = (COUNTERS, COUNTERS_LATER)


@dataclass(frozen=True)
class Share:
    """Of how many packets how many were lost."""

    lost: int
    packets: int

    def __str__(self) -> str:
        return f"{self.lost} of {self.packets + self.lost}"

    def is_large(self, floor: int) -> bool:
        """Whether it is more than is well."""
        return self.lost > floor and self.lost * ONE_IN > self.packets + self.lost


def _judged(target: str, port: str, now: Share, ever: Share, floor: int) -> Finding:
    """What is lost now counts; what was lost before, on a port that loses nothing now, is said and forgiven."""
    if now.is_large(floor):
        return Finding(target, WELL, f"{now} now, {ever} since the port came up", port)
    return Finding(target, WELL, f"{now} now, though {ever} since the port came up" if ever.is_large(ONCE) else WELL, port, passed=True)


def _shares(facts: Facts, host: str, port: str, what: Literal["errors", "dropped"]) -> tuple[Share, Share] | None:
    """What the port lost between the two readings, and since it came up; None where it is not there."""
    first, last = (facts[host][fact].get(port) for fact in READ_TWICE)
    if first is None or last is None:
        return None
    lost, packets = (max(0, getattr(last, count) - getattr(first, count)) for count in (what, "packets"))
    return Share(lost, packets), Share(getattr(last, what), last.packets)


@check(
    needs=READ_TWICE,
    severity=Severity.MAJOR,
    remediation="Change cable or transceiver; `ethtool -S PORT` says which errors, and whether their counters still grow.",
    tags=TAGS,
)
def cabled_ports_have_few_errors(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Of what a cabled port carries, next to nothing is damaged."""
    for cable in site.cables_of(host):
        port = cable.near(host).port
        if shares := _shares(facts, host, port, "errors"):
            yield _judged(f"{host}:{port} errors", port, *shares, DAMAGED_NOW)


@check(
    needs=READ_TWICE,
    severity=Severity.MAJOR,
    remediation="The host cannot take what comes: look at its load, at `ethtool -g PORT`, and at a Thunderbolt port's interrupts.",
    tags=TAGS,
)
def routed_ports_drop_few_packets(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Of what a routed port carries, next to nothing is dropped."""
    # Others drop by right: what a switch sends to everybody, and nobody here wants (STP, discovery), counts as dropped.
    for cable in site.routed(host):
        port = cable.near(host).port
        if shares := _shares(facts, host, port, "dropped"):
            yield _judged(f"{host}:{port} dropped", port, *shares, DROPPED_NOW)


@check(
    needs=(DEVICES,),
    severity=Severity.MINOR,
    remediation="Plug the cable into a port of another controller: two ports of one share its bandwidth.",
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
