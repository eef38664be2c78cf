"""A host's own address and its default gateway, and its ports without a cable."""

from collections.abc import Iterator

from inventory.models import Platform
from inventory.site import Host, Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import GATEWAYS, LINKS
from tasks.network.links.remedies import RELOAD_INTERFACES

TAGS = ("network", "address")
BY_HAND = "No stage sets it there. Correct it in /etc/network/interfaces, or correct the inventory; then `ifreload -a`."


def _is_linux(host: Host) -> bool:
    return host.platform in (Platform.IFUPDOWN2, Platform.UBUNTU)


@check(needs=(LINKS,), severity=Severity.CRITICAL, remediation=BY_HAND, tags=TAGS)
def hosts_have_their_own_address(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A server's or switch's management interface has the host's own address. Other checks judge that of a node and of a gateway."""
    own = site.hosts[host]
    is_gateway = "switch" in own.groups and any(port.address for port in own.ports.values())
    if _is_linux(own) and "proxmox" not in own.groups and not is_gateway:
        live = facts[host][LINKS].get(own.management)
        got = " ".join(live.addresses) or "no address" if live else "no such interface"
        yield Finding(f"{host}:{own.management}", str(own.address), got, own.management, bool(live and str(own.address) in live.addresses))


@check(
    needs=(GATEWAYS,),
    severity=Severity.MAJOR,
    remediation=f"{RELOAD_INTERFACES} On a server or a switch no stage sets it: correct `gateway` in /etc/network/interfaces by hand.",
    tags=TAGS,
)
def default_gateways_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A host with a gateway in the inventory has its default route over it."""
    own = site.hosts[host]
    if _is_linux(own) and own.gateway is not None:
        live = facts[host][GATEWAYS]
        yield Finding(f"{host}:default route", str(own.gateway), " ".join(live) or "none", passed=str(own.gateway) in live)


@check(
    needs=(LINKS,),
    severity=Severity.MINOR,
    remediation="Correct the port's name in the inventory, or set its MTU in /etc/network/interfaces: no stage configures such a port.",
    tags=(*TAGS, "mtu"),
)
def ports_without_a_cable_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A port without a cable is there, and has the inventory's MTU. One with a PCI path is there only while something is plugged in."""
    own = site.hosts[host]
    cabled = {cable.near(host).port for cable in site.cables_of(host)}
    for name, port in own.ports.items() if _is_linux(own) else ():
        if name in cabled or port.pci_path is not None:
            continue
        live = facts[host][LINKS].get(name)
        yield Finding(f"{host}:{name}", "there", "there" if live else "not there", name)
        if live is not None and port.configured_mtu_bytes is not None:
            yield Finding(f"{host}:{name} mtu", str(port.configured_mtu_bytes), str(live.mtu_bytes), name)


OWN_CHECKS = (hosts_have_their_own_address, default_gateways_are_as_intended, ports_without_a_cable_are_as_intended)
