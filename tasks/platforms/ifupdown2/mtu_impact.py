"""The impact of a new MTU on traffic: the other interfaces that get it too, and the packets that are lost.

The kernel gives a bond's members the bond's MTU, and ifupdown2 gives a VLAN that of the port below (adjust_logical_dev_mtu). Of the drivers
of common NICs, igb, igc, e1000e and ixgbe restart the port for a new MTU (*_change_mtu), so its link is down until it has negotiated again.
A bridge drops packets larger than the MTU of the outgoing port (is_skb_forwardable) without an error: a bridge sends no ICMP.
"""

from collections.abc import Iterator

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

# The MTU that ifupdown2 sets without an `mtu` line (addons/address.py).
DEFAULT = "1500"


def mtu_of(file: InterfacesFile, iface: str) -> str:
    """The interface's MTU in the file; if stanzas differ, all their values."""
    return " ".join(dict.fromkeys(file.get(iface, "mtu"))) or DEFAULT


def mtu_impact(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    """The impact of a new MTU on an interface that both files have; nothing if the MTU stays the same."""
    have, want = mtu_of(old, iface), mtu_of(new, iface)
    if have == want or _follows_its_bond(iface, old, new):
        return
    yield f"{iface} changes its MTU while it stays up"
    members, bridged = (" ".join(new.get(iface, attribute)).split() for attribute in ("bond-slaves", "bridge-ports"))
    if members:
        yield f"{' and '.join(members)} get the MTU of {iface}: many NICs lose their link for some seconds when their MTU changes"
    for vlan in new.ifaces():
        if (vlan.startswith(f"{iface}.") or iface in new.get(vlan, "vlan-raw-device")) and not new.get(vlan, "mtu"):
            yield f"{vlan} also gets the MTU of {iface}"
    if not (members or bridged) or not (have.isdecimal() and want.isdecimal()):
        return
    if int(want) < int(have):
        yield f"packets of more than {want} bytes to {iface} are lost until their senders have the smaller MTU too"
    elif bridged:
        yield f"{iface} sends packets of up to {want} bytes: larger packets than a receiver accepts are lost, except TCP"


def _follows_its_bond(iface: str, old: InterfacesFile, new: InterfacesFile) -> bool:
    """Whether it is a member of a bond whose MTU changes too, or joins a bond only now."""
    for bond in new.ifaces():
        if iface in " ".join(new.get(bond, "bond-slaves")).split():
            return mtu_of(new, bond) != mtu_of(old, bond) or iface not in " ".join(old.get(bond, "bond-slaves")).split()
    return False
