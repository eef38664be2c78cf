"""What ports lose, and what Thunderbolt ports share."""

from collections.abc import Iterator

from inventory.schema import Site
from tasks.core.check import Finding, Severity, check
from tasks.core.facts import Facts
from tasks.network.ospf_facts import COUNTERS
from tasks.network.routing_facts import DEVICES
from tasks.network.thunderbolt import DRIVER, paths

TAGS = ("network", "link")
# Below this many lost packets a ratio says nothing: a cable that is plugged in, or a port that comes up, costs some.
FLOOR = 100
ONE_IN = 1000


def _loss(lost: int, packets: int) -> str:
    """In words; the counters are those since the port came up."""
    few = lost <= FLOOR or lost * ONE_IN <= packets + lost
    return f"at most 1 in {ONE_IN}" if few else f"{lost} of {packets + lost}"


@check(
    needs=(COUNTERS,),
    severity=Severity.MAJOR,
    remediation="`ethtool -S PORT` says which errors; change cable or transceiver, then see whether the counters still grow.",
    tags=TAGS,
)
def cabled_ports_have_few_errors(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Of what a cabled port has carried, next to nothing was damaged."""
    for cable in site.cables_of(host):
        port = cable.near(host).port
        if (live := facts[host][COUNTERS].get(port)) is not None:
            yield Finding(f"{host}:{port} errors", f"at most 1 in {ONE_IN}", _loss(live.errors, live.packets), port)


@check(
    needs=(COUNTERS,),
    severity=Severity.MAJOR,
    remediation="The host cannot take what comes: look at its load, at `ethtool -g PORT`, and at a Thunderbolt port's interrupts.",
    tags=TAGS,
)
def routed_ports_drop_few_packets(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Of what a routed port has carried, next to nothing was dropped."""
    # Others drop by right: what a switch sends to everybody, and nobody here wants (STP, discovery), counts as dropped.
    for cable in site.routed(host):
        port = cable.near(host).port
        if (live := facts[host][COUNTERS].get(port)) is not None:
            yield Finding(f"{host}:{port} dropped", f"at most 1 in {ONE_IN}", _loss(live.dropped, live.packets), port)


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
