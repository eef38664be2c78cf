"""The interfaces file against the live state, and its unmanaged configuration."""

import re
from collections.abc import Iterable, Iterator, Mapping

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import BONDS, INTERFACES, LINKS, LinkLive
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.ifupdown2.sourced import SOURCED

TAGS = ("network", "files")
BOND_ATTRIBUTES = frozenset(
    {"bond-slaves", "bond-mode", "bond-miimon", "bond-lacp-rate", "bond-xmit-hash-policy", "bond-lacp-bypass-allow", "mtu"}
)
BRIDGE_ATTRIBUTES = frozenset({"address", "gateway", "bridge-ports", "bridge-stp", "bridge-fd"})
WRITTEN = "in the interfaces file"
# Kinds of a bridge's ports that lead out of the host: NICs, which have none, bonds and VLANs.
HARDWARE = (None, "bond", "vlan")
# Bridges that Proxmox makes when a guest starts: of its firewall, and of a VLAN on a bridge (pve-common, PVE/Network.pm).
OF_PROXMOX = re.compile(r"fwbr\d+i\d+|vmbr\d+v\d+")
PORT_ATTRIBUTES = frozenset({"address", "gateway", "mtu", "link-down", "ip-forward"})


@check(
    needs=(INTERFACES, LINKS, BONDS),
    severity=Severity.MAJOR,
    remediation="`ifquery -c -a` on the host shows the difference, `ifreload -a` applies the file.",
    tags=TAGS,
)
def interfaces_file_is_live(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The kernel has the bonds, bridges and addresses of /etc/network/interfaces.

    A port may stand there by another name. A link of PPP exists only while it is up, and a bond of Open vSwitch is in no kernel.
    """
    del site
    file, links, bonds = InterfacesFile(facts[host][INTERFACES]), facts[host][LINKS], facts[host][BONDS]
    for iface in file.ifaces():
        if iface == "lo" or iface not in file.autos() or _has_no_link(file, iface):
            continue
        live = links.get(iface) or next((link for link in links.values() if iface in link.altnames), None)
        if live is None:
            yield Finding(f"{host}:{iface}", "live", "not there", iface)
            continue
        for address in (value for value in file.get(iface, "address") if "." in value):
            yield Finding(f"{host}:{iface}", address, " ".join(live.addresses) or "no address", iface, address in live.addresses)
        if slaves := _ports(file, iface, "bond-slaves"):
            got = sorted(bonds[iface].members) if iface in bonds else ()
            yield Finding(f"{host}:{iface} members", " ".join(sorted(_kernel_names(links, slaves))), " ".join(got) or "none", iface)
        if ports := _ports(file, iface, "bridge-ports"):
            got = sorted(name for name, link in links.items() if link.master == iface)
            missing = [port for port in _kernel_names(links, ports) if port not in got]
            yield Finding(f"{host}:{iface} ports", " ".join(sorted(ports)), " ".join(got) or "none", iface, not missing)


def _has_no_link(file: InterfacesFile, iface: str) -> bool:
    stanzas = file.of(iface)
    return any("ppp" in stanza.head.words[3:4] for stanza in stanzas) or "OVSBond" in file.get(iface, "ovs-type")


def _kernel_names(links: Mapping[str, LinkLive], ports: Iterable[str]) -> list[str]:
    """The ports by the names that the kernel uses."""
    also = {other: name for name, link in links.items() for other in link.altnames}
    return [also.get(port, port) for port in ports]


def _ports(file: InterfacesFile, iface: str, attribute: str) -> list[str]:
    return [word for word in " ".join(file.get(iface, attribute)).split() if word != "none"]


@check(
    needs=(INTERFACES, SOURCED, LINKS),
    severity=Severity.MAJOR,
    remediation="Write it into /etc/network/interfaces if it is wanted; otherwise it is gone at the next boot.",
    tags=TAGS,
)
def nothing_lives_only_until_the_next_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every live bond, and every bridge with a port of hardware, is in the interfaces file or in a file that it sources.

    Proxmox makes some bridges for its guests. A bridge without such a port is made by what uses it, such as a container engine.
    """
    del site
    texts = (facts[host][INTERFACES], *(text or "" for text in facts[host][SOURCED].values()))
    known = {iface for text in texts for iface in InterfacesFile(text).ifaces()}
    links = facts[host][LINKS]
    for name, link in links.items():
        if link.kind not in ("bond", "bridge") or OF_PROXMOX.fullmatch(name):
            continue
        inner = link.kind == "bridge" and not any(port.master == name and port.kind in HARDWARE for port in links.values())
        got = WRITTEN if name in known else "made while it runs, by what uses it" if inner else f"only a live {link.kind}"
        yield Finding(f"{host}:{name}", WRITTEN, got, name, passed=name in known or inner)


@check(needs=(INTERFACES,), severity=Severity.NOTE, remediation="None: this configuration is unmanaged and stays as it is.", tags=TAGS)
def what_is_unmanaged_is_listed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Stanzas and attributes that the suite does not own are listed and left alone."""
    file, own = InterfacesFile(facts[host][INTERFACES]), site.hosts[host]
    bonds = {bond.name for bond in own.bonds}
    for iface in file.ifaces():
        words = {line.key for stanza in file.of(iface) for line in stanza.body if line.key}
        if iface in bonds:
            foreign = words - BOND_ATTRIBUTES
        elif iface in (own.bridge, own.management):
            foreign = words - BRIDGE_ATTRIBUTES - PORT_ATTRIBUTES
        elif iface in own.ports or iface == "lo":
            foreign = words - PORT_ATTRIBUTES
        else:
            yield Finding(f"{host}:{iface}", "left alone", "an unmanaged stanza", iface, passed=True)
            continue
        for word in sorted(foreign):
            yield Finding(f"{host}:{iface}", "left alone", f"{word} {', '.join(file.get(iface, word))}", iface, passed=True)


FILE_CHECKS = (interfaces_file_is_live, nothing_lives_only_until_the_next_boot, what_is_unmanaged_is_listed)
