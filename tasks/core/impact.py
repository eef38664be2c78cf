"""What applying a new /etc/network/interfaces does to traffic, from how ifupdown2 treats each attribute.

`ifreload` takes a bond down and up for the attributes of BOND_FLAPS (ifupdown2, addons/bond.py); a port that joins or leaves a bond goes
down for a moment; ports move between bridges without the bridge going down.
"""

from collections.abc import Iterator, Mapping

from tasks.core.frr_impact import frr_impact
from tasks.core.interfaces_file import InterfacesFile, same_value
from tasks.core.transaction import FRR_CONF, INTERFACES

BOND_FLAPS = ("bond-mode", "bond-xmit-hash-policy", "bond-lacp-rate", "bond-min-links")


def network_impact(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each consequence of new files, {path: text}; empty where nothing that carries traffic changes."""
    files = ((path, before.get(path, ""), text) for path, text in after.items())
    rules = {INTERFACES: interfaces_impact, FRR_CONF: frr_impact}
    return tuple(sentence for path, old, new in files if path in rules for sentence in rules[path](old, new))


def interfaces_impact(before: str, after: str) -> tuple[str, ...]:
    """What a new /etc/network/interfaces does to traffic."""
    old, new = InterfacesFile(before), InterfacesFile(after)
    said = []
    for iface in dict.fromkeys((*old.ifaces(), *new.ifaces())):
        if not new.of(iface):
            said.append(f"{iface} is taken down: it is no longer in the file")
        elif not old.of(iface):
            said.append(f"{iface} is made")
        said += _port_moves(iface, old, new)
        if old.of(iface) and new.of(iface):
            said += _attribute_changes(iface, old, new)
    return tuple(said)


def _changed(iface: str, attribute: str, old: InterfacesFile, new: InterfacesFile) -> bool:
    have, want = " ".join(old.get(iface, attribute)), " ".join(new.get(iface, attribute))
    return not same_value(attribute, have, want)


def _port_moves(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    for attribute, effect in (("bond-slaves", "goes down for a moment and"), ("bridge-ports", "")):
        have, want = ({*" ".join(file.get(iface, attribute)).split()} - {"none"} for file in (old, new))
        for port in sorted(want - have):
            yield f"{port} {effect} joins {iface}".replace("  ", " ")
        for port in sorted(have - want):
            yield f"{port} {effect} leaves {iface}".replace("  ", " ")


def _by_dhcp(file: InterfacesFile, iface: str) -> bool:
    return any("dhcp" in stanza.head.words for stanza in file.of(iface))


def _attribute_changes(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    for attribute in BOND_FLAPS:
        if _changed(iface, attribute, old, new):
            yield f"{iface} goes down and up: {attribute.removeprefix('bond-')} changes"
    if set(old.get(iface, "address")) - set(new.get(iface, "address")) or (_by_dhcp(old, iface) and not _by_dhcp(new, iface)):
        yield f"{iface} changes its address: sessions to the old one end"
    if _changed(iface, "mtu", old, new):
        yield f"{iface} changes its MTU while it stays up"
    if _changed(iface, "link-down", old, new):
        held = new.get(iface, "link-down")
        yield f"{iface} is held down" if held and held[-1] in ("yes", "on", "1") else f"{iface} is no longer held down: look for a loop"
    if _changed(iface, "gateway", old, new):
        yield f"{iface} changes the default route"
    if _changed(iface, "hwaddress", old, new):
        yield f"{iface} goes down and up and changes its MAC: neighbours' ARP entries go stale"
