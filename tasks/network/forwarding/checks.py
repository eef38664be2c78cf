"""Routers: addresses of routed cables, forwarding, reverse-path filters, names of Thunderbolt ports."""

from collections.abc import Iterator

from inventory.site import Host, Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.forwarding.facts import DEVICES, FORWARD, KERNEL_VALUES, LOADED, LOOSE
from tasks.network.links.facts import LINKS
from tasks.network.links.remedies import RELOAD_INTERFACES
from tasks.network.thunderbolt.facts import DRIVER, MODULES, paths

TAGS = ("network", "routing")


def _gateway_addresses(host: Host) -> dict[str, str]:
    """{interface: address} of a switch that routes between its ports; empty for any other host."""
    routed = {name: str(port.address) for name, port in host.ports.items() if port.address}
    return {host.management: str(host.address), **routed} if routed and "switch" in host.groups else {}


@check(needs=(LINKS,), severity=Severity.CRITICAL, remediation=RELOAD_INTERFACES, tags=TAGS)
def gateway_addresses_are_live(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A switch that routes has its gateway addresses."""
    for name, address in _gateway_addresses(site.hosts[host]).items():
        live = facts[host][LINKS].get(name)
        got = " ".join(live.addresses) or "no address" if live else "no such interface"
        yield Finding(f"{host}:{name}", address, got, name, bool(live and address in live.addresses))


@check(
    needs=(KERNEL_VALUES,),
    severity=Severity.CRITICAL,
    remediation=f"{RELOAD_INTERFACES} Another file in /etc/sysctl.d may override it.",
    tags=TAGS,
)
def packets_are_forwarded(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A router forwards packets that arrive on its routed ports."""
    values = facts[host][KERNEL_VALUES]
    if any(site.routed(host)):
        yield Finding(f"{host}:{FORWARD}", "1", values.get(FORWARD, "nothing"), FORWARD)
    for name in _gateway_addresses(site.hosts[host]):
        key = f"net/ipv4/conf/{name}/forwarding"
        yield Finding(f"{host}:{name} forwarding", "1", values.get(key, "no such interface"), name)


@check(
    needs=(KERNEL_VALUES,),
    severity=Severity.MAJOR,
    remediation="Run the network stage. Another file in /etc/sysctl.d may override it.",
    tags=TAGS,
)
def reverse_path_filters_are_loose(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No strict reverse-path filter drops replies that arrive on another routed port."""
    # The kernel uses the larger of the values of `all` and of the port (Documentation/networking/ip-sysctl).
    values = facts[host][KERNEL_VALUES]
    everywhere = values.get("net/ipv4/conf/all/rp_filter", "0")
    for cable in site.routed(host):
        port = cable.near(host).port
        own = values.get(f"net/ipv4/conf/{port}/rp_filter")
        if own is not None:
            got = max(everywhere, own)
            yield Finding(f"{host}:{port} rp_filter", f"{LOOSE} (loose) or 0", got, port, got in (LOOSE, "0"))


@check(
    needs=(LINKS,),
    severity=Severity.CRITICAL,
    remediation=f"Check the cable. For a Thunderbolt port, see `systemctl status burrow-port@PORT`. {RELOAD_INTERFACES}",
    tags=TAGS,
)
def routed_ports_have_carrier(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed cable has a link at this end."""
    for cable in site.routed(host):
        port = cable.near(host).port
        live = facts[host][LINKS].get(port)
        yield Finding(f"{host}:{port}", "up", "not there" if live is None else "up" if live.up and live.carrier else "down", port)


@check(needs=(LINKS,), severity=Severity.CRITICAL, remediation=RELOAD_INTERFACES, tags=TAGS)
def routed_ports_have_their_address(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """This end of every routed cable has its /31 address, and the loopback has the router's own address."""
    links = facts[host][LINKS]
    wanted = {cable.near(host).port: str(cable.address(host)) for cable in site.routed(host)}
    if wanted and site.hosts[host].loopback:
        wanted["lo"] = str(site.hosts[host].loopback)
    for name, address in wanted.items():
        live = links.get(name)
        got = " ".join(live.addresses) or "no address" if live else "not there"
        yield Finding(f"{host}:{name}", address, got, name, bool(live and address in live.addresses))


@check(
    needs=(LINKS,),
    severity=Severity.MAJOR,
    remediation="No stage writes this address: set it in the host's own network configuration, or remove it from the inventory.",
    tags=TAGS,
)
def other_ports_have_their_address(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """On a host where no stage sets port addresses, each port has the address that the inventory gives it."""
    own = site.hosts[host]
    for name, port in own.ports.items():
        if port.address is not None and "switch" not in own.groups:
            live = facts[host][LINKS].get(name)
            got = " ".join(live.addresses) or "no address" if live else "no such interface"
            yield Finding(f"{host}:{name}", str(port.address), got, name, bool(live and str(port.address) in live.addresses))


@check(
    needs=(LINKS,),
    severity=Severity.CRITICAL,
    remediation=RELOAD_INTERFACES,
    tags=(*TAGS, "mtu"),
)
def routed_ports_have_their_mtu(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """This end of every routed cable has the inventory's MTU."""
    for cable in site.routed(host):
        port = cable.near(host).port
        live = facts[host][LINKS].get(port)
        if live is not None:
            yield Finding(f"{host}:{port} mtu", str(site.hosts[host].ports[port].mtu_bytes), str(live.mtu_bytes), port)


@check(
    needs=(DEVICES,),
    severity=Severity.MAJOR,
    remediation="Run the network stage: it writes the .link files. A port that is in use gets its name at the next boot.",
    tags=(*TAGS, "thunderbolt"),
)
def thunderbolt_ports_are_named_by_path(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A Thunderbolt port has the name that the inventory gives its PCI path."""
    found = {device.path: name for name, device in facts[host][DEVICES].items() if device.driver == DRIVER}
    for port, path in paths(site, host).items():
        yield Finding(f"{host}:{path}", port, found.get(path, "nothing plugged in there"), port)


@check(
    needs=(LOADED,),
    severity=Severity.MAJOR,
    remediation="Run the network stage: it loads the drivers. If that fails, `modprobe -a thunderbolt thunderbolt_net` shows why.",
    tags=(*TAGS, "thunderbolt"),
)
def thunderbolt_drivers_are_loaded(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The Thunderbolt drivers are loaded. The kernel makes a port only if both ends of its cable have them."""
    if paths(site, host):
        loaded = [name for name in MODULES if name in facts[host][LOADED]]
        yield Finding(f"{host}:modules", " ".join(MODULES), " ".join(loaded) or "none")


GATEWAY_CHECKS = (gateway_addresses_are_live, packets_are_forwarded)
ROUTER_CHECKS = (
    *GATEWAY_CHECKS,
    reverse_path_filters_are_loose,
    routed_ports_have_carrier,
    routed_ports_have_their_address,
    routed_ports_have_their_mtu,
    other_ports_have_their_address,
    thunderbolt_drivers_are_loaded,
    thunderbolt_ports_are_named_by_path,
)
