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
    """{interface: address} of a switch that routes between its ports; empty for all else."""
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
    remediation=f"{RELOAD_INTERFACES} Another file in /etc/sysctl.d may set it back.",
    tags=TAGS,
)
def packets_are_forwarded(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A router forwards what comes in by its routed ports."""
    values = facts[host][KERNEL_VALUES]
    if any(site.routed(host)):
        yield Finding(f"{host}:{FORWARD}", "1", values.get(FORWARD, "nothing"), FORWARD)
    for name in _gateway_addresses(site.hosts[host]):
        key = f"net/ipv4/conf/{name}/forwarding"
        yield Finding(f"{host}:{name} forwarding", "1", values.get(key, "no such interface"), name)


@check(
    needs=(KERNEL_VALUES,),
    severity=Severity.MAJOR,
    remediation="Run the network stage; another file in /etc/sysctl.d may set it back.",
    tags=TAGS,
)
def reverse_path_filters_are_loose(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No strict reverse-path filter drops answers that come over another routed port."""
    # Of `all` and the port's own the kernel takes the greater (Documentation/networking/ip-sysctl).
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
    remediation=f"Look at the cable, and for a Thunderbolt port at `systemctl status burrow-port@PORT`. {RELOAD_INTERFACES}",
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
    """Every routed cable's end has its /31, and the loopback the router's own address."""
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
    remediation="No stage writes it: set it in the host's own network configuration, or take it out of the inventory.",
    tags=TAGS,
)
def other_ports_have_their_address(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A port with an address of its own in the inventory has it, on a host where no stage sets it."""
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
    """Every routed cable's end has the MTU of the inventory."""
    for cable in site.routed(host):
        port = cable.near(host).port
        live = facts[host][LINKS].get(port)
        if live is not None:
            yield Finding(f"{host}:{port} mtu", str(site.hosts[host].ports[port].mtu_bytes), str(live.mtu_bytes), port)


@check(
    needs=(DEVICES,),
    severity=Severity.MAJOR,
    remediation="Run the network stage: it writes the .link files; a port that is in use is renamed at the next boot.",
    tags=(*TAGS, "thunderbolt"),
)
def thunderbolt_ports_are_named_by_path(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A Thunderbolt port has the name that its PCI path gives it."""
    found = {device.path: name for name, device in facts[host][DEVICES].items() if device.driver == DRIVER}
    for port, path in paths(site, host).items():
        yield Finding(f"{host}:{path}", port, found.get(path, "nothing plugged in there"), port)


@check(
    needs=(LOADED,),
    severity=Severity.MAJOR,
    remediation="Run the network stage: it loads them; `modprobe -a thunderbolt thunderbolt_net` says why it fails.",
    tags=(*TAGS, "thunderbolt"),
)
def thunderbolt_drivers_are_loaded(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Without them on both ends of a cable the kernel makes no port."""
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
