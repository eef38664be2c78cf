"""The impact of a new /etc/network/interfaces on traffic, by how ifupdown2 applies each attribute.

`ifreload` takes a bond down and up for the attributes of BOND_FLAPS (ifupdown2, addons/bond.py); a port that joins or leaves a bond goes
down for a moment; ports move between bridges without the bridge going down. On a port that runs OSPF, ospfd restarts the adjacency when the
MTU (ospf_ifp_up in ospfd/ospf_interface.c: ospf_if_reset) or the address changes, while the port stays up.
"""

from collections.abc import Iterator

from tasks.platforms.frr.impact import ospf_ports
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, same_value
from tasks.platforms.ifupdown2.mtu_impact import mtu_impact, mtu_of

# Attributes whose change takes a port down, for a moment or for longer.
PORT_FLAPS = ("link-down", "hwaddress")
BOND_FLAPS = ("bond-mode", "bond-xmit-hash-policy", "bond-lacp-rate", "bond-min-links")


def interfaces_impact(before: str, after: str, frr_conf: str = "") -> tuple[str, ...]:
    """The impact of a new /etc/network/interfaces on traffic, and on the OSPF adjacencies that the host's frr.conf configures."""
    old, new = InterfacesFile(before), InterfacesFile(after)
    sentences = []
    with_ospf = ospf_ports(frr_conf, {iface: old.get(iface, "address") for iface in old.ifaces()})
    for iface in dict.fromkeys((*old.ifaces(), *new.ifaces())):
        if not new.of(iface):
            sentences.append(f"{iface} is taken down: it is no longer in the file")
        elif not old.of(iface):
            sentences.append(f"{iface} is created")
        sentences += _port_moves(iface, old, new)
        if old.of(iface) and new.of(iface):
            sentences += _attribute_changes(iface, old, new)
    return (*sentences, *(sentence for iface in sorted(with_ospf) for sentence in _adjacency(iface, old, new)))


def _adjacency(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    """The impact on the OSPF adjacency of a port that has one."""
    if not new.of(iface):
        yield f"{iface}'s OSPF adjacency ends"
    elif _loses_an_address(iface, old, new):
        yield f"{iface}'s OSPF adjacency goes down: the port loses the address that OSPF uses"
    elif mtu_of(old, iface) != mtu_of(new, iface):
        yield f"{iface}'s OSPF adjacency goes down until the other end has the same MTU"
    elif any(_changed(iface, attribute, old, new) for attribute in (*PORT_FLAPS, *BOND_FLAPS)):
        yield f"{iface}'s OSPF adjacency goes down with it"


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


def _loses_an_address(iface: str, old: InterfacesFile, new: InterfacesFile) -> bool:
    lost = set(old.get(iface, "address")) - set(new.get(iface, "address"))
    return bool(lost) or (_by_dhcp(old, iface) and not _by_dhcp(new, iface))


def _attribute_changes(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    for attribute in BOND_FLAPS:
        if _changed(iface, attribute, old, new):
            yield f"{iface} goes down and up: {attribute.removeprefix('bond-')} changes"
    if _loses_an_address(iface, old, new):
        yield f"{iface} changes its address: sessions to the old one end"
    yield from mtu_impact(iface, old, new)
    if _changed(iface, "link-down", old, new):
        down = new.get(iface, "link-down")
        yield f"{iface} is shut down" if down and down[-1] in ("yes", "on", "1") else f"{iface} is no longer shut down: check for a loop"
    if _changed(iface, "gateway", old, new):
        yield f"{iface} changes the default route"
    if _changed(iface, "hwaddress", old, new):
        yield f"{iface} goes down and up and changes its MAC: neighbours' ARP entries go stale"
