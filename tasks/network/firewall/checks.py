"""Proxmox VE's firewall and the packets of the routed network."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.firewall.facts import FIREWALL, NODE, OPENING, dropped


@check(
    needs=(FIREWALL,), severity=Severity.CRITICAL, remediation=f"To accept these packets, {OPENING}.", tags=("network", "ospf", "firewall")
)
def firewall_lets_ospf_and_bfd_through(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Proxmox's firewall drops no packets that OSPF and BFD need, and none that a router forwards."""
    ports = [cable.near(host).port for cable in site.routed(host)]
    losses = tuple(dropped(facts[host][FIREWALL], site, host)) if ports else ()
    for port in ports:
        here = [loss for loss in losses if loss.packet.port == port]
        lost, doubtful = ([loss for loss in here if bool(loss.rule) == doubt] for doubt in (False, True))
        found = [f"dropped: {', '.join(dict.fromkeys(str(loss.packet) for loss in lost))}"] if lost else []
        found += [f"not understood: `{rule}`" for rule in dict.fromkeys(loss.rule for loss in doubtful)]
        yield Finding(f"{host}:{port}", "accepted", "; ".join(found) or "accepted", port)


@check(
    needs=(FIREWALL,),
    severity=Severity.MAJOR,
    remediation=f"Write `nf_conntrack_allow_invalid: 1` under [OPTIONS] of {NODE}: with two paths, the answers to a connection may come "
    "through a router that has not seen its first packet.",
    tags=("network", "ospf", "firewall"),
)
def firewall_forwards_one_direction_alone(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A router between two others forwards a connection of which it sees one direction alone."""
    if len({cable.far(host).host for cable in site.routed(host)}) > 1:
        want = "forwarded"
        yield Finding(f"{host}: one-way transit", want, "dropped: state INVALID" if facts[host][FIREWALL].drops_one_way else want)


FIREWALL_CHECKS = (firewall_lets_ospf_and_bfd_through, firewall_forwards_one_direction_alone)
