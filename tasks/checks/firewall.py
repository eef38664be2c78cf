"""Proxmox VE's firewall and the routed network."""

from collections.abc import Iterator

from inventory.schema import Site
from tasks.core.check import Finding, Severity, check
from tasks.core.facts import Facts
from tasks.network.firewall import FIREWALL, OPENING, dropped


@check(needs=(FIREWALL,), severity=Severity.CRITICAL, remediation=f"Open it: {OPENING}.", tags=("network", "ospf", "firewall"))
def firewall_lets_ospf_and_bfd_through(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Proxmox's firewall drops nothing that OSPF and BFD need."""
    ports = [cable.near(host).port for cable in site.routed(host)]
    shut = tuple(dropped(facts[host][FIREWALL], site, host)) if ports else ()
    for port in ports:
        lost = dict.fromkeys(str(packet) for packet in shut if packet.port == port)
        yield Finding(f"{host}:{port}", "accepted", f"dropped: {', '.join(lost)}" if lost else "accepted", port)


FIREWALL_CHECKS = (firewall_lets_ospf_and_bfd_through,)
