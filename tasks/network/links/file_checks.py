"""The interfaces file against the live state, and its unmanaged configuration."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import BONDS, INTERFACES, LINKS
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

TAGS = ("network", "files")
BOND_ATTRIBUTES = frozenset(
    {"bond-slaves", "bond-mode", "bond-miimon", "bond-lacp-rate", "bond-xmit-hash-policy", "bond-lacp-bypass-allow", "mtu"}
)
BRIDGE_ATTRIBUTES = frozenset({"address", "gateway", "bridge-ports", "bridge-stp", "bridge-fd"})
PORT_ATTRIBUTES = frozenset({"address", "gateway", "mtu", "link-down", "ip-forward"})


@check(
    needs=(INTERFACES, LINKS, BONDS),
    severity=Severity.MAJOR,
    remediation="`ifquery -c -a` on the host shows the difference, `ifreload -a` applies the file.",
    tags=TAGS,
)
def interfaces_file_is_live(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The kernel has the bonds, bridges and addresses of /etc/network/interfaces."""
    del site
    file, links, bonds = InterfacesFile(facts[host][INTERFACES]), facts[host][LINKS], facts[host][BONDS]
    for iface in file.ifaces():
        if iface == "lo" or iface not in file.autos():
            continue
        live = links.get(iface)
        if live is None:
            yield Finding(f"{host}:{iface}", "live", "not there", iface)
            continue
        for address in (value for value in file.get(iface, "address") if "." in value):
            yield Finding(f"{host}:{iface}", address, " ".join(live.addresses) or "no address", iface, address in live.addresses)
        if slaves := _ports(file, iface, "bond-slaves"):
            got = sorted(bonds[iface].members) if iface in bonds else ()
            yield Finding(f"{host}:{iface} members", " ".join(sorted(slaves)), " ".join(got) or "none", iface)
        if ports := _ports(file, iface, "bridge-ports"):
            got = sorted(name for name, link in links.items() if link.master == iface)
            missing = [port for port in ports if port not in got]
            yield Finding(f"{host}:{iface} ports", " ".join(sorted(ports)), " ".join(got) or "none", iface, not missing)


def _ports(file: InterfacesFile, iface: str, attribute: str) -> list[str]:
    return [word for word in " ".join(file.get(iface, attribute)).split() if word != "none"]


@check(
    needs=(INTERFACES, LINKS),
    severity=Severity.MAJOR,
    remediation="Write it into /etc/network/interfaces if it is wanted; otherwise it is gone at the next boot.",
    tags=TAGS,
)
def nothing_lives_only_until_the_next_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every live bond and bridge is in the interfaces file."""
    del site
    known = set(InterfacesFile(facts[host][INTERFACES]).ifaces())
    for name, link in facts[host][LINKS].items():
        if link.kind in ("bond", "bridge") and not name.startswith(("fwbr", "docker", "virbr")):
            yield Finding(
                f"{host}:{name}", "in the interfaces file", "in the interfaces file" if name in known else f"only a live {link.kind}", name
            )


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
